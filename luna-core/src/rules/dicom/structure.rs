//! LD001, LD002, LD004: the DICOM file around its values: header, file meta, elements.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::dicom::{Anomaly, AnomalyKind, DicomFile, Encoding, FileMeta, Opening, keyword};
use crate::finding::{Location, Severity};
use crate::probe::Format;
use crate::rules::{Case, Check, Draft, FileContext, Rule, Scope, Sink, Stage, Status};
use crate::text::{counted, grouped, shown};

pub(super) static RULES: &[&Rule] = &[&NO_PART10_HEADER, &FILE_META_INVALID, &ELEMENT_STRUCTURE];

static NO_PART10_HEADER: Rule = Rule {
    code: "LD001",
    name: "no-part10-header",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[],
    summary: "The file begins with a data set at once, without the 128-byte preamble and the letters \
              DICM.",
    why: "Without the header nothing says how the data set is encoded. Many readers refuse such files, \
          others guess; what they guess differs.",
    measured: "The bytes 128 to 131 are not DICM. The encoding is then told by the first elements: \
               explicit or implicit VR, byte order. Files of old modalities and exports from PACS \
               caches look like this.",
    how_to_fix: "Write the file anew as DICOM Part 10, for example with dcmconv or by saving it with \
                 pydicom (enforce_file_format=True).",
    references: &["DICOM PS3.10 7.1 (DICOM file meta information)"],
    check: Check::File(no_part10_header),
};

fn no_part10_header(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let found = match file.opening {
        Opening::Preamble => return,
        Opening::NoPreamble => "DICM at byte 0, without the 128 bytes before it",
        Opening::DataSet => "a data element at byte 0",
    };
    let message = format!(
        "No DICOM file header: begins with {found}; read as {}.",
        encoding_name(file.encoding)
    );
    out.fire(
        "",
        Draft::new(message)
            .at(Location::Byte { offset: 0 })
            .found(found)
            .expected("128 bytes, then DICM at byte 128"),
    );
}

/// An encoding in words.
pub(super) fn encoding_name(encoding: Encoding) -> &'static str {
    match (encoding.explicit, encoding.big_endian) {
        (true, false) => "explicit VR little endian",
        (false, false) => "implicit VR little endian",
        (true, true) => "explicit VR big endian",
        (false, true) => "implicit VR big endian",
    }
}

static FILE_META_INVALID: Rule = Rule {
    code: "LD002",
    name: "file-meta-invalid",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[
        Case::new("missing", Severity::Error, Stage::File, "a required element is absent or empty"),
        Case::new("encoding", Severity::Error, Stage::File, "not explicit VR little endian"),
        Case::new("group-length", Severity::Error, Stage::File, "the group length is wrong"),
        Case::new("mismatch", Severity::Error, Stage::File, "its UIDs are not the data set's"),
    ],
    options: &[],
    summary: "The file meta information (group 0002) is incomplete, wrongly encoded, or contradicts \
              the data set.",
    why: "Readers rely on it before they have seen any element: a wrong length or a missing transfer \
          syntax makes them read the data set from the wrong place or in the wrong encoding, and \
          indexes that trust its UIDs file the object under another one.",
    measured: "Required and not empty are (0002,0000), (0002,0001), (0002,0002), (0002,0003), \
               (0002,0010), (0002,0012), in explicit VR little endian. The group length is the \
               number of bytes from the end of its own element to the last element of group 0002. \
               (0002,0002) and (0002,0003) equal SOPClassUID and SOPInstanceUID where both are there. \
               Silent on a file without header and file meta, which is LD001's.",
    how_to_fix: "Let a DICOM toolkit write the file meta information anew from the data set.",
    references: &["DICOM PS3.10 7.1, table 7.1-1 (file meta information)"],
    check: Check::File(file_meta_invalid),
};

const REQUIRED: [Tag; 6] = [
    tags::FILE_META_INFORMATION_GROUP_LENGTH,
    tags::FILE_META_INFORMATION_VERSION,
    tags::MEDIA_STORAGE_SOP_CLASS_UID,
    tags::MEDIA_STORAGE_SOP_INSTANCE_UID,
    tags::TRANSFER_SYNTAX_UID,
    tags::IMPLEMENTATION_CLASS_UID,
];

