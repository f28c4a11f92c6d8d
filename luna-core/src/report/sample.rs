//! Reports built by hand, for the tests of this folder.

use super::{
    Counts, Dataset, FileEntry, Group, ProfileIdentity, Report, RulesRun, SCHEMA_VERSION, Verdict,
};
use crate::digest::Digest;
use crate::finding::{Finding, Location, Severity};
use crate::probe::Format;
use crate::record::{DicomFacts, Facts, Fingerprints, Kind, Measurements};

/// A DICOM radiograph of which everything is known; `seed` varies its numbers.
pub(crate) fn radiograph(path: &str, seed: u32) -> FileEntry {
    let mut facts = Facts::unknown(10_001_234 + u64::from(seed));
    facts.kind = Kind::Image;
    facts.sha256 = Some(digest(seed.into()));
    facts.format = Some(Format::Dicom);
    facts.transfer_syntax = Some("1.2.840.10008.1.2.4.70".into());
    (facts.width, facts.height) = (Some(2_500 - seed % 700), Some(2_000));
    (facts.frames, facts.channels) = (Some(1), Some(1));
    (facts.bits_allocated, facts.bits_stored) =
        (Some(16), Some(if seed.is_multiple_of(5) { 10 } else { 12 }));
    facts.signed = Some(false);
    facts.photometric_interpretation = Some("MONOCHROME2".into());
    facts.measurements = Some(measurements(seed));
    facts.fingerprints = Fingerprints {
        pixels: Some(digest(u64::from(seed) * 77 + 5)),
        perceptual: Some(digest(u64::from(seed) * 131 + 1)),
    };
    facts.dicom = Some(Box::new(header(seed)));
    FileEntry { path: path.to_owned(), facts: Box::new(facts), findings: Vec::new() }
}

/// A number as a digest.
fn digest(number: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    bytes.into()
}

fn measurements(seed: u32) -> Measurements {
    let drift = f64::from(seed * 37 % 400);
    Measurements {
        min: 0.0,
        max: 4095.0,
        mean: 1_320.412_345 + drift,
        std: 611.02 + drift / 3.0,
        p01: 12.0,
        p50: 1290.0,
        p99: 3990.0,
        entropy_bits: 10.2,
        clipped_low: 0.001,
        clipped_high: 0.0,
        distinct_values: 3_980,
        sharpness: 41.7,
    }
}

fn header(seed: u32) -> DicomFacts {
    let text = |text: &str| Some(text.into());
    DicomFacts {
        sop_class_uid: text("1.2.840.10008.5.1.4.1.1.1.1"),
        modality: text("DX"),
        presentation_intent: text("FOR PRESENTATION"),
        image_type: text("DERIVED\\PRIMARY"),
        body_part: text("CHEST"),
        view_position: text("PA"),
        laterality: None,
        patient_orientation: text("L\\F"),
        imager_pixel_spacing_mm: Some([f64::from(15 + seed % 3) / 100.0; 2]),
        pixel_spacing_mm: None,
        window: Some([2048.0, 4096.0]),
        rescale: Some([1.0, 0.0]),
        burned_in_annotation: text("NO"),
        lossy_compression: text("00"),
        manufacturer: text("ACME"),
        model: text("Ray 3"),
        sex: text("F"),
        age_group: text("18-64"),
        patient: Some(format!("patient-{}", seed + 1).into()),
        study: Some(format!("study-{}", seed + 1).into()),
        series: Some(format!("series-{}", seed + 1).into()),
    }
}

/// A finding as a rule words it.
pub(crate) fn finding(
    rule: &str,
    name: &str,
    severity: Severity,
    message: &str,
    help: &str,
) -> Finding {
    Finding {
        id: String::new(),
        rule: rule.to_owned().into(),
        name: name.to_owned().into(),
        severity,
        path: None,
        message: message.to_owned(),
        help: help.to_owned().into(),
        location: None,
        found: None,
        expected: None,
        related: Vec::new(),
        excepted: false,
    }
}

pub(crate) fn truncated(row: u32) -> Finding {
    let mut finding = finding(
        "LF004",
        "truncated-file",
        Severity::Error,
        &format!("Stops in row {row} of 2,000 (byte 81,920 of at least 204,310)."),
        "Copy or export it again; the original is probably whole.",
    );
    finding.location = Some(Location::Byte { offset: 81_920 });
    finding
}

pub(crate) fn named() -> Finding {
    let mut finding = finding(
        "LI001",
        "direct-identifier",
        Severity::Error,
        "Patient's Name (0010,0010) holds a value.",
        "Remove it before you upload.",
    );
    finding.location = Some(Location::Attribute {
        path: "(0010,0010)".to_owned(),
        keyword: Some("PatientName".to_owned()),
    });
    finding.found = Some("*** (8 characters)".into());
    finding.expected = Some("empty or a pseudonym such as P0042".into());
    finding
}

