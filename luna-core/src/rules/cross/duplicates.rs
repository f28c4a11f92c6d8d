//! Files that are the same: byte for byte (LX001), or in their pixels (LX002). Records in, one
//! finding a group out; near-duplicates are not decided here.

use std::collections::{BTreeMap, BTreeSet};

use crate::conclude::Entry;
use crate::digest::Digest;
use crate::finding::Severity;
use crate::probe::Format;
use crate::record::Kind;
use crate::rules::{Case, Check, Draft, Rule, Scope, SetContext, Sink, Stage, Status};
use crate::text::{counted, escaped};

pub(super) static RULES: &[&Rule] = &[&DUPLICATE_FILE, &DUPLICATE_PIXELS];

const WITHIN: Case = Case::new(
    "",
    Severity::Warning,
    Stage::Set,
    "within one patient and one split, as far as known",
);
const ACROSS_PATIENTS: Case = Case::new(
    "across-patients",
    Severity::Error,
    Stage::Set,
    "the copies carry different patients' identities",
);
const ACROSS_SPLITS: Case = Case::new(
    "across-splits",
    Severity::Error,
    Stage::Set,
    "the copies lie in different top folders of train, val (valid, validation), test",
);

static DUPLICATE_FILE: Rule = Rule {
    code: "LX001",
    name: "duplicate-file",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Set,
    cases: &[WITHIN, ACROSS_SPLITS],
    options: &[],
    summary: "Two or more images of the set are the same file, byte for byte.",
    why: "A copy counts one patient twice: it skews class frequencies and averages, and a copy on the \
          other side of a split lets a model be tested on what it was trained on.",
    measured: "Images whose SHA-256 are equal form a group; one finding a group. Splits are \
               told by the top folder: train, val (also valid, validation), test. A chance collision \
               of SHA-256 is not to be expected; there are no known false alarms. A set that repeats an image on purpose, to test readers \
               against themselves, lists it under `exceptions`.",
    how_to_fix: "Keep one copy, and correct the tables that name the others.",
    references: &[
        "FIPS 180-4, Secure Hash Standard (SHA-256)",
        "Kapoor and Narayanan, Leakage and the reproducibility crisis in machine-learning-based \
         science, Patterns 4 (2023) 100804",
    ],
    check: Check::Set(duplicate_files),
};

static DUPLICATE_PIXELS: Rule = Rule {
    code: "LX002",
    name: "duplicate-pixels",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Set,
    cases: &[WITHIN, ACROSS_PATIENTS, ACROSS_SPLITS],
    options: &[],
    summary: "Different files of the set hold the same pixels: exports of one picture into other \
              formats or depths, copies with another header, a shifted, scaled or inverted range.",
    why: "To a model they are one picture seen twice, as with LX001, but no comparison of files or \
          checksums shows it. Pixels that stand under two patients mean that one of the headers is \
          wrong.",
    measured: "BLAKE3 over the canonical pixels of all frames: v' = (v - min) / gcd(v - min), and of v' \
               and max - v' the one that is smaller where they first differ; RGB of equal channels \
               as grey. So a 12-bit DICOM, its 16-bit PNG (values times 16 or 257) and an inverted \
               export meet. A lossy or windowed export differs in its values and is left to LX003. \
               Constant images have no fingerprint. Groups that LX001 names in full are not named \
               again. Patients are compared by PatientID with its issuer, splits by the top folder. No known false alarms.",
    how_to_fix: "Keep the file with the most grey levels and the fullest header, and correct the tables \
                 that name the others.",
    references: &[
        "DICOM PS3.3 C.7.6.3.1.2 (MONOCHROME1 and MONOCHROME2: one picture, two polarities)",
        "BLAKE3 specification, O'Connor et al., 2020",
    ],
    check: Check::Set(duplicate_pixels),
};

fn duplicate_files(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    for (sha256, group) in groups(cx, |entry| entry.record.facts.sha256) {
        let message = format!("{} are the same, byte for byte", named(&group));
        fire(out, &group, &message, format!("SHA-256 {sha256:.16}…"), None);
    }
}

fn duplicate_pixels(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    for (_, group) in groups(cx, |entry| entry.record.facts.fingerprints.pixels) {
        let contents: BTreeSet<_> = group.iter().map(|entry| entry.record.facts.sha256).collect();
        if contents.len() < 2 {
            continue;
        }
        let message = format!("{} hold the same pixels in different files", named(&group));
        let best = group.iter().max_by_key(|entry| {
            let facts = &entry.record.facts;
            let levels = facts.measurements.as_ref().map(|numbers| numbers.distinct_values);
            // Of equals the first in path order: `max_by_key` would take the last.
            let place = std::cmp::Reverse(&entry.item.path);
            (levels, facts.bits_stored, facts.format == Some(Format::Dicom), place)
        });
        let help = best.map(|best| {
            let path = escaped(best.item.path.as_str());
            format!("Keep {path} ({}), and correct the tables that name the others.", variant(best))
        });
        fire(out, &group, &message, variants(&group), help);
    }
}

