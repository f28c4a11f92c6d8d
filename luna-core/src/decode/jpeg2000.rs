//! JPEG 2000 and HTJ2K: pixels. The codestream is walked first ([`walk`]); `hayro-jpeg2000` makes the
//! pixels of JPEG 2000, `dicom-toolkit-jpeg2000` those of HTJ2K (decision 0009). Neither sees a stream
//! whose size, tiles, precincts or layers have not been checked, or that is not whole.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_toolkit_jpeg2000 as toolkit;

use super::{CodedFrame, Display, Image, OutOfBits, Samples};
use crate::limits::Limits;
use crate::probe::jpeg2000::{Jpeg2000Header, Stream, walk};
use crate::probe::{Flaw, Flaws, Geometry};

/// EOC.
const END: [u8; 2] = [0xFF, 0xD9];

/// Decodes a whole codestream of this size and number of components; `None` if it is another, not
/// whole, or not sound. The flaws' offsets count from the start of `bytes`.
pub(crate) fn decode_frame(
    bytes: &[u8],
    (width, height, components): (u32, u32, u8),
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<CodedFrame> {
    let stream = walk(bytes, 0, flaws)?;
    if let Some(encoding) = stream.unsupported() {
        flaws.push(Flaw::Unsupported { encoding });
        return None;
    }
    let over = stream.over_budget(limits);
    let is_as_said = (stream.width, stream.height) == (width, height)
        && stream.components.len() == usize::from(components);
    if over.is_some() || !is_as_said || !stream.whole {
        flaws.extend(over);
        return None;
    }
    let samples = pixels(bytes, &stream, flaws)?;
    Some(CodedFrame { precision: stream.components.first()?.precision, samples })
}

/// Decodes a JPEG 2000 file.
pub(super) fn decode(
    bytes: &[u8],
    header: &Jpeg2000Header,
    geometry: &Geometry,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<Image> {
    let stream = &header.stream;
    if !stream.whole || stream.over_budget(limits).is_some() {
        return None;
    }
    let samples = pixels(bytes.get(header.codestream.clone())?, stream, flaws)?;
    let display = if geometry.bits_stored <= 8 { Display::AsStored } else { Display::Percentiles };
    Some(Image {
        geometry: geometry.clone(),
        samples,
        has_alpha: header.has_alpha,
        display,
        inverted: false,
        rows_decoded: geometry.height,
        out_of_bits: OutOfBits::default(),
    })
}

/// The samples of a stream that has been walked, in the type that their depth and sign ask for.
fn pixels(bytes: &[u8], stream: &Stream, flaws: &mut Flaws) -> Option<Samples> {
    // The decoders insist on an end marker; that it is missing has been said.
    let closed = stream.open_end.and_then(|end| bytes.get(..end)).map(|own| [own, &END].concat());
    let bytes = closed.as_deref().unwrap_or(bytes);
    let decoded =
        if stream.high_throughput { by_toolkit(bytes, stream) } else { by_hayro(bytes, stream) };
    decoded
        .map_err(|reason| {
            let reason = format!("JPEG 2000: the pixel decoder refused it: {reason}");
            flaws.push(Flaw::Decode { reason, offset: None, rows: None });
        })
        .ok()
}

fn by_hayro(bytes: &[u8], stream: &Stream) -> Result<Samples, String> {
    use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};
    let settings =
        DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let image = Image::new(bytes, &settings).map_err(|error| error.to_string())?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|error| error.to_string())?;
    let planes: Vec<&[f32]> =
        decoded.components().iter().map(hayro_jpeg2000::ComponentData::samples).collect();
    woven(stream, &planes).ok_or_else(|| "samples are missing".to_owned())
}

/// Planes to samples interleaved by pixel, rounded and held within the depth.
fn woven(stream: &Stream, planes: &[&[f32]]) -> Option<Samples> {
    let first = stream.components.first()?;
    let count = (stream.width as usize).checked_mul(stream.height as usize)?;
    if planes.len() != stream.components.len() || planes.iter().any(|own| own.len() < count) {
        return None;
    }
    // The decoder has lifted signed samples by half of their range.
    let lift = if first.signed { f32::from(half(first.precision)) } else { 0.0 };
    let most = f32::from(half(first.precision)) * 2.0 - 1.0;
    let rounded = |value: f32| value.clamp(0.0, most).round_ties_even() - lift;
    let total = count.checked_mul(planes.len())?;
    Some(match (first.precision, first.signed) {
        (..=8, false) => Samples::U8(weave(planes, count, total, |value| rounded(value) as u8)),
        (_, false) => Samples::U16(weave(planes, count, total, |value| rounded(value) as u16)),
        (_, true) => Samples::I16(weave(planes, count, total, |value| rounded(value) as i16)),
    })
}

/// Half of the values that a sample of this depth (1 to 16) can have.
fn half(precision: u8) -> u16 {
    1_u16 << precision.clamp(1, 16).saturating_sub(1)
}

fn weave<T>(planes: &[&[f32]], count: usize, total: usize, make: impl Fn(f32) -> T) -> Vec<T> {
    if let [only] = planes {
        return only.iter().take(count).map(|value| make(*value)).collect();
    }
    let mut out = Vec::with_capacity(total);
    for at in 0..count {
        out.extend(planes.iter().filter_map(|plane| plane.get(at)).map(|value| make(*value)));
    }
    out
}

fn by_toolkit(bytes: &[u8], stream: &Stream) -> Result<Samples, String> {
    let settings = toolkit::DecodeSettings {
        resolve_palette_indices: false,
        strict: true,
        target_resolution: None,
    };
    let image = toolkit::Image::new(bytes, &settings).map_err(|error| error.to_string())?;
    let found = image.decode_native().map_err(|error| error.to_string())?;
    let missing = || "samples are missing".to_owned();
    let first = stream.components.first().ok_or_else(missing)?;
    let lift = if first.signed { half(first.precision) } else { 0 };
    let samples = match (found.bytes_per_sample, first.signed) {
        (1, false) => Samples::U8(found.data),
        (1, true) => {
            let values = found.data.iter().map(|value| u16::from(*value));
            Samples::I16(values.map(|value| value.wrapping_sub(lift) as i16).collect())
        }
        (_, signed) => {
            let values = found.data.as_chunks().0.iter().map(|own| u16::from_le_bytes(*own));
            if signed {
                Samples::I16(values.map(|value| value.wrapping_sub(lift) as i16).collect())
            } else {
                Samples::U16(values.collect())
            }
        }
    };
    let expected = u64::from(stream.width)
        .saturating_mul(stream.height.into())
        .saturating_mul(stream.components.len() as u64);
    if samples.len() as u64 == expected { Ok(samples) } else { Err(missing()) }
}
