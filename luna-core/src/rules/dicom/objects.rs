//! What an object is: its UIDs (LD009) and its storage class (LD010).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeMap;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use crate::dicom::{DicomFile, Element, SopClass, SopKind, keyword, sop_class};
use crate::finding::Severity;
use crate::probe::Format;
use crate::rules::{Case, Check, Draft, FileContext, Rule, RuleOption, Scope, Sink, Stage, Status};
use crate::text::{counted, shown};

pub(super) static RULES: &[&Rule] = &[&UID_INVALID, &SOP_CLASS_NOT_ALLOWED];

/// Longest UID (PS3.5 section 9.1).
const LONGEST_UID: usize = 64;
/// UIDs below this root are the standard's own.
const STANDARD_ROOT: &[u8] = b"1.2.840.10008.";
/// Attributes that name one object, study or series of the real world.
const INSTANCES: [Tag; 4] = [
    tags::MEDIA_STORAGE_SOP_INSTANCE_UID,
    tags::SOP_INSTANCE_UID,
    tags::STUDY_INSTANCE_UID,
    tags::SERIES_INSTANCE_UID,
];
/// Modalities whose pictures are no projection radiographs (PS3.3 C.7.3.1.1.1).
const OTHER_MODALITIES: [&str; 32] = [
    "BDUS", "BI", "BMD", "CT", "DMS", "DOC", "ECG", "ES", "FA", "FS", "GM", "IVOCT", "IVUS", "LS",
    "MA", "MR", "MS", "NM", "OAM", "OCT", "OP", "OPM", "OPR", "OPT", "OPTBSV", "OPTENF", "OPV",
    "PT", "SM", "ST", "TG", "US",
];

static UID_INVALID: Rule = Rule {
    code: "LD009",
    name: "uid-invalid",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[
        Case::new(
            "",
            Severity::Error,
            Stage::File,
            "too long, another character, an empty component",
        ),
        Case::new("leading-zero", Severity::Warning, Stage::File, "a component begins with 0"),
        Case::new(
            "standard-root",
            Severity::Error,
            Stage::File,
            "a UID of the standard itself where an instance is to be named",
        ),
    ],
    options: &[],
    summary: "A UID is no UID: longer than 64 characters, with other characters than digits and dots, \
              or one of the standard's own where an object, series or study must be named.",
    why: "UIDs tell one object from all others in the world. Archives refuse or silently change \
          invalid ones, and then references to them, and every table that names them, point to \
          nothing. Home-made pseudonymisation (a prefix set before a UID, a hash in hexadecimal) is \
          the usual cause.",
    measured: "Every value of VR UI at every depth, without its padding: at most 64 characters, digits \
               in components parted by single dots. A component that begins with 0 and is longer \
               than 1 is a warning: many archives take it. MediaStorageSOPInstanceUID, \
               SOPInstanceUID, StudyInstanceUID and SeriesInstanceUID may not begin with \
               1.2.840.10008. One finding an attribute. TransferSyntaxUID is left to LD003. \
               Instance UIDs are never repeated in messages. No known false alarms.",
    how_to_fix: "Make new UIDs (`2.25.` and a UUID as a decimal number is always allowed) and replace \
                 the old ones in every object that refers to them.",
    references: &[
        "DICOM PS3.5 9.1 (UID encoding rules)",
        "DICOM PS3.5 B.2 (UUID derived UID)",
        "DICOM PS3.6 annex A (UIDs of the standard)",
    ],
    check: Check::File(uids),
};

static REFUSE: RuleOption = RuleOption::texts(
    "LD010",
    "refuse",
    &[],
    "Modalities and IODs that are X-ray but not wanted, such as MG and IO in a chest set.",
);

