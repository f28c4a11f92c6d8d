//! The whole way of one file: the same record twice, and findings that can be stored and printed.

use std::sync::OnceLock;

use super::limits;
use crate::conclude::{Entry, Whole, conclude};
use crate::examine::examine;
use crate::finding::Finding;
use crate::profile::Profile;
use crate::record::Record;
use crate::report::Report;
use crate::rules::Registry;
use crate::settings::{IdentityKey, Settings};
use crate::source::Item;
use crate::text::is_unsafe;

pub(super) const SEEDS: &[&str] = &["bmp", "dicom", "jpeg", "other", "png", "profile", "tiff"];

pub(super) fn check(bytes: &[u8]) {
    let settings = settings();
    let record = examine(bytes, settings);
    let stored = serde_json::to_string(&record).expect("a record can be stored");
    for finding in &record.findings {
        finding_is_printable(finding);
        let panicked = finding.rule == "LF007" && finding.message.contains("panic");
        assert!(!panicked, "{}", finding.message);
    }
    if record.partial {
        return; // Too slow, which the fuzzer says by itself; the second run may be cut elsewhere.
    }
    let again = examine(bytes, settings);
    assert_eq!(serde_json::to_string(&again).expect("as before"), stored, "two runs, two records");
    let back: Record = serde_json::from_str(&stored).expect("a stored record can be read");
    assert_eq!(serde_json::to_string(&back).expect("as before"), stored);

    let item = Item::file("a", bytes.len() as u64);
    let report = conclude(Whole::of(vec![Entry { item, record: record.into() }]), settings);
    let stored = serde_json::to_vec(&report).expect("a report can be stored");
    let back = Report::from_json(&stored).expect("a stored report can be read");
    assert_eq!(serde_json::to_vec(&back).expect("as before"), stored);
}

/// Every rule, preview and optional ones too, under small budgets.
fn settings() -> &'static Settings {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let mut profile = Profile::builtin("strict").expect("it is built in");
        profile.limits = limits();
        let codes = |rule: &crate::rules::Rule| rule.code.to_owned();
        let registry = Registry::default();
        profile.rules.select = registry.rules().iter().map(codes).collect();
        profile.rules.ignore.clear();
        let settings = Settings::new(profile, registry).expect("the profile is sound");
        let key = IdentityKey::from_hex(&"5a".repeat(32)).expect("a key");
        settings.with_identity_key(key).with_values_shown(true)
    })
}

fn finding_is_printable(finding: &Finding) {
    let place = finding.location.as_ref().map(ToString::to_string);
    let texts = [
        Some(finding.message.as_str()),
        Some(&*finding.help),
        finding.found.as_deref(),
        finding.expected.as_deref(),
        place.as_deref(),
    ];
    for text in texts.into_iter().flatten() {
        let harmful = text.chars().find(|c| is_unsafe(*c));
        assert_eq!(harmful, None, "{}: {text:?}", finding.rule);
        assert!(text.len() < 4_096, "{}: a text of {} bytes", finding.rule, text.len());
    }
}
