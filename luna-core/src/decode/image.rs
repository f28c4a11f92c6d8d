//! A decoded picture at its true depth.

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
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

    /// Bits that one takes here.
    pub const fn bits(&self) -> u8 {
        match self {
            Self::U8(_) => 8,
            Self::U16(_) | Self::I16(_) => 16,
            Self::U32(_) | Self::I32(_) | Self::F32(_) => 32,
            Self::F64(_) => 64,
        }
    }

    /// SHA-256 of their bytes, little-endian.
    pub(crate) fn sha256(&self) -> Digest {
        let mut hash = Sha256::new();
        each_sample!(self, values => for part in values.chunks(4_096) {
            let bytes: Vec<u8> = part.iter().flat_map(|value| value.to_le_bytes()).collect();
            hash.update(bytes);
        });
        Digest::from(<[u8; 32]>::from(hash.finalize()))
    }

    /// Samples that take more than this number of bits; those of floating point take none.
    fn above(&self, bits: u8) -> u64 {
        let most = u64::MAX >> (64 - bits.clamp(1, 64));
        let least = -i64::try_from(most / 2).unwrap_or(i64::MAX) - 1;
        let is_signed = |value: i64| value < least || value > -(least + 1);
        let count = match self {
            Self::U8(values) => values.iter().filter(|it| u64::from(**it) > most).count(),
            Self::U16(values) => values.iter().filter(|it| u64::from(**it) > most).count(),
            Self::U32(values) => values.iter().filter(|it| u64::from(**it) > most).count(),
            Self::I16(values) => values.iter().filter(|it| is_signed(i64::from(**it))).count(),
            Self::I32(values) => values.iter().filter(|it| is_signed(i64::from(**it))).count(),
            Self::F32(_) | Self::F64(_) => 0,
        };
        count as u64
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
    /// A picture that no file holds: samples interleaved by pixel, row by row, frame by frame, of this width and
    /// height. The last of two or four channels is alpha. `bits_stored` says how many bits of an integer carry
    /// its value, all unless given.
    ///
    /// `None` if there are not as many samples as that, there is none, there are more than four channels, or the
    /// samples have not so many bits.
    ///
    /// ```
    /// use luna_core::decode::{Image, Samples};
    /// let of = |bits| Image::of_samples(Samples::U16(vec![0, 5_000]), (2, 1), 1, 1, bits);
    /// assert_eq!(of(Some(12)).unwrap().out_of_bits.above_bits_stored, 1);
    /// assert!(of(Some(17)).is_none());
    /// ```
    pub fn of_samples(
        samples: Samples,
        (width, height): (u32, u32),
        frames: u32,
        channels: u8,
        bits_stored: Option<u8>,
    ) -> Option<Self> {
        let floating = matches!(samples, Samples::F32(_) | Samples::F64(_));
        let signed = floating || matches!(samples, Samples::I16(_) | Samples::I32(_));
        let bits_allocated = samples.bits();
        let bits_stored = bits_stored.unwrap_or(bits_allocated);
        let geometry =
            Geometry { width, height, frames, channels, bits_allocated, bits_stored, signed };
        let is_sound = geometry.samples() == samples.len() as u64
            && !samples.is_empty()
            && (1..=4).contains(&channels)
            && (1..=bits_allocated).contains(&bits_stored)
            && (!floating || bits_stored == bits_allocated);
        let above_bits_stored = if is_sound { samples.above(bits_stored) } else { 0 };
        let is_display = matches!(samples, Samples::U8(_)) && bits_stored == 8;
        is_sound.then_some(Self {
            geometry,
            samples,
            has_alpha: channels.is_multiple_of(2),
            display: if is_display { Display::AsStored } else { Display::Percentiles },
            inverted: false,
            rows_decoded: height,
            out_of_bits: OutOfBits { unused_bits_set: 0, above_bits_stored },
        })
    }

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
