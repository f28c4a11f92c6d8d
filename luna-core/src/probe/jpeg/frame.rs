//! The frame header (SOF, ITU-T T.81 B.2.2) and the scan header (SOS, B.2.3) as plain data.

use std::ops::Range;

/// How a JPEG codes its samples, told by the number of its SOF marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// Baseline sequential DCT, Huffman (SOF0).
    Baseline,
    /// Extended sequential DCT, Huffman (SOF1), 8 or 12 bits.
    Extended,
    /// Progressive DCT, Huffman (SOF2), 8 or 12 bits.
    Progressive,
    /// Lossless, Huffman (SOF3), 2 to 16 bits.
    Lossless,
    /// Sequential DCT, arithmetic coding (SOF9).
    ArithmeticSequential,
    /// Progressive DCT, arithmetic coding (SOF10).
    ArithmeticProgressive,
    /// Lossless, arithmetic coding (SOF11).
    ArithmeticLossless,
    /// A pyramid of frames (DHP, SOF5 to 7 and 13 to 15).
    Hierarchical,
    /// JPEG-LS (SOF55, ITU-T T.87).
    JpegLs,
}

impl Process {
    /// The process that a marker announces; `None` if it is no frame header.
    pub(super) const fn of(marker: u8) -> Option<Self> {
        Some(match marker {
            0xC0 => Self::Baseline,
            0xC1 => Self::Extended,
            0xC2 => Self::Progressive,
            0xC3 => Self::Lossless,
            0xC9 => Self::ArithmeticSequential,
            0xCA => Self::ArithmeticProgressive,
            0xCB => Self::ArithmeticLossless,
            0xC5..=0xC7 | 0xCD..=0xCF | 0xDE => Self::Hierarchical,
            0xF7 => Self::JpegLs,
            _ => return None,
        })
    }

    /// Its name, as findings say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "JPEG baseline (SOF0)",
            Self::Extended => "JPEG extended sequential (SOF1)",
            Self::Progressive => "JPEG progressive (SOF2)",
            Self::Lossless => "JPEG lossless (SOF3)",
            Self::ArithmeticSequential => "JPEG with arithmetic coding (SOF9)",
            Self::ArithmeticProgressive => "JPEG progressive with arithmetic coding (SOF10)",
            Self::ArithmeticLossless => "JPEG lossless with arithmetic coding (SOF11)",
            Self::Hierarchical => "JPEG hierarchical",
            Self::JpegLs => "JPEG-LS (SOF55)",
        }
    }

    /// True if samples pass through quantised DCT coefficients.
    pub const fn is_dct(self) -> bool {
        !matches!(self, Self::Lossless | Self::ArithmeticLossless | Self::JpegLs)
    }

    /// Bits a sample that the process allows.
    const fn allows(self, precision: u8) -> bool {
        match self {
            Self::Baseline => precision == 8,
            Self::Lossless | Self::ArithmeticLossless | Self::JpegLs | Self::Hierarchical => {
                precision >= 2 && precision <= 16
            }
            _ => precision == 8 || precision == 12,
        }
    }
}

/// A component of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its identifier; 1, 2, 3 for Y, Cb, Cr in most files.
    pub id: u8,
    /// Horizontal sampling factor, 1 to 4.
    pub horizontal: u8,
    /// Vertical sampling factor, 1 to 4.
    pub vertical: u8,
    /// Number of its quantisation table, 0 to 3.
    pub quantisation: u8,
}

/// What a frame header says, for any JPEG process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// How samples are coded.
    pub process: Process,
    /// Bits a sample.
    pub precision: u8,
    /// Columns, in pixels.
    pub width: u32,
    /// Rows, in pixels; 0 if only a later DNL segment tells.
    pub height: u32,
    /// 1 to 4 components, in file order.
    pub components: Vec<Component>,
    /// Colour transform of an Adobe APP14 segment before the first scan: 0 none, 1 YCbCr, 2 YCCK.
    pub adobe_transform: Option<u8>,
}

impl FrameHeader {
    /// True if the components are luma and chroma: three of them, unless Adobe's transform is 0 or
    /// the identifiers spell `RGB`; four with Adobe's transform 2.
    pub fn is_transformed(&self) -> bool {
        match self.components.len() {
            3 => {
                let ids = self.components.iter().map(|component| component.id);
                self.adobe_transform != Some(0) && !ids.eq(*b"RGB")
            }
            4 => self.adobe_transform == Some(2),
            _ => false,
        }
    }

