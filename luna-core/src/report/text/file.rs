//! One file in full: facts, measurements, findings.

use std::fmt::Write as _;
use std::io::Write;

use super::Page;
use super::style::{Paint, wrapped};
use crate::error::Error;
use crate::finding::Finding;
use crate::record::{DicomFacts, Facts, Measurements};
use crate::report::facts::{depth, kind_title, number, percent, spacing};
use crate::report::{FileEntry, RenderOptions, ReportFormat};
use crate::rules::Rule;
use crate::text::{bytes, counted, escaped, grouped};

/// Columns of a fact's name.
const NAME: usize = 12;

/// Writes all that is known of one file, and which rules looked at it (`luna inspect`).
///
/// ```
/// # use luna_core::{Validator, report::{RenderOptions, render_inspection}, source::Memory};
/// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
/// let mut text = Vec::new();
/// render_inspection(&report.files[0], &[], &RenderOptions::default(), &mut text)?;
/// assert!(text.starts_with(b"a.png\n"));
/// # Ok::<(), luna_core::Error>(())
/// ```
///
/// # Errors
/// If `out` cannot be written to.
pub fn render_inspection(
    entry: &FileEntry,
    rules_looked: &[&Rule],
    options: &RenderOptions,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let page = Page { paint: Paint(options.colour), width: options.width.max(40) };
    let mut text = page.entry(entry);
    text.push('\n');
    page.rules_looked(&mut text, entry, rules_looked);
    out.write_all(text.as_bytes())
        .map_err(|source| Error::Write { format: ReportFormat::Text.id(), source })
}

impl Page {
    pub(super) fn entry(&self, entry: &FileEntry) -> String {
        let mut text = format!("{}\n", self.paint.bold(&escaped(&entry.path)));
        for (name, value) in facts(&entry.facts) {
            self.row(&mut text, name, &value);
        }
        for finding in &entry.findings {
            text.push_str(&self.finding(finding));
        }
        text
    }

    /// A finding with its place, values and remedy.
    pub(super) fn finding(&self, finding: &Finding) -> String {
        let excepted = if finding.excepted { "  (excepted by the profile)" } else { "" };
        let place = finding.location.as_ref().map(|at| format!("  {}", escaped(&at.to_string())));
        let mut text = format!(
            "\n{} {} {}{}{excepted}\n",
            self.paint.severity(finding.severity),
            self.paint.bold(&escaped(&finding.rule)),
            escaped(&finding.name),
            place.unwrap_or_default(),
        );
        self.paragraph(&mut text, "", &finding.message);
        let values = [("found: ", &finding.found), ("expected: ", &finding.expected)];
        for (name, value) in values {
            if let Some(value) = value {
                self.paragraph(&mut text, name, value);
            }
        }
        if !finding.related.is_empty() {
            self.paragraph(&mut text, "with: ", &finding.related.join(", "));
        }
        self.paragraph(&mut text, "do: ", &finding.help);
        text
    }

    fn rules_looked(&self, text: &mut String, entry: &FileEntry, rules: &[&Rule]) {
        if rules.is_empty() {
            return;
        }
        let fired = |rule: &Rule| entry.findings.iter().any(|finding| finding.rule == rule.code);
        let (loud, silent): (Vec<&Rule>, Vec<&Rule>) = rules.iter().partition(|rule| fired(rule));
        let codes =
            |rules: &[&Rule]| rules.iter().map(|rule| rule.code).collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "{} looked at it", counted(rules.len() as u64, "rule"));
        if !loud.is_empty() {
            self.row(text, "found", &codes(&loud));
        }
        self.row(text, "silent", &codes(&silent));
    }

    fn row(&self, text: &mut String, name: &str, value: &str) {
        for (i, line) in wrapped(value, self.width.saturating_sub(NAME + 2)).iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            let _ = writeln!(text, "  {}{line}", self.paint.dim(&format!("{name:NAME$}")));
        }
    }

    fn paragraph(&self, text: &mut String, name: &str, value: &str) {
        let indent = name.len();
        for (i, line) in wrapped(value, self.width.saturating_sub(indent + 2)).iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            let _ = writeln!(text, "  {name:indent$}{line}");
        }
    }
}

