//! luna-http
