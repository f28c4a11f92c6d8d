//! Encapsulated pixel data: fragments become frames, frames go through their codec, and come out as
//! one run of native bytes.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;
use std::io::Read as _;
use std::ops::Range;

use flate2::read::DeflateDecoder;

use super::native::{self, Field};
use super::{Decoded, Samples, coded, is_ybr, jpeg, rle};
use crate::dicom::{Codec, DicomFile, Photometric, PixelDescription, codestream};
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws, Rows, stop_row};

/// Decodes all frames; stops at the first that is not whole.
pub(super) fn decode(
    file: &DicomFile<'_>,
    pixels: &PixelDescription,
    codec: Codec,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<Decoded> {
    if matches!(codec, Codec::JpegLs | Codec::Jpeg2000 | Codec::JpegXl) {
        return coded::decode(file, pixels, codec, limits, flaws);
    }
    let frames = file.frame_fragments(pixels.frames)?;
    let mut bytes = Vec::new();
    let mut is_transformed = false;
    for fragments in &frames {
        let frame = Frame { file, fragments, pixels };
        let whole = match codec {
            Codec::EncapsulatedNative => frame.native(&mut bytes),
            Codec::DeflatedFrame => frame.inflated(&mut bytes, flaws),
            Codec::Rle => frame.rle(&mut bytes, flaws),
            Codec::JpegBaseline | Codec::JpegExtended | Codec::JpegLossless => {
                let transformed = frame.jpeg(&mut bytes, limits, flaws);
                is_transformed |= transformed == Some(true);
                transformed.map(|_| ())
            }
            _ => return None,
        };
        if whole.is_none() {
            break;
        }
    }
    if bytes.is_empty() {
        return None;
    }
    // Whatever the codec, its samples lie interleaved; only native bytes hold planes or half chroma.
    let is_native = matches!(codec, Codec::EncapsulatedNative | Codec::DeflatedFrame);
    let layout = if is_native {
        *pixels
    } else {
        let photometric = match pixels.photometric {
            Photometric::YbrFull422 => Photometric::YbrFull,
            other => other,
        };
        PixelDescription { planar: false, photometric, ..*pixels }
    };
    let is_jpeg = matches!(codec, Codec::JpegBaseline | Codec::JpegExtended | Codec::JpegLossless);
    let field = if is_jpeg { Field::whole(pixels) } else { Field::stored(pixels) };
    let mut decoded = native::samples(&bytes, &layout, false, field)?;
    if is_jpeg {
        let lossy = codec != Codec::JpegLossless;
        decoded.out_of_bits.above_bits_stored = above(&decoded.samples, pixels.bits_stored, lossy);
        // Adobe's word for luma and chroma outweighs the header's; its silence does not.
        let said = first_transform(file, &frames) == Some(true);
        decoded.is_ybr = is_transformed && (said || is_ybr(pixels));
    }
    Some(decoded)
}

/// Puts the bytes of a frame behind those of the frames before it; the first is not copied.
fn moved(frame: &mut Vec<u8>, all: &mut Vec<u8>) {
    if all.is_empty() {
        std::mem::swap(frame, all);
    } else {
        all.append(frame);
    }
}

/// Samples above what the stored bits can hold. Lossy coding overshoots by a little where the brightest
/// parts have an edge, which counts from a 64th of the range on.
fn above(samples: &Samples, bits_stored: u8, lossy: bool) -> u64 {
    let most = (1_u64 << bits_stored.min(32)).saturating_sub(1);
    let most = if lossy { most.saturating_add(most >> 6) } else { most };
    match samples {
        Samples::U8(values) if most < 255 => {
            values.iter().filter(|value| u64::from(**value) > most).count() as u64
        }
        Samples::U16(values) if most < 65_535 => {
            values.iter().filter(|value| u64::from(**value) > most).count() as u64
        }
        _ => 0,
    }
}

/// What the first codestream says of its colours, if it says it.
fn first_transform(file: &DicomFile<'_>, frames: &[Vec<Range<usize>>]) -> Option<bool> {
    let fragment = frames.first()?.first()?.clone();
    codestream::jpeg(file.data.get(fragment)?)?.colour_transform
}

/// One frame: where its bytes lie, and what it should be.
pub(super) struct Frame<'a> {
    pub(super) file: &'a DicomFile<'a>,
    pub(super) fragments: &'a [Range<usize>],
    pub(super) pixels: &'a PixelDescription,
}

