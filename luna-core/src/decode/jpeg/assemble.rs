//! Planes become one run of samples: chroma is drawn at the resolution of luma, and luma and chroma
//! become red, green and blue.
//!
//! Chroma at half the resolution, across, down or both, is interpolated as libjpeg-turbo does by
//! default; at any other resolution, and in lossless frames, samples are repeated.
#![expect(clippy::arithmetic_side_effects, reason = "samples of 16 bits, places within a row")]

use super::plane::{Plane, Planes, Sample};
use crate::probe::jpeg::FrameHeader;

/// The first component alone, at the resolution of the picture.
pub(super) fn first<S: Sample>(mut planes: Planes<S>, frame: &FrameHeader, rows: u32) -> Vec<S> {
    let (width, height) = (frame.width as usize, frame.height as usize);
    let plane = planes.0.swap_remove(0);
    if (plane.width, plane.height) == (width, height) {
        return plane.into_samples();
    }
    let mut upsampler = Upsampler::new(&plane, frame, rows);
    let mut out = vec![S::default(); width * height];
    for (y, row) in out.chunks_exact_mut(width).take(rows as usize).enumerate() {
        upsampler.row(y);
        row.iter_mut().zip(&upsampler.samples).for_each(|(out, sample)| *out = *sample);
    }
    out
}

/// Three components, interleaved by pixel; as red, green and blue if `convert` is set.
pub(super) fn interleaved<S: Sample>(
    planes: &Planes<S>,
    frame: &FrameHeader,
    rows: u32,
    convert: bool,
) -> Vec<S> {
    let width = frame.width as usize;
    let mut out = vec![S::default(); width * frame.height as usize * 3];
    let [first, second, third] = planes.0.as_slice() else { return out };
    let [mut first, mut second, mut third] =
        [first, second, third].map(|plane| Upsampler::new(plane, frame, rows));
    for (y, row) in out.chunks_exact_mut(width * 3).take(rows as usize).enumerate() {
        first.row(y);
        second.row(y);
        third.row(y);
        S::weave([&first.samples, &second.samples, &third.samples], convert, row);
    }
    out
}

/// How many rows and columns of the picture a sample of a component stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ratio {
    /// One.
    Same,
    /// Two across or down, with interpolation.
    Fancy { across: bool, down: bool },
    /// Any other.
    Repeated,
}

/// Draws the rows of one component at the resolution of the picture.
struct Upsampler<'a, S> {
    plane: &'a Plane<S>,
    ratio: Ratio,
    /// Sampling factors of the component over the largest.
    across: (usize, usize),
    down: (usize, usize),
    /// Rows of the component that are certain.
    lines: usize,
    /// A row of sums of two rows of the component.
    sums: Vec<i32>,
    /// The row at hand, with some padding at its end.
    samples: Vec<S>,
}

impl<'a, S: Sample> Upsampler<'a, S> {
    fn new(plane: &'a Plane<S>, frame: &FrameHeader, rows: u32) -> Self {
        let (h, v) = frame.sampling();
        let (h, v) = (h as usize, v as usize);
        let twice = (h == 2 * plane.horizontal, v == 2 * plane.vertical);
        let same = (h == plane.horizontal, v == plane.vertical);
        let ratio = match (twice, same) {
            (_, (true, true)) => Ratio::Same,
            ((true, true), _) | ((true, _), (_, true))
                if frame.process.is_dct() && plane.width > 2 =>
            {
                Ratio::Fancy { across: true, down: twice.1 }
            }
            ((_, true), (true, _)) if frame.process.is_dct() => {
                Ratio::Fancy { across: false, down: true }
            }
            _ => Ratio::Repeated,
        };
        Self {
            plane,
            ratio,
            across: (plane.horizontal, h),
            down: (plane.vertical, v),
            lines: (rows as usize * plane.vertical).div_ceil(v).min(plane.height),
            sums: vec![0; plane.width],
            samples: vec![plane.blank(); (frame.width as usize).max(plane.width * 2)],
        }
    }