static SOP_CLASS_NOT_ALLOWED: Rule = Rule {
    code: "LD010",
    name: "sop-class-not-allowed",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[
        Case::new("", Severity::Error, Stage::File, "pictures that are no X-ray pictures"),
        Case::new(
            "refused",
            Severity::Error,
            Stage::File,
            "a class or modality that the profile refuses",
        ),
        Case::new(
            "companion",
            Severity::Info,
            Stage::File,
            "a report, presentation state, plan, …",
        ),
        Case::new(
            "unknown",
            Severity::Warning,
            Stage::File,
            "a storage class that is not known here",
        ),
    ],
    options: &[&REFUSE],
    summary: "The object's storage class or modality has no place in this set: CT slices among \
              radiographs, mammograms in a chest set, or a report beside the pictures.",
    why: "A stray slice of another modality has other grey values and geometry; nothing that is \
          measured or learned from it fits. It is a sign that the export from the archive took whole \
          studies instead of series.",
    measured: "SOPClassUID (in its absence MediaStorageSOPClassUID) in a table of all storage classes \
               of the standard (PS3.4 table B.5-1, 2026a), retired and known private ones. Classes \
               of X-ray pictures and of secondary capture are welcome unless Modality says CT, MR, \
               US, … . What carries no pictures, or is made from them, is a companion. The lists \
               `accept.sop_classes` and `accept.modalities` of the profile are closed when given; \
               `refuse` names modalities or IODs that are not wanted. A class that is not in the \
               table is a warning, never more.",
    how_to_fix: "Take the object out of the set, or accept its class in the profile.",
    references: &["DICOM PS3.4 B.5 (standard SOP classes)", "DICOM PS3.3 C.7.3.1.1.1 (Modality)"],
    check: Check::File(classes),
};

/// What is wrong with one UID.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Defect {
    TooLong(usize),
    BadCharacter(usize),
    EmptyComponent(usize),
    StandardRoot,
    LeadingZero(usize),
}

impl Defect {
    fn case(self) -> &'static str {
        match self {
            Self::TooLong(_) | Self::BadCharacter(_) | Self::EmptyComponent(_) => "",
            Self::StandardRoot => "standard-root",
            Self::LeadingZero(_) => "leading-zero",
        }
    }

    fn found(self) -> String {
        match self {
            Self::TooLong(length) => counted(length as u64, "character"),
            Self::BadCharacter(at) => format!("position {at} is neither digit nor dot"),
            Self::EmptyComponent(at) => format!("an empty component at position {at}"),
            Self::StandardRoot => "a UID below 1.2.840.10008".to_owned(),
            Self::LeadingZero(at) => format!("a component at position {at} begins with 0"),
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::TooLong(_) => "at most 64 characters",
            Self::BadCharacter(_) | Self::EmptyComponent(_) => "digits, parted by single dots",
            Self::StandardRoot => "a UID of the maker's own root",
            Self::LeadingZero(_) => "components without leading zeros",
        }
    }
}

fn uids(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let mut met: BTreeMap<(Tag, &str), (&Element, Defect, u64)> = BTreeMap::new();
    for element in &file.elements {
        if element.tag == tags::TRANSFER_SYNTAX_UID || file.vr(element) != VR::UI {
            continue;
        }
        for value in file.bytes_of(element).split(|byte| *byte == b'\\') {
            if let Some(defect) = defect(element.tag, value) {
                let known = met.entry((element.tag, defect.case())).or_insert((element, defect, 0));
                known.2 = known.2.saturating_add(1);
            }
        }
    }
    for ((tag, case), (element, defect, times)) in met {
        let more = match times {
            0 | 1 => String::new(),
            _ => format!(", the first of {}", counted(times, "such value")),
        };
        let draft =
            Draft::new(format!("{} is no valid UID: {}{more}.", named(tag), defect.found()))
                .at(file.location(element))
                .found(defect.found())
                .expected(defect.expected());
        out.fire(case, draft);
    }
}

/// What is wrong with a value of VR UI, first what is gravest.
fn defect(tag: Tag, value: &[u8]) -> Option<Defect> {
    let padding = |byte: &u8| matches!(byte, 0 | b' ');
    let end = value.iter().rposition(|byte| !padding(byte))?.saturating_add(1);
    let uid = value.get(..end)?;
    let place = |at: usize| at.saturating_add(1);
    if let Some(at) = uid.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'.')) {
        return Some(Defect::BadCharacter(place(at)));
    }
    if uid.len() > LONGEST_UID {
        return Some(Defect::TooLong(uid.len()));
    }
    let mut start = 0_usize;
    let mut zero = None;
    for component in uid.split(|byte| *byte == b'.') {
        match component {
            [] => return Some(Defect::EmptyComponent(place(start))),
            [b'0', _, ..] => zero = zero.or(Some(Defect::LeadingZero(place(start)))),
            _ => {}
        }
        start = start.saturating_add(component.len()).saturating_add(1);
    }
    if INSTANCES.contains(&tag) && uid.starts_with(STANDARD_ROOT) {
        return Some(Defect::StandardRoot);
    }
    zero
}

fn named(tag: Tag) -> String {
    keyword(tag).map_or_else(|| tag.to_string(), str::to_owned)
}

