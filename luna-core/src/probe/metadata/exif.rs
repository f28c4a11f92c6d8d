//! EXIF and the tags of a TIFF: one structure, read with the walk of `tiff::ifd`.

use super::{Metadata, Trace, text};
use crate::probe::tiff::ifd::{Directory, Entry, Tiff};

const EXIF_DIRECTORY: u16 = 0x8769;
const GPS_DIRECTORY: u16 = 0x8825;
const MAKE: u16 = 0x010f;
const EXPOSURE_TIME: u16 = 0x829a;
const F_NUMBER: u16 = 0x829d;
const USER_COMMENT: u16 = 0x9286;
const XMP: u16 = 700;
const IPTC: u16 = 33_723;

/// Tags that tell something, wherever they stand. DateTime (0132) is left out: every program that
/// saves the file sets it.
const FIELDS: [(u16, &str, Trace); 17] = [
    (0x010e, "ImageDescription", Trace::Text),
    (0x013b, "Artist", Trace::Person),
    (0x013c, "HostComputer", Trace::Text),
    (0x9003, "DateTimeOriginal", Trace::Date),
    (0x9004, "DateTimeDigitized", Trace::Date),
    (0x9c9b, "XPTitle", Trace::Text),
    (0x9c9c, "XPComment", Trace::Text),
    (0x9c9d, "XPAuthor", Trace::Person),
    (0x9c9f, "XPSubject", Trace::Text),
    (0xa430, "CameraOwnerName", Trace::Person),
    (0xa431, "BodySerialNumber", Trace::Serial),
    (0xa435, "LensSerialNumber", Trace::Serial),
    (0xa437, "Photographer", Trace::Person),
    (0xa438, "ImageEditor", Trace::Person),
    (0xc62f, "CameraSerialNumber", Trace::Serial),
    (USER_COMMENT, "UserComment", Trace::Text),
    (0xfde8, "OwnerName", Trace::Person),
];

/// Reads a block of EXIF (from its byte order mark on) at an offset of the file.
pub(super) fn read(block: &[u8], offset: u64, carrier: &'static str, out: &mut Metadata) {
    let Some((tiff, first)) = Tiff::open(block) else { return };
    if let Some(main) = tiff.directory(first) {
        read_main(&tiff, &main, offset, carrier, out);
    }
}

fn read_main(
    tiff: &Tiff<'_>,
    main: &Directory,
    offset: u64,
    carrier: &'static str,
    out: &mut Metadata,
) {
    let below = |tag| tiff.directory(tiff.number(main, tag)?);
    let exif = below(EXIF_DIRECTORY);
    for directory in [Some(main), exif.as_ref()].into_iter().flatten() {
        fields(tiff, directory, offset, carrier, out);
    }
    if let Some(gps) = below(GPS_DIRECTORY)
        && let Some(place) = coordinates(tiff, &gps)
    {
        out.add(carrier, "GPSLatitude, GPSLongitude", Trace::Gps, &place, offset);
    }
    let optics = |directory: &Directory| {
        directory.entry(F_NUMBER).is_some() || directory.entry(EXPOSURE_TIME).is_some()
    };
    let make = main.entry(MAKE).is_some_and(|entry| !tiff.raw(*entry).trim_ascii().is_empty());
    out.camera |= make && (optics(main) || exif.as_ref().is_some_and(optics));
    if let Some(entry) = main.entry(XMP) {
        super::xmp::read(tiff.raw(*entry), offset, out);
    }
    if let Some(entry) = main.entry(IPTC) {
        super::iptc::read(tiff.raw(*entry), offset, out);
    }
}

fn fields(
    tiff: &Tiff<'_>,
    directory: &Directory,
    offset: u64,
    carrier: &'static str,
    out: &mut Metadata,
) {
    for entry in directory.entries() {
        let Some((tag, name, trace)) = FIELDS.iter().find(|(tag, ..)| *tag == entry.tag) else {
            continue;
        };
        let value = value(tiff.raw(*entry), *tag);
        out.screenshot |= *tag == USER_COMMENT && value.eq_ignore_ascii_case("screenshot");
        out.add(carrier, name, *trace, &value, offset);
    }
}

/// Text of a value: Windows' XP tags are UTF-16, UserComment begins with the name of its encoding.
fn value(raw: &[u8], tag: u16) -> String {
    let raw = raw.get(..super::LONGEST).unwrap_or(raw);
    let utf16 = |bytes: &[u8], big_endian: bool| {
        let read = if big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
        let units =
            bytes.as_chunks().0.iter().map(|pair| read(*pair)).take_while(|unit| *unit != 0);
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    if (0x9c9b..=0x9c9f).contains(&tag) {
        return utf16(raw, false);
    }
    match (tag, raw.split_at_checked(8)) {
        (USER_COMMENT, Some((b"UNICODE\0", rest))) => {
            // The byte order is not told; Latin text shows it.
            utf16(rest, rest.first() == Some(&0))
        }
        (USER_COMMENT, Some((_, rest))) => text::decoded(rest),
        _ => text::decoded(raw),
    }
}

/// Degrees, unless both are zero or make no sense.
fn coordinates(tiff: &Tiff<'_>, gps: &Directory) -> Option<String> {
    let degrees = |tag: u16| -> Option<f64> {
        let entry: Entry = *gps.entry(tag)?;
        let parts: Vec<f64> = tiff
            .fractions(entry)
            .take(3)
            .map(|(numerator, denominator)| f64::from(numerator) / f64::from(denominator.max(1)))
            .collect();
        let weights = [1.0, 60.0, 3600.0];
        Some(parts.iter().zip(weights).map(|(part, weight)| part / weight).sum())
    };
    let (latitude, longitude) = (degrees(2)?, degrees(4)?);
    let is_place = latitude <= 90.0 && longitude <= 180.0 && (latitude > 0.0 || longitude > 0.0);
    is_place.then(|| format!("{latitude:.4}, {longitude:.4}"))
}
