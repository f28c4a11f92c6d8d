//! The page, on reports built by hand.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::finding::Severity;
use crate::report::sample::{
    claim_missing, closed, finding, five_files, hundreds, one_file, radiograph,
};
use crate::report::{RenderOptions, Report, ReportFormat, render};
use crate::rules::{Case, Check, Registry, Rule, Scope, Stage, Status};

const CASES: &[Case] = &[Case::only(Severity::Error, Stage::File)];

/// A rule that the page explains; it knows no other.
fn truncated_rule() -> Rule {
    Rule {
        code: "LF004",
        name: "truncated-file",
        status: Status::Stable { since: "0.1.0" },
        scope: Scope::Any,
        cases: CASES,
        options: &[],
        summary: "The file stops before its end.",
        why: "What is missing is <black> in training.",
        measured: "",
        how_to_fix: "Copy it again.",
        references: &[],
        check: Check::File(|_, _| {}),
    }
}

/// A page, with made-up pictures.
fn page(report: &Report) -> String {
    let pictures = crate::illustrate::tests::ramps(report);
    let mut out = Vec::new();
    // The words of the built-in rules change; the page does not change with them.
    let registry = Registry::of([truncated_rule()]);
    let options = RenderOptions { registry, ..Default::default() };
    render(report, ReportFormat::Html, &options, Some(&pictures), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What stands between the first `start` and the next `end` after it.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let tail = text.split_once(start).unwrap_or_else(|| panic!("no {start}")).1;
    tail.split_once(end).unwrap_or_else(|| panic!("no {end} after {start}")).0
}

/// A page without style, script and pictures.
fn structure(page: &str) -> String {
    let mut text = page.to_owned();
    for (start, end) in [("<style>", "</style>"), ("<script>", "</script>")] {
        text = text.replace(between(page, start, end), "");
    }
    let data = regex::Regex::new("base64,[A-Za-z0-9+/=]*").unwrap();
    let hash = regex::Regex::new("sha256-[A-Za-z0-9+/=]*").unwrap();
    let text = data.replace_all(&text, "base64,…");
    hash.replace_all(&text, "sha256-…").replace("><", ">\n<")
}

#[test]
fn a_page_has_this_structure() {
    insta::assert_snapshot!(structure(&page(&five_files())));
}

#[test]
fn a_page_asks_nothing_of_any_network_and_lets_nothing_run() {
    let tags = regex::Regex::new("<[a-zA-Z][^>]*>").unwrap();
    let attributes = regex::Regex::new(r#"\s([a-zA-Z-]+)(="[^"]*")?"#).unwrap();
    for report in [one_file(), five_files(), hundreds(), closed(Vec::new(), Vec::new())] {
        let page = page(&report);
        for tag in tags.find_iter(&page).map(|tag| tag.as_str()) {
            for found in attributes.captures_iter(tag) {
                let (name, value) = (&found[1], found.get(2).map_or("", |value| value.as_str()));
                assert!(name != "style" && !name.starts_with("on"), "{tag}");
                let leads_out =
                    name == "href" && !value.starts_with("=\"#") && !value.starts_with("=\"data:");
                assert!(
                    !leads_out && name != "src" && name != "srcset" && name != "action",
                    "{tag}"
                );
            }
        }
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("<style").count(), 1);
        let seen = page.replace('\n', " ");
        assert!(!seen.chars().any(crate::text::is_unsafe));
        let style = between(&page, "<style>", "</style>");
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

#[test]
fn a_page_allows_its_style_and_script_by_hash() {
    use sha2::{Digest, Sha256};
    let page = page(&five_files());
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"").replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none'; img-src data:; "), "{policy}");
    for part in ["style", "script"] {
        let text = between(&page, &format!("<{part}>"), &format!("</{part}>"));
        let allowed = between(&policy, &format!("{part}-src 'sha256-"), "'");
        let hash = Sha256::digest(text);
        let decoded = BASE64_STANDARD.decode(allowed).unwrap();
        assert_eq!(decoded, hash.as_slice());
    }
}

/// Decodes Base64, to check the encoder by its inverse.
#[test]
fn links_inside_a_page_lead_somewhere_and_ids_are_unique() {
    let id = regex::Regex::new(r#"\sid="([^"]*)""#).unwrap();
    let link = regex::Regex::new(r##"href="#([^"=]*)""##).unwrap();
    for report in [one_file(), five_files(), hundreds()] {
        let page = page(&report);
        let ids: Vec<_> = id.captures_iter(&page).map(|found| found[1].to_owned()).collect();
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        for link in link.captures_iter(&page) {
            assert!(ids.iter().any(|id| *id == link[1]), "{}", &link[0]);
        }
    }
}

#[test]
fn a_page_of_a_large_set_keeps_its_budget_and_says_what_it_hides() {
    let mut files: Vec<_> = (0..12_000)
        .map(|n| radiograph(&format!("{}/{n:06}.dcm", "folder".repeat(20)), n))
        .collect();
    for (file, n) in files.iter_mut().zip(0_usize..) {
        file.findings.push(claim_missing());
        for rule in 0..40 {
            if n % 5 == 0 {
                let rule = format!("LD{rule:03}");
                file.findings.push(finding(
                    &rule,
                    "made-up",
                    Severity::Warning,
                    "Wrong.",
                    "Again.",
                ));
            }
        }
    }
    let page = page(&closed(files, Vec::new()));
    assert!(page.len() < 15_000_000, "{}", page.len());
    assert!(page.contains("50 of 2,400 findings"));
    assert!(page.contains("2,000 of 12,000 files"));
    assert!(page.matches("data:image/jpeg").count() <= 300);
}

#[test]
fn the_same_report_gives_the_same_page() {
    assert!(page(&hundreds()) == page(&hundreds()));
}

#[test]
fn code_in_a_rules_sentences_is_set_as_code() {
    let text = super::prose("Set `a < b` or `c`; done.").into_string();
    assert_eq!(text, "Set <code>a &lt; b</code> or <code>c</code>; done.");
}
