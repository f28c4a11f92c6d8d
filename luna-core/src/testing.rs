//! What tests of several modules need.

use std::path::Path;

use crate::decode::{Image, decode};
use crate::limits::Limits;
use crate::probe::{Flaws, probe};

/// Name and bytes of the real files in a folder beside the repository that is not part of it;
/// `None`, with a word on stderr, where that folder is absent.
pub(crate) fn shared_files(folder: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")).join(folder);
    let Ok(entries) = std::fs::read_dir(&root) else {
        eprintln!("skipped: there are no real files in shared/data/{folder}");
        return None;
    };
    let mut files: Vec<_> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((name, std::fs::read(entry.path()).ok()?))
        })
        .collect();
    files.sort();
    Some(files)
}

/// These bytes as a zlib stream.
pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

/// Everything that probe and decoder say of these bytes under the default budgets.
pub(crate) fn seen(bytes: &[u8]) -> (Option<Image>, Flaws) {
    let limits = Limits::default();
    let mut found = probe(bytes, &limits);
    let mut flaws = std::mem::take(&mut found.flaws);
    let image = decode(bytes, &found, &limits, &mut flaws);
    (image, flaws)
}
