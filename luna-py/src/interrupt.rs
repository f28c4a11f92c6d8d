//! Work of the engine without the GIL: signals are heard meanwhile, and Ctrl-C stops it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use luna_core::CancelToken;
use pyo3::prelude::*;

/// How long a signal waits to be seen.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(50);

/// Does work on a thread of its own, while this one listens for signals and calls `look` at each heartbeat.
/// Either may raise an exception; the work is then cancelled, and its end waited for.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    cancel: &CancelToken,
    look: &(dyn Fn(Python<'_>) -> PyResult<()> + Sync),
    work: impl FnOnce() -> PyResult<T> + Send,
) -> PyResult<T> {
    py.detach(|| {
        thread::scope(|scope| {
            let (done, finished) = mpsc::channel::<()>();
            let work = scope.spawn(move || {
                // Dropped when the work ends, however it ends.
                let _done = done;
                work()
            });
            while finished.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                if let Err(raised) = hear(look) {
                    cancel.cancel();
                    let _ = work.join();
                    return Err(raised);
                }
            }
            match work.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    })
}

/// Raises what a signal's handler raises, and then what `look` does.
pub(crate) fn hear(look: &(dyn Fn(Python<'_>) -> PyResult<()> + Sync)) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        look(py)
    })
}
