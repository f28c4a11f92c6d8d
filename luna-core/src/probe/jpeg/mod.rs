//! JPEG: bytes in, its segments out, strictly (ITU-T T.81 annex B).
//!
//! The walk passes over entropy-coded data without reading them; whether all of the picture is in
//! there, and so whether a missing EOI is the only thing missing, is known after decoding.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod blocks;
mod frame;
mod quality;
mod quantisation;
#[cfg(test)]
mod tests;
mod walk;

use std::ops::Range;

pub use self::blocks::{BlockKind, MetadataBlock};
pub(crate) use self::frame::Scan;
pub use self::frame::{Component, FrameHeader, Process};
pub(crate) use self::quantisation::tables as quantisation_tables;
use super::{Flaw, Flaws, Format, Geometry, Header, Probe};
use crate::limits::Limits;

/// What the segments of a JPEG say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JpegHeader {
    /// The frame header, if there is a sound one.
    pub frame: Option<FrameHeader>,
    /// Quality of the Independent JPEG Group's scale, 1 to 100, estimated from the luma
    /// quantisation table; for DCT processes only.
    pub quality: Option<u8>,
    /// EXIF, XMP, IPTC and comments, not yet read.
    pub blocks: Vec<MetadataBlock>,
    /// What decoding needs, in file order.
    pub(crate) steps: Vec<Step>,
    /// Offset after EOI; `None` if there is no EOI.
    pub(crate) end: Option<usize>,
    /// Offset at which the walk stopped.
    pub(crate) stop: usize,
    /// True if the walk met a segment that it could not pass: what follows is unknown.
    pub(crate) broken: bool,
    /// True if it is not to be decoded: an encoding that is not supported, or too many scans.
    pub(crate) refused: bool,
}

/// A segment that changes the decoder's state, or a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Payload of a DHT segment.
    Huffman(Range<usize>),
    /// Payload of a DQT segment; all its tables are sound.
    Quantisation(Range<usize>),
    /// MCUs from one restart marker to the next; 0 for none.
    RestartInterval(u16),
    /// A scan.
    Scan(Scan),
}

impl JpegHeader {
    /// Scans, in file order.
    pub(crate) fn scans(&self) -> impl Iterator<Item = &Scan> {
        self.steps.iter().filter_map(|step| match step {
            Step::Scan(scan) => Some(scan),
            _ => None,
        })
    }

    /// True if coefficients come in several scans.
    pub(crate) fn is_progressive(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.process == Process::Progressive)
    }

    /// Shape and depth; `None` without a sound frame header.
    pub(crate) fn geometry(&self) -> Option<Geometry> {
        let frame = self.frame.as_ref().filter(|frame| frame.height > 0)?;
        Some(Geometry {
            width: frame.width,
            height: frame.height,
            frames: 1,
            channels: u8::try_from(frame.components.len()).ok()?,
            bits_allocated: if frame.precision > 8 { 16 } else { 8 },
            bits_stored: frame.precision,
            signed: false,
        })
    }
}

pub(super) fn probe<'a>(bytes: &'a [u8], limits: &Limits) -> Probe<'a> {
    let mut found = Probe::named(Some(Format::Jpeg));
    let header = read(bytes, limits, &mut found.flaws);
    found.geometry = header.geometry();
    found.header = Header::Jpeg(header);
    found
}

/// Walks all segments of a JPEG, alone in a file or as a frame of a DICOM object.
pub(crate) fn read(bytes: &[u8], limits: &Limits, flaws: &mut Flaws) -> JpegHeader {
    let mut walk = walk::Walk::new(bytes, limits);
    walk.run();
    let (mut header, found) = walk.finish();
    flaws.extend(found);
    if let Some(encoding) = header.frame.as_ref().and_then(unsupported) {
        flaws.push(Flaw::Unsupported { encoding });
        header.refused = true;
        if header.end.is_none() && !header.broken {
            flaws.push(Flaw::NoEndMarker { what: "EOI", offset: header.stop as u64 });
        }
    }
    header
}

/// The frame header of a JPEG of any process, JPEG-LS too; `None` if there is no sound one. Reads no
/// further than the first scan header.
///
/// ```
/// use luna_core::probe::jpeg::{Process, frame_header};
/// let bytes = b"\xFF\xD8\xFF\xC3\x00\x0B\x10\x00\x02\x00\x03\x01\x01\x11\x00";
/// let frame = frame_header(bytes).unwrap();
/// assert_eq!((frame.process, frame.precision), (Process::Lossless, 16));
/// assert_eq!((frame.width, frame.height), (3, 2));
/// ```
pub fn frame_header(bytes: &[u8]) -> Option<FrameHeader> {
    let mut walk = walk::Walk::new(bytes, &Limits { scans: 0, ..Limits::default() });
    walk.run();
    walk.finish().0.frame
}

/// The name of what is legal here but not decoded.
fn unsupported(frame: &FrameHeader) -> Option<String> {
    let name = frame.process.name();
    match frame.process {
        Process::Baseline | Process::Extended | Process::Progressive | Process::Lossless => {}
        _ => return Some(name.to_owned()),
    }
    if frame.height == 0 {
        return Some(format!("{name} with its height in a DNL segment"));
    }
    match frame.components.len() {
        2 => Some(format!("{name} with two components")),
        4 if frame.is_transformed() => Some(format!("{name} in YCCK")),
        4 => Some(format!("{name} in CMYK")),
        _ => None,
    }
}
