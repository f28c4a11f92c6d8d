//! What the header says of the pixels: Image Pixel Module (PS3.3 C.7.6.3), reduced to what decoding
//! needs.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_dictionary_std::tags;

use super::{Codec, DicomFile, Element};
use crate::probe::Geometry;

/// PhotometricInterpretation (0028,0004).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Photometric {
    /// Grey, lowest value white.
    Monochrome1,
    /// Grey, lowest value black.
    Monochrome2,
    /// Indices into a palette.
    Palette,
    /// Red, green, blue.
    Rgb,
    /// Luma and chroma, full range.
    YbrFull,
    /// Luma and chroma, full range, one chroma pair for two pixels of a row.
    YbrFull422,
    /// Luma and chroma, studio range (retired).
    YbrPartial,
    /// JPEG 2000's colour transforms, undone by its decoder.
    YbrJpeg2000,
    /// None of these, or absent.
    Other,
}

impl Photometric {
    fn of(text: &str) -> Self {
        match text {
            "MONOCHROME1" => Self::Monochrome1,
            "MONOCHROME2" => Self::Monochrome2,
            "PALETTE COLOR" => Self::Palette,
            "RGB" => Self::Rgb,
            "YBR_FULL" => Self::YbrFull,
            "YBR_FULL_422" => Self::YbrFull422,
            "YBR_PARTIAL_422" | "YBR_PARTIAL_420" => Self::YbrPartial,
            "YBR_RCT" | "YBR_ICT" => Self::YbrJpeg2000,
            _ => Self::Other,
        }
    }
}

/// Type of the samples, by the attribute that holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleType {
    /// PixelData: integers.
    Integer,
    /// FloatPixelData: IEEE 754 single precision.
    Float,
    /// DoubleFloatPixelData: IEEE 754 double precision.
    Double,
}

/// Shape and depth of the pixels, as the header declares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelDescription {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// Frames, at least 1.
    pub frames: u32,
    /// Samples a pixel, 1 or 3.
    pub samples: u8,
    /// Bits that a sample takes: 1, 8, 16, 32, 64.
    pub bits_allocated: u8,
    /// Bits that carry the value.
    pub bits_stored: u8,
    /// Highest bit of the value.
    pub high_bit: u8,
    /// Two's complement, or floating point.
    pub signed: bool,
    /// Samples lie plane by plane.
    pub planar: bool,
    /// What the samples mean.
    pub photometric: Photometric,
    /// Type of the samples.
    pub sample_type: SampleType,
}

impl PixelDescription {
    /// Bytes of native pixel data, without padding; YBR_FULL_422 has two samples a pixel, bits are
    /// packed without gaps between frames (PS3.5 8.1.1, 8.2).
    pub fn native_bytes(&self) -> u64 {
        let samples = if self.is_subsampled() { 2 } else { u64::from(self.samples) };
        self.pixels()
            .saturating_mul(samples)
            .saturating_mul(u64::from(self.bits_allocated))
            .div_ceil(8)
    }

    /// Bytes of a row of native pixel data that are all of that row (not planar).
    pub(crate) fn row_bytes(&self) -> u64 {
        Self { rows: 1, frames: 1, ..*self }.native_bytes()
    }

    /// Pixels of all frames.
    fn pixels(&self) -> u64 {
        u64::from(self.rows)
            .saturating_mul(u64::from(self.columns))
            .saturating_mul(u64::from(self.frames))
    }

    /// True if native data hold one chroma pair for two pixels.
    pub(crate) fn is_subsampled(&self) -> bool {
        self.photometric == Photometric::YbrFull422 && self.samples == 3
    }

    /// The geometry of the decoded picture.
    pub fn geometry(&self) -> Geometry {
        Geometry {
            width: self.columns,
            height: self.rows,
            frames: self.frames,
            channels: self.samples,
            bits_allocated: self.bits_allocated,
            bits_stored: self.bits_stored,
            signed: self.signed,
        }
    }
}

