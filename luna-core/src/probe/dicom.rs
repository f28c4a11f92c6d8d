//! DICOM: structure, geometry, and whether the pixels can be decoded here.

use dicom_dictionary_std::tags;

use super::{Flaw, Flaws, Format, Header, Probe, Rows};
use crate::dicom::{Codec, DicomFile, PixelDescription, describe};
use crate::limits::Limits;

pub(super) fn probe<'a>(bytes: &'a [u8], limits: &Limits) -> Probe<'a> {
    let mut found = Probe::named(Some(Format::Dicom));
    let file = DicomFile::read(bytes, limits, &mut found.flaws);
    if file.pixel_element().is_some() {
        look_at_pixels(&file, &mut found);
    }
    found.header = Header::Dicom(Box::new(file));
    found
}

fn look_at_pixels(file: &DicomFile<'_>, found: &mut Probe<'_>) {
    found.flaws.extend(unsupported(file).or_else(|| unsupported_depth(file)));
    let Some(pixels) = file.pixel_description() else { return };
    if pixels.frames > 1 {
        found.flaws.push(Flaw::ManyImages { count: pixels.frames, what: "frames" });
    }
    if file.encapsulated.is_none() {
        place_truncation(file, &pixels, &mut found.flaws);
    }
    found.geometry = Some(pixels.geometry());
}

/// What the pixels are encoded in, if that is not decoded here.
fn unsupported(file: &DicomFile<'_>) -> Option<Flaw> {
    let declared = file.transfer_syntax.as_deref();
    let encoding = match (file.codec(), declared) {
        (
            Some(
                Codec::Native
                | Codec::EncapsulatedNative
                | Codec::Rle
                | Codec::JpegBaseline
                | Codec::JpegExtended
                | Codec::JpegLossless
                | Codec::JpegLs
                | Codec::Jpeg2000
                | Codec::JpegXl
                | Codec::DeflatedFrame,
            ),
            _,
        ) => return None,
        (_, Some(uid)) => describe(uid),
        (_, None) => "encapsulated pixel data without a transfer syntax".to_owned(),
    };
    Some(Flaw::Unsupported { encoding })
}

/// Sample sizes that the standard once had or never had.
fn unsupported_depth(file: &DicomFile<'_>) -> Option<Flaw> {
    let bits = file.integer(tags::BITS_ALLOCATED)?;
    (!matches!(bits, 1 | 8 | 16 | 32 | 64) && bits > 0)
        .then(|| Flaw::Unsupported { encoding: format!("DICOM pixels with {bits} bits allocated") })
}

/// Tells a cut in native pixel data by the row it falls in.
fn place_truncation(file: &DicomFile<'_>, pixels: &PixelDescription, flaws: &mut Flaws) {
    let Some(element) = file.pixel_element() else { return };
    let cut = format!("element {}", element.tag);
    for flaw in flaws {
        if let Flaw::Truncated { what, rows, .. } = flaw
            && *what == cut
        {
            *what = format!("pixel data {}", element.tag);
            *rows = stop_row(element.length as u64, pixels);
        }
    }
}

/// The row of its frame in which native pixel data of this length stop; `None` if they do not, or
/// where rows are not whole.
pub(crate) fn stop_row(length: u64, pixels: &PixelDescription) -> Option<Rows> {
    if length >= pixels.native_bytes() || pixels.planar || pixels.bits_allocated == 1 {
        return None;
    }
    let row = length.checked_div(pixels.row_bytes())?;
    let row = row.checked_rem(u64::from(pixels.rows))?;
    Some(Rows { stopped: u32::try_from(row).ok()?, of: pixels.rows })
}
