//! A frame of RLE Lossless or JPEG-LS: columns, rows, and whether there are 1 or 2 bytes and 1 or 3
//! samples, a byte each; then the frame, which is put into an object of that description.

use super::picture;
use crate::probe::Format;

pub(super) fn rle(bytes: &[u8]) {
    check(b"1.2.840.10008.1.2.5\0", bytes);
}

pub(super) fn jpeg_ls(bytes: &[u8]) {
    check(b"1.2.840.10008.1.2.4.80", bytes);
}

fn check(syntax: &[u8], bytes: &[u8]) {
    let Some(([columns, rows, wide, colour], frame)) = bytes.split_first_chunk() else { return };
    picture::check(
        &object(syntax, (*columns, *rows), wide & 1 == 1, colour & 1 == 1, frame),
        Format::Dicom,
    );
}

/// A DICOM object around a frame.
fn object(
    syntax: &[u8],
    (columns, rows): (u8, u8),
    wide: bool,
    colour: bool,
    frame: &[u8],
) -> Vec<u8> {
    let bits: u8 = if wide { 16 } else { 8 };
    let mut out = vec![0; 128];
    out.extend(b"DICM");
    element(&mut out, [2, 0, 0x10, 0], *b"UI", syntax);
    element(&mut out, [8, 0, 0x16, 0], *b"UI", b"1.2.840.10008.5.1.4.1.1.7\0");
    let photometric: &[u8] = if colour { b"RGB " } else { b"MONOCHROME2 " };
    let numbers: [(u8, u8); 5] =
        [(0x10, rows), (0x11, columns), (0x00, bits), (0x01, bits), (0x02, bits.saturating_sub(1))];
    element(&mut out, [0x28, 0, 2, 0], *b"US", &[if colour { 3 } else { 1 }, 0]);
    element(&mut out, [0x28, 0, 4, 0], *b"CS", photometric);
    for (at, (tag, value)) in numbers.into_iter().enumerate() {
        let group = u8::from(at >= 2);
        element(&mut out, [0x28, 0, tag, group], *b"US", &[value, 0]);
    }
    element(&mut out, [0x28, 0, 3, 1], *b"US", &[0, 0]);
    out.extend([0xe0, 0x7f, 0x10, 0]);
    out.extend(b"OB\0\0\xff\xff\xff\xff");
    out.extend([0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0]);
    let even = frame.len().next_multiple_of(2);
    out.extend([0xfe, 0xff, 0, 0xe0]);
    out.extend(u32::try_from(even).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(frame);
    out.resize(out.len() + (even - frame.len()), 0);
    out.extend([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
    out
}

/// An explicit little endian element of fewer than 65,536 bytes.
fn element(out: &mut Vec<u8>, tag: [u8; 4], vr: [u8; 2], value: &[u8]) {
    out.extend(tag);
    out.extend(vr);
    out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend(value);
}
