//! XMP: properties by their local names, as attributes or as elements, in a bounded walk.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::{Metadata, Trace};

const CARRIER: &str = "XMP";
/// Longest packet that is read, in bytes; longer ones hold thumbnails and histories at their end.
const MOST_BYTES: usize = 1 << 20;
/// Deepest nesting that is followed.
const MOST_LEVELS: usize = 64;

/// Properties that tell something: prefix as usual, local name.
const PROPERTIES: [(&str, &str, Trace); 26] = [
    ("dc", "creator", Trace::Person),
    ("dc", "contributor", Trace::Person),
    ("tiff", "Artist", Trace::Person),
    ("xmpRights", "Owner", Trace::Person),
    ("aux", "OwnerName", Trace::Person),
    ("exifEX", "CameraOwnerName", Trace::Person),
    ("photoshop", "CaptionWriter", Trace::Person),
    ("DICOM", "PatientName", Trace::Person),
    ("DICOM", "PatientID", Trace::Person),
    ("DICOM", "ReferringPhysician", Trace::Person),
    ("DICOM", "StudyPhysician", Trace::Person),
    ("DICOM", "PatientDOB", Trace::Date),
    ("DICOM", "StudyDateTime", Trace::Date),
    ("DICOM", "SeriesDateTime", Trace::Date),
    ("exif", "DateTimeOriginal", Trace::Date),
    ("photoshop", "DateCreated", Trace::Date),
    ("exif", "GPSLatitude", Trace::Gps),
    ("exif", "GPSLongitude", Trace::Gps),
    ("photoshop", "City", Trace::Place),
    ("photoshop", "State", Trace::Place),
    ("photoshop", "Country", Trace::Place),
    ("Iptc4xmpCore", "Location", Trace::Place),
    ("aux", "SerialNumber", Trace::Serial),
    ("exifEX", "BodySerialNumber", Trace::Serial),
    ("exifEX", "LensSerialNumber", Trace::Serial),
    ("dc", "description", Trace::Text),
];

fn property(qualified: &str) -> Option<&'static (&'static str, &'static str, Trace)> {
    let (prefix, local) = qualified.split_once(':')?;
    PROPERTIES.iter().find(|(usual, name, _)| *name == local && usual.eq_ignore_ascii_case(prefix))
}

/// Reads a packet at an offset of the file, as far as it is well-formed.
pub(super) fn read(packet: &[u8], offset: u64, out: &mut Metadata) {
    let packet = packet.get(..MOST_BYTES).unwrap_or(packet);
    let text = String::from_utf8_lossy(packet);
    let mut reader = quick_xml::Reader::from_str(text.trim_matches('\0'));
    let mut open: Vec<Option<&(&str, &str, Trace)>> = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                attributes(&element, offset, out);
                // rdf:Seq and rdf:li stand between a property and its value.
                let inherited = open.last().copied().flatten();
                open.push(property(element.name().as_ref()).or(inherited));
                if open.len() > MOST_LEVELS {
                    return;
                }
            }
            Ok(Event::Empty(element)) => attributes(&element, offset, out),
            Ok(Event::Text(value)) => {
                if let Some((prefix, name, trace)) = open.last().copied().flatten() {
                    let value = value.xml10_content();
                    out.add(CARRIER, &format!("{prefix}:{name}"), *trace, &value, offset);
                }
            }
            Ok(Event::End(_)) => {
                open.pop();
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn attributes(element: &BytesStart<'_>, offset: u64, out: &mut Metadata) {
    for attribute in element.attributes().with_checks(false).flatten() {
        if let Some((prefix, name, trace)) = property(attribute.key.as_ref())
            && let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0)
        {
            out.add(CARRIER, &format!("{prefix}:{name}"), *trace, &value, offset);
        }
    }
}
