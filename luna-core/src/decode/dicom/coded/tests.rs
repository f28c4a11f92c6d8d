//! Codestreams of our own phantoms (`tests/codestreams/README.md`) in DICOM: whole, cut, changed, and
//! against what the header says.

use luna_fixtures::picture::{Canvas, Picture, draw};
use luna_fixtures::write::jpegls;
use proptest::prelude::*;

use super::super::super::{Image, Samples, decode};
use crate::dicom::testing::{Described, GREY, encapsulated};
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws, probe};

const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const WAVELET: &str = "1.2.840.10008.1.2.4.90";
const LOSSY_WAVELET: &str = "1.2.840.10008.1.2.4.91";
const HIGH_THROUGHPUT: &str = "1.2.840.10008.1.2.4.201";
const JPEG_XL: &str = "1.2.840.10008.1.2.4.110";
const RECOMPRESSED: &str = "1.2.840.10008.1.2.4.111";
const DEFLATED_FRAME: &str = "1.2.840.10008.1.2.8.1";

macro_rules! stream {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/codestreams/", $name))
    };
}

/// Every codestream: its transfer syntax, its bytes, and what the header has to say.
fn streams() -> [(&'static str, &'static [u8], Described); 9] {
    [
        (WAVELET, stream!("grey12.j2k"), GREY12),
        (LOSSY_WAVELET, stream!("grey12-lossy.j2k"), GREY12),
        (WAVELET, stream!("signed12.j2k"), Described { bits: [16, 12, 11, 1], ..GREY12 }),
        (WAVELET, stream!("rgb8.j2k"), Described { photometric: "YBR_RCT", ..RGB8 }),
        (HIGH_THROUGHPUT, stream!("grey16.jhc"), GREY16),
        (HIGH_THROUGHPUT, stream!("rgb8.jhc"), Described { photometric: "YBR_RCT", ..RGB8 }),
        (JPEG_XL, stream!("grey12.jxl"), GREY12),
        (JPEG_XL, stream!("rgb8.jxl"), RGB8),
        (RECOMPRESSED, stream!("jpeg8.jxl"), Described { bits: [8, 8, 7, 0], ..GREY12 }),
    ]
}

const GREY12: Described = Described { rows: 40, columns: 48, bits: [16, 12, 11, 0], ..GREY };
const GREY16: Described = Described { bits: [16, 16, 15, 0], ..GREY12 };
const RGB8: Described = Described { samples: 3, photometric: "RGB", bits: [8, 8, 7, 0], ..GREY12 };

fn decoded(bytes: &[u8]) -> (Option<Image>, Flaws) {
    let limits = Limits::default();
    let found = probe(bytes, &limits);
    let mut flaws = found.flaws.clone();
    (decode(bytes, &found, &limits, &mut flaws), flaws)
}

fn wrapped(syntax: &str, header: &Described, stream: &[u8]) -> Vec<u8> {
    let mut even = stream.to_vec();
    even.resize(stream.len().next_multiple_of(2), 0);
    header.file(syntax, &encapsulated(&[], &[&even]))
}

fn whole(syntax: &str, header: &Described, stream: &[u8]) -> Image {
    let (image, flaws) = decoded(&wrapped(syntax, header, stream));
    assert_eq!(flaws, []);
    let image = image.unwrap();
    assert!(image.is_complete());
    image
}

/// A phantom of the size of all codestreams; colours are three patients.
fn phantom(bits: u32, channels: usize) -> Picture {
    let canvas = |seed| Canvas { width: 48, height: 40, bits, seed, frames: 1 };
    let planes: Vec<Picture> =
        (1..=channels as u64).map(|seed| draw("chest", &canvas(seed)).unwrap()).collect();
    let pixel = |at: usize| planes.iter().map(move |plane| plane.frames[0][at]);
    let frame = (0..48 * 40).flat_map(pixel).collect();
    Picture { channels, frames: vec![frame], ..planes[0].clone() }
}

fn numbers(samples: &Samples) -> Vec<i64> {
    crate::decode::each_sample!(samples, values => values.iter().map(|value| *value as i64).collect())
}

fn drawn(bits: u32, channels: usize) -> Vec<i64> {
    phantom(bits, channels).frames[0].iter().map(|value| i64::from(*value)).collect()
}

fn most_apart(left: &[i64], right: &[i64]) -> u64 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| left.abs_diff(*right)).max().unwrap_or_default()
}

#[test]
fn lossless_streams_give_the_phantom_back() {
    for (syntax, stream, header) in streams() {
        let is_lossy = [LOSSY_WAVELET, RECOMPRESSED].contains(&syntax);
        let image = whole(syntax, &header, stream);
        let ours = numbers(&image.samples);
        let bits = if header.bits[1] == 8 { 8 } else { 12 };
        let mut expected = drawn(bits, usize::from(header.samples));
        if header.bits[3] == 1 {
            for value in &mut expected {
                *value -= 2_048;
            }
        }
        let apart = most_apart(&ours, &expected);
        // Measured: 47 of 4,096 and 6 of 256.
        let allowed = match (is_lossy, bits) {
            (false, _) => 0,
            (true, 12) => 60,
            (true, _) => 10,
        };
        assert!(apart <= allowed, "{syntax} {header:?}: {apart}");
        assert_eq!(image.out_of_bits.above_bits_stored, 0);
    }
}

