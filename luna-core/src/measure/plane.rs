//! The samples that are measured: colour without alpha, and grey that was stored three times once.

use std::borrow::Cow;

use super::sample::Sample;
use crate::decode::Image;

/// Samples of a picture, interleaved by pixel, without alpha.
pub(super) struct Plane<'a, T: Sample> {
    pub(super) samples: Cow<'a, [T]>,
    /// 1 grey or palette index, 3 colour; equal channels have become one.
    pub(super) channels: usize,
    /// Alpha, one a pixel, unless it is opaque everywhere.
    pub(super) alpha: Option<Vec<T>>,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) frames: usize,
}

impl<'a, T: Sample> Plane<'a, T> {
    /// `values` are all samples of `image`.
    pub(super) fn new(image: &Image, values: &'a [T]) -> Self {
        let shape = &image.geometry;
        let stride = usize::from(shape.channels).max(1);
        let colours = image.colour_channels().max(1);
        let grey = colours > 1
            && values
                .chunks_exact(stride)
                .all(|pixel| pixel[1..colours].iter().all(|value| *value == pixel[0]));
        let channels = if grey { 1 } else { colours };
        let samples = if channels == stride {
            Cow::Borrowed(values)
        } else {
            Cow::Owned(match (channels, stride) {
                (1, 3) => values.as_chunks::<3>().0.iter().map(|pixel| pixel[0]).collect(),
                (1, _) => values.iter().step_by(stride).copied().collect(),
                _ => {
                    let pixels = values.chunks_exact(stride);
                    pixels.flat_map(|pixel| &pixel[..channels]).copied().collect()
                }
            })
        };
        Self {
            samples,
            channels,
            alpha: if image.has_alpha { alpha(values, stride, shape.bits_stored) } else { None },
            width: shape.width as usize,
            height: shape.height as usize,
            frames: shape.frames as usize,
        }
    }

    /// Samples of one row.
    pub(super) fn row_len(&self) -> usize {
        self.width * self.channels
    }

    /// Samples of one frame.
    pub(super) fn frame(&self, frame: usize) -> &[T] {
        let length = self.row_len() * self.height;
        self.samples.get(frame * length..(frame + 1) * length).unwrap_or_default()
    }

    /// Alpha of a row, if the picture has any that is not opaque.
    pub(super) fn alpha_row(&self, frame: usize, row: usize) -> Option<&[T]> {
        let start = (frame * self.height + row) * self.width;
        self.alpha.as_ref()?.get(start..start + self.width)
    }
}

/// Alpha of every pixel; `None` if all are opaque.
fn alpha<T: Sample>(values: &[T], stride: usize, bits_stored: u8) -> Option<Vec<T>> {
    let opaque = super::histogram::stored_range::<T>(bits_stored).map_or(1.0, |(_, high)| high);
    let alpha = values.iter().skip(stride - 1).step_by(stride);
    if alpha.clone().all(|value| value.value() >= opaque) {
        return None;
    }
    Some(alpha.copied().collect())
}
