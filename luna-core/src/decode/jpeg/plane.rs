//! Planes of samples, one a component, at the component's own resolution.
#![expect(clippy::arithmetic_side_effects, reason = "sides of at most 65,535 plus padding")]

use super::{assemble, dct};
use crate::probe::jpeg::FrameHeader;

/// A sample: 8 bits, or up to 16.
pub(super) trait Sample:
    Copy + Default + From<u8> + Into<i32> + Send + Sync + 'static
{
    /// Added to what a DCT gives.
    const CENTRE: i32;
    /// The sample nearest to a value.
    fn clamped(value: i32) -> Self;
    /// The lowest bits of a value.
    fn low(value: i32) -> Self;
    /// The inverse transform of a block with coefficients beside the first.
    fn transform(block: &dct::Block, used: u32, out: &mut [Self; 64]);
    /// A row of a component, drawn larger.
    fn stretch(rows: [&[Self]; 2], how: (bool, bool, bool), sums: &mut [i32], out: &mut [Self]);
    /// Pixels of a row, out of the rows of three components.
    fn weave(rows: [&[Self]; 3], convert: bool, out: &mut [Self]);
}

impl Sample for u8 {
    const CENTRE: i32 = 128;

    #[inline(always)]
    fn clamped(value: i32) -> Self {
        value.clamp(0, 255) as Self
    }

    #[inline(always)]
    fn low(value: i32) -> Self {
        value as Self
    }

    #[inline]
    fn transform(block: &dct::Block, used: u32, out: &mut [Self; 64]) {
        dct::transform_8(block, used, out);
    }

    fn stretch(rows: [&[Self]; 2], how: (bool, bool, bool), sums: &mut [i32], out: &mut [Self]) {
        stretch_8(rows, how, sums, out);
    }

    fn weave(rows: [&[Self]; 3], convert: bool, out: &mut [Self]) {
        weave_8(rows, convert, out);
    }
}

impl Sample for u16 {
    const CENTRE: i32 = 2_048;

    #[inline(always)]
    fn clamped(value: i32) -> Self {
        value.clamp(0, 4_095) as Self
    }

    #[inline(always)]
    fn low(value: i32) -> Self {
        value as Self
    }

    #[inline]
    fn transform(block: &dct::Block, used: u32, out: &mut [Self; 64]) {
        dct::transform_12(block, used, out);
    }

    fn stretch(rows: [&[Self]; 2], how: (bool, bool, bool), sums: &mut [i32], out: &mut [Self]) {
        stretch_16(rows, how, sums, out);
    }

    fn weave(rows: [&[Self]; 3], convert: bool, out: &mut [Self]) {
        weave_16(rows, convert, out);
    }
}

#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt+fma", "x86_64+sse4.1"))]
fn stretch_8(rows: [&[u8]; 2], how: (bool, bool, bool), sums: &mut [i32], out: &mut [u8]) {
    assemble::stretch(rows, how, sums, out);
}

#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt+fma", "x86_64+sse4.1"))]
fn weave_8(rows: [&[u8]; 3], convert: bool, out: &mut [u8]) {
    assemble::weave(rows, convert, out);
}

#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt+fma", "x86_64+sse4.1"))]
fn stretch_16(rows: [&[u16]; 2], how: (bool, bool, bool), sums: &mut [i32], out: &mut [u16]) {
    assemble::stretch(rows, how, sums, out);
}

#[multiversion::multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt+fma", "x86_64+sse4.1"))]
fn weave_16(rows: [&[u16]; 3], convert: bool, out: &mut [u16]) {
    assemble::weave(rows, convert, out);
}

/// One component.
#[derive(Debug)]
pub(super) struct Plane<S> {
    /// Row by row, padded to whole MCUs. Empty while every sample has the value `blank`.
    samples: Vec<S>,
    blank: S,
    /// Samples from one row to the next.
    stride: usize,
    /// Rows, with padding.
    lines: usize,
    /// Columns and rows that are of the picture.
    pub(super) width: usize,
    pub(super) height: usize,
    /// Sampling factors.
    pub(super) horizontal: usize,
    pub(super) vertical: usize,
}

