//! From threads to the runtime and back: storages answer asynchronously, the engine's threads wait.

use std::future::Future;
use std::io;
use std::sync::{LazyLock, mpsc};

use tokio::runtime::{Builder, Handle, Runtime};

use super::error::{Error, Result};

/// Where asynchronous work runs for threads that wait for it: a runtime of the host, or one of our own
/// that all storages of the process share.
///
/// Waiting blocks the thread, so it must not be one that drives that runtime.
#[derive(Clone, Debug)]
pub struct Bridge {
    handle: Handle,
}

impl Bridge {
    /// To the runtime of our own, which begins with the first call.
    ///
    /// # Errors
    /// If the system gives no threads for it.
    pub fn own() -> Result<Self> {
        static OWN: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
            Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("luna-storage")
                .enable_all()
                .build()
        });
        // The threads of a runtime stay behind when a process is forked.
        static STARTED_IN: LazyLock<u32> = LazyLock::new(std::process::id);
        match &*OWN {
            Ok(_) if *STARTED_IN != std::process::id() => {
                Err(stopped("it was forked after it had used a storage; start it anew instead"))
            }
            Ok(runtime) => Ok(Self { handle: runtime.handle().clone() }),
            Err(_) => Err(stopped("no threads could be started")),
        }
    }

    /// To a runtime of the host's, which must have time and network enabled.
    pub fn on(handle: Handle) -> Self {
        Self { handle }
    }

    /// Runs a future to its end and waits for it. It is a task of the runtime, not of this thread: so
    /// neither is this thread taken for one of a runtime, nor does it matter whether it is.
    ///
    /// # Errors
    /// Those of the future, or that the runtime has ended.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.start(async move {
            // Nobody waits any more if the thread was ended.
            let _ = sender.send(future.await);
        });
        receiver.recv().unwrap_or_else(|_| Err(stopped("the program is ending")))
    }

    /// Starts a future that nobody waits for.
    pub(super) fn start(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(future));
    }
}

pub(super) fn stopped(reason: &str) -> Error {
    Error::Unreachable {
        place: "storage".to_owned(),
        server: "this program".to_owned(),
        reason: reason.to_owned(),
    }
}
