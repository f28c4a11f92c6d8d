//! What an object says about its own de-identification: none at all (LI007), and text burned into
//! its picture (LI010).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_dictionary_std::tags;

use crate::dicom::DicomFile;
use crate::finding::Severity;
use crate::probe::Format;
use crate::rules::{Case, Check, Draft, FileContext, Rule, Scope, Sink, Stage, Status};
use crate::text::shown;

pub(super) static RULES: &[&Rule] = &[&DEID_CLAIM_MISSING, &BURNED_IN_DECLARED];

/// Clean Pixel Data Option (PS3.16 CID 7050).
const CLEAN_PIXEL_DATA: &str = "113101";

static DEID_CLAIM_MISSING: Rule = Rule {
    code: "LI007",
    name: "deid-claim-missing",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[
        Case::new("", Severity::Info, Stage::File, "no claim of de-identification at all"),
        Case::new("method", Severity::Info, Stage::File, "a claim that does not say how"),
    ],
    options: &[],
    summary: "The object does not say that it was de-identified, or does not say how.",
    why: "A reader of the set cannot tell a cleaned object from one that went past the cleaning. The \
          attributes that say so are the only trace that travels with the file.",
    measured: "PatientIdentityRemoved is not YES, and neither DeidentificationMethod nor \
               DeidentificationMethodCodeSequence is filled; case method: it is YES, and both are \
               missing. The claim is taken as it is; LI008 compares it with what the object still \
               holds. Many good public sets carry no claim, so this is an info.",
    how_to_fix: "Let the de-identification write PatientIdentityRemoved (YES) and \
                 DeidentificationMethodCodeSequence with the profile and options that it follows.",
    references: &[
        "DICOM PS3.15 E.1.1 (de-identifier)",
        "DICOM PS3.16 CID 7050 (de-identification method)",
        "fo-dicom issue 1214",
    ],
    check: Check::File(deid_claim),
};

static BURNED_IN_DECLARED: Rule = Rule {
    code: "LI010",
    name: "burned-in-declared",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::DicomImage,
    cases: &[
        Case::new(
            "",
            Severity::Error,
            Stage::File,
            "the object says that text is burned into its picture",
        ),
        Case::new(
            "unknown",
            Severity::Warning,
            Stage::File,
            "it claims cleaned pixels, and does not say that no text is burned in",
        ),
    ],
    options: &[],
    summary: "The object itself says that its picture holds enough burned-in text to identify the \
              patient.",
    why: "Header cleaning does not touch pixels: the name stays readable in the picture, and in every \
          PNG made from it.",
    measured: "BurnedInAnnotation is YES; or it is absent or neither YES nor NO (such as UNKNOWN) \
               while DeidentificationMethodCodeSequence claims 113101, Clean Pixel Data Option, \
               which has to set it to NO. What the picture really shows is looked at by LI011. No \
               known false alarms.",
    how_to_fix: "Cover the text in the pixels, then set BurnedInAnnotation to NO and claim 113101; or \
                 leave the picture out. If there is no text in it, correct the attribute.",
    references: &[
        "DICOM PS3.3 C.7.6.1 (general image module: BurnedInAnnotation)",
        "DICOM PS3.15 E.3.1 (clean pixel data option)",
        "DICOM PS3.16 CID 7050 (113101)",
    ],
    check: Check::File(burned_in),
};

fn deid_claim(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let removed = file.text(tags::PATIENT_IDENTITY_REMOVED);
    let claimed = removed.as_deref() == Some("YES");
    let codes = file.element(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE);
    let says_how = file.text(tags::DEIDENTIFICATION_METHOD).is_some()
        || codes.is_some_and(|sequence| sequence.items > 0);
    if says_how {
        return;
    }
    if claimed {
        let draft = Draft::new("PatientIdentityRemoved is YES, but nothing says how it was done.")
            .at(file.location_of(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE))
            .expected("DeidentificationMethod or DeidentificationMethodCodeSequence");
        return out.fire("method", draft);
    }
    let found = removed.as_deref().map_or_else(|| "absent or empty".to_owned(), shown);
    let draft = Draft::new("Nothing in the object says that it was de-identified.")
        .at(file.location_of(tags::PATIENT_IDENTITY_REMOVED))
        .found(found)
        .expected("YES");
    out.fire("", draft);
}

