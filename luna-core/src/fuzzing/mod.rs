//! What must hold for any bytes: a *target* a parser or decoder, each a function that panics where an
//! invariant is broken. The fuzzers in `fuzz/` and the tests of this module run the same functions.
//!
//! A new target is one file here and one line in [`TARGETS`]; its seeds are files in a folder of
//! `fuzz/seeds.toml`, or the codestreams of `tests/codestreams` ([`CODESTREAMS`]). Not part of the engine: only built for tests and with the feature `fuzzing`.
#![expect(clippy::expect_used, reason = "a broken invariant is to stop the fuzzer")]

mod archive;
mod bmp;
mod codestream;
mod dicom;
mod examine;
mod frame;
mod jpeg;
mod metadata;
mod part10;
mod picture;
mod png;
mod probe;
mod profile;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod tiff;
mod walker;

use crate::limits::Limits;

/// A parser or decoder with what must hold for it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub name: &'static str,
    /// Folders of `fuzz/seeds.toml` with inputs to start from.
    pub seeds: &'static [&'static str],
    /// Panics if the bytes break an invariant.
    pub check: fn(&[u8]),
}

/// The folder of seeds that are kept as files, for nothing here can write them.
pub const CODESTREAMS: &str = "codestreams";

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "archive", seeds: &["archive"], check: archive::check },
    Target { name: "bmp", seeds: &["bmp"], check: bmp::check },
    Target { name: "dicom", seeds: &["dicom"], check: dicom::check },
    Target { name: "examine", seeds: examine::SEEDS, check: examine::check },
    Target { name: "jpeg", seeds: &["jpeg"], check: jpeg::check },
    Target { name: "jpeg2000", seeds: &[CODESTREAMS], check: codestream::jpeg2000 },
    Target { name: "jpegls", seeds: &["jpegls"], check: frame::jpeg_ls },
    Target { name: "jpegxl", seeds: &[CODESTREAMS], check: codestream::jpeg_xl },
    Target { name: "metadata", seeds: &["metadata"], check: metadata::check },
    Target { name: "part10", seeds: &["dicom"], check: part10::check },
    Target { name: "png", seeds: &["png"], check: png::check },
    Target { name: "probe", seeds: examine::SEEDS, check: probe::check },
    Target { name: "profile", seeds: &["profile"], check: profile::check },
    Target { name: "rle", seeds: &["rle"], check: frame::rle },
    Target { name: "stored", seeds: &["report"], check: stored::check },
    Target { name: "table", seeds: &["table"], check: table::check },
    Target { name: "tiff", seeds: &["tiff"], check: tiff::check },
    Target { name: "walker", seeds: &["dicom"], check: walker::check },
];

/// Budgets under which fuzzers run: so small that an allocation beyond them is plain to see, and a
/// run takes milliseconds.
fn limits() -> Limits {
    Limits {
        file_bytes: 1 << 20,
        decoded_bytes: 1 << 20,
        side: 4_096,
        scans: 16,
        frames: 64,
        dicom_nesting: 16,
        dicom_elements: 1_000,
        text_bytes: 4 << 10,
        ..Limits::default()
    }
}

/// The first byte, by which a target chooses between its ways, and the rest.
fn choice(bytes: &[u8]) -> Option<(u8, &[u8])> {
    bytes.split_first().map(|(first, rest)| (*first, rest))
}