impl Frame<'_> {
    /// The bytes of all fragments together.
    pub(super) fn bytes(&self) -> Cow<'_, [u8]> {
        let piece = |range: &Range<usize>| self.file.data.get(range.clone()).unwrap_or_default();
        match self.fragments {
            [only] => Cow::Borrowed(piece(only)),
            several => Cow::Owned(several.iter().flat_map(piece).copied().collect()),
        }
    }

    /// Offset in the file of a byte of the frame, where that is one fragment of the file itself.
    fn offset(&self, within: u64) -> Option<u64> {
        match self.fragments {
            [only] if !self.file.inflated => (only.start as u64).checked_add(within),
            _ => None,
        }
    }

    fn native(&self, out: &mut Vec<u8>) -> Option<()> {
        let needed = PixelDescription { frames: 1, ..*self.pixels }.native_bytes();
        let bytes = self.bytes();
        let wanted = usize::try_from(needed).ok()?.min(bytes.len());
        out.extend_from_slice(bytes.get(..wanted)?);
        (wanted as u64 == needed).then_some(())
    }

    /// A deflate stream of exactly one frame of native bytes.
    fn inflated(&self, out: &mut Vec<u8>, flaws: &mut Flaws) -> Option<()> {
        let needed = PixelDescription { frames: 1, ..*self.pixels }.native_bytes();
        let bytes = self.bytes();
        let before = out.len() as u64;
        // One byte more than a frame shows that there is too much.
        let mut inflater = DeflateDecoder::new(&*bytes).take(needed.saturating_add(1));
        let is_sound = inflater.read_to_end(out).is_ok();
        let found = (out.len() as u64).saturating_sub(before);
        if found == needed && is_sound {
            return Some(());
        }
        let reason = if found > needed {
            "a deflated frame holds more than rows and columns need"
        } else {
            "a deflated frame ends before its last row"
        };
        let frame = PixelDescription { frames: 1, ..*self.pixels };
        flaws.push(Flaw::Decode {
            reason: reason.to_owned(),
            offset: self.offset(bytes.len() as u64),
            rows: stop_row(found, &frame),
        });
        out.truncate(usize::try_from(before.saturating_add(found.min(needed))).ok()?);
        (found >= needed).then_some(())
    }

    fn rle(&self, out: &mut Vec<u8>, flaws: &mut Flaws) -> Option<()> {
        let bytes = self.bytes();
        let mut plane = rle::frame(&bytes, self.pixels)?;
        let columns = usize::try_from(self.pixels.columns).ok()?;
        let rows = plane.pixels.checked_div(columns)?;
        let whole = rows as u64 == u64::from(self.pixels.rows);
        if !whole {
            let stopped = u32::try_from(rows).ok()?;
            flaws.push(Flaw::Decode {
                reason: "an RLE segment ends before its plane is full".to_owned(),
                offset: self.offset(0),
                rows: Some(Rows { stopped, of: self.pixels.rows }),
            });
        } else if plane.overlong {
            flaws.push(Flaw::Decode {
                reason: "an RLE segment codes more than its plane holds".to_owned(),
                offset: self.offset(0),
                rows: None,
            });
        }
        let row = usize::try_from(
            PixelDescription { planar: false, photometric: Photometric::Other, ..*self.pixels }
                .row_bytes(),
        )
        .ok()?;
        plane.bytes.truncate(rows.checked_mul(row)?);
        moved(&mut plane.bytes, out);
        whole.then_some(())
    }

    fn jpeg(&self, out: &mut Vec<u8>, limits: &Limits, flaws: &mut Flaws) -> Option<bool> {
        let mut own = Flaws::new();
        let bytes = self.bytes();
        let frame = jpeg::frame(&bytes, self.pixels, limits, &mut own);
        self.report(own, flaws);
        let (mut samples, is_transformed) = frame?;
        moved(&mut samples, out);
        Some(is_transformed)
    }

    /// Hands on what a codec found.
    pub(super) fn report(&self, mut own: Flaws, flaws: &mut Flaws) {
        // A single byte after the codestream makes the fragment even, whatever it holds.
        own.retain(|flaw| !matches!(flaw, Flaw::Trailing { bytes: 1, .. }));
        flaws.extend(own.into_iter().map(|flaw| self.placed(flaw)));
    }

    /// A flaw of the codestream, with its offset counted from the start of the file.
    fn placed(&self, mut flaw: Flaw) -> Flaw {
        match &mut flaw {
            Flaw::Truncated { offset, .. }
            | Flaw::NoEndMarker { offset, .. }
            | Flaw::Checksum { offset, .. }
            | Flaw::Trailing { offset, .. } => {
                *offset = self.offset(*offset).unwrap_or(*offset);
            }
            Flaw::Decode { offset, .. } => *offset = offset.and_then(|own| self.offset(own)),
            _ => {}
        }
        flaw
    }
}
