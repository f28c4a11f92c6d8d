//! LI013: people, dates, places and serial numbers beside the picture of a PNG, JPEG or TIFF.

use super::names;
use crate::finding::{Location, Severity};
use crate::probe::{MetadataField, Trace};
use crate::profile::Retain;
use crate::rules::{Case, Check, Draft, FileContext, Rule, Scope, Sink, Stage, Status};

pub(super) static RULES: &[&Rule] = &[&IMAGE_METADATA_IDENTITY];

static IMAGE_METADATA_IDENTITY: Rule = Rule {
    code: "LI013",
    name: "image-metadata-identity",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::PlainPicture,
    cases: &[
        Case::new("", Severity::Warning, Stage::File, "a person, date, place or serial number"),
        Case::new("gps", Severity::Error, Stage::File, "coordinates"),
    ],
    options: &[],
    summary: "A field beside the picture (EXIF, XMP, IPTC, PNG text, TIFF tag, JPEG comment) names a \
              person, a date, a place or a device.",
    why: "Exports and photographs of films carry who made them, when and where. Removing the DICOM \
          header does not remove what the exporting program wrote beside the pixels.",
    measured: "Parsed fields only: Artist, OwnerName, dc:creator, By-line, Author and their like; \
               DateTimeOriginal, DateCreated; City, Location, Country; serial numbers of body and \
               lens; coordinates of EXIF and XMP that are not zero; comments that hold a label such \
               as `Patient:` or a date. Banners of encoders, empty blocks, placeholders, PNG tIME, \
               DateTime, ICC profiles and Software are silent. Dates are silent where the profile \
               retains full dates. Of 40 files of a public set, 14 hold a comment, each a banner; \
               11 hold IPTC, each empty; 4 hold a true DateTimeOriginal.",
    how_to_fix: "Remove EXIF, XMP, IPTC and comments; the pixels need none of them.",
    references: &[
        "CIPA DC-008 (EXIF 2.32), 4.6",
        "ISO 16684-1 (XMP)",
        "IPTC-IIM 4.2, record 2",
        "DICOM PS3.15 E.3.6 (dates), E.3.8 (device identity)",
    ],
    check: Check::File(image_metadata_identity),
};

fn image_metadata_identity(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let retained = &cx.settings.profile().identity.retain;
    for field in &cx.probe.metadata.fields {
        let MetadataField { carrier, name, trace, value, offset } = field;
        let what = match trace {
            Trace::Person if names::is_placeholder(value) || names::is_filler(value) => continue,
            Trace::Person => "names a person",
            Trace::Date if retained.contains(&Retain::FullDates) => continue,
            Trace::Date => "holds a date",
            Trace::Gps => "holds coordinates",
            Trace::Place => "names a place",
            Trace::Serial => "holds the serial number of a device",
            Trace::Text => continue,
        };
        let case = if *trace == Trace::Gps { "gps" } else { "" };
        let draft = Draft::new(format!("{carrier} {name} {what}."))
            .at(Location::Byte { offset: *offset })
            .found(cx.settings.value(value))
            .expected("no such field, or an empty one");
        out.fire(case, draft);
    }
}
