//! What reports look like, format by format.

use std::path::Path;

use proptest::prelude::*;

use super::sample::{closed, finding, five_files, hundreds, one_file, radiograph};
use super::{RenderOptions, Report, ReportFormat, render, render_inspection, report_schema};
use crate::finding::{Location, Severity};
use crate::text::six_digits;

fn rendered(report: &Report, format: ReportFormat) -> String {
    let mut out = Vec::new();
    render(report, format, &RenderOptions::default(), None, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn text_of_one_file_says_everything() {
    insta::assert_snapshot!(rendered(&one_file(), ReportFormat::Text));
}

#[test]
fn text_of_five_files_escapes_their_names() {
    let text = rendered(&five_files(), ReportFormat::Text);
    assert!(text.chars().all(|c| c == '\n' || !crate::text::is_unsafe(c)), "{text:?}");
    insta::assert_snapshot!(text);
}

#[test]
fn text_of_hundreds_of_files_stays_short() {
    let text = rendered(&hundreds(), ReportFormat::Text);
    assert!(text.lines().count() <= 40, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn text_without_findings_is_the_verdict() {
    let files = vec![radiograph("a.dcm", 0), radiograph("b.dcm", 1)];
    insta::assert_snapshot!(
        rendered(&closed(files, Vec::new()), ReportFormat::Text),
        @"PASS  no errors, 0 warnings; 84 rules ran, 2 had nothing to look at"
    );
}

#[test]
fn colour_changes_nothing_but_colour() {
    let report = hundreds();
    let mut out = Vec::new();
    let options = RenderOptions { colour: true, ..Default::default() };
    render(&report, ReportFormat::Text, &options, None, &mut out).unwrap();
    let coloured = String::from_utf8(out).unwrap();
    assert!(coloured.contains("\u{1b}[1;31mFAIL\u{1b}[0m"));
    let plain = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&coloured, "");
    assert_eq!(plain, rendered(&report, ReportFormat::Text));
}

#[test]
fn an_inspection_lists_the_rules_that_looked() {
    let registry = crate::rules::Registry::default();
    let rules: Vec<_> = registry.rules().iter().collect();
    let mut out = Vec::new();
    render_inspection(&one_file().files[0], &rules, &RenderOptions::default(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("images/0001.dcm\n"), "{text}");
    assert!(rules.iter().all(|rule| text.contains(rule.code)), "{text}");
}

#[test]
fn json_has_every_key_in_order() {
    insta::assert_snapshot!(rendered(&one_file(), ReportFormat::Json));
}

#[test]
fn json_lines_have_a_header_then_files_then_findings() {
    insta::assert_snapshot!(rendered(&five_files(), ReportFormat::JsonLines));
}

#[test]
fn csv_has_a_row_a_finding() {
    insta::assert_snapshot!(rendered(&five_files(), ReportFormat::Csv));
}

#[test]
fn machine_formats_are_ascii() {
    for format in [ReportFormat::Json, ReportFormat::JsonLines] {
        let text = rendered(&five_files(), format);
        assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{text}");
    }
}

#[test]
fn a_report_cut_at_the_end_of_a_line_is_refused() {
    let text = rendered(&five_files(), ReportFormat::JsonLines);
    let cut: String = text.split_inclusive('\n').take(3).collect();
    assert!(Report::from_jsonl(cut.as_bytes()).is_err());
}

#[test]
fn a_newer_report_is_refused() {
    let mut report = one_file();
    report.schema_version = 2;
    let text = rendered(&report, ReportFormat::Json);
    assert!(Report::from_json(text.as_bytes()).is_err());
}

#[test]
fn rendered_reports_follow_the_schema() {
    let validator = jsonschema::validator_for(&report_schema()).unwrap();
    for report in [one_file(), five_files(), hundreds(), closed(Vec::new(), Vec::new())] {
        let value = serde_json::from_str(&rendered(&report, ReportFormat::Json)).unwrap();
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_refuses_a_missing_and_an_unknown_key() {
    let validator = jsonschema::validator_for(&report_schema()).unwrap();
    let text = rendered(&one_file(), ReportFormat::Json);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(validator.is_valid(&value));
    for key in ["/files/0", "/files/0/findings/0", "/files/0/dicom", "/counts"] {
        let mut changed = value.clone();
        if let Some(object) = changed.pointer_mut(key).and_then(serde_json::Value::as_object_mut) {
            object.insert("surprise".to_owned(), 1.into());
            assert!(!validator.is_valid(&changed), "unknown key in {key}");
        }
    }
    for (object, key) in [("", "partial"), ("/files/0", "width"), ("/files/0/dicom", "laterality")]
    {
        let mut changed = value.clone();
        changed.pointer_mut(object).unwrap().as_object_mut().unwrap().shift_remove(key).unwrap();
        assert!(!validator.is_valid(&changed), "{object} without {key}");
    }
}

/// `LUNA_BLESS=1 cargo test -p luna-core` writes the file anew.
#[test]
fn the_published_schema_is_the_schema() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
    let wanted = serde_json::to_string_pretty(&report_schema()).unwrap() + "\n";
    if std::env::var_os("LUNA_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &wanted).unwrap();
    }
    let published = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(published == wanted, "stale: run LUNA_BLESS=1 cargo test -p luna-core");
}

fn any_location() -> impl Strategy<Value = Option<Location>> {
    prop_oneof![
        Just(None),
        any::<u64>().prop_map(|offset| Some(Location::Byte { offset })),
        (".*", proptest::option::of(".*"))
            .prop_map(|(path, keyword)| Some(Location::Attribute { path, keyword })),
        any::<[u32; 5]>().prop_map(|[x, y, width, height, frame]| Some(Location::Box {
            x,
            y,
            width,
            height,
            frame
        })),
        (any::<u64>(), proptest::option::of(".*"))
            .prop_map(|(row, column)| Some(Location::Cell { row, column })),
        ".*".prop_map(|pointer| Some(Location::Key { pointer })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_stored_report_comes_back_as_it_was(
        path in ".{0,40}",
        message in "(?s).{0,80}",
        location in any_location(),
        found in proptest::option::of(".*"),
        seed in 0_u32..1000,
    ) {
        let mut file = radiograph(&path, seed);
        let mut said = finding("LF004", "truncated-file", Severity::Error, &message, "Again.");
        (said.location, said.found) = (location, found);
        said.related = vec![path, message];
        file.findings.push(said.clone());
        let mut report = closed(vec![file], vec![said]);
        let measurements = report.files[0].facts.measurements.as_mut().unwrap();
        measurements.mean = six_digits(measurements.mean);
        measurements.std = six_digits(measurements.std);
        for format in [ReportFormat::Json, ReportFormat::JsonLines] {
            let text = rendered(&report, format);
            prop_assert_eq!(&Report::from_bytes(text.as_bytes()).unwrap(), &report);
        }
        for format in [ReportFormat::Text, ReportFormat::Csv, ReportFormat::Html] {
            let text = rendered(&report, format);
            prop_assert!(text.chars().all(|c| c == '\n' || !crate::text::is_unsafe(c)));
        }
    }
}
