//! Stage 4, *measure*: a decoded [`Image`] in, numbers, fingerprints and display pictures out.

mod grey;

pub use self::grey::{GreyPicture, Rect};
use crate::decode::Image;
use crate::record::{Fingerprints, Measurements};

/// A frame as a person would see it, with what the pixel rules read from it.
#[derive(Clone, Debug)]
pub struct FramePicture {
    /// Frame number, from 0.
    pub frame: u32,
    /// The display picture: 0 to 255, declared polarity applied, long side at most 1,024 pixels.
    pub grey: GreyPicture,
    /// The content box: what is left when near-constant rows and columns are trimmed.
    pub content: Rect,
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
}

/// Measures a complete picture; `None` if it has no samples.
pub fn measure(_image: &Image) -> Option<Measured> {
    None
}
