//! Runs the engine over places: the `luna` command, and the ways to name a data set.
//!
//! What is found, and how it is told, is `luna_core`'s business; nothing here changes a report.

#[cfg(feature = "database")]
pub mod catalogue;
pub mod command;
#[cfg(feature = "database")]
pub mod events;
#[cfg(feature = "service")]
pub mod logs;
#[cfg(feature = "service")]
pub mod metrics;
pub mod output;
pub mod place;
pub mod progress;
#[cfg(feature = "push")]
pub mod push;
#[cfg(feature = "database")]
pub mod queue;
#[cfg(feature = "service")]
pub mod secrets;
#[cfg(feature = "storage")]
pub mod storage;
mod uri;

#[cfg(feature = "service")]
pub mod worker;

/// What the README shows, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
