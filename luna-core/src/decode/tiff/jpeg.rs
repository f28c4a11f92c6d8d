//! A strip or tile that is a JPEG: the tables that all of them share, then its own data (TIFF Technical
//! Note 2).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::decode::Samples;
use crate::decode::dicom::colour;
use crate::decode::jpeg::decode_frame;
use crate::limits::Limits;
use crate::probe::tiff::TiffPage;
use crate::probe::tiff::layout::Chunk;
use crate::probe::tiff::page::Compression;
use crate::probe::{Flaw, Flaws};

/// Decodes into rows of the strip's or tile's width; gives how many bytes are good, and what is wrong.
pub(super) fn decompress(
    page: &TiffPage,
    chunk: &Chunk,
    tables: &[u8],
    packed: &[u8],
    limits: &Limits,
    out: &mut [u8],
) -> (usize, Flaws) {
    let (stream, lead) = joined(tables, packed);
    let mut flaws = Flaws::new();
    let frame = decode_frame(&stream, limits, &mut flaws);
    for flaw in &mut flaws {
        place(flaw, chunk.offset, lead);
    }
    // Strips may be padded to a whole number of blocks; the picture ends where it ends.
    let Some(frame) = frame else { return (0, flaws) };
    if frame.width != page.chunks.width
        || frame.channels != page.chunk_samples()
        || frame.precision != 8
        || frame.height < chunk.rows
    {
        let reason = format!("{} is a JPEG of another size than its page says", page.name(chunk));
        flaws.push(Flaw::Decode { reason, offset: Some(chunk.offset), rows: None });
        return (0, flaws);
    }
    let mut samples = Samples::U8(frame.samples);
    if page.compression == (Compression::Jpeg { luma_chroma: true }) {
        colour::to_rgb(&mut samples, 8);
    }
    let Samples::U8(values) = samples else { return (0, flaws) };
    out.iter_mut().zip(&values).for_each(|(to, from)| *to = *from);
    (values.len().min(out.len()), flaws)
}

/// Tables and data as one JPEG, and how many of its bytes stand before the data's second one.
fn joined(tables: &[u8], packed: &[u8]) -> (Vec<u8>, u64) {
    let is_end = |pair: &[u8]| pair == [0xFF, 0xD9];
    let end = tables.windows(2).rposition(is_end).unwrap_or(tables.len());
    let shared = tables.get(..end).unwrap_or_default();
    match packed.strip_prefix(&[0xFF, 0xD8]) {
        Some(own) if shared.starts_with(&[0xFF, 0xD8]) => {
            ([shared, own].concat(), (shared.len() as u64).saturating_sub(2))
        }
        _ => (packed.to_vec(), 0),
    }
}