impl<S: Sample> Plane<S> {
    /// True if every sample is the middle one.
    pub(super) fn is_blank(&self) -> bool {
        self.samples.is_empty()
    }

    /// The rows from the first of a block on: eight or more of them, of [`stride`](Self::stride)
    /// samples but for the last. Not to be called for a block that is blank.
    #[inline]
    pub(super) fn at(&mut self, x: usize, y: usize) -> Option<&mut [S]> {
        self.ensure();
        self.samples.get_mut(y * self.stride + x..)
    }

    #[inline]
    pub(super) fn ensure(&mut self) {
        if self.samples.is_empty() {
            self.samples = vec![self.blank; self.stride * self.lines];
        }
    }

    /// Sets the samples of a block, by its column and row among blocks.
    #[inline]
    pub(super) fn set_block(&mut self, x: u32, y: u32, block: &[S; 64]) {
        let stride = self.stride;
        let Some(lines) = self.at(x as usize * 8, y as usize * 8) else { return };
        for (line, row) in lines.chunks_mut(stride).zip(block.as_chunks::<8>().0) {
            if let Some(line) = line.first_chunk_mut::<8>() {
                *line = *row;
            }
        }
    }

    /// Samples of a row that are of the picture; `None` where all are blank.
    pub(super) fn row(&self, y: usize) -> Option<&[S]> {
        let start = y.min(self.height.saturating_sub(1)) * self.stride;
        self.samples.get(start..start + self.width)
    }

    /// The row before and the row itself, padded; the first is empty for row 0.
    pub(super) fn two_rows(&mut self, y: usize) -> Option<(&[S], &mut [S])> {
        self.ensure();
        let (before, own) = self.samples.split_at_mut_checked(y * self.stride)?;
        let above = before.len().checked_sub(self.stride).and_then(|start| before.get(start..));
        Some((above.unwrap_or_default(), own.get_mut(..self.stride)?))
    }

    pub(super) const fn blank(&self) -> S {
        self.blank
    }

    /// All samples of the picture, without padding.
    pub(super) fn into_samples(mut self) -> Vec<S> {
        self.ensure();
        if self.stride > self.width {
            for y in 1..self.height {
                let from = y * self.stride;
                self.samples.copy_within(from..from + self.width, y * self.width);
            }
        }
        self.samples.truncate(self.width * self.height);
        self.samples
    }
}

/// All components.
#[derive(Debug)]
pub(super) struct Planes<S>(pub(super) Vec<Plane<S>>);

impl<S: Sample> Planes<S> {
    /// Planes for the components of a frame, whose data units are `unit` samples a side. Nothing is
    /// allocated before the first block comes.
    pub(super) fn new(frame: &FrameHeader, unit: u32) -> Self {
        let (most_h, most_v) = frame.sampling();
        let columns = frame.width.div_ceil(unit * most_h);
        let rows = frame.height.div_ceil(unit * most_v);
        let plane = |part: &crate::probe::jpeg::Component| {
            let (h, v) = (u32::from(part.horizontal), u32::from(part.vertical));
            Plane {
                samples: Vec::new(),
                blank: S::low(1 << frame.precision.saturating_sub(1).min(15)),
                stride: (columns * h * unit) as usize,
                lines: (rows * v * unit) as usize,
                width: (frame.width * h).div_ceil(most_h) as usize,
                height: (frame.height * v).div_ceil(most_v) as usize,
                horizontal: h as usize,
                vertical: v as usize,
            }
        };
        Self(frame.components.iter().map(plane).collect())
    }

    /// True if all components but the first are blank.
    pub(super) fn is_neutral(&self) -> bool {
        self.0.iter().skip(1).all(Plane::is_blank)
    }
}
