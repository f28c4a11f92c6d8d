//! Real DICOM files, where they lie beside the checkout: samples as stored against those of pydicom.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on may say so"
)]

use std::fs;
use std::path::{Path, PathBuf};

use luna_core::Limits;
use luna_core::decode::{Image, Samples, decode, decode_stored};
use luna_core::probe::{Flaw, Flaws, probe};
use sha2::{Digest, Sha256};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");

/// The folder of shared files, if it is there.
fn shared() -> Option<PathBuf> {
    let folder = Path::new(SHARED);
    if folder.join("data/dicom").is_dir() {
        return Some(folder.to_owned());
    }
    eprintln!("skipped: no shared DICOM files");
    None
}

/// The bytes of a shared DICOM file.
fn file(name: &str) -> Option<Vec<u8>> {
    fs::read(shared()?.join("data/dicom").join(name)).ok()
}

/// A row of what pydicom decodes.
#[derive(Debug)]
struct Expected {
    file: String,
    syntax: String,
    bits_allocated: u32,
    min: f64,
    max: f64,
    mean: f64,
    sha256: String,
}

fn expected(shared: &Path) -> Vec<Expected> {
    let mut rows = csv::Reader::from_path(shared.join("facts/dicom_pixels.csv")).unwrap();
    let rows = rows.records().map(Result::unwrap);
    rows.filter(|row| !row[14].is_empty())
        .map(|row| Expected {
            file: row[0].to_owned(),
            syntax: row[1].to_owned(),
            bits_allocated: row[6].parse().unwrap(),
            min: row[11].parse().unwrap(),
            max: row[12].parse().unwrap(),
            mean: row[13].parse().unwrap(),
            sha256: row[14].to_owned(),
        })
        .collect()
}

fn values(image: &Image) -> Vec<i64> {
    match &image.samples {
        Samples::U8(values) => values.iter().map(|value| (*value).into()).collect(),
        Samples::U16(values) => values.iter().map(|value| (*value).into()).collect(),
        Samples::I16(values) => values.iter().map(|value| (*value).into()).collect(),
        Samples::U32(values) => values.iter().map(|value| (*value).into()).collect(),
        Samples::I32(values) => values.iter().map(|value| (*value).into()).collect(),
        Samples::F32(_) | Samples::F64(_) => panic!("no integers"),
    }
}

/// SHA-256 over the values as little endian integers of this many bits.
fn sha256(values: &[i64], bits: u32) -> String {
    let bytes = bits.div_ceil(8) as usize;
    let mut hash = Sha256::new();
    for value in values {
        hash.update(&value.to_le_bytes()[..bytes]);
    }
    hex::encode(hash.finalize())
}

fn stored(bytes: &[u8]) -> (Option<Image>, Flaws) {
    let limits = Limits::default();
    let found = probe(bytes, &limits);
    let mut flaws = found.flaws.clone();
    (decode_stored(&found, &limits, &mut flaws), flaws)
}

#[test]
fn samples_are_those_that_pydicom_decodes() {
    let Some(shared) = shared() else { return };
    let mut compared = 0;
    for row in expected(&shared) {
        let tail = row.syntax.trim_start_matches("1.2.840.10008.1.2");
        let is_decoded = matches!(
            tail,
            "" | ".1"
                | ".1.99"
                | ".2"
                | ".5"
                | ".4.50"
                | ".4.51"
                | ".4.57"
                | ".4.70"
                | ".4.80"
                | ".4.81"
                | ".4.90"
                | ".4.91"
                | ".4.201"
        );
        if !is_decoded {
            continue;
        }
        let bytes = fs::read(shared.join("data").join(&row.file)).unwrap();
        let (image, flaws) = stored(&bytes);
        let image = image.unwrap_or_else(|| panic!("{}: {flaws:?}", row.file));
        let values = values(&image);
        assert!(image.is_complete(), "{}", row.file);
        let (min, max) = (values.iter().min().unwrap(), values.iter().max().unwrap());
        let mean = values.iter().sum::<i64>() as f64 / values.len() as f64;
        // Lossy wavelets differ from OpenJPEG by one grey level in 0.01 % to 0.5 % of the pixels.
        let tolerance = match tail {
            ".4.50" | ".4.51" => Some([2.0, 2.0, 2.0]),
            ".4.91" => Some([1.0, 1.0, 0.01]),
            _ => None,
        };
        if let Some([low, high, middle]) = tolerance {
            for (ours, theirs, allowed) in [
                (*min as f64, row.min, low),
                (*max as f64, row.max, high),
                (mean, row.mean, middle),
            ] {
                assert!((ours - theirs).abs() <= allowed, "{}: {ours}, not {theirs}", row.file);
            }
        } else {
            assert_eq!((*min as f64, *max as f64), (row.min, row.max), "{}", row.file);
            assert_eq!(sha256(&values, row.bits_allocated), row.sha256, "{}", row.file);
        }
        compared += 1;
    }
    assert_eq!(compared, 28);
}