/// Images that share a key, two or more, in the order of the key; each group in path order.
fn groups<'a>(
    cx: &SetContext<'a>,
    key: impl Fn(&Entry) -> Option<Digest>,
) -> Vec<(Digest, Vec<&'a Entry>)> {
    let images = cx.entries.iter().filter(|entry| entry.record.facts.kind == Kind::Image);
    let mut keyed: Vec<&Entry> = images.filter(|entry| key(entry).is_some()).collect();
    // Stable: the order of the paths stays within a group.
    keyed.sort_by_key(|entry| key(entry));
    keyed
        .chunk_by(|a, b| key(a) == key(b))
        .filter(|group| group.len() > 1)
        .filter_map(|group| Some((key(group.first()?)?, group.to_vec())))
        .collect()
}

/// What to do where the identities differ: which file is the best says nothing of whose it is.
const WHOSE: &str =
    "Look up whose picture it is, since one of the headers is wrong, and keep that file.";

/// Reports a group under the gravest case that holds for it.
fn fire(out: &mut Sink<'_>, group: &[&Entry], message: &str, found: String, help: Option<String>) {
    // Equal bytes carry equal identities: LX001 never has two patients.
    let patients: BTreeSet<Digest> =
        group.iter().filter_map(|entry| entry.record.identity.as_ref()?.patient).collect();
    let splits: BTreeSet<&str> = group.iter().filter_map(|entry| split(entry)).collect();
    let mut also = Vec::new();
    let help = if patients.len() > 1 { Some(WHOSE.to_owned()) } else { help };
    if patients.len() > 1 {
        also.push(format!("they carry {} patients' identities", patients.len()));
    }
    if splits.len() > 1 {
        let splits: Vec<&str> = splits.iter().copied().collect();
        also.push(format!("they lie in the splits {}", splits.join(", ")));
    }
    let case = match (patients.len() > 1, splits.len() > 1) {
        (true, _) => "across-patients",
        (false, true) => "across-splits",
        (false, false) => "",
    };
    let end = if also.is_empty() { String::new() } else { format!("; {}", also.join(", and ")) };
    let draft = Draft::new(format!("{message}{end}."))
        .found(found)
        .related(group.iter().map(|entry| entry.item.path.as_str()));
    out.fire(case, help.into_iter().fold(draft, Draft::help));
}

/// The split that the top folder names.
fn split(entry: &Entry) -> Option<&'static str> {
    let (folder, _) = entry.item.path.as_str().split_once('/')?;
    match folder.to_ascii_lowercase().as_str() {
        "train" => Some("train"),
        "val" | "valid" | "validation" => Some("val"),
        "test" => Some("test"),
        _ => None,
    }
}

/// `a.png and b.png`, `a.png, b.png and 3 more`.
fn named(group: &[&Entry]) -> String {
    let name = |entry: &&Entry| escaped(entry.item.path.as_str());
    match group {
        [one, other] => format!("{} and {}", name(one), name(other)),
        [one, other, rest @ ..] => {
            format!(
                "{}, {} and {} more",
                name(one),
                name(other),
                crate::text::grouped(rest.len() as u64)
            )
        }
        _ => String::new(),
    }
}

/// `1 file DICOM, 12 bits; 2 files PNG, 8 bits`.
fn variants(group: &[&Entry]) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for entry in group {
        *counts.entry(variant(entry)).or_default() += 1;
    }
    let each: Vec<String> = counts
        .into_iter()
        .map(|(variant, n)| format!("{} {variant}", counted(n, "file")))
        .collect();
    each.join("; ")
}

