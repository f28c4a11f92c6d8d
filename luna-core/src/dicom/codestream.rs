//! The header of a compressed frame: what JPEG, JPEG-LS, JPEG 2000 and RLE codestreams say of
//! themselves, without decoding.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use super::encoding::array;
use super::{Codec, DicomFile};
use crate::probe::jpeg::{Process, frame_header};

/// What a codestream says of its frame. `None` is not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codestream {
    /// Columns and rows.
    pub size: Option<(u32, u32)>,
    /// Samples a pixel.
    pub components: Option<u16>,
    /// Bits a sample.
    pub precision: Option<u8>,
    /// Two's complement.
    pub signed: Option<bool>,
    /// True if the components are luma and chroma by the codestream's own word.
    pub colour_transform: Option<bool>,
    /// True if the coding loses something, false if it cannot.
    pub lossy: Option<bool>,
    /// The process is JPEG's or JPEG-LS's.
    pub process: Option<Process>,
}

/// What the bytes of a frame look like, whatever the transfer syntax says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    /// JPEG or JPEG-LS, with its process.
    Jpeg(Process),
    /// JPEG 2000 or HTJ2K.
    Jpeg2000,
}

impl Signature {
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xFF, 0x4F, 0xFF, 0x51]) {
            return Some(Self::Jpeg2000);
        }
        frame_header(bytes).map(|frame| Self::Jpeg(frame.process))
    }

    /// True if this is what the codec reads.
    pub(crate) fn fits(self, codec: Codec) -> bool {
        match (self, codec) {
            (Self::Jpeg2000, Codec::Jpeg2000) => true,
            (Self::Jpeg(process), Codec::JpegBaseline) => process == Process::Baseline,
            (Self::Jpeg(process), Codec::JpegExtended) => {
                matches!(process, Process::Baseline | Process::Extended)
            }
            (Self::Jpeg(process), Codec::JpegLossless) => process == Process::Lossless,
            (Self::Jpeg(process), Codec::JpegLs) => process == Process::JpegLs,
            (Self::Jpeg(process), Codec::JpegOther) => process != Process::JpegLs,
            _ => false,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Jpeg(process) => process.name(),
            Self::Jpeg2000 => "JPEG 2000",
        }
    }
}

impl DicomFile<'_> {
    /// What the codestream that begins with this fragment says of itself, read by the codec of the
    /// transfer syntax; `None` without a readable header.
    pub(crate) fn codestream(&self, codec: Codec, fragment: &Range<usize>) -> Option<Codestream> {
        let bytes = self.data.get(fragment.clone())?;
        match codec {
            Codec::JpegBaseline
            | Codec::JpegExtended
            | Codec::JpegLossless
            | Codec::JpegOther
            | Codec::JpegLs => jpeg(bytes),
            Codec::Jpeg2000 => jpeg2000(bytes),
            _ => None,
        }
    }
}

/// The offsets of an RLE header (PS3.5 G.5): 1 to 15 segments, within the fragment and rising.
pub(crate) fn rle_segments(bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    let word = |at: usize| Some(u32::from_le_bytes(array(bytes, at.checked_mul(4)?)?) as usize);
    let count = word(0).filter(|count| (1..=15).contains(count))?;
    let starts: Option<Vec<usize>> = (1..=count).map(word).collect();
    let starts = starts?;
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let segments: Vec<_> = starts.iter().zip(ends).map(|(start, end)| *start..end).collect();
    let sound = segments.first()?.start >= 64
        && segments.iter().all(|own| own.start < own.end && own.end <= bytes.len());
    sound.then_some(segments)
}

/// Number of segments that an RLE header announces.
pub(crate) fn rle_segment_count(bytes: &[u8]) -> Option<u32> {
    array(bytes, 0).map(u32::from_le_bytes)
}

/// JPEG of any process, JPEG-LS included.
pub(crate) fn jpeg(bytes: &[u8]) -> Option<Codestream> {
    let frame = frame_header(bytes)?;
    let lossy = match frame.process {
        Process::JpegLs => near_lossless(bytes),
        process if process.is_dct() => Some(true),
        _ => Some(false),
    };
    let colour_transform = match frame.adobe_transform {
        Some(transform) => Some(transform == 1),
        // Identifiers that spell RGB; without any word the header's counts.
        None => (!frame.is_transformed()).then_some(false),
    };
    let is_colour = frame.process.is_dct() && frame.components.len() == 3;
    Some(Codestream {
        size: Some((frame.width, frame.height)),
        components: u16::try_from(frame.components.len()).ok(),
        precision: Some(frame.precision),
        signed: None,
        colour_transform: colour_transform.filter(|_| is_colour),
        lossy,
        process: Some(frame.process),
    })
}