#[test]
fn fragments_of_one_frame_are_put_together() {
    let stream: &[u8] = stream!("grey12.j2k");
    let (first, rest) = stream.split_at((stream.len() / 2) & !1);
    let rest = [rest, &[0][..rest.len() % 2]].concat();
    let bytes = GREY12.file(WAVELET, &encapsulated(&[], &[first, &rest]));
    let (image, flaws) = decoded(&bytes);
    assert_eq!(flaws, []);
    assert_eq!(numbers(&image.unwrap().samples), drawn(12, 1));
}

#[test]
fn frames_follow_each_other() {
    let stream = jpegls::encode(&phantom(12, 1), 0, jpegls::Options::default()).unwrap();
    let even = [&stream[..], &[0][..stream.len() % 2]].concat();
    let cut = &even[..(even.len() / 2) & !1];
    let two = Described { frames: 2, ..GREY12 };
    let (image, flaws) = decoded(&two.file(JPEG_LS, &encapsulated(&[], &[&even, &even])));
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    let once = drawn(12, 1);
    assert_eq!(numbers(&image.unwrap().samples), [&once[..], &once].concat());

    let (image, flaws) = decoded(&two.file(JPEG_LS, &encapsulated(&[], &[&even, cut])));
    let image = image.unwrap();
    let stopped = flaws.iter().find_map(|flaw| match flaw {
        Flaw::Truncated { rows: Some(rows), .. } => Some(rows.stopped),
        _ => None,
    });
    assert_eq!(stopped, Some(image.rows_decoded), "{flaws:?}");
    assert_eq!(image.samples.len(), 48 * (40 + image.rows_decoded as usize));
}

#[test]
fn a_cut_is_always_found() {
    let grey = jpegls::encode(&phantom(12, 1), 0, jpegls::Options::default()).unwrap();
    let own = [(JPEG_LS, grey.as_slice(), GREY12)];
    for (syntax, stream, header) in streams().into_iter().chain(own) {
        for length in [
            stream.len() / 10,
            stream.len() / 2,
            stream.len() * 9 / 10,
            stream.len() * 99 / 100,
            // Not three: the byte that makes a fragment even would stand in for the last one.
            stream.len() - 4,
        ] {
            let (image, flaws) = decoded(&wrapped(syntax, &header, &stream[..length]));
            assert!(!flaws.is_empty(), "{syntax}: {length} of {}", stream.len());
            assert!(image.is_none_or(|image| !image.is_complete()), "{syntax}: {length}");
        }
    }
}

#[test]
fn a_missing_last_byte_is_a_missing_end() {
    let stream: &[u8] = stream!("grey12.j2k");
    let cut = &stream[..stream.len() - 1];
    let (image, flaws) = decoded(&wrapped(WAVELET, &GREY12, cut));
    assert!(matches!(flaws[..], [Flaw::NoEndMarker { what: "EOC", .. }]), "{flaws:?}");
    assert!(image.is_some());
}

#[test]
fn values_above_the_stored_bits_are_counted() {
    let narrow = Described { bits: [16, 10, 9, 0], ..GREY12 };
    let expected = drawn(12, 1).iter().filter(|value| **value > 1_023).count() as u64;
    assert!(expected > 0);
    let stream = jpegls::encode(&phantom(12, 1), 0, jpegls::Options::default()).unwrap();
    for (syntax, stream) in [
        (JPEG_LS, stream.as_slice()),
        (WAVELET, stream!("grey12.j2k")),
        (JPEG_XL, stream!("grey12.jxl")),
    ] {
        let image = whole(syntax, &narrow, stream);
        assert_eq!(image.out_of_bits.above_bits_stored, expected, "{syntax}");
    }
}

#[test]
fn a_stream_of_another_size_is_not_decoded() {
    for (syntax, stream, header) in streams() {
        for other in [
            Described { rows: header.rows + 1, ..header },
            Described { columns: 4_000, rows: 4_000, ..header },
            Described { samples: 4 - header.samples, ..header },
        ] {
            let (image, _) = decoded(&wrapped(syntax, &other, stream));
            assert!(image.is_none(), "{syntax} {other:?}");
        }
    }
}

#[test]
fn a_deflated_frame_is_inflated_and_no_further() {
    use std::io::Write as _;
    let deflated = |bytes: &[u8]| {
        let best = flate2::Compression::best();
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), best);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let wrap = |bytes: &[u8]| decoded(&wrapped(DEFLATED_FRAME, &GREY, &deflated(bytes)));
    let (image, flaws) = wrap(&[1, 2, 3, 4, 5, 6]);
    assert_eq!(flaws, []);
    assert_eq!(image.unwrap().samples, Samples::U8(vec![1, 2, 3, 4, 5, 6]));

    let (image, flaws) = wrap(&[1, 2, 3, 4]);
    assert_eq!(image.unwrap().rows_decoded, 1);
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    let (image, flaws) = wrap(&vec![7; 10 << 20]);
    assert_eq!(image.unwrap().samples.len(), 6);
    assert_eq!(flaws.len(), 1, "{flaws:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn changed_streams_do_no_harm(
        which in 0..9_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (syntax, stream, header) = streams()[which];
        let mut stream = stream.to_vec();
        for (at, value) in changes {
            *at.get_mut(&mut stream) = value;
        }
        // The engine catches panics of decoders around this very call.
        let bytes = wrapped(syntax, &header, &stream);
        let _ = std::panic::catch_unwind(|| decoded(&bytes));
    }
}
