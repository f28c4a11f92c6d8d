//! The first of the three functions: one file's bytes in, a [`Record`] out. Pure, and alone with its
//! file: no path, no other file, no clock that reaches the result.

use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::decode::{Image, decode};
use crate::descriptor::Descriptor;
use crate::dicom::{Codec, DicomFile};
use crate::digest::Digest;
use crate::guard;
use crate::limits::MemoryBudget;
use crate::measure::{Measured, measure};
use crate::probe::{Family, Flaw, Flaws, Format, Header, Probe, probe, sniff};
use crate::record::{Kind, Record};
use crate::rules::{Check, FileContext, ImageContext, Rule, Sink};
use crate::settings::Settings;

/// Scratch memory of one file beside its bytes and samples: display pictures, histograms, tables.
const SCRATCH_BYTES: u64 = 8 << 20;

/// Everything that can be known from one file alone: facts, measurements, fingerprints, findings.
///
/// Never fails and never panics: whatever is wrong with the bytes is a finding.
///
/// ```
/// use luna_core::{Settings, examine};
/// let record = examine(b"\x89PNG\r\n\x1a\n", &Settings::default());
/// assert!(record.findings.iter().any(|finding| finding.rule == "LF004"));
/// ```
pub fn examine(bytes: &[u8], settings: &Settings) -> Record {
    examine_within(bytes, settings, &MemoryBudget::new(u64::MAX))
}

/// [`examine`], waiting for room in a memory budget before anything is decoded.
pub(crate) fn examine_within(bytes: &[u8], settings: &Settings, memory: &MemoryBudget) -> Record {
    let started = Instant::now();
    let limits = settings.limits();
    let seconds = limits.seconds;
    let late = || started.elapsed() > Duration::from_secs(seconds.into());
    let sha256 = Digest::from(<[u8; 32]>::from(Sha256::digest(bytes)));

    let mut panicked = Flaws::new();
    let mut found = guard::quiet(|| probe(bytes, limits)).unwrap_or_else(|| {
        panicked.push(Flaw::Panic);
        Probe::named(sniff(bytes))
    });
    let mut flaws = std::mem::take(&mut found.flaws);
    flaws.append(&mut panicked);

    let claim = memory.claim(decoding_bytes(&found));
    let (image, measured) =
        if late() { (None, None) } else { see(bytes, &found, settings, &mut flaws, &late) };
    let partial = late();
    if partial {
        flaws.push(Flaw::Timeout { seconds });
    }
    let mut record = known(bytes, &found, image.as_ref(), measured.as_ref(), settings);
    record.facts.sha256 = Some(sha256);
    record.partial = partial;
    let context =
        FileContext { settings, bytes, probe: &found, flaws: &flaws, facts: &record.facts };
    let seen = image.as_ref().zip(measured.as_ref());
    record.findings = check(&context, seen.filter(|_| !partial));
    // Records wait until the whole set is known: room for four findings is more than most need.
    record.findings.shrink_to_fit();
    drop(claim);
    record
}

/// What can be known of a picture that no file holds, such as an array of an embedding program.
///
/// The record has no format; its size is that of the samples, and its SHA-256 that of their bytes, little-endian.
/// Rules about headers and files have nothing to look at.
///
/// ```
/// use luna_core::decode::{Image, Samples};
/// use luna_core::{Settings, examine_image};
/// let image = Image::of_samples(Samples::U8(vec![0, 1, 2, 3]), (2, 2), 1, 1, None).unwrap();
/// let record = examine_image(&image, &Settings::default());
/// assert_eq!(record.facts.measurements.unwrap().max, 3.0);
/// ```
pub fn examine_image(image: &Image, settings: &Settings) -> Record {
    let geometry = &image.geometry;
    let mut flaws: Flaws = geometry.over_budget(settings.limits()).into_iter().collect();
    let within = Some(image).filter(|_| flaws.is_empty());
    let measured = within.and_then(|image| measured(image, &mut flaws));
    let found = Probe { geometry: Some(geometry.clone()), ..Probe::named(None) };
    let mut record = known(&[], &found, within, measured.as_ref(), settings);
    record.facts.kind = Kind::Image;
    record.facts.size_bytes = geometry.decoded_bytes();
    record.facts.sha256 = Some(image.samples.sha256());
    let context =
        FileContext { settings, bytes: &[], probe: &found, flaws: &flaws, facts: &record.facts };
    record.findings = check(&context, within.zip(measured.as_ref()));
    record
}

