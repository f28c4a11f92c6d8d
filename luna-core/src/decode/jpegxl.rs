//! JPEG XL: pixels, by `jxl-oxide`, at their true depth. Its allocations are bounded by a tracker; the
//! size is compared with what the caller expects before anything is drawn.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use jxl_oxide::image::BitDepth;
use jxl_oxide::{AllocTracker, InitializeResult, JxlImage, JxlThreadPool};

use super::{CodedFrame, Samples};
use crate::probe::{Flaw, Flaws};

/// Memory that decoding may take for a byte of the picture, and beside it: samples are floating point
/// numbers while they are drawn, in several copies.
const BYTES_A_BYTE: u64 = 24;
const BYTES_BESIDE: u64 = 64 << 20;

/// Decodes a whole codestream (or its container) of this size and number of components.
pub(crate) fn decode_frame(
    bytes: &[u8],
    (width, height, components): (u32, u32, u8),
    flaws: &mut Flaws,
) -> Option<CodedFrame> {
    let mut wrong = |reason: &str| {
        let reason = format!("JPEG XL: {reason}");
        flaws.push(Flaw::Decode { reason, offset: None, rows: None });
    };
    let image = match open(
        bytes,
        u64::from(width).saturating_mul(height.into()).saturating_mul(components.into()),
    ) {
        Ok(Some(image)) => image,
        Ok(None) => {
            flaws.push(cut(bytes));
            return None;
        }
        Err(reason) => {
            wrong(&reason);
            return None;
        }
    };
    let Some(precision) = depth(&image) else {
        let encoding = "JPEG XL with floating point or more than 16 bits a sample".to_owned();
        flaws.push(Flaw::Unsupported { encoding });
        return None;
    };
    let channels = image.pixel_format().channels();
    if (image.width(), image.height(), channels) != (width, height, usize::from(components)) {
        let found = format!(
            "the codestream is {} x {} pixels of {channels}, the header says {width} x {height} of \
             {components}",
            image.width(),
            image.height(),
        );
        wrong(&found);
        return None;
    }
    if !image.is_loading_done() {
        flaws.push(cut(bytes));
        return None;
    }
    let render = match image.render_frame(0) {
        Ok(render) => render,
        Err(error) => {
            wrong(&format!("the pixel decoder refused it: {error}"));
            return None;
        }
    };
    let drawn = render.image_all_channels();
    let expected = (width as usize).checked_mul(height as usize)?.checked_mul(channels)?;
    if drawn.buf().len() != expected {
        wrong("the picture drawn is not of the size declared");
        return None;
    }
    let most = f32::from(u16::MAX >> 16_u8.saturating_sub(precision));
    let values = drawn.buf().iter().map(|value| (value * most).clamp(0.0, most).round_ties_even());
    let samples = if precision <= 8 {
        Samples::U8(values.map(|value| value as u8).collect())
    } else {
        Samples::U16(values.map(|value| value as u16).collect())
    };
    Some(CodedFrame { precision, samples })
}

/// Bits of a sample, if those are whole numbers of at most 16 bits.
fn depth(image: &JxlImage) -> Option<u8> {
    match image.image_header().metadata.bit_depth {
        BitDepth::IntegerSample { bits_per_sample } => {
            u8::try_from(bits_per_sample).ok().filter(|bits| (1..=16).contains(bits))
        }
        BitDepth::FloatSample { .. } => None,
    }
}

/// Reads all bytes; `None` if they end before the picture begins.
fn open(bytes: &[u8], samples: u64) -> Result<Option<JxlImage>, String> {
    let allowed = samples.saturating_mul(BYTES_A_BYTE).saturating_add(BYTES_BESIDE);
    let tracker = AllocTracker::with_limit(usize::try_from(allowed).unwrap_or(usize::MAX));
    let builder = JxlImage::builder().pool(JxlThreadPool::none()).alloc_tracker(tracker);
    let mut unread = builder.build_uninit();
    let mut at = unread.feed_bytes(bytes).map_err(|error| error.to_string())?;
    let mut image = match unread.try_init().map_err(|error| error.to_string())? {
        InitializeResult::Initialized(image) => image,
        InitializeResult::NeedMoreData(_) => return Ok(None),
    };
    // What is left of a feed is taken by the next one, or is padding.
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let taken = image.feed_bytes(rest).map_err(|error| error.to_string())?;
        if taken == 0 {
            break;
        }
        at = at.saturating_add(taken);
    }
    Ok(Some(image))
}

fn cut(bytes: &[u8]) -> Flaw {
    Flaw::Truncated {
        what: "JPEG XL codestream".to_owned(),
        offset: bytes.len() as u64,
        expected: None,
        found: bytes.len() as u64,
        rows: None,
    }
}