pub(crate) fn too_dark() -> Finding {
    let help = "Check the window, or export the picture with its full range.";
    let mut finding = finding(
        "LP003",
        "too-dark",
        Severity::Warning,
        "Too dark: 99 of 100 pixels are below grey level 64.",
        help,
    );
    finding.found = Some("64".into());
    finding.expected = Some("at least 110".into());
    finding
}

pub(crate) fn claim_missing() -> Finding {
    finding(
        "LI007",
        "deid-claim-missing",
        Severity::Info,
        "Does not say that it was de-identified.",
        "Set Patient Identity Removed (0012,0062) when you export.",
    )
}

pub(crate) fn duplicate(paths: &[&str]) -> Finding {
    let mut finding = finding(
        "LX002",
        "duplicate-pixels",
        Severity::Warning,
        &format!("{} files hold the same pixels.", paths.len()),
        "Keep one.",
    );
    finding.related = paths.iter().map(ToString::to_string).collect();
    finding
}

/// Puts a report together as `conclude` does.
pub(crate) fn closed(mut files: Vec<FileEntry>, mut findings: Vec<Finding>) -> Report {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in &mut files {
        for finding in &mut file.findings {
            finding.place(Some(&file.path));
        }
        file.findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    }
    for finding in &mut findings {
        finding.place(None);
    }
    let all = || files.iter().flat_map(|file| &file.findings).chain(&findings);
    let (counts, groups) = (Counts::of(all()), Group::all(all()));
    Report {
        schema_version: SCHEMA_VERSION,
        luna_version: "0.1.0".to_owned(),
        edition: "2026.1".to_owned(),
        profile: ProfileIdentity { name: "chest-xray".to_owned(), hash: "ab".repeat(32) },
        dataset: Dataset {
            files: files.len() as u64,
            images: files.iter().filter(|file| file.facts.kind == Kind::Image).count() as u64,
            bytes: files.iter().map(|file| file.facts.size_bytes).sum(),
            fingerprint: "cd".repeat(32),
        },
        verdict: if counts.error > 0 { Verdict::Fail } else { Verdict::Pass },
        partial: false,
        counts,
        rules: RulesRun {
            ran: 84,
            nothing_to_look_at: vec!["LL001".to_owned(), "LM001".to_owned()],
            off: vec!["LI011".to_owned()],
        },
        groups,
        files,
        findings,
    }
}

/// One file with two errors and a warning.
pub(crate) fn one_file() -> Report {
    let mut file = radiograph("images/0001.dcm", 0);
    file.findings = vec![too_dark(), named(), truncated(812)];
    closed(vec![file], Vec::new())
}

/// Five files whose names attack whoever prints them, one duplicate, one exception.
pub(crate) fn five_files() -> Report {
    let names = [
        "=HYPERLINK(\"http://evil.example\").png",
        "<script>alert(1)</script>.dcm",
        "a\u{202e}gnp.dcm",
        "line\nbreak\u{1b}[2J.dcm",
        "plain \"quoted\" & 'odd'.dcm",
    ];
    let mut files: Vec<_> =
        names.iter().zip(0..).map(|(name, seed)| radiograph(name, seed)).collect();
    files[0].findings = vec![truncated(1)];
    files[1].findings = vec![named(), named()];
    files[1].findings[1].message = "\"><img src=x onerror=alert(1)>\u{202e}".to_owned();
    files[2].findings = vec![too_dark()];
    files[3].findings = vec![too_dark(), claim_missing()];
    files[4].findings = vec![too_dark()];
    files[4].findings[0].excepted = true;
    closed(files, vec![duplicate(&[names[1], names[4]])])
}

/// Hundreds of files with every kind of group: everywhere, many rules, infos.
pub(crate) fn hundreds() -> Report {
    let mut files: Vec<_> =
        (0..240).map(|n| radiograph(&format!("images/{n:04}.dcm"), n)).collect();
    for (file, n) in files.iter_mut().zip(0_usize..) {
        file.findings.push(claim_missing());
        if n % 29 == 3 {
            file.findings.push(truncated(n as u32));
        }
        if n % 17 == 0 {
            file.findings.push(too_dark());
        }
        if n % 10 == 0 {
            let rule = n / 10 % 14 + 10;
            let message = "Rows (0028,0010) is not what the standard asks for.";
            let rule = format!("LD{rule:03}");
            file.findings.push(finding(
                &rule,
                "made-up",
                Severity::Warning,
                message,
                "Export again.",
            ));
        }
    }
    let pair = duplicate(&["images/0004.dcm", "images/0009.dcm"]);
    closed(files, vec![pair])
}
