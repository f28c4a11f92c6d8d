//! Identity, UIDs, classes and pixel descriptions of real DICOM files: what may be said of each, read
//! by hand beforehand, and nothing else. Public de-identified radiographs raise nothing.

use std::fs;
use std::path::Path;

use luna_core::rules::Registry;
use luna_core::{Location, Profile, Settings, Severity, examine};

const RULES: &str = r#"["LI001", "LI003", "LI007", "LI010", "LD009", "LD010", "LD016"]"#;

/// Files of which something graver than an info is true: file name begins with, rule, attributes.
const TRUE: &[(&str, &str, &[&str])] = &[
    ("693_J2KI", "LD010", &["SOPClassUID"]),
    ("DX_highdicom", "LI001", &["PatientName", "RequestingPhysician"]),
    ("DX_highdicom", "LI003", &["PatientBirthDate"]),
    ("JPEG2000", "LD010", &["Modality"]),
    ("JPEGLossless_1s", "LD010", &["SOPClassUID"]),
    ("JPGExtended", "LD010", &["Modality"]),
    ("MR_", "LD010", &["SOPClassUID"]),
    ("RG1_", "LI003", &["PatientBirthDate"]),
    ("RG3_", "LI003", &["PatientBirthDate"]),
    ("SC_", "LI001", &["PatientName", "ReferringPhysicianName"]),
    ("chrJapMulti", "LI001", &["OtherPatientNames", "PatientName"]),
    ("rtdose", "LD009", &["ReferencedSOPInstanceUID"]),
];

#[test]
fn real_headers_raise_what_is_true_of_them_and_nothing_else() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/dicom"));
    let Ok(entries) = fs::read_dir(folder) else {
        eprintln!("skipped: real DICOM files are not there");
        return;
    };
    let profile = Profile::parse(&format!("[rules]\nselect = {RULES}"), "test").unwrap();
    let settings = Settings::new(profile, Registry::default()).unwrap();
    let mut names: Vec<String> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for name in names {
        let record = examine(&fs::read(folder.join(&name)).unwrap(), &settings);
        let mut found: Vec<(&str, &str)> = record
            .findings
            .iter()
            .filter(|finding| finding.severity != Severity::Info)
            .map(|finding| match &finding.location {
                Some(Location::Attribute { keyword: Some(keyword), .. }) => {
                    (finding.rule.as_ref(), keyword.as_str())
                }
                other => panic!("{name}: {other:?}"),
            })
            .collect();
        found.sort_unstable();
        let of_file = TRUE.iter().filter(|(start, ..)| name.starts_with(start));
        let mut wanted: Vec<(&str, &str)> = of_file
            .flat_map(|(_, rule, keywords)| keywords.iter().map(move |keyword| (*rule, *keyword)))
            .collect();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{name}");
    }
}