fn burned_in(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let declared = file.text(tags::BURNED_IN_ANNOTATION);
    let (case, message) = match declared.as_deref() {
        Some("YES") => ("", "Says that identifying text is burned into its picture."),
        Some("NO") => return,
        _ if claims(file, CLEAN_PIXEL_DATA) => {
            ("unknown", "Claims that its pixels were cleaned, but not that no text is burned in.")
        }
        _ => return,
    };
    let draft = Draft::new(message)
        .at(file.location_of(tags::BURNED_IN_ANNOTATION))
        .found(declared.as_deref().map_or_else(|| "absent or empty".to_owned(), shown))
        .expected("NO");
    out.fire(case, draft);
}

/// True if DeidentificationMethodCodeSequence holds this code (PS3.16 CID 7050).
pub(super) fn claims(file: &DicomFile<'_>, code: &str) -> bool {
    file.element(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE).is_some_and(|sequence| {
        file.inside(sequence)
            .filter(|element| element.tag == tags::CODE_VALUE)
            .any(|element| file.text_of(element).as_deref() == Some(code))
    })
}

#[cfg(test)]
mod tests {
    use dicom_core::{Tag, VR};

    use super::*;
    use crate::rules::testing::{DataSet, findings};

    fn code(value: &str) -> DataSet {
        let item = DataSet::new().text(tags::CODE_VALUE, VR::SH, value);
        DataSet::new().sequence(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE, &[item])
    }

    fn with(data_set: DataSet, tag: Tag, value: &str) -> DataSet {
        data_set.text(tag, VR::CS, value)
    }

    #[test]
    fn an_object_without_any_claim_is_named_and_one_that_says_how_is_not() {
        let claim = |data_set: &DataSet| -> Vec<String> {
            let found = findings(&DEID_CLAIM_MISSING, data_set);
            assert!(found.iter().all(|finding| finding.severity == Severity::Info));
            found.into_iter().map(|finding| finding.message).collect()
        };
        let none = claim(&DataSet::new());
        assert_eq!(none, ["Nothing in the object says that it was de-identified."]);
        assert_eq!(claim(&with(DataSet::new(), tags::PATIENT_IDENTITY_REMOVED, "NO")), none);
        let bare = claim(&with(DataSet::new(), tags::PATIENT_IDENTITY_REMOVED, "YES"));
        assert!(bare[0].ends_with("(LI007/method)"), "{bare:?}");
        assert!(claim(&code("113100")).is_empty());
        let how = DataSet::new().text(tags::DEIDENTIFICATION_METHOD, VR::LO, "CTP");
        assert!(claim(&how).is_empty());
    }

    #[test]
    fn declared_text_is_an_error_and_unknown_only_beside_a_claim_of_clean_pixels() {
        let declared = |data_set: DataSet, value: &str| {
            let found =
                findings(&BURNED_IN_DECLARED, &with(data_set, tags::BURNED_IN_ANNOTATION, value));
            found.first().map(|finding| finding.severity)
        };
        assert_eq!(declared(DataSet::new(), "YES"), Some(Severity::Error));
        assert_eq!(declared(DataSet::new(), "NO"), None);
        assert_eq!(declared(DataSet::new(), "UNKNOWN"), None);
        assert_eq!(declared(code("113100"), "UNKNOWN"), None);
        assert_eq!(declared(code("113101"), "UNKNOWN"), Some(Severity::Warning));
        assert_eq!(declared(code("113101"), ""), Some(Severity::Warning));
        assert_eq!(declared(code("113101"), "NO"), None);
        assert!(findings(&BURNED_IN_DECLARED, &DataSet::new()).is_empty());
    }
}
