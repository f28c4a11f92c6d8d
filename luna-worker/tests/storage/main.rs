//! Storages as the engine and the command see them, on real servers where `.ci/servers` started them.
#![cfg(feature = "service")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may say so")]
#![expect(clippy::print_stderr, reason = "a test says that it was skipped")]

#[path = "../../../luna-core/tests/behaviour/mod.rs"]
mod behaviour;

mod addresses;
mod archives;
mod behaves;
mod command;
mod failures;
mod listing;
mod server;

use std::fs;
use std::path::Path;

use luna_worker::storage::{Bridge, Error, Storage, StoredSource};

/// The address that a variable names, below a path of its own; `None` without that server.
pub(crate) fn on_server(variable: &str, path: &str) -> Option<String> {
    let Ok(uri) = std::env::var(variable) else {
        let required = std::env::var("LUNA_TEST_SERVERS").is_ok();
        assert!(!required, "{variable} must name a server; run the tests under .ci/servers");
        eprintln!("skipped: {variable} names no server");
        return None;
    };
    let (place, options) = uri.split_once('?').unwrap();
    Some(format!("{place}/{path}?{options}"))
}

/// All storages that can be written to, each below a path of its own.
pub(crate) fn writable(path: &str) -> Vec<String> {
    let mut uris = vec![format!("memory://{}/{path}", path.replace('/', "-"))];
    uris.extend(
        ["LUNA_TEST_S3", "LUNA_TEST_AZBLOB"].iter().filter_map(|name| on_server(name, path)),
    );
    uris
}

/// Runs a future where one is needed.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Puts files into a storage.
pub(crate) fn put<'a>(uri: &str, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
    wait(async {
        let storage = Storage::open(uri).unwrap();
        for (key, bytes) in files {
            storage.write(key, bytes.to_vec()).await.unwrap();
        }
    });
}

/// Puts all files of a folder into a storage.
pub(crate) fn put_folder(uri: &str, folder: &Path) {
    use luna_core::Source as _;
    let source = luna_core::source::Folder::new(folder);
    for item in source.items().unwrap() {
        let bytes = fs::read(folder.join(item.path.as_str())).unwrap();
        put(uri, [(item.path.as_str(), &bytes[..])]);
    }
}

/// A storage as a data set.
pub(crate) fn source(uri: &str) -> Result<StoredSource, Error> {
    Ok(StoredSource::new(Storage::open(uri)?, Bridge::own()?))
}
