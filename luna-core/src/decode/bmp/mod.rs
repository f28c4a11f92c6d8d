//! BMP: pixels. Plain rows are read here, palettes stay palettes; run lengths and bit fields go
//! through the `image` crate.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use image::ImageDecoder as _;
use image::codecs::bmp::BmpDecoder;

use super::{Display, Image, OutOfBits, Samples};
use crate::limits::Limits;
use crate::probe::{BmpHeader, Flaw, Flaws, Geometry};

pub(super) fn decode(
    bytes: &[u8],
    header: &BmpHeader,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<Image> {
    if header.is_plain() { plain(bytes, header) } else { by_crate(bytes, header, limits, flaws) }
}

fn plain(bytes: &[u8], header: &BmpHeader) -> Option<Image> {
    let geometry = header.geometry();
    let row_bytes = usize::try_from(header.row_bytes()).ok()?;
    let line = (header.width as usize).checked_mul(usize::from(geometry.channels))?;
    let mut samples = vec![0; line.checked_mul(header.height as usize)?];
    let rows = bytes.get(header.pixels..).unwrap_or_default().chunks_exact(row_bytes);
    let there = rows.len().min(header.height as usize);
    if header.top_down {
        rows.zip(samples.chunks_exact_mut(line)).for_each(|(from, to)| read_row(header, from, to));
    } else {
        let from_below = samples.chunks_exact_mut(line).rev();
        rows.zip(from_below).for_each(|(from, to)| read_row(header, from, to));
    }
    // Rows are counted from the top; most files begin with the lowest.
    let is_whole = there == header.height as usize;
    let rows_decoded = if header.top_down || is_whole { there as u32 } else { 0 };
    let display = if geometry.channels == 3 || header.is_grey() {
        Display::AsStored
    } else {
        Display::Palette(header.palette.clone())
    };
    Some(image(geometry, samples, display, rows_decoded))
}

fn image(geometry: Geometry, samples: Vec<u8>, display: Display, rows_decoded: u32) -> Image {
    Image {
        geometry,
        samples: Samples::U8(samples),
        has_alpha: false,
        display,
        inverted: false,
        rows_decoded,
        out_of_bits: OutOfBits::default(),
    }
}

/// A row of the file as samples: indices, or red, green, blue.
fn read_row(header: &BmpHeader, from: &[u8], to: &mut [u8]) {
    match header.bits {
        24 | 32 => {
            let pixels = from.chunks_exact(usize::from(header.bits / 8));
            for (pixel, rgb) in pixels.zip(to.chunks_exact_mut(3)) {
                rgb.iter_mut().zip(pixel.iter().take(3).rev()).for_each(|(to, from)| *to = *from);
            }
        }
        8 => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
        bits => {
            let in_a_byte = 8_u16.checked_div(bits).unwrap_or(1);
            let mask = 0xff_u8 >> 8_u16.saturating_sub(bits);
            let indices = from.iter().flat_map(|byte| {
                (1..=u32::from(in_a_byte))
                    .map(move |nth| byte.rotate_left(u32::from(bits).saturating_mul(nth)) & mask)
            });
            to.iter_mut().zip(indices).for_each(|(to, index)| *to = index);
        }
    }
}

fn by_crate(bytes: &[u8], header: &BmpHeader, limits: &Limits, flaws: &mut Flaws) -> Option<Image> {
    let geometry = header.geometry();
    let decoded = (|| {
        let mut decoder = BmpDecoder::new(std::io::Cursor::new(bytes))?;
        let mut allowed = image::Limits::default();
        allowed.max_alloc = Some(limits.decoded_bytes.saturating_mul(2));
        decoder.set_limits(allowed)?;
        let channels = usize::from(decoder.color_type().channel_count());
        let size = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
        if decoder.total_bytes() > limits.decoded_bytes.saturating_mul(2) {
            return Err(image::ImageError::Limits(image::error::LimitError::from_kind(
                image::error::LimitErrorKind::InsufficientMemory,
            )));
        }
        let mut samples = vec![0; size];
        decoder.read_image(&mut samples)?;
        Ok((channels, samples))
    })();
    match decoded {
        Ok((channels, samples)) => {
            let rgb: Vec<u8> = samples
                .chunks_exact(channels.max(1))
                .flat_map(|pixel| pixel.iter().take(3))
                .copied()
                .collect();
            let is_whole = rgb.len() as u64 == geometry.samples();
            is_whole.then(|| image(geometry, rgb, Display::AsStored, header.height))
        }
        Err(error) => {
            flaws.push(failure(&error, bytes.len()));
            None
        }
    }
}

fn failure(error: &image::ImageError, length: usize) -> Flaw {
    match error {
        image::ImageError::IoError(_) => Flaw::Truncated {
            what: "pixel rows".to_owned(),
            offset: length as u64,
            expected: None,
            found: length as u64,
            rows: None,
        },
        other => {
            let reason = format!("the BMP decoder says: {other}");
            Flaw::Decode { reason, offset: None, rows: None }
        }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests;
