//! luna-py
