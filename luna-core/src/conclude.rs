//! The second of the three functions: all records in, a [`Report`] out. It works from records alone;
//! no byte of a file is read here.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::finding::Finding;
use crate::names::{folded, kind_of};
use crate::record::{Kind, Record};
use crate::report::{
    Counts, Dataset, FileEntry, Group, ProfileIdentity, Report, RulesRun, SCHEMA_VERSION, Verdict,
};
use crate::rules::{Check, NameContext, Scope, SetContext, Sink};
use crate::settings::Settings;
use crate::source::{Defect, Item};
use crate::table::{Matched, Names, Table, Tables};

/// A listed name with what is known of its bytes.
///
/// ```
/// use luna_core::{Record, conclude::Entry, source::Item};
/// let entry = Entry { item: Item::file("a.png", 0), record: Record::unknown(0).into() };
/// ```
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name.
    pub item: Item,
    /// What is known; in a place of its own, so that entries of a large set are sorted without moving it.
    pub record: Box<Record>,
}

/// All that is known of a data set before it is judged as a whole.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    /// Every listed name; their order does not matter.
    pub entries: Vec<Entry>,
    /// True if some files were not examined; the verdict is then `incomplete` unless there is an
    /// error.
    pub partial: bool,
    /// What is wrong with the source itself ([`Source::defects`](crate::Source::defects)).
    pub defects: Vec<(String, Defect)>,
    /// The tables that go with it.
    pub tables: Tables,
    /// Paths of files that the host was promised and never got, as an upload that broke off.
    pub absent: Vec<String>,
}

impl Whole {
    /// Entries alone, all of them examined, out of a sound source.
    pub fn of(entries: Vec<Entry>) -> Self {
        Self { entries, ..Self::default() }
    }
}

/// Everything that needs the whole set: names, duplicates, verdict.
///
/// ```
/// use luna_core::conclude::{Entry, Whole, conclude};
/// use luna_core::{Settings, examine, report::Verdict, source::Item};
/// let settings = Settings::default();
/// let entry = Entry { item: Item::file("notes.pdf", 8), record: examine(b"%PDF-1.7", &settings).into() };
/// let report = conclude(Whole::of(vec![entry]), &settings);
/// assert_eq!(report.verdict, Verdict::Fail);
/// ```
pub fn conclude(whole: Whole, settings: &Settings) -> Report {
    let Whole { mut entries, partial, defects, tables, absent } = whole;
    entries.sort_by(|a, b| a.item.path.cmp(&b.item.path));
    meet_paths(&mut entries, &tables, settings);
    number_identities(&mut entries);
    let stopped = |(_, defect): &(String, Defect)| matches!(defect, Defect::OverBudget { .. });
    let partial = partial || defects.iter().any(stopped);
    let found = check_set(&entries, &defects, &tables, &absent, partial, settings);
    let mut set_findings = stand_under_files(found, &mut entries, settings);
    set_findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));

    let partial = partial || entries.iter().any(|entry| entry.record.partial);
    let dataset = summarise(&entries);
    let rules = rules_run(&entries, &tables, &absent, settings);
    let files: Vec<FileEntry> = entries.into_iter().map(into_file).collect();
    let all = || files.iter().flat_map(|file| &file.findings).chain(&set_findings);
    let counts = Counts::of(all());
    let verdict = match counts.error {
        1.. => Verdict::Fail,
        0 if partial => Verdict::Incomplete,
        0 => Verdict::Pass,
    };
    let profile = settings.profile();
    Report {
        schema_version: SCHEMA_VERSION,
        luna_version: env!("CARGO_PKG_VERSION").to_owned(),
        edition: crate::profile::EDITION.to_owned(),
        profile: ProfileIdentity { name: profile.name.clone(), hash: profile.hash() },
        dataset,
        verdict,
        partial,
        counts,
        rules,
        groups: Group::all(all()),
        files,
        findings: set_findings,
    }
}

/// Puts findings of the whole set that are about one of its files under that file; the others stay.
fn stand_under_files(
    found: Vec<Finding>,
    entries: &mut [Entry],
    settings: &Settings,
) -> Vec<Finding> {
    let mut rest = Vec::new();
    let mut touched = BTreeSet::new();
    for mut finding in found {
        let subject = finding.path.take();
        finding.place(subject.as_deref());
        let Some(path) = subject else {
            finding.excepted = !finding.related.is_empty()
                && finding.related.iter().all(|path| settings.excepts(&finding.rule, path));
            rest.push(finding);
            continue;
        };
        finding.excepted = settings.excepts(&finding.rule, &path);
        // Entries are in byte order of the path, and this one's text is its bytes.
        let at = entries.binary_search_by(|entry| entry.item.path.as_bytes().cmp(path.as_bytes()));
        match at.ok().and_then(|at| entries.get_mut(at).map(|entry| (at, entry))) {
            Some((at, entry)) => {
                entry.record.findings.push(finding);
                touched.insert(at);
            }
            None => rest.push(finding),
        }
    }
    for at in touched {
        if let Some(entry) = entries.get_mut(at) {
            entry.record.findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        }
    }
    rest
}