/// Twelve bits of lossy JPEG, of which pydicom decodes but one: libjpeg-turbo 3 gives these samples.
#[test]
fn deep_lossy_samples_are_those_of_libjpeg_turbo() {
    for (name, sum) in [
        ("JPGExtended.dcm", "d30242775a414c01d616447854ebe3f2b20259822894bcd6891f879bcdcbf313"),
        ("RG3_JPLY.dcm", "9abaad394350446863392cb20dffbe1086b9deb89b32cbf999479f111cd97b31"),
    ] {
        let Some(bytes) = file(name) else { return };
        let (image, flaws) = stored(&bytes);
        assert_eq!(flaws, [], "{name}");
        assert_eq!(sha256(&values(&image.unwrap()), 16), sum, "{name}");
    }
}

#[test]
fn one_picture_is_the_same_in_four_lossless_codings_and_close_in_a_lossy_one() {
    let decoded = |name: &str| Some(values(&stored(&file(name)?).0.unwrap()));
    let Some(lossless) = decoded("RG3_JPLL.dcm") else { return };
    for coding in ["RLE", "JLSL", "J2KR"] {
        assert!(decoded(&format!("RG3_{coding}.dcm")) == Some(lossless.clone()), "{coding}");
    }
    let lossy = decoded("RG3_JPLY.dcm").unwrap();
    let off = lossy.iter().zip(&lossless).map(|(a, b)| a.abs_diff(*b)).sum::<u64>();
    // Grey levels of 1,024; measured 1.77.
    assert!(off as f64 / (lossless.len() as f64) < 2.0);
}

#[test]
fn one_radiograph_in_lossless_encodings_has_one_fingerprint() {
    if shared().is_none() {
        return;
    }
    let settings = luna_core::Settings::default();
    let print = |name: &str| {
        let record = luna_core::examine(&file(name).unwrap(), &settings);
        record.facts.fingerprints.pixels.unwrap()
    };
    let run_length = print("RG3_RLE.dcm");
    assert_eq!(print("RG3_JLSL.dcm"), run_length);
    assert_eq!(print("RG3_J2KR.dcm"), run_length);
    assert_eq!(print("RG3_JPLL.dcm"), run_length);
}

#[test]
fn a_cut_codestream_is_found_with_its_offset() {
    for name in ["RG3_JLSL.dcm", "RG3_JLSN.dcm", "RG3_J2KI.dcm", "HTJ2KLossless_08_RGB.dcm"] {
        let Some(bytes) = file(name) else { return };
        for length in [
            bytes.len() / 10,
            bytes.len() / 2,
            bytes.len() * 9 / 10,
            bytes.len() * 99 / 100,
            bytes.len() - 1,
        ] {
            let (image, flaws) = stored(&bytes[..length]);
            let offset = flaws.iter().find_map(|flaw| match flaw {
                Flaw::Truncated { offset, .. } => Some(*offset),
                _ => None,
            });
            assert!(offset.is_some_and(|at| at <= length as u64), "{name} {length}: {flaws:?}");
            // The last bytes are the items' end: all of the picture is there then.
            let is_cut = length + 16 < bytes.len();
            assert!(!is_cut || image.is_none_or(|image| !image.is_complete()), "{name} {length}");
        }
    }
}

