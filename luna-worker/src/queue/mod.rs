//! The queue of the catalogue: items that workers take on lease, at least once each.
//!
//! An item is `queued`, then `leased`, then `done`; or `dead`, with the reason; or `cancelled`. A lease
//! that is not renewed in time passes to whoever asks next. Each lease has a token that is higher than all
//! before it, and a holder whose token is no longer the item's can change nothing.
//!
//! Teams take turns: of the highest priority that waits, the team with the fewest items in work goes first,
//! and of those the one that was served longest ago. Within a team, jobs take turns by their shards.

mod claim;
mod items;
mod stats;
#[cfg(test)]
mod tests;
mod workers;

use std::time::Duration;

pub(crate) use self::items::{add, cancel_items, done, fence, out_of_hand, suspect};
pub use self::stats::{DeadLetter, Stats};

use crate::catalogue::engine::words;

/// How long a lease lasts, unless the worker says otherwise.
pub const LEASE: Duration = Duration::from_secs(15);
/// After so many failures in a row, with no headway between, an item is dead.
pub const MAX_FAILURES: i64 = 12;
/// After so many workers in a row were lost over it, with no headway between, an item is dead.
pub const MAX_LAPSES: i64 = 12;
/// A worker that was not seen for so long is not counted as alive.
pub const ALIVE: Duration = Duration::from_secs(45);

words! {
    /// What is to be done with an item.
    ItemKind {
        /// List a data set and cut it into shards.
        Plan = "plan",
        /// Examine the files of a shard.
        Examine = "examine",
        /// Conclude a job and write its reports.
        Conclude = "conclude",
        /// The house's own work: no team's, no job's.
        Chore = "chore",
    }
}

words! {
    /// How far an item is.
    ItemState {
        /// It waits.
        Queued = "queued",
        /// A worker has it.
        Leased = "leased",
        /// It was done.
        Done = "done",
        /// It was given up.
        Dead = "dead",
        /// Nobody wants it any more.
        Cancelled = "cancelled",
    }
}

/// Work to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    /// Whose turn it takes; 0 is the house.
    pub team_id: i64,
    /// The job that it is part of.
    pub job_id: Option<i64>,
    /// What is to be done.
    pub kind: ItemKind,
    /// An item with a key that was there before is not queued again.
    pub key: String,
    /// What the worker needs to know.
    pub payload: String,
    /// Higher goes first, before any turns. 0 unless there is a reason.
    pub priority: i64,
    /// Lower goes first within a team: the number of the shard, so that jobs take turns.
    pub turn: i64,
}

/// An item that a worker has, and the right to change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The item.
    pub item_id: i64,
    /// Higher than that of any lease on it before.
    pub token: i64,
    /// Whose turn it was.
    pub team_id: i64,
    /// The job that it is part of.
    pub job_id: Option<i64>,
    /// What is to be done.
    pub kind: ItemKind,
    /// What the worker needs to know.
    pub payload: String,
    /// Its priority, which what follows from it inherits.
    pub priority: i64,
    /// Which time this is, from 1. Work that was handed back in peace does not count.
    pub attempts: i64,
}

impl Lease {
    /// True if a worker may have died over this: take the files one by one, each
    /// [in hand](crate::catalogue::Catalogue::take_in_hand) before it is read.
    pub fn is_careful(&self) -> bool {
        self.attempts > 1
    }
}

/// What becomes of an item that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// It is tried again after this long.
    Retry(Duration),
    /// It is dead, and its job has failed.
    Dead,
}

/// How long to wait after so many failures in a row: 1 s, doubled each time, at most five minutes.
fn back_off(failures: i64) -> Duration {
    const LONGEST: Duration = Duration::from_mins(5);
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(0).min(16);
    Duration::from_secs(1 << doublings).min(LONGEST)
}
