//! What IHDR, PLTE and acTL say.

use super::Chunk;
use crate::probe::Geometry;

/// Colour type of a PNG (PNG 11.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PngColour {
    /// Grey.
    #[default]
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Indices into a palette.
    Palette,
    /// Grey and alpha.
    GreyAlpha,
    /// Red, green, blue, alpha.
    Rgba,
}

impl PngColour {
    /// Samples a pixel.
    pub fn channels(self) -> u8 {
        match self {
            Self::Grey | Self::Palette => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// What a PNG header says; widths, depths and colours in it are legal together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PngHeader {
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// Bits a sample: 1, 2, 4, 8 or 16.
    pub depth: u8,
    /// Colour type.
    pub colour: PngColour,
    /// Adam7.
    pub interlaced: bool,
    /// Colours of the palette, at most 256; empty if there is none.
    pub palette: Vec<[u8; 3]>,
    /// Offset of the first IDAT chunk.
    pub image_data: Option<usize>,
    /// Frames of an animation; 1 for a plain PNG.
    pub animation_frames: u32,
}

impl PngHeader {
    /// Reads the data of IHDR.
    pub(super) fn read(data: &[u8]) -> Result<Self, &'static str> {
        let Ok(&[w0, w1, w2, w3, h0, h1, h2, h3, depth, colour, compression, filter, interlace]) =
            <&[u8; 13]>::try_from(data)
        else {
            return Err("IHDR does not have 13 bytes");
        };
        let (colour, depths): (_, &[u8]) = match colour {
            0 => (PngColour::Grey, &[1, 2, 4, 8, 16]),
            2 => (PngColour::Rgb, &[8, 16]),
            3 => (PngColour::Palette, &[1, 2, 4, 8]),
            4 => (PngColour::GreyAlpha, &[8, 16]),
            6 => (PngColour::Rgba, &[8, 16]),
            _ => return Err("IHDR names a colour type that there is not"),
        };
        if !depths.contains(&depth) {
            return Err("IHDR names a bit depth that its colour type does not have");
        }
        if (compression, filter) != (0, 0) || interlace > 1 {
            return Err("IHDR names a compression, filter or interlace method that there is not");
        }
        let width = u32::from_be_bytes([w0, w1, w2, w3]);
        let height = u32::from_be_bytes([h0, h1, h2, h3]);
        if [width, height].into_iter().any(|side| i32::try_from(side).map_or(true, |n| n == 0)) {
            return Err("IHDR names a width or height that is 0 or above 2,147,483,647");
        }
        let interlaced = interlace == 1;
        Ok(Self {
            width,
            height,
            depth,
            colour,
            interlaced,
            animation_frames: 1,
            ..Self::default()
        })
    }

    /// Shape and depth; one frame, for only the default image is decoded.
    pub(crate) fn geometry(&self) -> Geometry {
        Geometry {
            width: self.width,
            height: self.height,
            frames: 1,
            channels: self.colour.channels(),
            bits_allocated: self.depth,
            bits_stored: self.depth,
            signed: false,
        }
    }

    /// Takes PLTE; the answer is what is wrong with it.
    pub(super) fn take_palette(&mut self, data: &[u8]) -> Option<&'static str> {
        let (colours, rest) = data.as_chunks::<3>();
        if !self.palette.is_empty() {
            return Some("a second palette (PLTE)");
        }
        if self.image_data.is_some() {
            return Some("a palette (PLTE) behind the image data");
        }
        if !rest.is_empty() || colours.is_empty() || colours.len() > 256 {
            return Some("the palette (PLTE) does not have 1 to 256 colours of 3 bytes");
        }
        if matches!(self.colour, PngColour::Grey | PngColour::GreyAlpha) {
            return Some("a palette (PLTE) in a grey picture");
        }
        if self.colour == PngColour::Palette && colours.len() > 1_usize << self.depth {
            return Some("the palette (PLTE) has more colours than the bit depth can name");
        }
        self.palette = colours.to_vec();
        None
    }

    /// Takes IDAT; the answer is what is wrong with its place.
    pub(super) fn take_image_data(
        &mut self,
        chunk: &Chunk<'_>,
        after_image_data: bool,
    ) -> Option<&'static str> {
        if self.image_data.is_none() {
            self.image_data = Some(chunk.offset);
            let without = self.colour == PngColour::Palette && self.palette.is_empty();
            return without.then_some("image data (IDAT) without a palette (PLTE) before them");
        }
        (!after_image_data).then_some("other chunks stand between the IDAT chunks")
    }

    /// Takes acTL: the number of frames.
    pub(super) fn take_animation(&mut self, data: &[u8]) {
        if let Some(count) = data.first_chunk() {
            self.animation_frames = u32::from_be_bytes(*count).max(1);
        }
    }
}
