//! luna-worker