/// What is known, a row a subject; rows of which nothing is known are left out.
fn facts(facts: &Facts) -> Vec<(&'static str, String)> {
    let format = facts.format.map_or("format unknown", |format| format.title());
    let mut rows = vec![(
        "file",
        format!("{}, {format}, {}", kind_title(facts.kind), bytes(facts.size_bytes)),
    )];
    rows.extend(picture(facts).map(|value| ("picture", value)));
    rows.extend(facts.transfer_syntax.clone().map(|value| ("encoding", value)));
    rows.extend(facts.dicom.as_ref().map(|dicom| ("DICOM", header(dicom))));
    rows.extend(facts.measurements.iter().flat_map(measured));
    let hashes = [
        ("sha256", &facts.sha256),
        ("pixels", &facts.fingerprints.pixels),
        ("perceptual", &facts.fingerprints.perceptual),
    ];
    rows.extend(hashes.into_iter().filter_map(|(name, hash)| Some((name, hash.clone()?))));
    rows
}

fn picture(facts: &Facts) -> Option<String> {
    let (width, height) = (facts.width?, facts.height?);
    let mut said = format!("{} x {} pixels", grouped(width.into()), grouped(height.into()));
    let frames = facts.frames.map(|n| counted(n.into(), "frame"));
    let channels = facts.channels.map(|n| counted(n.into(), "channel"));
    let signed = facts.signed.map(|signed| if signed { "signed" } else { "unsigned" }.to_owned());
    let photometric = facts.photometric_interpretation.clone();
    for part in [frames, channels, depth(facts), signed, photometric].into_iter().flatten() {
        let _ = write!(said, ", {part}");
    }
    Some(said)
}

fn header(dicom: &DicomFacts) -> String {
    let texts = [
        ("", &dicom.modality),
        ("", &dicom.presentation_intent),
        ("", &dicom.body_part),
        ("view ", &dicom.view_position),
        ("laterality ", &dicom.laterality),
        ("image type ", &dicom.image_type),
        ("burned-in annotation ", &dicom.burned_in_annotation),
        ("lossy compression ", &dicom.lossy_compression),
        ("by ", &dicom.manufacturer),
        ("", &dicom.model),
        ("sex ", &dicom.sex),
        ("age ", &dicom.age_group),
        ("", &dicom.patient),
        ("", &dicom.study),
        ("", &dicom.series),
        ("SOP class ", &dicom.sop_class_uid),
    ];
    let mut parts: Vec<_> = texts
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}{}", value.as_ref()?)))
        .collect();
    parts.extend(spacing(dicom).map(|said| format!("spacing {said}")));
    let window = dicom.window.map(|[c, w]| format!("window {} / {}", number(c), number(w)));
    let rescale =
        dicom.rescale.map(|[s, i]| format!("rescale slope {}, intercept {}", number(s), number(i)));
    parts.extend(window.into_iter().chain(rescale));
    parts.join(", ")
}

fn measured(m: &Measurements) -> [(&'static str, String); 2] {
    let values = [
        ("min", m.min),
        ("p01", m.p01),
        ("median", m.p50),
        ("mean", m.mean),
        ("p99", m.p99),
        ("max", m.max),
        ("std", m.std),
    ];
    let values = values.map(|(name, value)| format!("{name} {}", number(value))).join(", ");
    let texture = format!(
        "{}, entropy {} bits, clipped {} low and {} high, sharpness {}",
        counted(m.distinct_values, "different value"),
        number(m.entropy_bits),
        percent(m.clipped_low),
        percent(m.clipped_high),
        number(m.sharpness),
    );
    [("values", values), ("texture", texture)]
}
