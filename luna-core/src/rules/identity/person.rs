//! Evidence of a person in a DICOM header: names, addresses, numbers (LI001), birth and age (LI003).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeMap;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::names;
use crate::dicom::{DicomFile, Element, keyword};
use crate::finding::Severity;
use crate::probe::Format;
use crate::profile::Retain;
use crate::rules::{Case, Check, Draft, FileContext, Rule, Scope, Sink, Stage, Status};
use crate::text::grouped;

pub(super) static RULES: &[&Rule] = &[&DIRECT_IDENTIFIER, &BIRTH_OR_AGE];

static DIRECT_IDENTIFIER: Rule = Rule {
    code: "LI001",
    name: "direct-identifier",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[
        Case::new("", Severity::Error, Stage::File, "a name, an address, a telephone number"),
        Case::new(
            "id",
            Severity::Info,
            Stage::File,
            "PatientID or AccessionNumber, where the profile does not say how pseudonyms look",
        ),
        Case::new(
            "not-a-pseudonym",
            Severity::Error,
            Stage::File,
            "PatientID or AccessionNumber that the profile's pattern of pseudonyms does not match",
        ),
    ],
    options: &[],
    summary: "The header names a person: patient, physician, operator or relative, by name, address \
              or telephone number, at the top or inside a sequence.",
    why: "Whoever opens the file knows who the patient is. Publishing it is a breach of \
          confidentiality that cannot be taken back. Names of staff are personal data too, and lead to \
          the hospital and from there to the patient.",
    measured: "Every value of VR PN at every depth with at least two components of letters \
               (`DOE^JANE`, also ideographic) that is no placeholder (Anonymous, REMOVED, \
               Lastname^Firstname, XXXX^XXXX, …) and not equal to PatientID; other names of the \
               patient already with one component; addresses of at least four letters; telephone \
               numbers of at least six digits, e-mail addresses. Values with digits in the name, \
               UUIDs and hashes are pseudonyms and pass. PatientID and AccessionNumber are an \
               info, because nothing in a file tells a pseudonym from a hospital number; with \
               `identity.pseudonym` in the profile they are silent if they match and an error if \
               not. Found values are masked. Known false alarms: invented names that look like \
               names; a name of one word (`JANE`) and one with a space for a caret (`JANE DOE`) \
               are missed.",
    how_to_fix: "Empty the attribute or put a pseudonym in its place, in every object of the patient, \
                 and look for the same value in free text and file names.",
    references: &[
        "DICOM PS3.15 E.1.1 and table E.1-1 (action Z: empty or a dummy value)",
        "45 CFR 164.514(b)(2)(i)(A) to (C) (HIPAA safe harbour)",
    ],
    check: Check::File(direct_identifiers),
};

static BIRTH_OR_AGE: Rule = Rule {
    code: "LI003",
    name: "birth-or-age",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[
        Case::new("", Severity::Error, Stage::File, "a birth date"),
        Case::new(
            "modified",
            Severity::Warning,
            Stage::File,
            "a birth date in an object that says that its dates were moved",
        ),
        Case::new("age", Severity::Warning, Stage::File, "an age of 91 to 120 years"),
        Case::new(
            "age-hipaa",
            Severity::Error,
            Stage::File,
            "the same where the profile asks for the HIPAA safe harbour",
        ),
    ],
    options: &[],
    summary: "The header holds a birth date, or an age above 90.",
    why: "A birth date with sex and a place is enough to find most people in public registers. Of \
          people above 90 there are so few that age and place can be enough; the HIPAA safe harbour \
          puts them all into one class.",
    measured: "PatientBirthDate at every depth: a real day, no dummy. Dummies are 1 January of any year \
               (what is left when only the year is kept) and years before 1890 and after 2100. If \
               LongitudinalTemporalInformationModified is MODIFIED and the profile retains modified \
               dates, the date may be a moved one: a warning. PatientAge of 91 to 120 years \
               (months, weeks and days are converted; a number without unit is read as years); 90 \
               is the usual class `90+`. Known false alarms: invented birth dates.",
    how_to_fix: "Empty PatientBirthDate (or keep the year: YYYY0101) and write ages above 90 as 090Y.",
    references: &[
        "45 CFR 164.514(b)(2)(i)(C) (HIPAA safe harbour: dates, ages over 89)",
        "DICOM PS3.15 table E.1-1 (PatientBirthDate: Z), E.3.6 (longitudinal temporal information), \
         E.3.7 (patient characteristics)",
        "Sweeney, Simple demographics often identify people uniquely, Carnegie Mellon University, 2000",
    ],
    check: Check::File(birth_and_age),
};