/// Memory that decoding and measuring a probed file takes at most, beside its own bytes: the samples,
/// once more while they change their form, and scratch. A progressive JPEG has two bytes for each
/// coefficient beside its samples.
pub(crate) fn decoding_bytes(found: &Probe<'_>) -> u64 {
    let Some(geometry) = &found.geometry else { return SCRATCH_BYTES };
    // Wavelets and JPEG XL are decoded in floating point, in several copies.
    let codec = found.dicom().and_then(DicomFile::codec);
    let a_sample = match (codec, found.format) {
        (Some(Codec::JpegXl), _) => 24,
        (Some(Codec::Jpeg2000), _) | (_, Some(Format::Jpeg2000)) => 16,
        _ => 0,
    };
    let layers = match &found.header {
        Header::Jpeg(header) if header.is_progressive() => 4,
        _ => 2,
    };
    let floating = geometry.samples().saturating_mul(a_sample);
    geometry
        .decoded_bytes()
        .saturating_mul(layers)
        .saturating_add(floating)
        .saturating_add(SCRATCH_BYTES)
}

/// The record of a listed file whose bytes were not read, for this reason.
pub(crate) fn unread(size_bytes: u64, flaw: Option<Flaw>, settings: &Settings) -> Record {
    let mut record = Record::unknown(size_bytes);
    let flaws: Flaws = flaw.into_iter().collect();
    let context = FileContext {
        settings,
        bytes: &[],
        probe: &Probe::named(None),
        flaws: &flaws,
        facts: &record.facts,
    };
    record.findings = check(&context, None);
    record
}

/// Decodes and measures, with panics turned into flaws.
fn see(
    bytes: &[u8],
    found: &Probe<'_>,
    settings: &Settings,
    flaws: &mut Flaws,
    late: &dyn Fn() -> bool,
) -> (Option<Image>, Option<Measured>) {
    let decoded = guard::quiet(|| {
        // What the probe found: a decoder adds the row to a cut that is known already.
        let mut flaws = flaws.clone();
        let image = decode(bytes, found, settings.limits(), &mut flaws);
        (image, flaws)
    });
    let Some((image, met)) = decoded else {
        flaws.push(Flaw::Panic);
        return (None, None);
    };
    *flaws = met;
    let complete = image.as_ref().filter(|image| image.is_complete() && !late());
    let measured = complete.and_then(|image| measured(image, flaws));
    (image, measured)
}

/// Measures, with a panic turned into a flaw.
fn measured(image: &Image, flaws: &mut Flaws) -> Option<Measured> {
    let measured = guard::quiet(|| measure(image));
    if measured.is_none() {
        flaws.push(Flaw::Panic);
    }
    measured.flatten()
}

/// Facts, descriptor and identity, without findings.
fn known(
    bytes: &[u8],
    found: &Probe<'_>,
    image: Option<&Image>,
    measured: Option<&Measured>,
    settings: &Settings,
) -> Record {
    let mut record = Record::unknown(bytes.len() as u64);
    let facts = &mut record.facts;
    facts.format = found.format;
    facts.kind = kind_by_content(found.format);
    if let Some(shape) = &found.geometry {
        facts.width = Some(shape.width);
        facts.height = Some(shape.height);
        facts.frames = Some(shape.frames);
        facts.bits_allocated = Some(shape.bits_allocated);
        facts.bits_stored = Some(shape.bits_stored);
        facts.signed = Some(shape.signed);
        let channels = image.map_or(shape.channels, |image| image.geometry.channels);
        facts.channels = Some(channels);
    }
    if let Some(file) = found.dicom() {
        crate::dicom::facts::fill(&mut record, file, settings.identity_key());
    }
    if let Some(measured) = measured {
        record.facts.measurements = Some(measured.measurements.rounded());
        record.facts.fingerprints = measured.fingerprints;
        record.descriptor = Descriptor::new(&measured.descriptor);
    }
    record
}

/// What a file is to a data set, as far as its bytes tell.
fn kind_by_content(format: Option<Format>) -> Kind {
    match format.map(Format::family) {
        Some(Family::Picture | Family::OtherPicture) => Kind::Image,
        Some(Family::Table) => Kind::Table,
        Some(Family::Archive | Family::Other) | None => Kind::Unknown,
    }
}

