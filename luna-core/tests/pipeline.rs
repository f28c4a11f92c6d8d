//! The run as a whole: the same report for any number of threads and order, cancellation, limits,
//! memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may say so")]

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use luna_core::conclude::{Whole, conclude};
use luna_core::report::Verdict;
use luna_core::source::{Item, ItemPath, Memory, ReadError};
use luna_core::{CancelToken, Finding, Observer, Settings, Source, SourceError, Validator};
use proptest::prelude::*;

/// A source that lists the names of another in an order of its own.
struct Shuffled<'a> {
    inner: &'a Memory,
    order: Vec<usize>,
}

impl Source for Shuffled<'_> {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        let items = self.inner.items()?;
        for item in self.order.iter().filter_map(|at| items.get(*at)) {
            if visit(item.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError> {
        self.inner.read(path, max_bytes)
    }

    // As listed: whoever relies on an order must make it himself.
    fn items(&self) -> Result<Vec<Item>, SourceError> {
        let mut items = Vec::new();
        self.list(&mut |item| {
            items.push(item);
            ControlFlow::Continue(())
        })?;
        Ok(items)
    }
}

fn demo() -> Memory {
    let files = luna_fixtures::demo().build().unwrap();
    files
        .into_iter()
        .filter_map(|(path, entry)| match entry {
            luna_fixtures::Entry::File(bytes) => Some((path, bytes)),
            luna_fixtures::Entry::Link(_) => None,
        })
        .collect()
}

fn json(validator: &Validator, source: &dyn Source) -> String {
    serde_json::to_string(&validator.validate(source).unwrap()).unwrap()
}

#[test]
fn one_two_and_sixteen_threads_give_the_same_report() {
    let set = demo();
    let with = |threads| Validator::builder().threads(threads).build().unwrap();
    let one = json(&with(1), &set);
    assert!(one.len() > 10_000);
    assert_eq!(one, json(&with(2), &set));
    assert_eq!(one, json(&with(16), &set));
    let small = Validator::builder().threads(16).memory(512 << 20).build().unwrap();
    assert_eq!(one, json(&small, &set), "verdicts do not depend on the memory budget");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_order_and_number_of_threads_gives_the_same_report(
        order in Just((0..30).collect::<Vec<usize>>()).prop_shuffle(),
        threads in prop::sample::select(vec![1, 2, 3, 16]),
    ) {
        static SET: std::sync::OnceLock<(Memory, String)> = std::sync::OnceLock::new();
        let (set, expected) = SET.get_or_init(|| {
            // The first thirty, so that a case takes a moment only.
            let all = demo();
            let set: Memory = all.items().unwrap().into_iter().take(30)
                .map(|item| (item.path.clone(), all.read(&item.path, u64::MAX).unwrap().into_owned()))
                .collect();
            let expected = json(&Validator::builder().threads(1).build().unwrap(), &set);
            (set, expected)
        });
        let validator = Validator::builder().threads(threads).build().unwrap();
        prop_assert_eq!(&json(&validator, &Shuffled { inner: set, order }), expected);
    }
}

/// Cancels after the first file, and counts.
struct StopAfterFirst<'a> {
    cancel: &'a CancelToken,
    examined: AtomicUsize,
    listed: AtomicU64,
}

impl Observer for StopAfterFirst<'_> {
    fn listed(&self, files: u64, _bytes: u64) {
        self.listed.store(files, Ordering::Relaxed);
    }

    fn examined(&self, _path: &str, _bytes: u64, _findings: &[Finding]) {
        self.examined.fetch_add(1, Ordering::Relaxed);
        self.cancel.cancel();
    }
}

#[test]
fn a_cancelled_run_reports_what_it_saw_and_is_partial() {
    let set: Memory = (0..50).map(|n| (format!("{n}.txt"), b"plain words\n".to_vec())).collect();
    let cancel = CancelToken::default();
    let observer = StopAfterFirst { cancel: &cancel, examined: 0.into(), listed: 0.into() };
    let validator = Validator::builder().threads(1).build().unwrap();
    let report = validator.validate_with(&set, &observer, &cancel).unwrap();
    assert_eq!(observer.listed.into_inner(), 50);
    assert!(report.partial);
    assert_eq!(report.files.len(), observer.examined.into_inner());
    assert!(report.files.len() < 50);
    assert_ne!(report.verdict, Verdict::Pass);
}

#[test]
fn a_file_above_the_limit_is_a_finding_and_is_not_read() {
    let mut profile = luna_core::Profile::default();
    profile.limits.file_bytes = 4;
    let validator = Validator::builder().profile(profile).build().unwrap();
    let set: Memory = [("four", vec![1; 4]), ("five", vec![1; 5])].into_iter().collect();
    let report = validator.validate(&set).unwrap();
    let too_large: Vec<_> = report
        .files
        .iter()
        .filter(|file| file.findings.iter().any(|found| found.rule == "LF009"))
        .map(|file| (file.path.as_str(), file.facts.sha256.is_some()))
        .collect();
    assert_eq!(too_large, [("five", false)]);
}

#[test]
fn nothing_to_validate_is_a_finding_of_the_set() {
    let report = Validator::default().validate(&Memory::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Fail);
    let finding = &report.findings[0];
    assert_eq!((finding.rule.as_ref(), finding.path.as_deref()), ("LF001", None));
}

#[test]
fn what_was_promised_and_never_came_is_an_error() {
    let absent = vec!["b/lost.png".to_owned()];
    let report = conclude(Whole { absent, ..Whole::default() }, &Settings::default());
    let found: Vec<_> = report.findings.iter().map(|it| (&*it.rule, &*it.message)).collect();
    let said = "`b/lost.png` was announced, but did not arrive. (LM006/announced)";
    assert!(found.contains(&("LM006", said)), "{found:?}");
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(!report.rules.nothing_to_look_at.contains(&"LM006".to_owned()));
}

#[test]
fn waiting_for_memory_never_deadlocks() {
    let budget = luna_core::limits::MemoryBudget::new(10);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for bytes in [1, 7, 10, 1_000] {
                    let claim = budget.claim(bytes);
                    assert!(budget.in_use() <= 10);
                    drop(claim);
                }
            });
        }
    });
    assert_eq!(budget.in_use(), 0);
}