#[test]
fn a_palette_image_without_file_meta_decodes_with_its_colours() {
    let Some(bytes) = file("OT-PAL-8-face.dcm") else { return };
    let (image, flaws) = stored(&bytes);
    assert_eq!(flaws, []);
    let image = image.unwrap();
    assert_eq!((image.geometry.width, image.geometry.height), (640, 480));
    let luna_core::decode::Display::Palette(colours) = &image.display else { panic!("no palette") };
    assert_eq!((colours.len(), colours[96], colours[99]), (200, [0; 3], [109; 3]));
    let raw = "b171a3008579b64288b5e1ab6d93e23cbd7fe5260223944732f36044cf4969c6";
    assert_eq!(sha256(&values(&image), 8), raw);
}

#[test]
fn a_data_set_without_file_meta_is_read() {
    let Some(bytes) = file("ExplVR_LitEndNoMeta.dcm") else { return };
    let found = probe(&bytes, &Limits::default());
    assert_eq!(found.flaws, []);
    let dicom = found.dicom().unwrap();
    assert_eq!(dicom.text(dicom_dictionary_std::tags::MODALITY).as_deref(), Some("RTPLAN"));
    assert!(dicom.anomalies.is_empty());
}

#[test]
fn a_file_meta_without_transfer_syntax_is_read_as_its_bytes_look() {
    let Some(bytes) = file("meta_missing_tsyntax.dcm") else { return };
    let found = probe(&bytes, &Limits::default());
    let dicom = found.dicom().unwrap();
    assert_eq!(dicom.transfer_syntax, None);
    assert!(!dicom.encoding.explicit);
    let outside_meta = dicom.elements.iter().filter(|element| element.tag.group() != 2);
    assert_eq!(outside_meta.count(), 5);
}

#[test]
fn a_cut_file_names_the_row_and_decodes_those_before_it() {
    let Some(bytes) = file("MR_truncated.dcm") else { return };
    let (image, flaws) = stored(&bytes);
    let Flaw::Truncated { expected, found, rows, .. } = &flaws[0] else { panic!("{flaws:?}") };
    assert_eq!((*expected, *found), (Some(8_192), 8_130));
    assert_eq!(rows.unwrap().stopped, 63);
    let image = image.unwrap();
    assert_eq!((image.rows_decoded, image.samples.len()), (63, 63 * 64));
}

#[test]
fn an_object_without_pixel_data_has_readable_text_and_no_picture() {
    let Some(bytes) = file("chrJapMulti.dcm") else { return };
    let (image, flaws) = stored(&bytes);
    assert!(image.is_none());
    assert_eq!(flaws, []);
    let found = probe(&bytes, &Limits::default());
    let name = found.dicom().unwrap().text(dicom_dictionary_std::tags::PATIENT_NAME).unwrap();
    assert_eq!(name, "\u{3084}\u{307e}\u{3060}^\u{305f}\u{308d}\u{3046}");
}

#[test]
fn luma_and_chroma_become_red_green_and_blue() {
    let Some(bytes) = file("SC_ybr_full_422_uncompressed.dcm") else { return };
    let limits = Limits::default();
    let found = probe(&bytes, &limits);
    let image = decode(&bytes, &found, &limits, &mut Flaws::new()).unwrap();
    let Samples::U8(values) = &image.samples else { panic!("not 8 bit") };
    let pixel = |row: usize, column: usize| &values[(row * 100 + column) * 3..][..3];
    assert_eq!((pixel(0, 0), pixel(50, 50)), ([254, 0, 0].as_slice(), [125, 130, 255].as_slice()));
}

#[test]
fn no_shared_file_panics_when_cut_anywhere() {
    let Some(shared) = shared() else { return };
    let limits = Limits::default();
    for entry in fs::read_dir(shared.join("data/dicom")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let step = (bytes.len() / 12).max(1);
        for length in (0..bytes.len().min(400_000)).step_by(step) {
            let cut = &bytes[..length];
            let found = probe(cut, &limits);
            decode(cut, &found, &limits, &mut Flaws::new());
        }
    }
}
