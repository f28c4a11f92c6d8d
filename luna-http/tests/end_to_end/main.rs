//! The service from end to end: as one process and as a fleet, killed at any step, with clients of the old
//! service, and under attack.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attacks;
mod client;
mod durable;
mod fleet;
mod old_client;
#[path = "../psql/mod.rs"]
mod psql;
#[path = "../started/mod.rs"]
mod started;
mod upgrade;
