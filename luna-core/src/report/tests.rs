//! What reports look like, format by format.

use std::path::Path;

use proptest::prelude::*;

use super::sample::{closed, finding, five_files, hundreds, one_file, radiograph};
use super::{
    GroupBy, RenderOptions, Report, ReportFormat, render, render_files, render_inspection,
    report_schema,
};
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
fn junit_has_a_case_a_file_and_a_case_a_rule_of_the_set() {
    insta::assert_snapshot!(rendered(&five_files(), ReportFormat::Junit));
}

#[test]
fn junit_says_that_a_run_was_cut_short() {
    let mut report = one_file();
    report.partial = true;
    let text = rendered(&report, ReportFormat::Junit);
    let [all, set] = [
        "<testsuites name=\"luna\" tests=\"2\" failures=\"1\" errors=\"1\" skipped=\"0\">",
        "<testsuite name=\"data set\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">",
    ];
    assert!(text.contains(all) && text.contains(set), "{text}");
    assert!(text.contains("<error message=\"The work was cut short"), "{text}");
}

#[test]
fn junit_counts_what_it_holds() {
    let text = rendered(&hundreds(), ReportFormat::Junit);
    let count = |tag: &str| text.matches(tag).count();
    let said = format!(
        "<testsuites name=\"luna\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">",
        count("<testcase "),
        count("<failure ")
    );
    assert_eq!(count("<testcase "), 241);
    assert!(count("<failure ") > 0 && text.contains(&said), "{said}");
}

#[test]
fn sarif_has_a_result_a_finding_and_the_rules_that_fired() {
    insta::assert_snapshot!("sarif_of_one_file", rendered(&one_file(), ReportFormat::Sarif));
    insta::assert_snapshot!("sarif_of_five_files", rendered(&five_files(), ReportFormat::Sarif));
}

#[test]
fn sarif_points_into_the_list_of_rules() {
    let text = rendered(&hundreds(), ReportFormat::Sarif);
    let log: serde_json::Value = serde_json::from_str(&text).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), hundreds().all_findings().count());
    for result in results {
        let at = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(run["tool"]["driver"]["rules"][at]["id"], result["ruleId"]);
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str();
        assert!(uri.unwrap().starts_with("images/"));
    }
}

#[test]
fn a_report_gathered_by_file_or_folder_leaves_nothing_out() {
    let by = |report: &Report, group_by| {
        let mut out = Vec::new();
        let options = RenderOptions { group_by, ..RenderOptions::default() };
        render(report, ReportFormat::Text, &options, None, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    insta::assert_snapshot!("text_by_file", by(&five_files(), GroupBy::File));
    insta::assert_snapshot!("text_by_folder", by(&hundreds(), GroupBy::Folder));
    let report = hundreds();
    let text = by(&report, GroupBy::File);
    for file in report.files.iter().filter(|file| !file.findings.is_empty()) {
        assert!(text.contains(&file.path), "{}", file.path);
    }
    let lines = text.lines().filter(|line| line.contains(" claim-missing") || line.contains("LD"));
    assert!(lines.count() >= 240 / 10, "{text}");
}

#[test]
fn a_page_gathered_by_folder_has_a_table_of_folders() {
    let page = |group_by| {
        let mut out = Vec::new();
        let options = RenderOptions { group_by, ..RenderOptions::default() };
        render(&hundreds(), ReportFormat::Html, &options, None, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(page(GroupBy::Folder).contains("Table of folders"));
    let usual = page(GroupBy::Rule);
    assert!(!usual.contains("Table of folders"));
    let order = |page: &str| page.find("id=\"files\"") < page.find("id=\"findings\"");
    assert!(order(&page(GroupBy::File)) && !order(&usual));
}

#[test]
fn parquet_holds_a_row_a_finding_and_a_row_a_file() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;

    let report = five_files();
    let tables = [ReportFormat::Parquet; 2].map(|_| Vec::new());
    let [mut findings, mut files] = tables;
    let options = RenderOptions::default();
    render(&report, ReportFormat::Parquet, &options, None, &mut findings).unwrap();
    render_files(&report, ReportFormat::Parquet, &mut files).unwrap();

    let table = SerializedFileReader::new(bytes::Bytes::from(findings)).unwrap();
    let rows: Vec<_> = table.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    let ids: Vec<_> = rows.iter().map(|row| row.get_string(0).unwrap().clone()).collect();
    assert_eq!(ids, report.all_findings().map(|own| own.id.clone()).collect::<Vec<_>>());
    let duplicate = rows.last().unwrap();
    assert_eq!(duplicate.get_list(19).unwrap().len(), 2, "related paths");
    assert!(duplicate.get_string(4).is_err(), "no path is null");

    let table = SerializedFileReader::new(bytes::Bytes::from(files)).unwrap();
    let rows: Vec<_> = table.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    let paths: Vec<_> = rows.iter().map(|row| row.get_string(0).unwrap().clone()).collect();
    assert_eq!(paths, report.files.iter().map(|own| own.path.clone()).collect::<Vec<_>>());
}

#[test]
fn a_table_of_nothing_is_a_table() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    let mut table = Vec::new();
    let report = closed(Vec::new(), Vec::new());
    render_files(&report, ReportFormat::Parquet, &mut table).unwrap();
    let table = SerializedFileReader::new(bytes::Bytes::from(table)).unwrap();
    assert_eq!(table.metadata().file_metadata().num_rows(), 0);
}

#[test]
fn a_stored_report_is_rendered_again_byte_for_byte() {
    for report in [one_file(), five_files(), hundreds(), closed(Vec::new(), Vec::new())] {
        for format in [ReportFormat::Json, ReportFormat::JsonLines] {
            let stored = rendered(&report, format);
            let back = Report::from_bytes(stored.as_bytes()).unwrap();
            assert_eq!(rendered(&back, format), stored);
        }
    }
}

#[test]
fn a_stored_report_with_a_key_too_many_is_refused() {
    let stored = rendered(&one_file(), ReportFormat::Json);
    for (key, place) in [
        ("\"verdict\"", "the report"),
        ("\"bits_stored\"", "a file"),
        ("\"distinct_values\"", "measurements"),
        ("\"excepted\": false", "a finding"),
    ] {
        let changed = stored.replacen(key, &format!("\"surprise\": 1, {key}"), 1);
        let refused = Report::from_json(changed.as_bytes()).unwrap_err();
        let why = std::error::Error::source(&refused).unwrap().to_string();
        assert!(why.contains("surprise"), "{place}: {why}");
    }
}

#[test]
fn machine_formats_are_ascii() {
    for format in [ReportFormat::Json, ReportFormat::JsonLines, ReportFormat::Sarif] {
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
fn a_newer_report_is_refused_by_its_version() {
    let mut report = one_file();
    report.schema_version = 2;
    for format in [ReportFormat::Json, ReportFormat::JsonLines] {
        let text = rendered(&report, format);
        let said = Report::from_bytes(text.as_bytes()).unwrap_err().to_string();
        let wanted = "schema version 2 (written by luna 0.1.0); this luna reads version 1";
        assert!(said.contains(wanted), "{said}");
    }
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
        (said.location, said.found) = (location, found.map(Into::into));
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
        for format in [
            ReportFormat::Text,
            ReportFormat::Csv,
            ReportFormat::Html,
            ReportFormat::Junit,
            ReportFormat::Sarif,
        ] {
            let text = rendered(&report, format);
            prop_assert!(text.chars().all(|c| c == '\n' || !crate::text::is_unsafe(c)));
        }
    }
}