/// Adds what depends on the path: kind, findings about names, places and ids of all findings.
fn meet_paths(entries: &mut [Entry], tables: &Tables, settings: &Settings) {
    let alike = alike(entries);
    let mut by_form: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for path in &alike {
        by_form.entry(folded(path)).or_default().push(path);
    }
    for entry in entries {
        let record = &mut entry.record;
        record.facts.kind = kind_of(&entry.item.path, &record.facts);
        let in_set = |table: &&Table| !table.is_outside() && entry.item.path.is_utf8();
        let path = entry.item.path.as_str();
        let is_left = tables.left.iter().any(|left| left == path);
        if is_left || tables.read.iter().filter(in_set).any(|table| table.name() == path) {
            // Whatever is wrong with it as a table is said by LM002.
            record.facts.kind = Kind::Table;
            record.findings.retain(|finding| finding.rule != "LF002");
        }
        if matches!(record.facts.kind, Kind::Debris | Kind::Document) {
            // Not part of the set's pictures; but whoever is named in it is still named.
            record.findings.retain(|finding| finding.rule.starts_with("LI"));
        }
        let mut findings = Vec::new();
        let context = NameContext { settings, item: &entry.item, record, folded: &by_form };
        for rule in settings.running() {
            for check in rule.check.each() {
                if let Check::Name(check) = check {
                    check(&context, &mut Sink::new(rule, settings, &mut findings));
                }
            }
        }
        record.findings.reserve_exact(findings.len());
        record.findings.append(&mut findings);
        let path = entry.item.path.as_str();
        for finding in &mut record.findings {
            finding.place(Some(path));
            finding.excepted = settings.excepts(&finding.rule, path);
        }
        record.findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    }
}

/// Paths that share their folded form with another, by its hash: few, so that not every path of a large
/// set is held once more.
fn alike(entries: &[Entry]) -> Vec<String> {
    let hasher = RandomState::new();
    let form = |entry: &Entry| hasher.hash_one(folded(entry.item.path.as_str()));
    let mut forms: Vec<u64> = entries.iter().map(form).collect();
    forms.sort_unstable();
    let shared: BTreeSet<u64> =
        forms.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    let is_alike = |entry: &&Entry| !shared.is_empty() && shared.contains(&form(entry));
    entries.iter().filter(is_alike).map(|entry| entry.item.path.as_str().to_owned()).collect()
}

/// Replaces keyed hashes by `patient-1`, `study-1`, … in path order.
fn number_identities(entries: &mut [Entry]) {
    let mut patients = Numbering::new("patient");
    let mut studies = Numbering::new("study");
    let mut series = Numbering::new("series");
    for Entry { record, .. } in entries {
        if let (Some(dicom), Some(identity)) = (&mut record.facts.dicom, &record.identity) {
            dicom.patient = patients.name(identity.patient);
            dicom.study = studies.name(identity.study);
            dicom.series = series.name(identity.series);
        }
    }
}

struct Numbering {
    noun: &'static str,
    numbers: BTreeMap<Digest, usize>,
}

impl Numbering {
    fn new(noun: &'static str) -> Self {
        Self { noun, numbers: BTreeMap::new() }
    }

    fn name(&mut self, hash: Option<Digest>) -> Option<Box<str>> {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(hash?).or_insert(next);
        Some(format!("{}-{number}", self.noun).into())
    }
}

fn check_set(
    entries: &[Entry],
    defects: &[(String, Defect)],
    tables: &Tables,
    absent: &[String],
    partial: bool,
    settings: &Settings,
) -> Vec<Finding> {
    // Names are looked up for tables alone.
    let named = if tables.read.is_empty() { &[] } else { entries };
    let names = Names::new(named.iter().map(|entry| entry.item.path.as_str()).collect());
    let matched: Vec<Matched<'_>> =
        tables.read.iter().map(|table| Matched::new(table, &names)).collect();
    let left = &tables.left;
    let context =
        SetContext { settings, entries, defects, tables: &matched, left, absent, partial };
    let mut findings = Vec::new();
    for rule in settings.running() {
        for check in rule.check.each() {
            if let Check::Set(check) = check {
                check(&context, &mut Sink::new(rule, settings, &mut findings));
            }
        }
    }
    findings
}

fn summarise(entries: &[Entry]) -> Dataset {
    let mut fingerprint = Sha256::new();
    let mut bytes = 0;
    let mut images = 0;
    for Entry { item, record } in entries {
        let content = record.facts.sha256.map_or([0; 32], |sha256| *sha256.as_bytes());
        fingerprint.update(item.path.as_bytes());
        fingerprint.update([0]);
        fingerprint.update(content);
        bytes += record.facts.size_bytes;
        images += u64::from(record.facts.kind == Kind::Image);
    }
    Dataset {
        files: entries.len() as u64,
        images,
        bytes,
        fingerprint: hex::encode(fingerprint.finalize()),
    }
}

fn rules_run(
    entries: &[Entry],
    tables: &Tables,
    absent: &[String],
    settings: &Settings,
) -> RulesRun {
    let mut run = RulesRun::default();
    for rule in settings.running() {
        let seen = entries.iter().filter(|entry| rule.scope.covers(&entry.record.facts));
        let needed = if rule.scope == Scope::Set { 2 } else { 1 };
        // What finds that there is nothing at all has looked.
        let is_listed = !tables.read.is_empty() || !absent.is_empty();
        let tabular = rule.scope == Scope::Table && is_listed;
        if rule.scope == Scope::Any || tabular || seen.take(needed).count() == needed {
            run.ran += 1;
        } else {
            run.nothing_to_look_at.push(rule.code.to_owned());
        }
    }
    let on: Vec<&str> = settings.running().map(|rule| rule.code).collect();
    run.off = settings
        .registry()
        .rules()
        .iter()
        .filter(|rule| !on.contains(&rule.code))
        .map(|rule| rule.code.to_owned())
        .collect();
    run
}

fn into_file(entry: Entry) -> FileEntry {
    let Entry { item, record } = entry;
    FileEntry { path: item.path.into_text(), facts: record.facts, findings: record.findings }
}
