//! Validation jobs through real workers: the binary, killed and stopped, on SQLite with a folder and on
//! PostgreSQL with an S3 server where `.ci/servers` started them.
#![cfg(feature = "service")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may say so")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what was measured, what was skipped"
)]

mod admin;
mod bench;
mod ends;
mod outages;
mod port;
mod proxy;
mod scale;
mod storm;
