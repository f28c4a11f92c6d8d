//! How a host watches a run, and stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::finding::Finding;

/// A run's events, for progress bars and live views. All methods have empty defaults.
///
/// Calls come from worker threads, in any order; nothing that an observer does changes a report.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use luna_core::{Observer, Validator, source::Memory};
///
/// #[derive(Default)]
/// struct Count(AtomicU64);
/// impl Observer for Count {
///     fn examined(&self, _path: &str, _bytes: u64, _findings: &[luna_core::Finding]) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
/// let count = Count::default();
/// Validator::default().validate_with(&Memory::single("a.png", Vec::new()), &count, &Default::default())?;
/// assert_eq!(count.0.into_inner(), 1);
/// # Ok::<(), luna_core::Error>(())
/// ```
pub trait Observer: Sync {
    /// The source is listed: `files` with `bytes` in all are to be examined.
    fn listed(&self, _files: u64, _bytes: u64) {}
    /// One file is examined; `findings` are those of the file alone.
    fn examined(&self, _path: &str, _bytes: u64, _findings: &[Finding]) {}
    /// All files are examined; what needs the whole set begins.
    fn concluding(&self) {}
}

/// An observer that looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// A flag by which a host stops a run: files in work are finished, the report is `partial`.
///
/// ```
/// let token = luna_core::CancelToken::default();
/// token.cancel();
/// assert!(token.is_cancelled());
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Asks the run to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True once a stop was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
