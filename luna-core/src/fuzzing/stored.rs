//! A stored report: what is read can be stored again as it was and rendered in every format; what is
//! refused is refused in words that can be printed.

use crate::report::{RenderOptions, Report, ReportFormat, render};
use crate::text::is_unsafe;

pub(super) fn check(bytes: &[u8]) {
    let report = match Report::from_bytes(bytes) {
        Ok(report) => report,
        Err(error) => return printable(&error.to_string()),
    };
    let text = |format| {
        let mut out = Vec::new();
        render(&report, format, &RenderOptions::default(), None, &mut out)
            .expect("memory takes everything");
        out
    };
    for format in [ReportFormat::Json, ReportFormat::JsonLines] {
        let stored = text(format);
        let back = Report::from_bytes(&stored).expect("what was stored can be read");
        let mut again = Vec::new();
        render(&back, format, &RenderOptions::default(), None, &mut again).expect("as before");
        assert_eq!(again, stored, "stored twice, two reports");
    }
    printable(std::str::from_utf8(&text(ReportFormat::Text)).expect("text is UTF-8"));
    for format in [ReportFormat::Html, ReportFormat::Csv, ReportFormat::Junit, ReportFormat::Sarif]
    {
        assert!(std::str::from_utf8(&text(format)).is_ok(), "{format:?} is not UTF-8");
    }
}

fn printable(text: &str) {
    let harmful = text.chars().find(|c| is_unsafe(*c) && *c != '\n');
    assert_eq!(harmful, None, "{text:?}");
}