/// NEAR of a JPEG-LS scan header (ITU-T T.87 C.2.3): 0 is lossless.
fn near_lossless(bytes: &[u8]) -> Option<bool> {
    let scan = segment(bytes, 2, 0xDA)?;
    let components = usize::from(*scan.first()?);
    let near = scan.get(components.checked_mul(2)?.checked_add(1)?)?;
    Some(*near != 0)
}

/// JPEG 2000 and HTJ2K: SIZ and COD (ITU-T T.800 A.5.1, A.6.1).
pub(crate) fn jpeg2000(bytes: &[u8]) -> Option<Codestream> {
    let siz = bytes.starts_with(&[0xFF, 0x4F]).then(|| segment(bytes, 2, 0x51)).flatten()?;
    let number = |at| Some(u32::from_be_bytes(array(siz, at)?));
    let width = number(2)?.checked_sub(number(10)?)?;
    let height = number(6)?.checked_sub(number(14)?)?;
    let components = u16::from_be_bytes(array(siz, 34)?);
    let depth = *siz.get(36)?;
    let cod = segment(bytes, 2, 0x52);
    Some(Codestream {
        size: Some((width, height)),
        components: Some(components),
        precision: (depth & 0x7F).checked_add(1),
        signed: Some(depth & 0x80 != 0),
        colour_transform: cod
            .and_then(|cod| cod.get(4))
            .filter(|_| components == 3)
            .map(|transform| *transform != 0),
        // The 9-7 wavelet always loses; the 5-3 one only where the codestream is cut.
        lossy: cod.and_then(|cod| cod.get(9)).filter(|own| **own == 0).map(|_| true),
        process: None,
    })
}

/// The payload of the first segment of this marker, at or after an offset and before the data of a
/// scan or tile.
fn segment(bytes: &[u8], mut at: usize, marker: u8) -> Option<&[u8]> {
    loop {
        let [prefix, code] = array(bytes, at)?;
        if prefix != 0xFF {
            return None;
        }
        if code == 0xFF {
            at = at.checked_add(1)?;
            continue;
        }
        let length = usize::from(u16::from_be_bytes(array(bytes, at.checked_add(2)?)?));
        let start = at.checked_add(4)?;
        let end = at.checked_add(2)?.checked_add(length.max(2))?;
        if code == marker {
            return bytes.get(start..end);
        }
        // Start of scan (JPEG), start of tile part (JPEG 2000).
        if matches!(code, 0xDA | 0x90 | 0xD9) {
            return None;
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jpeg_2000_header_is_read() {
        let mut bytes = b"\xFF\x4F\xFF\x51\x00\x29\x00\x00".to_vec();
        for number in [30_u32, 20, 10, 5, 30, 20, 0, 0] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(b"\x00\x01\x8B\x01\x01");
        bytes.extend(b"\xFF\x52\x00\x0C\x00\x00\x00\x01\x00\x05\x04\x04\x00\x00");
        let header = jpeg2000(&bytes).unwrap();
        assert_eq!(header.size, Some((20, 15)));
        assert_eq!((header.components, header.precision), (Some(1), Some(12)));
        assert_eq!((header.signed, header.lossy), (Some(true), Some(true)));
    }

    #[test]
    fn near_of_a_jpeg_ls_scan_tells_whether_it_loses() {
        let frame = b"\xFF\xD8\xFF\xF7\x00\x0B\x10\x00\x02\x00\x03\x01\x01\x11\x00";
        let scan = |near| {
            let mut bytes = frame.to_vec();
            bytes.extend([0xFF, 0xDA, 0x00, 0x08, 0x01, 0x01, 0x00, near, 0x00, 0x00]);
            jpeg(&bytes).unwrap()
        };
        assert_eq!((scan(0).lossy, scan(2).lossy), (Some(false), Some(true)));
        assert_eq!(scan(0).size, Some((3, 2)));
    }

    #[test]
    fn rle_segments_that_point_outside_are_refused() {
        let mut bytes = vec![0; 70];
        bytes[0] = 2;
        bytes[4] = 64;
        bytes[8] = 68;
        assert_eq!(rle_segments(&bytes), Some(vec![64..68, 68..70]));
        bytes[8] = 71;
        assert_eq!(rle_segments(&bytes), None);
        bytes[0] = 16;
        assert_eq!(rle_segments(&bytes), None);
    }
}