/// Counts a flaw's offset from the start of the file.
fn place(flaw: &mut Flaw, start: u64, lead: u64) {
    let moved = |own: u64| own.saturating_sub(lead).saturating_add(start);
    match flaw {
        Flaw::Truncated { offset, .. }
        | Flaw::NoEndMarker { offset, .. }
        | Flaw::Checksum { offset, .. }
        | Flaw::Trailing { offset, .. } => *offset = moved(*offset),
        Flaw::Decode { offset, .. } => *offset = offset.map(moved),
        _ => {}
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use crate::decode::Samples;
    use crate::probe::Flaw;
    use crate::testing::seen;

    const WIDTH: u16 = 32;
    const HEIGHT: u16 = 24;

    fn encoded(colour: ColorType) -> Vec<u8> {
        let channels = if colour == ColorType::Luma { 1 } else { 3 };
        let samples: Vec<u8> = (0..usize::from(WIDTH) * usize::from(HEIGHT) * channels)
            .map(|at| (at * 7 % 251) as u8)
            .collect();
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 90);
        encoder.set_sampling_factor(SamplingFactor::F_1_1);
        encoder.encode(&samples, WIDTH, HEIGHT, colour).unwrap();
        bytes
    }

    /// A little endian TIFF of one strip that is this JPEG, its tables apart if wanted.
    fn tiff(jpeg: &[u8], photometric: u32, samples: u32, apart: bool) -> Vec<u8> {
        let (tables, strip) = if apart { split(jpeg) } else { (Vec::new(), jpeg.to_vec()) };
        let mut bytes = b"II\x2a\0\0\0\0\0".to_vec();
        bytes.extend(&strip);
        let tables_at = bytes.len() as u32;
        bytes.extend(&tables);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        let depth_at = bytes.len() as u32;
        bytes.extend([8, 0, 8, 0, 8, 0]);
        let at = bytes.len() as u32;
        bytes[4..8].copy_from_slice(&at.to_le_bytes());
        let depth = if samples == 1 { 8 } else { depth_at };
        let mut entries: Vec<[u32; 4]> = vec![
            [256, 4, 1, WIDTH.into()],
            [257, 4, 1, HEIGHT.into()],
            [258, 3, samples, depth],
            [259, 3, 1, 7],
            [262, 3, 1, photometric],
            [273, 4, 1, 8],
            [277, 3, 1, samples],
            [278, 4, 1, HEIGHT.into()],
            [279, 4, 1, strip.len() as u32],
        ];
        if apart {
            entries.push([347, 7, tables.len() as u32, tables_at]);
        }
        bytes.extend((entries.len() as u16).to_le_bytes());
        for [tag, kind, count, value] in entries {
            bytes.extend((tag as u16).to_le_bytes());
            bytes.extend((kind as u16).to_le_bytes());
            bytes.extend(count.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend([0; 4]);
        bytes
    }

    /// Quantisation and Huffman tables into a stream of their own.
    fn split(jpeg: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut tables, mut rest) = (vec![0xFF, 0xD8], vec![0xFF, 0xD8]);
        let mut at = 2;
        while jpeg[at + 1] != 0xDA {
            let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            let is_table = matches!(jpeg[at + 1], 0xDB | 0xC4);
            if is_table { &mut tables } else { &mut rest }.extend(&jpeg[at..end]);
            at = end;
        }
        rest.extend(&jpeg[at..]);
        tables.extend([0xFF, 0xD9]);
        (tables, rest)
    }

    #[test]
    fn strips_are_what_their_jpeg_is() {
        for (colour, photometric, samples) in [(ColorType::Luma, 1, 1), (ColorType::Rgb, 6, 3)] {
            let jpeg = encoded(colour);
            let (plain, _) = seen(&jpeg);
            let Samples::U8(plain) = plain.unwrap().samples else { panic!("no bytes") };
            for apart in [false, true] {
                let (image, flaws) = seen(&tiff(&jpeg, photometric, samples, apart));
                assert_eq!(flaws, [], "{photometric} {apart}");
                let image = image.unwrap();
                assert!(image.is_complete());
                let Samples::U8(ours) = image.samples else { panic!("no bytes") };
                // Two ways to red, green, blue may round apart.
                let apart = ours.iter().zip(&plain).map(|(a, b)| a.abs_diff(*b)).max();
                assert_eq!(ours.len(), plain.len());
                assert!(apart.unwrap() <= 2, "{apart:?}");
            }
        }
    }

    #[test]
    fn a_cut_strip_is_found_in_its_place() {
        let jpeg = encoded(ColorType::Luma);
        let mut cut = jpeg[..jpeg.len() / 2].to_vec();
        cut.resize(jpeg.len() - 2, 0);
        cut.extend([0xFF, 0xD9]);
        let (image, flaws) = seen(&tiff(&cut, 1, 1, false));
        assert!(!flaws.is_empty());
        assert!(image.is_none_or(|image| !image.is_complete()));
    }

    #[test]
    fn a_jpeg_of_another_size_is_not_put_in() {
        let mut bytes = tiff(&encoded(ColorType::Luma), 1, 1, false);
        let width = bytes.windows(4).rposition(|four| four == [0, 1, 4, 0]).unwrap();
        bytes[width + 8] = 31;
        let (_, flaws) = seen(&bytes);
        assert!(matches!(&flaws[..], [Flaw::Decode { .. }]), "{flaws:?}");
    }
}