fn classes(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let declared = [tags::SOP_CLASS_UID, tags::MEDIA_STORAGE_SOP_CLASS_UID]
        .into_iter()
        .find_map(|tag| file.text(tag).map(|uid| (tag, uid)));
    // An absent class is LD011's, an invalid one LD009's.
    let Some((tag, uid)) = declared else { return };
    if defect(tag, uid.as_bytes()).is_some() {
        return;
    }
    let class = sop_class(&uid);
    let name = class.map_or_else(|| shown(&uid), |class| class.name.to_owned());
    let at_class = |message: String| Draft::new(message).at(file.location_of(tag)).found(&name);
    let accepted = &cx.settings.profile().accept.sop_classes;
    if !accepted.is_empty() && !accepted.contains(&uid) {
        let message = format!("Is of the class {name}, which the profile does not accept.");
        return out.fire("refused", at_class(message).expected("a class in `accept.sop_classes`"));
    }
    if !accepted.is_empty() && class.is_none_or(|class| class.kind != SopKind::XRay) {
        return;
    }
    match class.map(|class| (class, class.kind)) {
        Some((class, SopKind::XRay)) => modality(cx, file, class, out),
        Some((_, SopKind::OtherImage)) => out.fire(
            "",
            at_class(format!("Is of the class {name}: no X-ray picture."))
                .expected("a class of X-ray pictures"),
        ),
        Some((_, SopKind::Companion)) => out.fire(
            "companion",
            at_class(format!("Is a companion of pictures, not a picture ({name})."))
                .help("Nothing to do if it is meant to be here."),
        ),
        None => out.fire(
            "unknown",
            at_class(format!("Is of a storage class that is not known here: {name}."))
                .expected("a storage class of the standard")
                .help(
                    "See what the object is; if it belongs here, list its class in \
                     `accept.sop_classes`.",
                ),
        ),
    }
}

