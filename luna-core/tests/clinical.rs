//! The pixel rules on real radiographs, where they are at hand: good ones raise nothing, spoilt
//! copies of them and the known odd ones are named.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may stop and say why")]

use std::path::{Path, PathBuf};

use luna_core::decode::{Samples, decode};
use luna_core::probe::probe;
use luna_core::rules::Registry;
use luna_core::{Limits, Profile, Record, Settings, Severity, examine};
use rayon::prelude::*;

/// Real pictures are not part of the repository.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");

/// Files of a folder of the data with their bytes, by name; `None`, said aloud, without the data.
fn pictures(folder: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let folder = Path::new(DATA).join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not here", folder.display());
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    Some(paths.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect())
}

fn settings(profile: &str) -> Settings {
    Settings::new(Profile::builtin(profile).unwrap(), Registry::default()).unwrap()
}

/// Records of all pictures; each of them must have been decoded and measured.
fn examined(pictures: &[(String, Vec<u8>)], settings: &Settings) -> Vec<Record> {
    let examined = pictures.par_iter().map(|(name, bytes)| {
        let record = examine(bytes, settings);
        assert!(record.facts.is_decoded_image(), "{name}: {:?}", record.findings);
        record
    });
    examined.collect()
}

/// `LP003`, or `LP014/colour` where a rule has several cases.
fn pixel_findings(record: &Record) -> Vec<(String, Severity)> {
    let pixel = record.findings.iter().filter(|finding| finding.rule.starts_with("LP"));
    let named = pixel.map(|finding| {
        let case = finding.message.rsplit_once(&format!("({}/", finding.rule));
        let case = case.and_then(|(_, rest)| rest.split_once(')')).map(|(case, _)| case);
        let name = case.map_or(finding.rule.to_string(), |case| format!("{}/{case}", finding.rule));
        (name, finding.severity)
    });
    named.collect()
}

fn has(record: &Record, name: &str) -> bool {
    pixel_findings(record).iter().any(|(found, _)| found == name)
}

/// A radiograph of the NIH set, spoilt, as an 8-bit PNG.
fn spoilt(bytes: &[u8], spoil: impl Fn(&[u8], usize) -> (Vec<u8>, usize)) -> Vec<u8> {
    let limits = Limits::default();
    let image = decode(bytes, &probe(bytes, &limits), &limits, &mut Vec::new()).unwrap();
    let stride = usize::from(image.geometry.channels);
    let Samples::U8(samples) = &image.samples else { panic!("8 bits") };
    let grey: Vec<u8> = samples.iter().step_by(stride).copied().collect();
    let (values, width) = spoil(&grey, image.geometry.width as usize);
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width as u32, (values.len() / width) as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_compression(png::Compression::Fastest);
    encoder.write_header().unwrap().write_image_data(&values).unwrap();
    png
}

/// Share of the spoilt copies that raise this.
fn share_found(
    pictures: &[(String, Vec<u8>)],
    name: &str,
    spoil: impl Fn(&[u8], usize) -> (Vec<u8>, usize) + Sync,
) -> f64 {
    let copies: Vec<_> =
        pictures.par_iter().map(|(name, bytes)| (name.clone(), spoilt(bytes, &spoil))).collect();
    let records = examined(&copies, &settings("chest-xray"));
    let found = records.iter().filter(|record| has(record, name)).count();
    found as f64 / records.len() as f64
}

fn inverted(values: &[u8], width: usize) -> (Vec<u8>, usize) {
    (values.iter().map(|value| 255 - value).collect(), width)
}

fn upside_down(values: &[u8], width: usize) -> (Vec<u8>, usize) {
    (values.iter().rev().copied().collect(), width)
}

fn on_its_side(values: &[u8], width: usize) -> (Vec<u8>, usize) {
    let height = values.len() / width;
    let turned = (0..width).flat_map(|x| (0..height).rev().map(move |y| values[y * width + x]));
    (turned.collect(), height)
}

