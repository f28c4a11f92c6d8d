//! Real files, cut and changed: whatever is done to them is said.

use std::fs;
use std::path::{Path, PathBuf};

use luna_core::source::Memory;
use luna_core::{Error, Severity, Validator};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
/// Of files that are alike, one in so many is enough.
const EACH: [(&str, usize); 3] = [("nih", 10), ("cxr", 1), ("dicom", 1)];

/// A DICOM object that needs no pixels, cut exactly between two elements, is another whole object.
const BETWEEN_ELEMENTS: [(&str, usize); 2] =
    [("chrJapMulti.dcm", 1_726), ("rtdose_1frame.dcm", 978)];

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

/// Errors and warnings about bytes and structure.
fn said(validator: &Validator, path: &Path, bytes: &[u8]) -> Result<Vec<String>, Error> {
    let name =
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let report = validator.validate(&Memory::single(name.as_str(), bytes.to_vec()))?;
    let weighs = |severity: Severity| severity < Severity::Info;
    let of_the_file = |rule: &str| rule.starts_with("LF") || rule.starts_with("LD");
    let findings = report.files.iter().flat_map(|file| &file.findings);
    Ok(findings
        .filter(|finding| weighs(finding.severity) && of_the_file(&finding.rule))
        .map(|finding| format!("{}: {}", finding.rule, finding.message))
        .collect())
}

#[test]
fn every_cut_is_found() {
    let validator = Validator::default();
    for path in files() {
        let bytes = fs::read(&path).unwrap();
        let whole = said(&validator, &path, &bytes).unwrap();
        // Zeros after the end are padding, and nobody misses them.
        let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        for cut in [length / 10, length / 2, length * 9 / 10, length * 99 / 100, length - 1] {
            if BETWEEN_ELEMENTS.iter().any(|(name, at)| path.ends_with(name) && cut == *at) {
                continue;
            }
            let found = said(&validator, &path, &bytes[..cut]).unwrap();
            let is_new = found.iter().any(|it| !whole.contains(it));
            assert!(is_new, "{} cut to {cut} of {length}: {found:?}", path.display());
        }
    }
}

#[test]
fn one_changed_byte_of_a_png_is_found() {
    let validator = Validator::default();
    for path in files().iter().filter(|path| path.extension().is_some_and(|it| it == "png")) {
        let bytes = fs::read(path).unwrap();
        // Behind the IEND nothing is protected; all else is, by its place or by a checksum.
        for tenth in 0..10 {
            let at = (bytes.len() - 1) * tenth / 10 + 9;
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            let found = said(&validator, path, &changed).unwrap();
            assert!(!found.is_empty(), "{} with byte {at} changed", path.display());
        }
    }
}