    /// Largest sampling factors, horizontal and vertical.
    pub(crate) fn sampling(&self) -> (u32, u32) {
        let most = |of: fn(&Component) -> u8| self.components.iter().map(of).max().unwrap_or(1);
        (u32::from(most(|c| c.horizontal)), u32::from(most(|c| c.vertical)))
    }

    /// Reads the payload of a SOF segment; the error says what is wrong with it.
    pub(super) fn parse(process: Process, payload: &[u8]) -> Result<Self, &'static str> {
        let (fixed, rest) = payload.split_first_chunk::<6>().ok_or("frame header too short")?;
        let [precision, h0, h1, w0, w1, count] = *fixed;
        if usize::from(count) * 3 != rest.len() {
            return Err("length of the frame header does not fit its number of components");
        }
        let components = rest
            .chunks_exact(3)
            .filter_map(|bytes| bytes.first_chunk::<3>())
            .map(|&[id, sampling, quantisation]| Component {
                id,
                horizontal: sampling >> 4,
                vertical: sampling & 15,
                quantisation,
            })
            .collect();
        let frame = Self {
            process,
            precision,
            width: u32::from(u16::from_be_bytes([w0, w1])),
            height: u32::from(u16::from_be_bytes([h0, h1])),
            components,
            adobe_transform: None,
        };
        frame.defect().map_or(Ok(frame), Err)
    }

    fn defect(&self) -> Option<&'static str> {
        let factors = 1..=4;
        let good = |c: &Component| {
            factors.contains(&c.horizontal) && factors.contains(&c.vertical) && c.quantisation < 4
        };
        let twice = |(at, c): (usize, &Component)| {
            self.components.iter().skip(at.saturating_add(1)).any(|other| other.id == c.id)
        };
        if !self.process.allows(self.precision) {
            Some("bits a sample that the JPEG process does not allow")
        } else if self.width == 0 {
            Some("width is 0")
        } else if !(1..=4).contains(&self.components.len()) {
            Some("number of components is not 1 to 4")
        } else if !self.components.iter().all(good) {
            Some("sampling factor or quantisation table number out of range")
        } else if self.components.iter().enumerate().any(twice) {
            Some("two components share one identifier")
        } else {
            None
        }
    }
}

/// A component's part in a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScanComponent {
    /// Index into [`FrameHeader::components`].
    pub(crate) index: usize,
    /// DC Huffman table, 0 to 3.
    pub(crate) dc: usize,
    /// AC Huffman table, 0 to 3.
    pub(crate) ac: usize,
}

/// One scan: its header, and where its entropy-coded data lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    pub(crate) components: Vec<ScanComponent>,
    /// First coefficient in zigzag order (predictor of a lossless scan).
    pub(crate) first: u8,
    /// Last coefficient in zigzag order.
    pub(crate) last: u8,
    /// Successive approximation: bit position of the scan before, 0 for a first scan.
    pub(crate) high: u8,
    /// Successive approximation: bit position of this scan.
    pub(crate) low: u8,
    /// Entropy-coded data with their restart markers, up to the next marker or the end of the file.
    pub(crate) data: Range<usize>,
}

impl Scan {
    /// Reads the payload of a SOS segment; the error says what is wrong with it.
    pub(super) fn parse(payload: &[u8], frame: &FrameHeader) -> Result<Self, &'static str> {
        let (&count, rest) = payload.split_first().ok_or("scan header too short")?;
        let wanted = usize::from(count) * 2;
        if !(1..=4).contains(&count) || rest.len() != wanted.saturating_add(3) {
            return Err("length of the scan header does not fit its number of components");
        }
        let (selectors, spectral) = rest.split_at_checked(wanted).unwrap_or_default();
        let mut components: Vec<ScanComponent> = Vec::with_capacity(4);
        for pair in selectors.chunks_exact(2) {
            let [id, tables] = *pair else { continue };
            let index = frame
                .components
                .iter()
                .position(|component| component.id == id)
                .ok_or("scan names a component that the frame does not have")?;
            if components.iter().any(|earlier| earlier.index >= index) {
                return Err("components of a scan are not in the order of the frame");
            }
            let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
            components.push(ScanComponent { index, dc, ac });
        }
        let [first, last, bits] = *spectral else { return Err("scan header too short") };
        Ok(Self { components, first, last, high: bits >> 4, low: bits & 15, data: 0..0 })
    }
}
