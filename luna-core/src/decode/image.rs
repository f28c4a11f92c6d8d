//! A decoded picture at its true depth.

use crate::probe::Geometry;

/// Samples as decoded, interleaved by pixel, row by row, frame by frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Unsigned, up to 8 bits.
    U8(Vec<u8>),
    /// Unsigned, up to 16 bits.
    U16(Vec<u16>),
    /// Signed, up to 16 bits.
    I16(Vec<i16>),
    /// Unsigned, up to 32 bits.
    U32(Vec<u32>),
    /// Signed, up to 32 bits.
    I32(Vec<i32>),
    /// IEEE 754 single precision.
    F32(Vec<f32>),
    /// IEEE 754 double precision.
    F64(Vec<f64>),
}

/// Runs a block with `$values` bound to the vector inside, whatever its type.
macro_rules! each_sample {
    ($samples:expr, $values:ident => $body:expr) => {
        match $samples {
            $crate::decode::Samples::U8($values) => $body,
            $crate::decode::Samples::U16($values) => $body,
            $crate::decode::Samples::I16($values) => $body,
            $crate::decode::Samples::U32($values) => $body,
            $crate::decode::Samples::I32($values) => $body,
            $crate::decode::Samples::F32($values) => $body,
            $crate::decode::Samples::F64($values) => $body,
        }
    };
}
pub(crate) use each_sample;

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        each_sample!(self, values => values.len())
    }

    /// A copy of some of the samples; `None` if they are not all there.
    pub fn part(&self, range: std::ops::Range<usize>) -> Option<Self> {
        Some(match self {
            Self::U8(values) => Self::U8(values.get(range)?.to_vec()),
            Self::U16(values) => Self::U16(values.get(range)?.to_vec()),
            Self::I16(values) => Self::I16(values.get(range)?.to_vec()),
            Self::U32(values) => Self::U32(values.get(range)?.to_vec()),
            Self::I32(values) => Self::I32(values.get(range)?.to_vec()),
            Self::F32(values) => Self::F32(values.get(range)?.to_vec()),
            Self::F64(values) => Self::F64(values.get(range)?.to_vec()),
        })
    }

    /// True if there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How stored values become the picture that a person would see.
#[derive(Clone, Debug, PartialEq)]
pub enum Display {
    /// The full range of the stored bits is black to white (8-bit PNG, JPEG, BMP).
    AsStored,
    /// From the 0.5th to the 99.5th percentile (16-bit PNG and TIFF; DICOM without a window).
    Percentiles,
    /// Modality LUT and first VOI window of a DICOM header.
    Window {
        /// RescaleSlope.
        slope: f64,
        /// RescaleIntercept.
        intercept: f64,
        /// WindowCenter.
        center: f64,
        /// WindowWidth, at least 1.
        width: f64,
    },
    /// Samples are indices into a palette of 8-bit RGB colours.
    Palette(Vec<[u8; 3]>),
}

/// Samples that carry bits where their header says there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutOfBits {
    /// Samples of native data with a bit set above the stored bits (masked away while decoding).
    pub unused_bits_set: u64,
    /// Samples of a codestream above the highest value that BitsStored can hold.
    pub above_bits_stored: u64,
}

/// A picture as decoded. If `rows_decoded` is less than its height, the rest is not to be trusted
/// and nothing is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Shape and depth of the samples as they are here.
    pub geometry: Geometry,
    /// The samples.
    pub samples: Samples,
    /// True if the last channel (2nd of 2, 4th of 4) is alpha.
    pub has_alpha: bool,
    /// How to show it.
    pub display: Display,
    /// True if low values are shown bright (MONOCHROME1, TIFF WhiteIsZero).
    pub inverted: bool,
    /// Rows of the last frame that were really decoded.
    pub rows_decoded: u32,
    /// Samples with bits where there should be none; all zero for formats that cannot have them.
    pub out_of_bits: OutOfBits,
}

impl Image {
    /// True if every row of every frame was decoded.
    pub fn is_complete(&self) -> bool {
        self.rows_decoded >= self.geometry.height
    }

    /// Channels that carry the picture, without alpha.
    pub fn colour_channels(&self) -> usize {
        usize::from(self.geometry.channels) - usize::from(self.has_alpha)
    }

    /// One frame, as far as it was decoded; `None` if nothing of it was.
    pub fn decoded_frame(&self, frame: u32) -> Option<Self> {
        let last = frame.checked_add(1)? == self.geometry.frames;
        let height = if last { self.rows_decoded } else { self.geometry.height };
        let row = self.geometry.width as usize * usize::from(self.geometry.channels);
        let start = self.frame_len().checked_mul(frame as usize)?;
        let end = start.checked_add(row.checked_mul(height as usize)?)?;
        let samples = self.samples.part(start..end)?;
        let geometry = Geometry { height, frames: 1, ..self.geometry.clone() };
        let shown = Self { geometry, samples, rows_decoded: height, ..self.without_samples() };
        (height > 0 && row > 0).then_some(shown)
    }

    fn without_samples(&self) -> Self {
        Self {
            geometry: self.geometry.clone(),
            samples: Samples::U8(Vec::new()),
            display: self.display.clone(),
            ..*self
        }
    }

    /// Samples of one frame.
    pub fn frame_len(&self) -> usize {
        self.geometry.width as usize
            * self.geometry.height as usize
            * usize::from(self.geometry.channels)
    }
}