    /// Draws a row of the picture. Where a plane is blank, all its rows are as at the start.
    fn row(&mut self, y: usize) {
        let line = y * self.down.0 / self.down.1;
        let last = self.lines.saturating_sub(1);
        let Some(own) = self.plane.row(line.min(last)) else { return };
        let near = if y.is_multiple_of(2) { line.saturating_sub(1) } else { (line + 1).min(last) };
        match self.ratio {
            Ratio::Same => {
                self.samples.iter_mut().zip(own).for_each(|(out, sample)| *out = *sample);
            }
            Ratio::Fancy { across, down } => {
                let near = self.plane.row(near).unwrap_or(own);
                let how = (down, across, !y.is_multiple_of(2));
                S::stretch([own, near], how, &mut self.sums, &mut self.samples);
            }
            Ratio::Repeated => {
                let (factor, most) = self.across;
                for (x, out) in self.samples.iter_mut().enumerate() {
                    *out = own.get(x * factor / most).or(own.last()).copied().unwrap_or_default();
                }
            }
        }
    }
}

/// Draws a row that is interpolated: three parts of a sample, one of its neighbour. `near` is the row on
/// the other side, above or below, where rows are drawn between rows; `across` draws it twice as wide.
/// [`Sample::stretch`] runs it with what the processor has.
#[inline(always)]
pub(super) fn stretch<S: Sample>(
    [own, near]: [&[S]; 2],
    (down, across, is_lower): (bool, bool, bool),
    sums: &mut [i32],
    out: &mut [S],
) {
    match Some(near).filter(|_| down) {
        Some(near) => {
            for (sum, (own, near)) in sums.iter_mut().zip(own.iter().zip(near)) {
                *sum = 3 * (*own).into() + (*near).into();
            }
        }
        None => sums.iter_mut().zip(own).for_each(|(sum, own)| *sum = (*own).into()),
    }
    if !across {
        let bias = 1 + i32::from(is_lower);
        out.iter_mut().zip(&*sums).for_each(|(out, sum)| *out = S::low((sum + bias) >> 2));
        return;
    }
    if down { widen::<S, 8, 7, 4>(sums, out) } else { widen::<S, 1, 2, 2>(sums, out) }
}

/// Two samples out of each sum.
#[inline(always)]
fn widen<S: Sample, const LEFT: i32, const RIGHT: i32, const SHIFT: u32>(
    sums: &[i32],
    out: &mut [S],
) {
    let pair = |before: i32, own: i32, after: i32| {
        [S::low((3 * own + before + LEFT) >> SHIFT), S::low((3 * own + after + RIGHT) >> SHIFT)]
    };
    let pairs = out.as_chunks_mut::<2>().0;
    if let (Some(slot), [first, second, ..]) = (pairs.first_mut(), sums) {
        *slot = pair(*first, *first, *second);
    }
    for (slot, near) in pairs.iter_mut().skip(1).zip(sums.windows(3)) {
        if let [before, own, after] = *near {
            *slot = pair(before, own, after);
        }
    }
    if let (Some(slot), [.., before, last]) = (pairs.get_mut(sums.len() - 1), sums) {
        *slot = pair(*before, *last, *last);
    }
}

/// Writes a row of pixels; [`Sample::weave`] runs it with what the processor has.
#[inline(always)]
pub(super) fn weave<S: Sample>(rows: [&[S]; 3], convert: bool, out: &mut [S]) {
    let [first, second, third] = rows;
    let parts = first.iter().zip(second).zip(third);
    let pixels = out.as_chunks_mut::<3>().0.iter_mut().zip(parts);
    if convert {
        pixels.for_each(|(pixel, ((y, cb), cr))| *pixel = rgb(*y, *cb, *cr));
    } else {
        pixels.for_each(|(pixel, ((first, second), third))| *pixel = [*first, *second, *third]);
    }
}

/// Red, green and blue of luma and chroma (ITU-T T.871), with constants of 16 bits.
#[inline(always)]
fn rgb<S: Sample>(luma: S, cb: S, cr: S) -> [S; 3] {
    const HALF: i32 = 1 << 15;
    let (luma, cb, cr): (i32, i32, i32) = (luma.into(), cb.into(), cr.into());
    let (cb, cr) = (cb - S::CENTRE, cr - S::CENTRE);
    [
        S::clamped(luma + ((91_881 * cr + HALF) >> 16)),
        S::clamped(luma + ((HALF - 22_554 * cb - 46_802 * cr) >> 16)),
        S::clamped(luma + ((116_130 * cb + HALF) >> 16)),
    ]
}