/// Names of the patient and relatives: one component is enough.
const OTHER_NAMES: [Tag; 4] = [
    tags::OTHER_PATIENT_NAMES,
    tags::PATIENT_BIRTH_NAME,
    tags::PATIENT_MOTHER_BIRTH_NAME,
    tags::RESPONSIBLE_PERSON,
];
const ADDRESSES: [Tag; 3] =
    [tags::PATIENT_ADDRESS, tags::REFERRING_PHYSICIAN_ADDRESS, tags::PERSON_ADDRESS];
const TELEPHONES: [Tag; 5] = [
    tags::PATIENT_TELEPHONE_NUMBERS,
    tags::PATIENT_TELECOM_INFORMATION,
    tags::REFERRING_PHYSICIAN_TELEPHONE_NUMBERS,
    tags::PERSON_TELEPHONE_NUMBERS,
    tags::PERSON_TELECOM_INFORMATION,
];
const NUMBERS: [Tag; 2] = [tags::PATIENT_ID, tags::ACCESSION_NUMBER];

/// Fewest letters of an address, fewest digits of a telephone number.
const ADDRESS_LETTERS: usize = 4;
const TELEPHONE_DIGITS: usize = 6;

/// Values of one attribute that tell the same: the first with its place, and how many there are.
type Met<'a> = BTreeMap<(Tag, &'static str), (&'a Element, String, u64)>;

fn direct_identifiers(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let patient_id = file.text(tags::PATIENT_ID).unwrap_or_default();
    let mut met = Met::new();
    for element in &file.elements {
        if !is_identifying(file, element) {
            continue;
        }
        for value in file.text_of(element).unwrap_or_default().split('\\') {
            let value = value.trim();
            if let Some(case) = identifies(cx, element.tag, value, &patient_id) {
                let known = met.entry((element.tag, case));
                let known = known.or_insert_with(|| (element, value.to_owned(), 0));
                known.2 = known.2.saturating_add(1);
            }
        }
    }
    for ((tag, case), (element, value, times)) in met {
        let name = keyword(tag).unwrap_or("An attribute");
        let times = if times > 1 { format!(" ({} values)", grouped(times)) } else { String::new() };
        let (message, expected) = match case {
            "id" => (
                format!("{name} is filled{times}; nothing shows whether it is a pseudonym."),
                "a pseudonym (give its pattern as `identity.pseudonym`)",
            ),
            "not-a-pseudonym" => (
                format!("{name} does not look like the pseudonyms of this set{times}."),
                "a value that `identity.pseudonym` matches",
            ),
            _ => (
                format!("{name} {}{times}.", what_it_holds(tag)),
                "empty, a dummy value or a pseudonym",
            ),
        };
        let draft = Draft::new(message)
            .at(file.location(element))
            .found(cx.settings.value(&value))
            .expected(expected);
        out.fire(case, draft);
    }
}

fn is_identifying(file: &DicomFile<'_>, element: &Element) -> bool {
    let listed = [&ADDRESSES[..], &TELEPHONES, &NUMBERS];
    listed.iter().any(|tags| tags.contains(&element.tag)) || file.vr(element) == VR::PN
}

fn what_it_holds(tag: Tag) -> &'static str {
    if ADDRESSES.contains(&tag) {
        "holds an address"
    } else if TELEPHONES.contains(&tag) {
        "holds a telephone number or an e-mail address"
    } else {
        "holds the name of a person"
    }
}

/// The case under which a value identifies somebody, if it does.
fn identifies(
    cx: &FileContext<'_>,
    tag: Tag,
    value: &str,
    patient_id: &str,
) -> Option<&'static str> {
    if NUMBERS.contains(&tag) {
        return number_case(cx, value);
    }
    if value.is_empty() || names::same(value, patient_id) || names::is_machine_made(value) {
        return None;
    }
    if cx.settings.is_pseudonym(value) == Some(true) {
        return None;
    }
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    let digits: Vec<char> = value.chars().filter(char::is_ascii_digit).collect();
    let found = if ADDRESSES.contains(&tag) {
        let filler = names::is_placeholder(value) || names::is_filler(value);
        letters >= ADDRESS_LETTERS && !filler
    } else if TELEPHONES.contains(&tag) {
        let number =
            digits.len() >= TELEPHONE_DIGITS && digits.iter().any(|c| Some(c) != digits.first());
        number || (value.contains('@') && letters >= ADDRESS_LETTERS)
    } else if OTHER_NAMES.contains(&tag) {
        names::is_some_name(value)
    } else {
        names::is_person(value)
    };
    found.then_some("")
}