fn file_meta_invalid(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let Some(meta) = &file.meta else {
        if file.opening != Opening::DataSet {
            let offset = file.data_set as u64;
            let message = "No file meta information: nothing says how the data set is encoded.";
            out.fire(
                "missing",
                Draft::new(message)
                    .at(Location::Byte { offset })
                    .expected("elements of group 0002 after DICM"),
            );
        }
        return;
    };
    for tag in REQUIRED {
        missing(file, tag, out);
    }
    if meta.encoding != Encoding::EXPLICIT {
        let found = encoding_name(meta.encoding);
        out.fire(
            "encoding",
            Draft::new(format!("The file meta information is encoded as {found}."))
                .at(Location::Byte { offset: meta.range.start as u64 })
                .found(found)
                .expected("explicit VR little endian"),
        );
    }
    wrong_group_length(file, meta, out);
    differs(file, tags::MEDIA_STORAGE_SOP_CLASS_UID, tags::SOP_CLASS_UID, &shown, out);
    // An instance's UID may lead to its patient.
    let masked = |uid: &str| cx.settings.value(uid);
    differs(file, tags::MEDIA_STORAGE_SOP_INSTANCE_UID, tags::SOP_INSTANCE_UID, &masked, out);
}

fn missing(file: &DicomFile<'_>, tag: Tag, out: &mut Sink<'_>) {
    let element = file.element(tag);
    let state = match element {
        None => "is missing from",
        Some(element) => {
            let is_blank = |byte: &u8| matches!(byte, 0 | b' ');
            let is_text = tag != tags::FILE_META_INFORMATION_GROUP_LENGTH
                && tag != tags::FILE_META_INFORMATION_VERSION;
            let bytes = file.bytes_of(element);
            let is_empty = bytes.is_empty() || (is_text && bytes.iter().all(is_blank));
            if !is_empty {
                return;
            }
            "is empty in"
        }
    };
    let message = format!("{} {tag} {state} the file meta information.", name(tag));
    out.fire("missing", Draft::new(message).at(file.location_of(tag)));
}

fn wrong_group_length(file: &DicomFile<'_>, meta: &FileMeta, out: &mut Sink<'_>) {
    let Some(said) = meta.group_length.filter(|said| *said != meta.actual_length) else { return };
    let (found, expected) =
        (counted(said.into(), "byte"), counted(meta.actual_length.into(), "byte"));
    let message =
        format!("The file meta information says that it has {found}, but has {expected}.");
    let place = file.location_of(tags::FILE_META_INFORMATION_GROUP_LENGTH);
    out.fire("group-length", Draft::new(message).at(place).found(found).expected(expected));
}

/// The same UID in file meta and data set.
fn differs(
    file: &DicomFile<'_>,
    meta: Tag,
    data_set: Tag,
    say: &dyn Fn(&str) -> String,
    out: &mut Sink<'_>,
) {
    let (Some(said), Some(is)) = (file.text(meta), file.text(data_set)) else { return };
    if said == is {
        return;
    }
    let message =
        format!("{} {meta} is not {} {data_set} of the data set.", name(meta), name(data_set));
    out.fire(
        "mismatch",
        Draft::new(message).at(file.location_of(meta)).found(say(&said)).expected(say(&is)),
    );
}

/// The keyword, or a word for an unknown attribute.
fn name(tag: Tag) -> &'static str {
    keyword(tag).unwrap_or("attribute")
}