impl DicomFile<'_> {
    /// The top-level element that holds the pixels.
    pub fn pixel_element(&self) -> Option<&Element> {
        [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA]
            .into_iter()
            .find_map(|tag| self.element(tag))
    }

    /// What the header says of the pixels; `None` if that makes no picture: no rows, no columns, or
    /// a number of samples or bits that nothing can have.
    pub fn pixel_description(&self) -> Option<PixelDescription> {
        let number = |tag| self.integer(tag);
        let side = |tag| number(tag).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        let small = |tag| number(tag).and_then(|n| u8::try_from(n).ok());
        let text = self.text(tags::PHOTOMETRIC_INTERPRETATION);
        let photometric = text.as_deref().map_or(Photometric::Other, Photometric::of);
        let tag = self.pixel_element().map(|element| element.tag);
        let (sample_type, bits_allocated) = match tag {
            Some(tags::FLOAT_PIXEL_DATA) => (SampleType::Float, 32),
            Some(tags::DOUBLE_FLOAT_PIXEL_DATA) => (SampleType::Double, 64),
            _ => (SampleType::Integer, small(tags::BITS_ALLOCATED)?),
        };
        let is_integer = sample_type == SampleType::Integer;
        let bits_stored = small(tags::BITS_STORED)
            .filter(|bits| is_integer && *bits > 0 && *bits <= bits_allocated)
            .unwrap_or(bits_allocated);
        let lowest_high = bits_stored.checked_sub(1)?;
        let high_bit = small(tags::HIGH_BIT)
            .filter(|bit| is_integer && *bit >= lowest_high && *bit < bits_allocated)
            .unwrap_or(lowest_high);
        let is_colour = !matches!(
            photometric,
            Photometric::Monochrome1
                | Photometric::Monochrome2
                | Photometric::Palette
                | Photometric::Other
        );
        let samples = match self.element(tags::SAMPLES_PER_PIXEL) {
            Some(_) => small(tags::SAMPLES_PER_PIXEL)?,
            None => {
                if is_colour {
                    3
                } else {
                    1
                }
            }
        };
        let is_sound = matches!(samples, 1 | 3)
            && matches!(bits_allocated, 1 | 8 | 16 | 32 | 64)
            && (is_integer || samples == 1);
        is_sound.then_some(PixelDescription {
            rows: side(tags::ROWS)?,
            columns: side(tags::COLUMNS)?,
            frames: side(tags::NUMBER_OF_FRAMES).unwrap_or(1),
            samples,
            bits_allocated,
            bits_stored,
            high_bit,
            signed: !is_integer || number(tags::PIXEL_REPRESENTATION) == Some(1),
            planar: samples == 3 && number(tags::PLANAR_CONFIGURATION) == Some(1),
            photometric,
            sample_type,
        })
    }

    /// How the pixels really are encoded, as far as the transfer syntax and the bytes tell; `None`
    /// for a syntax that the standard does not have.
    pub fn codec(&self) -> Option<Codec> {
        let declared = match self.transfer_syntax.as_deref() {
            Some(uid) => Some(super::transfer_syntax(uid)?.codec),
            None => None,
        };
        let Some(items) = &self.encapsulated else {
            return Some(match declared {
                Some(Codec::Referenced | Codec::Text) => declared?,
                _ => Codec::Native,
            });
        };
        if let Some(codec) = declared.filter(|codec| *codec != Codec::Native) {
            return Some(codec);
        }
        // A native or no transfer syntax over encapsulated data: the codestream itself may tell.
        let first = self.data.get(items.fragments().first()?.clone())?;
        match first {
            [0xFF, 0xD8, 0xFF, ..] => Some(Codec::JpegBaseline),
            [0xFF, 0x4F, 0xFF, 0x51, ..] => Some(Codec::Jpeg2000),
            _ => None,
        }
    }
}

/// How stored values become those of the modality (PS3.3 C.11.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ModalityTransform {
    /// RescaleSlope and RescaleIntercept; 1 and 0 where they are absent.
    Line {
        /// Modality units a stored value.
        slope: f64,
        /// Modality units at the stored value 0.
        intercept: f64,
    },
    /// Modality LUT Sequence: a table.
    Table,
}

impl DicomFile<'_> {
    /// How its stored values become those of the modality.
    ///
    /// ```
    /// use luna_core::dicom::{DicomFile, ModalityTransform};
    /// let empty = DicomFile::read(b"", &luna_core::Limits::default(), &mut Vec::new());
    /// let same = ModalityTransform::Line { slope: 1.0, intercept: 0.0 };
    /// assert_eq!(empty.modality_transform(), same);
    /// ```
    pub fn modality_transform(&self) -> ModalityTransform {
        if self.element(tags::MODALITY_LUT_SEQUENCE).is_some() {
            return ModalityTransform::Table;
        }
        let first = |tag| self.numbers(tag).first().copied().filter(|it| it.is_finite());
        ModalityTransform::Line {
            slope: first(tags::RESCALE_SLOPE).unwrap_or(1.0),
            intercept: first(tags::RESCALE_INTERCEPT).unwrap_or(0.0),
        }
    }
}
