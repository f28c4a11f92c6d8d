//! What is a person's name, and what only stands in its place. Errs towards silence: properly
//! de-identified data must not raise a finding.

/// Words that no person is called: a value with one of them stands in the place of a name.
const PLACEHOLDERS: [&str; 27] = [
    "anon",
    "blinded",
    "confidential",
    "deleted",
    "desconocido",
    "dummy",
    "empty",
    "hidden",
    "identified",
    "inconnu",
    "masked",
    "nobody",
    "noname",
    "none",
    "null",
    "phantom",
    "redacted",
    "removed",
    "restricted",
    "sconosciuto",
    "test",
    "testing",
    "unbekannt",
    "undefined",
    "unknown",
    "unnamed",
    "withheld",
];
/// Beginnings of such words, in several languages.
const PLACEHOLDER_STEMS: [&str; 8] =
    ["anonim", "anonym", "anónim", "deident", "desident", "pseudonym", "scrubbed", "unidentif"];
/// Words that fill a field without naming anybody; a surname can be one of them.
const FILLERS: [&str; 47] = [
    "admin",
    "case",
    "chest",
    "clinic",
    "control",
    "data",
    "demo",
    "doctor",
    "example",
    "family",
    "female",
    "first",
    "firstname",
    "fname",
    "given",
    "givenname",
    "hospital",
    "id",
    "image",
    "last",
    "lastname",
    "lname",
    "male",
    "middle",
    "mr",
    "name",
    "number",
    "operator",
    "participant",
    "patient",
    "physician",
    "radiologist",
    "referring",
    "research",
    "sample",
    "staff",
    "study",
    "subject",
    "surname",
    "system",
    "technologist",
    "training",
    "trial",
    "user",
    "volunteer",
    "ward",
    "xray",
];

/// True if a value of VR PN names a person: two or more components of letters that no placeholder
/// fills, in one of its groups (alphabetic, ideographic, phonetic; PS3.5 section 6.2.1).
pub(super) fn is_person(value: &str) -> bool {
    value.split('=').any(|group| {
        let named = |component: &&str| is_alphabetic(component) && !is_filler(component);
        !is_placeholder(group) && group.split('^').filter(named).count() >= 2
    })
}

/// True if a value names somebody in a field that holds nothing else, so that one component is
/// enough.
pub(super) fn is_some_name(value: &str) -> bool {
    value.split('=').any(|group| {
        let named = |component: &str| {
            component.chars().filter(|c| c.is_alphabetic()).count() >= 2
                && is_alphabetic(component)
                && !is_filler(component)
        };
        !is_placeholder(group) && group.split('^').any(named)
    })
}

/// Letters, and what stands between the letters of names.
fn is_alphabetic(component: &str) -> bool {
    let component = component.trim();
    component.chars().any(char::is_alphabetic)
        && component
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '’' | '.' | '・'))
}

/// True if a word of the value says that something was put in the place of a name.
pub(super) fn is_placeholder(value: &str) -> bool {
    words(value).any(|word| {
        PLACEHOLDERS.contains(&word.as_str())
            || PLACEHOLDER_STEMS.iter().any(|stem| word.starts_with(stem))
    })
}

/// True if every word of the value fills the field without naming anybody, or is one letter
/// repeated three times or more.
pub(super) fn is_filler(value: &str) -> bool {
    words(value).all(|word| FILLERS.contains(&word.as_str()) || is_one_letter(&word))
}

fn is_one_letter(word: &str) -> bool {
    let mut letters = word.chars();
    let first = letters.next();
    word.chars().count() >= 3 && letters.all(|letter| Some(letter) == first)
}

/// Runs of letters, in lower case.
fn words(value: &str) -> impl Iterator<Item = String> + '_ {
    value.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// True if a value was evidently made by a machine: a UUID, or 16 and more hexadecimal digits with a
/// letter among them.
pub(super) fn is_machine_made(value: &str) -> bool {
    let digits: Vec<char> = value.trim().chars().filter(|c| *c != '-').collect();
    digits.len() >= 16
        && digits.iter().all(char::is_ascii_hexdigit)
        && digits.iter().any(char::is_ascii_alphabetic)
        && digits.iter().any(char::is_ascii_digit)
}

/// True if two values are the same but for case and punctuation.
pub(super) fn same(one: &str, other: &str) -> bool {
    let bare = |value: &str| -> String {
        value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    bare(one) == bare(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_persons_are_known() {
        for name in [
            "DOE^JANE",
            "Doe^J",
            "van der Berg^Anna-Maria",
            "O'Neill^Sean^^Dr",
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            "^^^=山田^太郎",
            "Müller^Jürgen",
            "Case^Peter^Paul",
        ] {
            assert!(is_person(name), "{name}");
        }
    }

    #[test]
    fn what_stands_in_the_place_of_a_name_is_no_person() {
        for name in [
            "",
            "^^^^",
            "Anonymous",
            "ANONYMIZED^PATIENT",
            "Anonymous^Female",
            "REMOVED^REMOVED",
            "De-identified^Patient",
            "Lastname^Firstname",
            "AAAAAA^BBBBBBB",
            "XXXX^XXXX",
            "Test^Anna",
            "Subject^Study",
            "CompressedSamples^RG3",
            "CQ500-CT-310",
            "Covid0000",
            "16d7f894-55d7-4d95-8957-d18987f0e981",
            "26eae465a3069d7d94e44c519d9c7aae430455e0",
            "0012^0013",
            "ward",
            "----",
            "TCGA-AB^CD12",
        ] {
            assert!(!is_person(name), "{name}");
        }
    }

    #[test]
    fn machine_made_values_are_uuids_and_hashes() {
        assert!(is_machine_made("16d7f894-55d7-4d95-8957-d18987f0e981"));
        assert!(is_machine_made("d14a028c2a3a2bc9476102bb288234c4"));
        assert!(!is_machine_made("2008050417172310"));
        assert!(!is_machine_made("MRN12345"));
    }

    proptest! {
        #[test]
        fn digits_never_make_a_person(value in "[0-9^=\\\\ .-]{0,40}") {
            prop_assert!(!is_person(&value) && !is_some_name(&value));
        }
    }
}