static ELEMENT_STRUCTURE: Rule = Rule {
    code: "LD004",
    name: "element-structure",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[
        Case::new("order", Severity::Error, Stage::File, "tags do not rise"),
        Case::new("duplicate", Severity::Error, Stage::File, "a tag stands twice in a data set"),
        Case::new("odd-length", Severity::Error, Stage::File, "a value of odd length"),
        Case::new(
            "delimiter",
            Severity::Error,
            Stage::File,
            "a delimiter is missing, stray or has a length",
        ),
        Case::new("nesting", Severity::Error, Stage::File, "sequences nested too deep"),
        Case::new("length", Severity::Error, Stage::File, "a length beyond the enclosing item"),
        Case::new("vr", Severity::Error, Stage::File, "two bytes that are no VR"),
    ],
    options: &[],
    summary: "The elements of the data set break the rules of encoding: order, duplicates, odd lengths, \
              missing or stray delimiters, nesting.",
    why: "What one reader passes over, another stops at or reads differently: of a duplicated element \
          some toolkits keep the first value and others the last, and after a wrong length everything \
          behind it is read from the wrong place.",
    measured: "The elements are walked at all depths, by their own lengths. Tags rise strictly within \
               a data set or item; lengths are even or undefined; undefined lengths stand only where \
               the VR allows them and end with their delimiter, of length 0; items lie within their \
               sequence; sequences nest at most 64 deep (limits.dicom_nesting). What reaches beyond \
               the end of the file is LF004's, encapsulated pixel data are LD018's. At most 1,000 \
               oddities of a file are looked at.",
    how_to_fix: "Write the object anew with a DICOM toolkit, compare the values with the original, and \
                 mend the program that wrote it.",
    references: &[
        "DICOM PS3.5 7.1 (data elements), 7.1.2 (explicit VR), 7.5 (nesting of data sets)",
        "DICOM PS3.5 7.1.1 (even lengths)",
    ],
    check: Check::File(element_structure),
};

fn element_structure(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    for anomaly in file.anomalies.iter().filter(|own| !is_in_pixel_data(file, own)) {
        let Some((case, draft)) = described(anomaly) else { continue };
        out.fire(case, draft.at(place(file, anomaly)));
    }
}

/// Items and delimiters of encapsulated pixel data, which LD018 looks at.
pub(super) fn is_in_pixel_data(file: &DicomFile<'_>, anomaly: &Anomaly) -> bool {
    let element = anomaly.element.and_then(|at| file.elements.get(at as usize));
    element.is_some_and(|own| {
        own.tag == tags::PIXEL_DATA && own.undefined_length && anomaly.offset != own.offset
    })
}

/// The element it is about, else its offset.
pub(super) fn place(file: &DicomFile<'_>, anomaly: &Anomaly) -> Location {
    match anomaly.element.and_then(|at| file.elements.get(at as usize)) {
        Some(element) => file.location(element),
        None => Location::Byte { offset: anomaly.offset as u64 },
    }
}

fn described(anomaly: &Anomaly) -> Option<(&'static str, Draft)> {
    let tag = anomaly.tag;
    let at = format!("(byte {})", grouped(anomaly.offset as u64));
    Some(match anomaly.kind {
        AnomalyKind::OutOfOrder { after } => {
            let message = format!("{tag} {at} stands after {after}.");
            let draft = Draft::new(message).found(format!("{tag} after {after}"));
            ("order", draft.expected("tags in rising order"))
        }
        AnomalyKind::Duplicate { first } => {
            let first = grouped(first as u64);
            let message =
                format!("{tag} {at} is in its data set a second time; first at byte {first}.");
            ("duplicate", Draft::new(message))
        }
        AnomalyKind::OddLength { length } => {
            let length = counted(length.into(), "byte");
            let message = format!("{tag} {at} has a value of {length}.");
            ("odd-length", Draft::new(message).found(length).expected("an even number of bytes"))
        }
        AnomalyKind::TooDeep { allowed } => {
            let message = format!("{tag} {at} opens a sequence inside {allowed} others.");
            let draft = Draft::new(message).found(format!("more than {allowed} levels"));
            ("nesting", draft.expected(format!("at most {allowed} levels")))
        }
        AnomalyKind::BeyondParent { declared, left } => {
            let (declared, left) = (counted(declared, "byte"), counted(left, "byte"));
            let message = format!(
                "{tag} {at} claims {declared}, but its item or sequence ends after {left}."
            );
            let draft = Draft::new(message).found(declared);
            ("length", draft.expected(format!("at most {left}")))
        }
        AnomalyKind::Leftover { bytes } => {
            let bytes = counted(bytes as u64, "byte");
            let message = format!("After {tag}, {bytes} {at} are too few for another element.");
            ("length", Draft::new(message))
        }
        AnomalyKind::UnknownVr { vr } => {
            let found = shown(&String::from_utf8_lossy(&vr));
            let message = format!("{tag} {at} has {found:?} where its VR should stand.");
            ("vr", Draft::new(message).found(found).expected("a VR of the standard"))
        }
        // LF004 says what is cut.
        AnomalyKind::BeyondEnd { .. } => return None,
        _ => ("delimiter", Draft::new(delimiter_message(anomaly, &at)?)),
    })
}