/// Three boxes of 7 pixels along each axis: nearly a Gaussian of sigma 3.5.
fn blurred(values: &[u8], width: usize) -> (Vec<u8>, usize) {
    let mut values: Vec<f32> = values.iter().map(|value| f32::from(*value)).collect();
    let height = values.len() / width;
    let along = |values: &[f32], step: usize, at: usize, last: usize| -> f32 {
        let near = (0..7).map(|k| (at + k).saturating_sub(3).min(last));
        near.map(|place| values[place * step]).sum::<f32>() / 7.0
    };
    for _ in 0..3 {
        let rows = values.chunks_exact(width);
        let rows = rows.flat_map(|row| (0..width).map(|x| along(row, 1, x, width - 1)));
        let across: Vec<f32> = rows.collect();
        let columns = (0..height).flat_map(|y| {
            let across = &across;
            (0..width).map(move |x| along(&across[x..], width, y, height - 1))
        });
        values = columns.collect();
    }
    (values.iter().map(|value| value.round() as u8).collect(), width)
}

#[test]
fn good_radiographs_raise_no_pixel_error_and_hardly_a_warning() {
    let Some(pictures) = pictures("nih") else { return };
    assert_eq!(pictures.len(), 120);
    for profile in ["default", "chest-xray"] {
        let records = examined(&pictures, &settings(profile));
        let mut warnings = Vec::new();
        for (record, (name, _)) in records.iter().zip(&pictures) {
            for (finding, severity) in pixel_findings(record) {
                assert_ne!(severity, Severity::Error, "{profile}: {name}: {finding}");
                if severity == Severity::Warning {
                    warnings.push(format!("{name}: {finding}"));
                }
            }
        }
        assert!(warnings.len() <= 1, "{profile}: {warnings:?}");
    }
}

#[test]
fn negatives_of_good_radiographs_are_suspected() {
    let Some(pictures) = pictures("nih") else { return };
    let found = share_found(&pictures, "LP007", inverted);
    eprintln!("negatives found: {found}");
    assert!(found >= 0.92, "{found}");
}

#[test]
fn turned_and_blurred_copies_are_suspected() {
    let Some(pictures) = pictures("nih") else { return };
    let some: Vec<_> = pictures.into_iter().step_by(4).collect();
    let found = [
        share_found(&some, "LP008", upside_down),
        share_found(&some, "LP008", on_its_side),
        share_found(&some, "LP015", blurred),
    ];
    eprintln!("found of {}: upside down, on a side, blurred {found:?}", some.len());
    assert!(found[0] >= 0.8 && found[1] >= 0.6 && found[2] >= 1.0, "{found:?}");
}

#[test]
fn the_known_odd_pictures_are_named() {
    let Some(pictures) = pictures("cxr") else { return };
    let records = examined(&pictures, &settings("chest-xray"));
    let named = |finding: &str| -> Vec<&str> {
        let files = records.iter().zip(&pictures).filter(|(record, _)| has(record, finding));
        files.map(|(_, (name, _))| name.as_str()).collect()
    };
    assert_eq!(named("LP014/colour").len(), 1, "{:?}", named("LP014/colour"));
    assert_eq!(named("LP014/transparent").len(), 2, "{:?}", named("LP014/transparent"));
    assert_eq!(named("LP020/transparent-edges"), named("LP014/transparent"));
    // Two figures of an article at quality 55; two films of another, clipped to white.
    assert_eq!(named("LP016/fair-quality").len(), 2, "{:?}", named("LP016/fair-quality"));
    assert_eq!(named("LP006").len(), 2, "{:?}", named("LP006"));
    for name in ["LP001", "LP002/low", "LP003", "LP004", "LP005", "LP007", "LP008", "LP015"] {
        assert_eq!(named(name), Vec::<&str>::new(), "{name}");
    }
}
