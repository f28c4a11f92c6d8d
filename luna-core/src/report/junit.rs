//! JUnit XML, as servers of continuous integration show it: a case a file, and a case a rule for what
//! concerns several files or the set.
//!
//! A file with findings of severity error is one failure that holds them all, since most servers show
//! the first failure of a case only. Warnings, infos and exceptions stand in the output of their case:
//! the case passes, and they can be read. (`skipped` would say that nobody had looked.) A run that was
//! cut short is a case with an error.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Report;
use crate::finding::{Finding, Severity};
use crate::text::{counted, escaped};

/// The suite of what is no file's.
const DATA_SET: &str = "data set";

type Xml<'a> = Writer<&'a mut dyn Write>;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: BTreeMap<(&str, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        rules.entry((&finding.rule, &finding.name)).or_default().push(finding);
    }
    let files = Tally {
        tests: report.files.len(),
        failures: report
            .files
            .iter()
            .filter(|file| errors(&file.findings).next().is_some())
            .count(),
        errors: 0,
    };
    let failed = |findings: &&Vec<&Finding>| errors(findings.iter().copied()).next().is_some();
    let set = Tally {
        tests: rules.len() + usize::from(report.partial),
        failures: rules.values().filter(failed).count(),
        errors: usize::from(report.partial),
    };
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = element("luna", &files.and(&set));
    xml.create_element("testsuites").with_attributes(pairs(&suites)).write_inner_content(
        |xml| {
            suite(xml, "files", &files, |xml| {
                properties(xml, report)?;
                report.files.iter().try_for_each(|file| {
                    let (folder, _) = file.path.rsplit_once('/').unwrap_or((".", ""));
                    case(
                        xml,
                        folder,
                        &file.path,
                        Some(&file.path),
                        &file.findings.iter().collect::<Vec<_>>(),
                    )
                })
            })?;
            if set.tests == 0 {
                return Ok(());
            }
            suite(xml, DATA_SET, &set, |xml| {
                if report.partial {
                    cut_short(xml)?;
                }
                rules.iter().try_for_each(|((rule, name), findings)| {
                    case(xml, DATA_SET, &format!("{rule} {name}"), None, findings)
                })
            })
        },
    )?;
    xml.get_mut().write_all(b"\n")
}

/// What a suite counts.
struct Tally {
    tests: usize,
    failures: usize,
    errors: usize,
}

impl Tally {
    fn and(&self, other: &Self) -> Self {
        Self {
            tests: self.tests + other.tests,
            failures: self.failures + other.failures,
            errors: self.errors + other.errors,
        }
    }
}

/// Attributes of a suite, or of all of them.
fn element(name: &str, tally: &Tally) -> [(&'static str, String); 5] {
    [
        ("name", name.to_owned()),
        ("tests", tally.tests.to_string()),
        ("failures", tally.failures.to_string()),
        ("errors", tally.errors.to_string()),
        ("skipped", "0".to_owned()),
    ]
}

fn pairs<'a>(attributes: &'a [(&'static str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    attributes.iter().map(|(name, value)| (*name, value.as_str()))
}

fn suite(
    xml: &mut Xml<'_>,
    name: &str,
    tally: &Tally,
    cases: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let attributes = element(name, tally);
    xml.create_element("testsuite")
        .with_attributes(pairs(&attributes))
        .write_inner_content(cases)?;
    Ok(())
}

fn properties(xml: &mut Xml<'_>, report: &Report) -> io::Result<()> {
    let verdict = report.verdict.as_str();
    let said = [
        ("verdict", verdict),
        ("luna_version", &report.luna_version),
        ("edition", &report.edition),
        ("profile", &report.profile.name),
        ("dataset.fingerprint", &report.dataset.fingerprint),
    ];
    xml.create_element("properties").write_inner_content(|xml| {
        said.iter().try_for_each(|(name, value)| {
            let value = plain(value);
            let attributes = [("name", *name), ("value", value.as_str())];
            xml.create_element("property").with_attributes(attributes).write_empty().map(drop)
        })
    })?;
    Ok(())
}

fn cut_short(xml: &mut Xml<'_>) -> io::Result<()> {
    let attributes = [("classname", DATA_SET), ("name", "every file was looked at")];
    xml.create_element("testcase").with_attributes(attributes).write_inner_content(|xml| {
        let said = "The work was cut short: what is reported is not all there is.";
        xml.create_element("error").with_attribute(("message", said)).write_empty().map(drop)
    })?;
    Ok(())
}

fn case(
    xml: &mut Xml<'_>,
    class: &str,
    name: &str,
    file: Option<&str>,
    findings: &[&Finding],
) -> io::Result<()> {
    let (class, name, file) = (plain(class), plain(name), file.map(plain));
    let named = [("classname", class.as_str()), ("name", name.as_str())];
    let named = named.into_iter().chain(file.as_deref().map(|file| ("file", file)));
    let case = xml.create_element("testcase").with_attributes(named);
    if findings.is_empty() {
        return case.write_empty().map(drop);
    }
    let grave: Vec<&Finding> = errors(findings.iter().copied()).collect();
    let others: Vec<&Finding> = findings.iter().copied().filter(|own| !weighs(own)).collect();
    case.write_inner_content(|xml| {
        if let Some(first) = grave.first() {
            let mut message = format!("{} {}: {}", first.rule, first.name, first.message);
            if grave.len() > 1 {
                let more = counted(grave.len() as u64 - 1, "more error");
                message = format!("{message} (and {more})");
            }
            let (message, rule) = (plain(&message), plain(&first.rule));
            xml.create_element("failure")
                .with_attributes([("message", message.as_str()), ("type", rule.as_str())])
                .write_text_content(BytesText::new(&in_full(&grave, file.is_none())))?;
        }
        if !others.is_empty() {
            xml.create_element("system-out")
                .write_text_content(BytesText::new(&in_full(&others, file.is_none())))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn weighs(finding: &Finding) -> bool {
    finding.severity == Severity::Error && !finding.excepted
}

fn errors<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
) -> impl Iterator<Item = &'a Finding> {
    findings.into_iter().filter(|finding| weighs(finding))
}

/// Findings as lines of text, with their path where the case has none.
fn in_full(findings: &[&Finding], with_path: bool) -> String {
    let mut lines = Vec::new();
    for finding in findings {
        let excepted = if finding.excepted { ", excepted" } else { "" };
        let place = finding.location.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
        let Finding { rule, name, severity, message, .. } = finding;
        lines.push(format!("{severity}{excepted}: {rule} {name}{place}: {message}"));
        let values = [("found", &finding.found), ("expected", &finding.expected)];
        let path = finding.path.as_deref().filter(|_| with_path).map(|path| ("in", path.into()));
        let said = values.into_iter().filter_map(|(name, value)| {
            let value = value.as_deref()?;
            Some((name, value.to_owned()))
        });
        let with = (!finding.related.is_empty()).then(|| ("with", finding.related.join(", ")));
        let help = (!finding.help.is_empty()).then(|| ("do", finding.help.to_string()));
        let parts = path.into_iter().chain(said).chain(with).chain(help);
        lines.extend(parts.map(|(name, value)| format!("  {name}: {value}")));
    }
    lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n")
}

/// Text that XML 1.0 can hold: what is unsafe to show is escaped, and so are its two non-characters.
fn plain(text: &str) -> String {
    escaped(text).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}