fn delimiter_message(anomaly: &Anomaly, at: &str) -> Option<String> {
    let tag = anomaly.tag;
    Some(match anomaly.kind {
        AnomalyKind::NoDelimiter if tag == Tag(0xFFFE, 0xE00D) => {
            format!("The item {at} has undefined length and no delimiter {tag}.")
        }
        AnomalyKind::NoDelimiter => {
            format!("The sequence {at} has undefined length and no delimiter {tag}.")
        }
        AnomalyKind::StrayDelimiter => format!("{tag} {at} belongs to no sequence."),
        AnomalyKind::DelimiterLength { length } => {
            format!("The delimiter {tag} {at} has a length of {length} instead of 0.")
        }
        AnomalyKind::NotAnItem => format!("{tag} {at} stands in a sequence outside of any item."),
        AnomalyKind::UndefinedLength { vr } => {
            let vr = shown(&String::from_utf8_lossy(&vr));
            format!("{tag} {at} of VR {vr} has undefined length, which only sequences may have.")
        }
        AnomalyKind::UndefinedFragment => {
            format!("A fragment {at} has undefined length.")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::testing::{item, long, part10, short};
    use crate::finding::Finding;
    use crate::rules::testing::findings_in;
    use crate::settings::Settings;

    const LITTLE: &str = "1.2.840.10008.1.2.1";

    fn findings(rule: &Rule, bytes: &[u8]) -> Vec<Finding> {
        findings_in(rule, bytes, &Settings::default())
    }

    fn messages(rule: &Rule, bytes: &[u8]) -> Vec<String> {
        findings(rule, bytes).into_iter().map(|finding| finding.message).collect()
    }

    fn name(text: &[u8]) -> Vec<u8> {
        short(tags::PATIENT_NAME, "PN", text)
    }

    #[test]
    fn a_data_set_without_header_is_named_with_its_encoding() {
        let data_set = [short(tags::MODALITY, "CS", b"DX"), name(b"A^B ")].concat();
        assert_eq!(
            messages(&NO_PART10_HEADER, &data_set),
            [
                "No DICOM file header: begins with a data element at byte 0; read as explicit VR little endian."
            ]
        );
        assert!(messages(&NO_PART10_HEADER, &part10(LITTLE, &data_set)).is_empty());
        assert!(messages(&FILE_META_INVALID, &data_set).is_empty(), "LD001 says it");
    }

    /// A sound file meta, with some of its elements replaced.
    fn with_meta(
        change: impl Fn(&mut Vec<(Tag, &'static str, Vec<u8>)>),
        data_set: &[u8],
    ) -> Vec<u8> {
        let mut meta = vec![
            (tags::FILE_META_INFORMATION_VERSION, "OB", vec![0, 1]),
            (tags::MEDIA_STORAGE_SOP_CLASS_UID, "UI", b"1.2.840.10008.5.1.4.1.1.7\0".to_vec()),
            (tags::MEDIA_STORAGE_SOP_INSTANCE_UID, "UI", b"1.2.3\0".to_vec()),
            (tags::TRANSFER_SYNTAX_UID, "UI", b"1.2.840.10008.1.2.1\0".to_vec()),
            (tags::IMPLEMENTATION_CLASS_UID, "UI", b"1.2.9\0".to_vec()),
        ];
        change(&mut meta);
        let elements: Vec<u8> = meta
            .iter()
            .flat_map(|(tag, vr, value)| match *vr {
                "OB" => long(*tag, vr, value.len() as u32, value),
                _ => short(*tag, vr, value),
            })
            .collect();
        let length = (elements.len() as u32).to_le_bytes();
        let group = short(tags::FILE_META_INFORMATION_GROUP_LENGTH, "UL", &length);
        [vec![0; 128], b"DICM".to_vec(), group, elements, data_set.to_vec()].concat()
    }

    #[test]
    fn a_sound_file_meta_is_silent() {
        let bytes = with_meta(|_| {}, &short(tags::SOP_INSTANCE_UID, "UI", b"1.2.3\0"));
        assert_eq!(messages(&FILE_META_INVALID, &bytes), Vec::<String>::new());
    }

    #[test]
    fn each_defect_of_the_file_meta_is_named() {
        let without = with_meta(|meta| drop(meta.remove(4)), &name(b"A "));
        assert_eq!(
            messages(&FILE_META_INVALID, &without),
            [
                "ImplementationClassUID (0002,0012) is missing from the file meta information. (LD002/missing)"
            ]
        );
        let empty = with_meta(|meta| meta[1].2.clear(), &name(b"A "));
        assert!(messages(&FILE_META_INVALID, &empty)[0].contains("is empty in"));
        let other = with_meta(|_| {}, &short(tags::SOP_INSTANCE_UID, "UI", b"1.2.4\0"));
        let found = findings(&FILE_META_INVALID, &other);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.ends_with("(LD002/mismatch)"));
        assert_eq!(found[0].found.as_deref(), Some("*** (5 characters)"));
        let mut long = with_meta(|_| {}, &name(b"A "));
        long[140] += 2;
        let found = messages(&FILE_META_INVALID, &long);
        assert!(found[0].ends_with("(LD002/group-length)"), "{found:?}");
    }

    #[test]
    fn each_oddity_of_structure_has_its_case_and_place() {
        let unclosed = long(
            tags::REQUEST_ATTRIBUTES_SEQUENCE,
            "SQ",
            u32::MAX,
            &[item(0xE000, 0, b""), name(b"A ")].concat(),
        );
        for (data_set, case, place) in [
            ([short(tags::PATIENT_ID, "LO", b"1 "), name(b"A ")].concat(), "order", "PatientName"),
            ([name(b"A "), name(b"B ")].concat(), "duplicate", "PatientName"),
            (name(b"odd"), "odd-length", "PatientName"),
            (unclosed, "delimiter", "RequestAttributesSequence"),
            ([name(b"A "), item(0xE00D, 0, b"")].concat(), "delimiter", "byte"),
            (short(tags::PATIENT_ID, "ZZ", b"1 "), "vr", "PatientID"),
        ] {
            let found = findings(&ELEMENT_STRUCTURE, &part10(LITTLE, &data_set));
            let end = format!("(LD004/{case})");
            let named = found.iter().find(|finding| finding.message.ends_with(&end));
            let location = named.and_then(|finding| finding.location.clone());
            let location = location.map(|place| place.to_string()).unwrap_or_default();
            assert!(location.starts_with(place), "{case}: {found:?}");
        }
        let sound = [name(b"A "), short(tags::PATIENT_ID, "LO", b"1 ")].concat();
        assert!(findings(&ELEMENT_STRUCTURE, &part10(LITTLE, &sound)).is_empty());
    }

    #[test]
    fn an_item_that_ends_before_its_element_is_a_wrong_length() {
        let inner = short(tags::PATIENT_ID, "LO", b"1234");
        let items = item(0xE000, 8, &inner);
        let sequence = long(tags::REQUEST_ATTRIBUTES_SEQUENCE, "SQ", items.len() as u32, &items);
        let bytes = part10(LITTLE, &[sequence, short(tags::PATIENT_STATE, "LO", b"x ")].concat());
        let found = messages(&ELEMENT_STRUCTURE, &bytes);
        assert!(found[0].ends_with("(LD004/length)"), "{found:?}");
    }

    #[test]
    fn too_deep_nesting_is_said_once() {
        let one = [
            long(tags::REQUEST_ATTRIBUTES_SEQUENCE, "SQ", u32::MAX, b""),
            item(0xE000, u32::MAX, b""),
        ]
        .concat();
        let end = [item(0xE00D, 0, b""), item(0xE0DD, 0, b"")].concat();
        let nested = |depth| part10(LITTLE, &[one.repeat(depth), end.repeat(depth)].concat());
        assert!(messages(&ELEMENT_STRUCTURE, &nested(64)).is_empty());
        let found = messages(&ELEMENT_STRUCTURE, &nested(70));
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with("(LD004/nesting)"), "{found:?}");
    }
}