/// Runs all rules that look at one file. A rule that panics is reported like a decoder that does.
fn check(
    context: &FileContext<'_>,
    seen: Option<(&Image, &Measured)>,
) -> Vec<crate::finding::Finding> {
    let settings = context.settings;
    let is_image = context.facts.kind == Kind::Image;
    let image = seen.filter(|_| is_image).map(|(image, measured)| ImageContext {
        file: context,
        image,
        measured,
    });
    let mut findings = Vec::new();
    for rule in settings.running().filter(|rule| rule.scope.covers(context.facts)) {
        let fired = guard::quiet(|| {
            let mut fired = Vec::new();
            run(rule, context, image.as_ref(), &mut Sink::new(rule, settings, &mut fired));
            fired
        });
        match fired {
            Some(mut fired) => findings.append(&mut fired),
            None => findings.extend(panic_of(rule, settings)),
        }
    }
    findings
}

fn run(rule: &Rule, file: &FileContext<'_>, image: Option<&ImageContext<'_>>, out: &mut Sink<'_>) {
    for check in rule.check.each() {
        match (check, image) {
            (Check::File(check), _) => check(file, out),
            (Check::Image(check), Some(image)) => check(image, out),
            (Check::CustomFile(check), _) => check(file, out),
            (Check::CustomImage(check), Some(image)) => check(image, out),
            // Decided elsewhere, or nothing to look at.
            _ => {}
        }
    }
}

/// The finding LF007/panic about a rule that panicked, if LF007 is on.
fn panic_of(rule: &Rule, settings: &Settings) -> Option<crate::finding::Finding> {
    let reporter = settings.running().find(|rule| rule.code == "LF007")?;
    let mut findings = Vec::new();
    Sink::new(reporter, settings, &mut findings).fire(
        "panic",
        crate::rules::Draft::new(format!(
            "Rule {} stopped with a panic on this file; its answer is missing.",
            rule.code
        )),
    );
    findings.pop()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use crate::finding::Severity;
    use crate::rules::{Case, Draft, Registry, Scope, Stage, Status};

    fn panicking(_: &FileContext<'_>, _: &mut Sink<'_>) {
        panic!("a value that nobody may see");
    }

    #[test]
    fn a_picture_that_no_file_holds_is_judged_like_one() {
        use crate::decode::Samples;
        let of = |samples: Vec<u8>, settings: &Settings| {
            let image = Image::of_samples(Samples::U8(samples), (600, 600), 1, 1, None).unwrap();
            examine_image(&image, settings)
        };
        let settings = Settings::default();
        let blank = of(vec![7; 360_000], &settings);
        assert!(blank.findings.iter().any(|found| found.rule == "LP001"), "{:?}", blank.findings);
        assert_eq!((blank.facts.size_bytes, blank.facts.format), (360_000, None));
        assert_eq!(
            blank.facts.sha256,
            Some(<[u8; 32]>::from(Sha256::digest(vec![7; 360_000])).into())
        );
        let limits = crate::Limits { side: 599, ..crate::Limits::default() };
        let tight = Profile { limits, ..Profile::default() };
        let too_large = of(vec![7; 360_000], &Settings::new(tight, Registry::default()).unwrap());
        assert!(too_large.facts.measurements.is_none());
        assert!(too_large.findings.iter().any(|found| found.severity == Severity::Error));
    }

    #[test]
    fn a_rule_that_panics_is_a_finding_and_the_others_go_on() {
        let rule = |code, check| Rule {
            code,
            name: "test",
            status: Status::Stable { since: "0.1.0" },
            scope: Scope::Any,
            cases: &[Case { name: "", severity: Severity::Info, stage: Stage::File, about: "" }],
            options: &[],
            summary: "",
            why: "",
            measured: "",
            how_to_fix: "",
            references: &[],
            check,
        };
        let mut registry = Registry::default();
        registry.add(rule("LF901", Check::File(panicking)));
        registry.add(rule("LF902", Check::File(|_, out| out.fire("", Draft::new("Seen.")))));
        let settings = Settings::new(Profile::default(), registry).unwrap();
        let record = examine(b"x", &settings);
        let fired: Vec<_> = record.findings.iter().map(|found| found.rule.as_ref()).collect();
        assert!(fired.contains(&"LF902"), "{fired:?}");
        let panic = record.findings.iter().find(|found| found.rule == "LF007").unwrap();
        assert!(panic.message.contains("LF901") && !panic.message.contains("nobody"));
    }
}
