//! Stage 4, *measure*: a decoded [`Image`] in, numbers, fingerprints and display pictures out. It
//! knows no rule and no file.
//!
//! Two passes over the samples: the first counts values and takes Laplacians, the second hashes
//! canonical samples and makes display pictures. All else follows from counts and small pictures.
//! Sums are integers or in a fixed order, so the same picture gives the same numbers everywhere.

mod canonical;
mod content;
mod display;
mod grey;
mod histogram;
mod kernels;
mod perceptual;
mod plane;
mod sample;
mod shrink;

use self::canonical::Canonical;
use self::display::Tone;
pub(crate) use self::grey::Tally;
pub use self::grey::{GreyHistogram, GreyPicture, Rect};
use self::histogram::{Histogram, Statistics};
pub(crate) use self::kernels::{differences, spreads};
pub use self::perceptual::perceptual_hash;
use self::plane::Plane;
use self::sample::Sample;
use self::shrink::Shrink;
use crate::decode::{Image, each_sample};
use crate::digest::Digest;
use crate::record::{Fingerprints, Measurements};

/// Longest side of a display picture, in pixels.
pub const DISPLAY_SIDE: u32 = 1_024;
/// Side of a descriptor, in pixels.
pub const DESCRIPTOR_SIDE: u32 = 32;

/// A frame as a person would see it, with what the pixel rules read from it.
#[derive(Clone, Debug)]
pub struct FramePicture {
    /// Frame number, from 0.
    pub frame: u32,
    /// The display picture: 0 to 255, declared polarity applied, long side at most 1,024 pixels.
    pub grey: GreyPicture,
    /// The content box: what is left when near-constant rows and columns are trimmed.
    pub content: Rect,
    /// Counts of the whole display picture.
    pub histogram: GreyHistogram,
    /// Counts of the content box.
    pub content_histogram: GreyHistogram,
}

impl FramePicture {
    /// `counted`: the counts of the whole picture, where they are known.
    fn new(frame: u32, grey: GreyPicture, counted: Option<GreyHistogram>) -> Self {
        let content = grey.content_box(grey.bounds());
        let (histogram, content_histogram) = if let Some(whole) = counted {
            (whole.clone(), whole.without_surroundings(&grey, content))
        } else {
            let inner = grey.histogram(content);
            (inner.clone().with_surroundings(&grey, content), inner)
        };
        Self { frame, grey, content, histogram, content_histogram }
    }
}

/// All that is measured of one picture.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Numbers of the stored values, as reports say them.
    pub measurements: Measurements,
    /// Fingerprints, as reports say them.
    pub fingerprints: Fingerprints,
    /// First, middle and last frame (one for a single frame).
    pub pictures: Vec<FramePicture>,
    /// The content box of the first frame as 32 x 32 grey values.
    pub descriptor: Vec<u8>,
    /// True if every pixel is grey: one channel, or equal ones.
    pub is_grey: bool,
}

/// Measures a complete picture; `None` if it is not complete or holds no finite sample.
pub fn measure(image: &Image) -> Option<Measured> {
    let whole = image.samples.len() as u64 == image.geometry.samples();
    if !image.is_complete() || !whole || image.samples.is_empty() {
        return None;
    }
    each_sample!(&image.samples, values => measure_samples(image, values))
}

/// The display picture of one frame. Of a picture that stops early it shows the rows that are there;
/// `None` if there are none, or no finite sample.
///
/// The samples of the whole picture decide how it is stretched, as in [`measure`]; if it stops
/// early, those of the frame.
pub fn display_picture(image: &Image, frame: u32) -> Option<FramePicture> {
    let whole = image.samples.len() as u64 == image.geometry.samples();
    if image.is_complete() && whole && frame < image.geometry.frames {
        return each_sample!(&image.samples, values => display_frame(image, values, frame));
    }
    let part = image.decoded_frame(frame)?;
    let shown = each_sample!(&part.samples, values => display_frame(&part, values, 0))?;
    Some(FramePicture { frame, ..shown })
}

fn display_frame<T: Sample>(image: &Image, values: &[T], frame: u32) -> Option<FramePicture> {
    let plane = Plane::new(image, values);
    let (histogram, sharpness) = histogram::scan(&plane, image.geometry.bits_stored);
    let statistics = Statistics::of(&histogram, sharpness, image.geometry.bits_stored)?;
    let tone = Tone::new(image, &histogram, &statistics);
    let size = (image.geometry.width, image.geometry.height);
    let mut picture = Shrink::to_long_side(size, DISPLAY_SIDE);
    let mut greys = Vec::with_capacity(plane.width);
    for row in plane.frame(frame as usize).chunks_exact(plane.row_len()) {
        picture.row(tone.row(&plane, row, &mut greys));
    }
    Some(FramePicture::new(frame, picture.finish(), None))
}

fn measure_samples<T: Sample>(image: &Image, values: &[T]) -> Option<Measured> {
    let plane = Plane::new(image, values);
    let (histogram, sharpness) = histogram::scan(&plane, image.geometry.bits_stored);
    let statistics = Statistics::of(&histogram, sharpness, image.geometry.bits_stored)?;
    let tone = Tone::new(image, &histogram, &statistics);
    let (pixels, pictures) = second_pass(&plane, &histogram, &tone);
    let first = pictures.first()?;
    let perceptual = pixels.is_some().then(|| perceptual_hash(&first.grey, first.content).into());
    let descriptor = first.grey.resized(first.content, DESCRIPTOR_SIDE, DESCRIPTOR_SIDE).values;
    Some(Measured {
        measurements: statistics.measurements,
        fingerprints: Fingerprints { pixels, perceptual },
        pictures,
        descriptor,
        is_grey: plane.channels == 1,
    })
}

/// The fingerprint of all frames, and the display pictures of the first, middle and last.
fn second_pass<T: Sample>(
    plane: &Plane<'_, T>,
    histogram: &Histogram<T>,
    tone: &Tone,
) -> (Option<Digest>, Vec<FramePicture>) {
    let mut canonical = Canonical::new(plane, histogram);
    let shown = [0, plane.frames / 2, plane.frames - 1];
    let mut pictures = Vec::with_capacity(3);
    let mut greys = Vec::with_capacity(plane.width);
    for frame in 0..plane.frames {
        let size = (plane.width as u32, plane.height as u32);
        let mut picture = shown.contains(&frame).then(|| Shrink::to_long_side(size, DISPLAY_SIDE));
        for (y, row) in plane.frame(frame).chunks_exact(plane.row_len()).enumerate() {
            if let Some(canonical) = &mut canonical {
                canonical.row(row, plane.channels, plane.alpha_row(frame, y));
            }
            if let Some(picture) = &mut picture {
                picture.row(tone.row(plane, row, &mut greys));
            }
        }
        pictures.extend(picture.map(|it| {
            let picture = it.finish();
            let is_stored = matches!(tone, Tone::AsIs)
                && plane.channels == 1
                && plane.frames == 1
                && (picture.width as usize, picture.height as usize) == (plane.width, plane.height);
            let counted = is_stored.then(|| histogram.greys());
            FramePicture::new(frame as u32, picture, counted)
        }));
    }
    (canonical.map(Canonical::finish), pictures)
}

#[cfg(test)]
mod tests;
