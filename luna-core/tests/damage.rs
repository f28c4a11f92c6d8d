//! Real files, cut and changed: whatever is done to them is said.

use std::fs;
use std::path::{Path, PathBuf};

use luna_core::{Record, Settings, Severity, examine};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
/// Of files that are alike, one in so many is enough.
const EACH: [(&str, usize); 3] = [("nih", 10), ("cxr", 1), ("dicom", 1)];

fn files() -> Vec<PathBuf> {
    let mut all = Vec::new();
    for (folder, each) in EACH {
        let Ok(entries) = fs::read_dir(Path::new(DATA).join(folder)) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        all.extend(paths.into_iter().step_by(each));
    }
    all
}

/// Errors and warnings about bytes and structure, as `LF004/…` would be selected.
fn said(record: &Record) -> Vec<String> {
    let weighs = |severity: Severity| severity < Severity::Info;
    let of_the_file = |rule: &str| rule.starts_with("LF") || rule.starts_with("LD");
    record
        .findings
        .iter()
        .filter(|finding| weighs(finding.severity) && of_the_file(&finding.rule))
        .map(|finding| format!("{}: {}", finding.rule, finding.message))
        .collect()
}

#[test]
fn every_cut_is_found() {
    let settings = Settings::default();
    for path in files() {
        let bytes = fs::read(&path).unwrap();
        let whole = said(&examine(&bytes, &settings));
        let length = bytes.len();
        for cut in [length / 10, length / 2, length * 9 / 10, length * 99 / 100, length - 1] {
            let found = said(&examine(&bytes[..cut], &settings));
            let is_new = found.iter().any(|it| !whole.contains(it));
            assert!(is_new, "{} cut to {cut} of {length}: {found:?}", path.display());
        }
    }
}

#[test]
fn one_changed_byte_of_a_png_is_found() {
    let settings = Settings::default();
    for path in files().iter().filter(|path| path.extension().is_some_and(|it| it == "png")) {
        let bytes = fs::read(path).unwrap();
        // Behind the IEND nothing is protected; all else is, by its place or by a checksum.
        for tenth in 0..10 {
            let at = (bytes.len() - 1) * tenth / 10 + 9;
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            let found = said(&examine(&changed, &settings));
            assert!(!found.is_empty(), "{} with byte {at} changed", path.display());
        }
    }
}