/// `DICOM, 12 bits`.
fn variant(entry: &Entry) -> String {
    let facts = &entry.record.facts;
    let format = facts.format.map_or("unknown format", Format::title);
    match facts.bits_stored {
        Some(bits) => format!("{format}, {}", counted(bits.into(), "bit")),
        None => format.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Finding;
    use crate::record::{KeyedIdentity, Record};
    use crate::settings::Settings;
    use crate::source::Item;

    struct Picture(Entry);

    impl Picture {
        fn new(path: &str, sha256: &str, pixels: &str) -> Self {
            let mut record = Record::unknown(1);
            record.facts.kind = Kind::Image;
            record.facts.format = Some(Format::Png);
            record.facts.bits_stored = Some(8);
            record.facts.sha256 = Some(sha256.repeat(32).parse().unwrap());
            record.facts.fingerprints.pixels = Some(of_text(pixels));
            Self(Entry { item: Item::file(path, 1), record: Box::new(record) })
        }

        fn of(mut self, patient: &str) -> Self {
            let patient = Some(of_text(patient));
            self.0.record.identity = KeyedIdentity { patient, ..Default::default() }.boxed();
            self
        }

        fn dicom(mut self, bits: u8) -> Self {
            self.0.record.facts.format = Some(Format::Dicom);
            self.0.record.facts.bits_stored = Some(bits);
            self
        }
    }

    fn of_text(text: &str) -> Digest {
        blake3::hash(text.as_bytes()).into()
    }

    fn run(rule: &Rule, pictures: impl IntoIterator<Item = Picture>) -> Vec<Finding> {
        let settings = Settings::default();
        let mut entries: Vec<Entry> = pictures.into_iter().map(|picture| picture.0).collect();
        entries.sort_by(|a, b| a.item.path.cmp(&b.item.path));
        let mut findings = Vec::new();
        let Check::Set(check) = rule.check else { panic!("a set rule") };
        let context = SetContext {
            settings: &settings,
            entries: &entries,
            defects: &[],
            tables: &[],
            left: &[],
            absent: &[],
            partial: false,
        };
        check(&context, &mut Sink::new(rule, &settings, &mut findings));
        findings
    }

    #[test]
    fn equal_files_are_one_finding_that_names_all_of_them() {
        let names = ["c.png", "a.png", "b.png"];
        let mut pictures: Vec<_> = names.iter().map(|name| Picture::new(name, "0a", "p")).collect();
        pictures.push(Picture::new("d.png", "0b", "q"));
        let findings = run(&DUPLICATE_FILE, pictures);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert_eq!(findings[0].related, ["a.png", "b.png", "c.png"]);
        assert_eq!(findings[0].message, "a.png, b.png and 1 more are the same, byte for byte.");
        assert_eq!(findings[0].found.as_deref(), Some("SHA-256 0a0a0a0a0a0a0a0a…"));
    }

    #[test]
    fn equal_pixels_in_equal_files_are_left_to_lx001() {
        let twice = || [Picture::new("a.png", "0a", "p"), Picture::new("b.png", "0a", "p")];
        assert!(run(&DUPLICATE_PIXELS, twice()).is_empty());
        assert_eq!(run(&DUPLICATE_FILE, twice()).len(), 1);
    }

    #[test]
    fn equal_pixels_in_different_files_say_what_differs_and_which_to_keep() {
        let findings = run(
            &DUPLICATE_PIXELS,
            [
                Picture::new("a.png", "0a", "p"),
                Picture::new("b.png", "0a", "p"),
                Picture::new("c.dcm", "0c", "p").dicom(12),
            ],
        );
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].related, ["a.png", "b.png", "c.dcm"]);
        assert_eq!(
            findings[0].found.as_deref(),
            Some("1 file DICOM, 12 bits; 2 files PNG, 8 bits")
        );
        assert!(
            findings[0].help.starts_with("Keep c.dcm (DICOM, 12 bits)"),
            "{}",
            findings[0].help
        );
    }

    #[test]
    fn copies_under_two_patients_or_in_two_splits_are_errors() {
        let patients = run(
            &DUPLICATE_PIXELS,
            [Picture::new("a", "0a", "p").of("1"), Picture::new("b", "0b", "p").of("2")],
        );
        assert_eq!(patients[0].severity, Severity::Error);
        assert!(
            patients[0].message.ends_with("(LX002/across-patients)"),
            "{}",
            patients[0].message
        );
        let splits = run(
            &DUPLICATE_FILE,
            [Picture::new("train/a", "0a", "p"), Picture::new("VALID/a", "0a", "p")],
        );
        assert_eq!(splits[0].severity, Severity::Error);
        assert!(splits[0].message.contains("splits train, val"), "{}", splits[0].message);
    }

    #[test]
    fn one_known_patient_or_two_names_of_one_split_are_no_error() {
        let same = run(
            &DUPLICATE_FILE,
            [
                Picture::new("val/a", "0a", "p").of("1"),
                Picture::new("validation/b", "0a", "p"),
                Picture::new("c", "0a", "p").of("1"),
            ],
        );
        assert_eq!(same[0].severity, Severity::Warning);
    }

    #[test]
    fn what_is_no_image_or_has_no_fingerprint_is_not_compared() {
        let mut table = Picture::new("a.csv", "0a", "p");
        table.0.record.facts.kind = Kind::Table;
        assert!(run(&DUPLICATE_FILE, [table, Picture::new("b.png", "0a", "p")]).is_empty());
        let constant = |path| {
            let mut picture = Picture::new(path, path, "p");
            picture.0.record.facts.fingerprints.pixels = None;
            picture
        };
        assert!(run(&DUPLICATE_PIXELS, [constant("0a"), constant("0b")]).is_empty());
    }

    #[test]
    fn every_group_of_a_large_set_is_listed() {
        let pictures = (0..120).flat_map(|n| {
            let hash = format!("{n:02x}");
            [
                Picture::new(&format!("{n}a"), &hash, &hash),
                Picture::new(&format!("{n}b"), &hash, &hash),
            ]
        });
        assert_eq!(run(&DUPLICATE_FILE, pictures).len(), 120);
    }
}
