//! Files and codestreams, whole and lying.

use super::*;
use crate::decode::{Samples, decode};
use crate::probe::probe as probe_any;

const STREAM: &[u8] = include_bytes!("../../../tests/codestreams/grey12.j2k");
const FILE: &[u8] = include_bytes!("../../../tests/codestreams/rgb8.jp2");

fn walked(bytes: &[u8]) -> (Option<Stream>, Flaws) {
    let mut flaws = Flaws::new();
    (walk(bytes, 0, &mut flaws), flaws)
}

/// The stream with this many bytes replaced at an offset.
fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut stream = STREAM.to_vec();
    stream[at..at + bytes.len()].copy_from_slice(bytes);
    stream
}

#[test]
fn a_codestream_says_what_it_holds() {
    let (stream, flaws) = walked(STREAM);
    let stream = stream.unwrap();
    assert_eq!(flaws, []);
    assert!(stream.whole && !stream.high_throughput);
    assert_eq!((stream.width, stream.height, stream.components.len()), (48, 40, 1));
    assert_eq!(stream.components[0].precision, 12);
}

#[test]
fn files_decode() {
    for (bytes, channels) in [(STREAM, 1), (FILE, 3)] {
        let limits = Limits::default();
        let found = probe_any(bytes, &limits);
        let mut flaws = found.flaws.clone();
        let image = decode(bytes, &found, &limits, &mut flaws).unwrap();
        assert_eq!(flaws, []);
        assert_eq!((image.geometry.width, image.geometry.channels), (48, channels));
        assert!(matches!((channels, &image.samples), (1, Samples::U16(_)) | (3, Samples::U8(_))));
    }
}

#[test]
fn a_cut_is_placed() {
    for bytes in [STREAM, FILE] {
        for length in [40, bytes.len() / 2, bytes.len() - 3] {
            let found = probe_any(&bytes[..length], &Limits::default());
            let offset = found.flaws.iter().find_map(|flaw| match flaw {
                Flaw::Truncated { offset, .. } => Some(*offset),
                _ => None,
            });
            assert!(offset.is_some_and(|offset| offset <= length as u64), "{:?}", found.flaws);
        }
        let cut = probe_any(&bytes[..bytes.len() - 2], &Limits::default());
        assert!(matches!(cut.flaws[..], [Flaw::NoEndMarker { .. }]), "{:?}", cut.flaws);
    }
}

#[test]
fn lies_about_tiles_precincts_and_layers_are_refused() {
    // SIZ: XTsiz and YTsiz, a tile a pixel.
    let tiny = with(24, &[0, 0, 0, 1, 0, 0, 0, 1]);
    let (stream, flaws) = walked(&tiny);
    assert!(stream.is_none_or(|stream| !stream.whole), "{flaws:?}");
    // SIZ: a picture of four thousand million pixels a side.
    let vast = with(8, &[0xFF; 8]);
    assert!(walked(&vast).0.is_none());
    // COD: 65,535 layers of a large picture.
    let cod = STREAM.windows(2).position(|pair| pair == [0xFF, 0x52]).unwrap();
    let mut layers = with(cod + 6, &[0xFF, 0xFF]);
    let side = 30_000_u32.to_be_bytes();
    let sizes = [side, side, [0; 4], [0; 4], side, side].concat();
    layers[8..32].copy_from_slice(&sizes);
    let stream = walked(&layers).0.unwrap();
    let limits = Limits::default();
    assert!(matches!(stream.over_budget(&limits), Some(Flaw::OverBudget { .. })));
    assert_eq!(walked(STREAM).0.unwrap().over_budget(&limits), None);
}

#[test]
fn what_is_not_decoded_is_named() {
    // Ssiz: 24 bits.
    let (stream, _) = walked(&with(42, &[23]));
    assert_eq!(stream.unwrap().unsupported().unwrap(), "JPEG 2000 with 24 bits a sample");
    // XRsiz: one sample for two columns.
    let (stream, _) = walked(&with(43, &[2]));
    assert_eq!(stream.unwrap().unsupported().unwrap(), "JPEG 2000 with subsampled components");
}

#[test]
fn bytes_after_the_end_are_found() {
    let bytes = [STREAM, b"more"].concat();
    let offset = STREAM.len() as u64;
    assert_eq!(walked(&bytes).1, [Flaw::Trailing { offset, bytes: 4 }]);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_walked(changes in proptest::collection::vec((0..4_000_usize, 0..=255_u8), 1..9)) {
        for source in [STREAM, FILE] {
            let mut bytes = source.to_vec();
            for (at, value) in &changes {
                let at = at % bytes.len();
                bytes[at] = *value;
            }
            probe(&bytes, &Limits::default());
        }
    }
}