/// Judges the modality of an object whose class may hold X-ray pictures.
fn modality(cx: &FileContext<'_>, file: &DicomFile<'_>, class: &SopClass, out: &mut Sink<'_>) {
    let modality = file.text(tags::MODALITY);
    let said = modality.as_deref().map_or_else(|| "none".to_owned(), shown);
    let at_modality = |message: String| {
        Draft::new(message).at(file.location_of(tags::MODALITY)).found(said.clone())
    };
    let refused = out.texts(&REFUSE);
    let is_refused = |word: &str| refused.iter().any(|own| own.eq_ignore_ascii_case(word));
    let accepted = &cx.settings.profile().accept.modalities;
    if let Some(word) =
        [modality.as_deref(), Some(class.iod)].into_iter().flatten().find(|it| is_refused(it))
    {
        let message =
            format!("Is of modality {} ({}), which the profile refuses.", shown(word), class.name);
        return out.fire("refused", at_modality(message));
    }
    if !accepted.is_empty() && !modality.as_ref().is_some_and(|it| accepted.contains(it)) {
        let message = format!("Has the modality {said}, which the profile does not accept.");
        return out.fire("refused", at_modality(message).expected(accepted.join(", ")));
    }
    if accepted.is_empty() && OTHER_MODALITIES.contains(&said.as_str()) {
        let message =
            format!("Says that it is of modality {said}: no X-ray picture ({}).", class.name);
        out.fire("", at_modality(message).expected("CR, DX, RF, XA, … or SC"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::finding::Finding;
    use crate::rules::testing::{DataSet, findings, findings_in, settings};

    const DX: &str = "1.2.840.10008.5.1.4.1.1.1.1";
    const SC: &str = "1.2.840.10008.5.1.4.1.1.7";
    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    const REPORT: &str = "1.2.840.10008.5.1.4.1.1.88.11";

    fn uid(tag: Tag, value: &str) -> Vec<Finding> {
        findings(&UID_INVALID, &DataSet::new().text(tag, VR::UI, value))
    }

    #[test]
    fn valid_uids_are_silent() {
        let longest = format!("2.25.{}", "1".repeat(59));
        for value in ["1.2.3", "0.0", "2.25.0", &longest, "", "1.2.840.113619.2.55.3", "1.2.3  "] {
            assert!(uid(tags::SOP_INSTANCE_UID, value).is_empty(), "{value}");
        }
        assert!(uid(tags::SOP_CLASS_UID, DX).is_empty());
        assert!(uid(tags::FRAME_OF_REFERENCE_UID, "1.2.840.10008.1.4.1.1").is_empty());
    }

    #[test]
    fn defects_are_told_by_length_and_place_never_by_value() {
        let long = format!("1.2.{}", "7".repeat(66));
        for (value, found) in [
            (long.as_str(), "70 characters"),
            ("1.2.ab77", "position 5 is neither digit nor dot"),
            ("1.2..77", "an empty component at position 5"),
            ("1.2.77.", "an empty component at position 8"),
            (".77", "an empty component at position 1"),
            ("1.2.840.10008.77", "a UID below 1.2.840.10008"),
            ("1.2.077", "a component at position 5 begins with 0"),
        ] {
            let findings = uid(tags::STUDY_INSTANCE_UID, value);
            assert_eq!(findings.len(), 1, "{value}");
            assert_eq!(findings[0].found.as_deref(), Some(found), "{value}");
            assert!(!findings[0].message.contains("77"), "{}", findings[0].message);
        }
        assert_eq!(uid(tags::STUDY_INSTANCE_UID, "1.2.077")[0].severity, Severity::Warning);
        assert_eq!(uid(tags::STUDY_INSTANCE_UID, "1.2.x")[0].severity, Severity::Error);
    }

    #[test]
    fn an_attribute_that_repeats_in_a_sequence_is_one_finding() {
        let item = DataSet::new().text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, "1.2.x");
        let items = vec![item; 3];
        let data_set = DataSet::new().sequence(tags::REFERENCED_IMAGE_SEQUENCE, &items);
        let findings = findings(&UID_INVALID, &data_set);
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].message.ends_with("the first of 3 such values."),
            "{}",
            findings[0].message
        );
        let Some(crate::Location::Attribute { path, .. }) = &findings[0].location else { panic!() };
        assert_eq!(path, "(0008,1140)[0].(0008,1155)");
    }

    fn class(uid: &str, modality: &str, profile: &str) -> Vec<(Severity, String)> {
        let data_set = DataSet::new().text(tags::SOP_CLASS_UID, VR::UI, uid).text(
            tags::MODALITY,
            VR::CS,
            modality,
        );
        let bytes = data_set.file("1.2.840.10008.1.2.1");
        let found = findings_in(&SOP_CLASS_NOT_ALLOWED, &bytes, &settings(profile));
        found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
    }

    #[test]
    fn x_ray_pictures_and_captures_of_them_are_welcome() {
        for (uid, modality) in [(DX, "DX"), (SC, "DX"), (SC, "CR"), (SC, "OT"), (SC, ""), (DX, "")]
        {
            assert!(class(uid, modality, "").is_empty(), "{uid} {modality}");
        }
    }

    #[test]
    fn other_pictures_are_errors_companions_infos_unknown_classes_warnings() {
        for (uid, modality, severity) in [
            (CT, "CT", Severity::Error),
            (SC, "CT", Severity::Error),
            (REPORT, "SR", Severity::Info),
            ("1.2.3", "DX", Severity::Warning),
        ] {
            let found = class(uid, modality, "");
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].0, severity, "{found:?}");
        }
        assert!(class("1.2.x", "DX", "").is_empty(), "left to LD009");
    }

    #[test]
    fn a_profile_refuses_and_accepts() {
        const MG: &str = "1.2.840.10008.5.1.4.1.1.1.2";
        assert!(class(MG, "MG", "").is_empty());
        for (uid, modality) in [(MG, "MG"), (MG, ""), (SC, "MG"), (SC, "IO")] {
            let found = class(uid, modality, "[rules.LD010]\nrefuse = [\"MG\", \"IO\"]");
            assert!(found[0].1.contains("refuses"), "{found:?}");
        }
        let accept = format!("[accept]\nsop_classes = [\"{CT}\", \"{DX}\"]");
        assert!(class(CT, "CT", &accept).is_empty());
        assert!(class(DX, "DX", &accept).is_empty());
        assert_eq!(class(REPORT, "SR", &accept)[0].0, Severity::Error);
        let accept = "[accept]\nmodalities = [\"DX\"]";
        assert!(class(SC, "DX", accept).is_empty());
        assert_eq!(class(SC, "CR", accept)[0].0, Severity::Error);
    }

    proptest! {
        #[test]
        fn no_value_makes_the_check_panic_or_repeats_itself(value in "[ -~\0]{0,80}") {
            for finding in uid(tags::SOP_INSTANCE_UID, &value) {
                prop_assert!(value.len() < 12 || !finding.message.contains(value.trim()));
            }
        }
    }
}