fn number_case(cx: &FileContext<'_>, value: &str) -> Option<&'static str> {
    let first = value.chars().next()?;
    let dummy = value.chars().all(|c| c == first) || names::is_placeholder(value);
    match cx.settings.is_pseudonym(value) {
        _ if dummy => None,
        Some(true) => None,
        Some(false) => Some("not-a-pseudonym"),
        None if names::is_machine_made(value) => None,
        None => Some("id"),
    }
}

fn birth_and_age(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let policy = &cx.settings.profile().identity;
    let modified = policy.retain.contains(&Retain::ModifiedDates)
        && file.text(tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED).as_deref()
            == Some("MODIFIED");
    let every = |tag: Tag| {
        let elements = file.elements.iter().filter(move |element| element.tag == tag);
        elements.filter_map(|element| file.text_of(element).map(|text| (element, text)))
    };
    if let Some((element, text)) =
        every(tags::PATIENT_BIRTH_DATE).find(|(_, text)| is_birth_date(text))
    {
        let (case, message) = if modified {
            (
                "modified",
                "PatientBirthDate holds a day; it should be empty even where dates are moved.",
            )
        } else {
            ("", "PatientBirthDate holds a day.")
        };
        let draft = Draft::new(message)
            .at(file.location(element))
            .found(cx.settings.value(&text))
            .expected("empty, or YYYY0101");
        out.fire(case, draft);
    }
    if let Some((element, text)) = every(tags::PATIENT_AGE)
        .find(|(_, text)| years(text).is_some_and(|age| (91..=120).contains(&age)))
    {
        let case = if policy.hipaa { "age-hipaa" } else { "age" };
        let draft = Draft::new("PatientAge is above 90 years.")
            .at(file.location(element))
            .found(cx.settings.value(&text))
            .expected("at most 090Y");
        out.fire(case, draft);
    }
}

/// True for a real day that can be somebody's birth date and is more than a year.
fn is_birth_date(text: &str) -> bool {
    let digits: String = text.chars().filter(|c| !matches!(c, '.' | '-')).collect();
    if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let part = |range| digits.get(range).and_then(|part: &str| part.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(4..6), part(6..8)) else {
        return false;
    };
    (1890..=2100).contains(&year) && crate::text::is_day(year, month, day) && (month, day) != (1, 1)
}

/// An age in whole years: `095Y`, `1140M`, `95`.
fn years(text: &str) -> Option<u32> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: u32 = number.parse().ok()?;
    match unit {
        "Y" | "y" | "" => Some(number),
        "M" => Some(number.div_euclid(12)),
        "W" => Some(number.div_euclid(52)),
        "D" => Some(number.div_euclid(365)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Finding;
    use crate::rules::testing::{DataSet, findings, findings_in, settings};

    const LITTLE: &str = "1.2.840.10008.1.2.1";

    fn text(tag: Tag, vr: VR, value: &str) -> Vec<Finding> {
        findings(&DIRECT_IDENTIFIER, &DataSet::new().text(tag, vr, value))
    }

    #[test]
    fn names_are_errors_at_every_depth_and_never_repeated() {
        let inner = DataSet::new().text(tags::PERSON_NAME, VR::PN, "DOE^JANE");
        let data_set = DataSet::new()
            .text(tags::PATIENT_NAME, VR::PN, "DOE^JANE")
            .sequence(tags::VERIFYING_OBSERVER_SEQUENCE, &[inner]);
        let found = findings(&DIRECT_IDENTIFIER, &data_set);
        assert_eq!(found.len(), 2);
        for finding in &found {
            assert_eq!(finding.severity, Severity::Error);
            assert_eq!(finding.found.as_deref(), Some("*** (8 characters)"));
            let all = format!("{finding:?}");
            assert!(!all.contains("DOE") && !all.contains("JANE"), "{all}");
        }
        let Some(crate::Location::Attribute { path, .. }) = &found[1].location else { panic!() };
        assert_eq!(path, "(0040,A073)[0].(0040,A123)");
    }

    #[test]
    fn values_are_shown_where_the_host_asks_for_them() {
        let settings = settings("").with_values_shown(true);
        let bytes = DataSet::new().text(tags::PATIENT_NAME, VR::PN, "DOE^JANE").file(LITTLE);
        let found = findings_in(&DIRECT_IDENTIFIER, &bytes, &settings);
        assert_eq!(found[0].found.as_deref(), Some("DOE^JANE"));
    }

    #[test]
    fn dummies_and_copies_of_the_patient_id_are_silent() {
        let same = DataSet::new().text(tags::PATIENT_NAME, VR::PN, "RIDER^LUNG").text(
            tags::PATIENT_ID,
            VR::LO,
            "RIDER-LUNG",
        );
        let found = findings(&DIRECT_IDENTIFIER, &same);
        assert!(found.iter().all(|finding| finding.severity == Severity::Info), "{found:?}");
        for value in ["Anonymous^Patient", "ward", "^^^^", "CompressedSamples^RG3"] {
            assert!(text(tags::PATIENT_NAME, VR::PN, value).is_empty(), "{value}");
        }
    }

    #[test]
    fn several_values_of_one_attribute_are_one_finding() {
        let found = text(tags::OTHER_PATIENT_NAMES, VR::PN, "Doe^Jane\\Roe^Jane");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, "OtherPatientNames holds the name of a person (2 values).");
    }

    #[test]
    fn addresses_and_telephone_numbers_are_errors_unless_dummies() {
        for (tag, vr, value) in [
            (tags::PATIENT_ADDRESS, VR::LO, "1 Long Lane, Oxford"),
            (tags::PATIENT_TELEPHONE_NUMBERS, VR::SH, "+44 1865 123456"),
            (tags::PATIENT_TELECOM_INFORMATION, VR::LT, "jane@example.org"),
            (tags::PATIENT_MOTHER_BIRTH_NAME, VR::PN, "Roe"),
        ] {
            assert_eq!(text(tag, vr, value).len(), 1, "{value}");
        }
        for (tag, vr, value) in [
            (tags::PATIENT_ADDRESS, VR::LO, "REMOVED"),
            (tags::PATIENT_ADDRESS, VR::LO, "12"),
            (tags::PATIENT_TELEPHONE_NUMBERS, VR::SH, "000000000"),
            (tags::PATIENT_MOTHER_BIRTH_NAME, VR::PN, "XXX"),
        ] {
            assert!(text(tag, vr, value).is_empty(), "{value}");
        }
    }

    #[test]
    fn numbers_are_an_info_or_judged_by_the_pattern_of_pseudonyms() {
        let severity = |profile: &str, value: &str| -> Option<Severity> {
            let bytes = DataSet::new().text(tags::PATIENT_ID, VR::LO, value).file(LITTLE);
            let found = findings_in(&DIRECT_IDENTIFIER, &bytes, &settings(profile));
            found.first().map(|finding| finding.severity)
        };
        let pattern = "[identity]\npseudonym = \"^OC-[0-9]{5}$\"";
        assert_eq!(severity("", "123456"), Some(Severity::Info));
        assert_eq!(severity("", "16d7f894-55d7-4d95-8957-d18987f0e981"), None);
        assert_eq!(severity("", "0000"), None);
        assert_eq!(severity("", "ANONYMOUS"), None);
        assert_eq!(severity(pattern, "OC-00017"), None);
        assert_eq!(severity(pattern, "123456"), Some(Severity::Error));
        assert_eq!(severity(pattern, "ANONYMOUS"), None);
    }

    #[test]
    fn a_pseudonym_is_no_name() {
        let settings = settings("[identity]\npseudonym = \"^Case\\\\^[A-Z]+\\\\^[A-Z]+$\"");
        let bytes = DataSet::new().text(tags::PATIENT_NAME, VR::PN, "Case^RED^FOX").file(LITTLE);
        assert!(findings_in(&DIRECT_IDENTIFIER, &bytes, &settings).is_empty());
    }

    fn birth(profile: &str, data_set: &DataSet) -> Vec<(Severity, Option<Box<str>>)> {
        let found = findings_in(&BIRTH_OR_AGE, &data_set.file(LITTLE), &settings(profile));
        found.into_iter().map(|finding| (finding.severity, finding.found)).collect()
    }

    #[test]
    fn a_birth_date_is_an_error_and_a_dummy_is_silent() {
        let date = |value| DataSet::new().text(tags::PATIENT_BIRTH_DATE, VR::DA, value);
        assert_eq!(
            birth("", &date("19540317")),
            [(Severity::Error, Some("*** (8 characters)".into()))]
        );
        for dummy in
            ["", "19540101", "18000101", "19000101", "17540317", "99991231", "19540231", "REMOVED"]
        {
            assert!(birth("", &date(dummy)).is_empty(), "{dummy}");
        }
        let moved = date("19540317").text(
            tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
            VR::CS,
            "MODIFIED",
        );
        assert_eq!(birth("", &moved)[0].0, Severity::Warning);
        assert_eq!(birth("[identity]\nretain = []", &moved)[0].0, Severity::Error);
    }

    #[test]
    fn only_ages_from_91_to_120_are_named() {
        let age = |value| DataSet::new().text(tags::PATIENT_AGE, VR::AS, value);
        for value in ["091Y", "120Y", "93", "1140M"] {
            assert_eq!(birth("", &age(value)).len(), 1, "{value}");
        }
        for value in ["090Y", "121Y", "062Y", "011M", "", "Y", "99999999999Y"] {
            assert!(birth("", &age(value)).is_empty(), "{value}");
        }
        assert_eq!(birth("", &age("095Y"))[0].0, Severity::Warning);
        assert_eq!(birth("[identity]\nhipaa = true", &age("095Y"))[0].0, Severity::Error);
    }
}
