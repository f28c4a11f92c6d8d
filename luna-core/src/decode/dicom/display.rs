//! How a DICOM picture is shown: modality LUT, first VOI window, palette, polarity (PS3.3 C.7.6.3.1.5,
//! C.11.1, C.11.2).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::super::Display;
use crate::dicom::{DicomFile, ModalityTransform, Photometric, PixelDescription};

/// Indices that a palette can have.
const MOST_COLOURS: usize = 65_536;

/// How to show the samples, and whether low values are bright.
pub(super) fn of(file: &DicomFile<'_>, pixels: &PixelDescription) -> (Display, bool) {
    if pixels.photometric == Photometric::Palette {
        return (palette(file).map_or(Display::Percentiles, Display::Palette), false);
    }
    if pixels.samples == 3 {
        return (Display::AsStored, false);
    }
    let shape = file.text(tags::PRESENTATION_LUT_SHAPE);
    let inverted =
        pixels.photometric == Photometric::Monochrome1 || shape.as_deref() == Some("INVERSE");
    (window(file).unwrap_or(Display::Percentiles), inverted)
}

/// The first window; `None` where a modality LUT other than a line lies before it.
fn window(file: &DicomFile<'_>) -> Option<Display> {
    let ModalityTransform::Line { slope, intercept } = file.modality_transform() else {
        return None;
    };
    let first = |tag: Tag| file.numbers(tag).first().copied().filter(|value| value.is_finite());
    let (center, width) = (first(tags::WINDOW_CENTER)?, first(tags::WINDOW_WIDTH)?);
    (width >= 1.0 && slope != 0.0).then_some(Display::Window { slope, intercept, center, width })
}

/// The colours by index, 8 bits each; `None` if a lookup table is missing or too short.
fn palette(file: &DicomFile<'_>) -> Option<Vec<[u8; 3]>> {
    let red = table(
        file,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    )?;
    let green = table(
        file,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    )?;
    let blue = table(
        file,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    )?;
    let colours = red.iter().zip(&green).zip(&blue);
    Some(colours.map(|((red, green), blue)| [*red, *green, *blue]).collect())
}

/// One lookup table by index, from 0: what lies before its first index repeats the first entry.
fn table(file: &DicomFile<'_>, descriptor: Tag, data: Tag) -> Option<Vec<u8>> {
    let numbers = file.numbers(descriptor);
    let [entries, first, bits] = numbers[..] else { return None };
    let entries = match entries as u16 {
        0 => MOST_COLOURS,
        entries => usize::from(entries),
    };
    let first = if first < 0.0 { 0 } else { (first as usize).min(MOST_COLOURS) };
    let element = file.element(data)?;
    let bytes = file.bytes_of(element);
    let values: Vec<u8> = if bits <= 8.0 && bytes.len() < entries.checked_mul(2)? {
        bytes.get(..entries)?.to_vec()
    } else {
        let words = bytes.as_chunks().0.iter().take(entries).map(|[low, high]| {
            // 8-bit entries may fill a word each; 16-bit ones are cut to their upper half.
            let (low, high) = if element.big_endian { (*high, *low) } else { (*low, *high) };
            if bits <= 8.0 && high == 0 { low } else { high }
        });
        words.collect()
    };
    let lowest = *values.first().filter(|_| values.len() == entries)?;
    let lead = std::iter::repeat_n(lowest, first);
    Some(lead.chain(values).take(MOST_COLOURS).collect())
}
