use luna_fixtures::Recipe;
use proptest::prelude::*;

use super::json::Json;
use super::*;
use crate::report::Report;
use crate::rules::testing::settings;
use crate::source::Memory;
use crate::{CancelToken, Unobserved, Validator};

fn read(name: &str, text: &str) -> Table {
    Table::manifest(name, text.as_bytes(), &Settings::default()).unwrap()
}

/// Kind, place and message of every complaint.
fn complaints(table: &Table) -> Vec<String> {
    let said = |it: &Complaint| {
        let place = it.location.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{:?} [{place}] {}", it.about, it.message)
    };
    table.complaints().iter().map(said).collect()
}

#[test]
fn every_dialect_gives_the_same_rows() {
    let sound = read("m.csv", "file,view\na.png,PA\n");
    for text in [
        "file;view\na.png;PA",
        "\u{feff}file|view\r\na.png|PA\r\n",
        "FILE\tView\n./a.png\tPA\n",
        "\"file\",\"view\"\n\"a.png\",\"PA\"\n",
        "view,path\rPA,a.png\r",
    ] {
        let table = read("m.csv", text);
        assert_eq!(complaints(&table), Vec::<String>::new(), "{text:?}");
        for column in [Column::File, Column::View] {
            assert_eq!(table.rows()[0].get(column), sound.rows()[0].get(column), "{text:?}");
        }
    }
}

#[test]
fn what_is_wrong_with_delimited_text_is_said_with_its_place() {
    let long = format!("file,note\na.png,{}\n", "x".repeat(70_000));
    let cases = [
        ("file,size\na.png\n", "Broken [row 2] Row 2 has 1 cell, the header 2."),
        ("file,size\n\na.png,1\n\"b,2\n", "Broken [row 4, column 1] A quote is opened in row 4"),
        ("file,FILE\na,b\n", "Broken [row 1, column 2] Columns 1 and 2 are both called `FILE`."),
        ("file,\na,b\n", "Broken [row 1, column 2] Column 2 has no name"),
        ("file,view\na,P\0\n", "Broken [row 2, column 2] A cell holds a NUL byte."),
        (&long, "Broken [row 2, column 2] A cell has 70.0 kB where `text_bytes` allows 65.5 kB."),
        ("file,view\na,\"P\"A\n", "Odd [row 2, column 2] A quote stands inside a cell"),
        ("file,size\r\na,1\n", "Odd [] Lines end in different ways: 1 LF, 1 CRLF, 0 CR."),
        (
            "filename,sise\na,1\n",
            "Unknown [row 1, column 2] Nothing is known of the column `sise`; it was not looked at. Is `size` meant?",
        ),
        (
            "fiel,size\na,1\n",
            "Missing [row 1] There is no column that gives the file. Rename `fiel` to `file`",
        ),
        (
            "file,size\na,-1\n",
            "Invalid [row 2, column size] Row 2, column `size`: -1 is not a whole number of bytes.",
        ),
        (
            "file,sex\na,DOE\n",
            "Invalid [row 2, column sex] Row 2, column `sex`: *** (3 characters) is not M, F or O.",
        ),
        ("file\nC:\\a.png\n", "Reference [row 2, column file] `C:\\a.png` is absolute"),
        ("file\ns3://b/a.png\n", "Reference [row 2, column file] `s3://b/a.png` is a URL"),
        ("file,note\na,@SUM(1)\n", "Formula [row 2, column note] The cell begins like a formula"),
    ];
    for (text, expected) in cases {
        let table = read("m.csv", text);
        let found = complaints(&table);
        assert!(found.iter().any(|it| it.starts_with(expected)), "{text:?}: {found:?}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_named_with_their_place() {
    let read = |name, bytes| Table::manifest(name, bytes, &Settings::default()).unwrap();
    let csv = read("m.csv", b"file,view\na.png,\xe4\n");
    assert!(
        complaints(&csv)[0].starts_with("Broken [row 2, column 2] The cell is not UTF-8: byte e4")
    );
    let json = read("m.json", b"{\"version\":\n \"\xe4\"}");
    assert!(
        complaints(&json)[0].contains("Is not UTF-8: line 2, column 3."),
        "{:?}",
        complaints(&json)
    );
    let wide = read("m.csv", b"\xff\xfef\0i\0");
    assert!(complaints(&wide)[0].contains("UTF-16"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn what_is_wrong_with_json_is_said_with_pointer_and_place() {
    let deep = format!("{{\"version\": 1, \"files\": [], \"x\": {}", "[".repeat(200));
    let cases = [
        (
            "{\"version\": 1, \"files\": []} x",
            "Broken [] Is no JSON at line 1, column 29: `x` stands where the end",
        ),
        (
            "{\"version\": 1,\n\"files\": [{\"path\": \"a\", \"path\": \"b\"}]}",
            "Broken [/files/0/path] The key `path` stands twice in one object (line 2, column 25)",
        ),
        (
            "{\"version\": 1, \"files\": [], \"version\": 1}",
            "Broken [/version] The key `version` stands twice",
        ),
        (
            "{\"version\": 1, \"files\": [{\"path\": \"a\", \"labels\": {\"x\": {\"y\": 1, \"y\": 2}}}]}",
            "Broken [/files/0/labels/y] The key `y` stands twice",
        ),
        (
            "{\"version\": 1, \"files\": [{\"path\": \"a\", \"age\": -Infinity}]}",
            "Broken [] Is no JSON at line 1, column 48: NaN and Infinity",
        ),
        (
            &deep,
            "Broken [] Is no JSON at line 1, column 161: it is nested deeper than `json_nesting` allows (128)",
        ),
        (
            "{\"version\": 1, \"files\": [],}",
            "Broken [] Is no JSON at line 1, column 28: `}` stands where a key",
        ),
        (
            "{\"version\": 1, \"files\": [\"a\", 01]}",
            "Broken [] Is no JSON at line 1, column 32: a number has a zero",
        ),
        (
            "{\"version\": 1, \"files\": [{\"path\": \"\\ud800\"}]}",
            "Broken [] Is no JSON at line 1, column 42: half of a surrogate",
        ),
        ("[]", "Broken [] Is a list, where a manifest is an object."),
        ("{\"files\": []}", "Missing [] Lacks the key `version`."),
        (
            "{\"version\": 2, \"files\": []}",
            "Invalid [/version] `version` is a number, expected 1.",
        ),
        (
            "{\"version\": 1, \"files\": [1]}",
            "Invalid [/files/0] A file is a number, expected an object.",
        ),
        ("{\"version\": 1, \"files\": [{}]}", "Missing [/files/0] File 0 lacks the key `path`."),
        (
            "{\"version\": 1, \"files\": [{\"path\": \"../a\"}]}",
            "Reference [/files/0/path] `../a` climbs out",
        ),
        (
            "{\"version\": 1, \"files\": [{\"path\": \"a\", \"md5\": \"x\"}]}",
            "Invalid [/files/0/md5] `md5`: x is not 32 hexadecimal digits.",
        ),
        (
            "{\"version\": 1, \"files\": [{\"path\": \"a\", \"shar256\": \"x\"}]}",
            "UnknownKey [/files/0/shar256] There is no key `shar256` here (line 1, column 40). Is `sha256` meant?",
        ),
    ];
    for (text, expected) in cases {
        let found = complaints(&read("m.json", text));
        assert!(found.iter().any(|it| it.starts_with(expected)), "{text}: {found:?}");
    }
}

#[test]
fn keys_of_the_schema_are_those_that_are_read() {
    let schema = manifest_schema();
    let keys = schema["$defs"]["ManifestFile"]["properties"].as_object().unwrap();
    let declared: std::collections::BTreeSet<&str> = keys.keys().map(String::as_str).collect();
    let read: std::collections::BTreeSet<&str> = Column::ALL.map(Column::key).into();
    assert_eq!(declared, read);
}

#[test]
fn lists_of_checksums_are_read_in_both_modes_and_with_escaped_names() {
    let digits = "AB".repeat(32);
    let text =
        format!("{digits}  a b.png\n# a remark\n{digits} *c.png\r\n\\{digits}  d\\ne\\\\f\n");
    let table = read("set.sha256", &text);
    assert_eq!(complaints(&table), ["Reference [row 4] `d\\ne\\f` climbs"; 0]);
    let paths: Vec<_> = table.rows().iter().filter_map(|row| row.get(Column::File)).collect();
    assert_eq!(paths, ["a b.png", "c.png", "d\ne\\f"]);
    assert_eq!(table.rows()[0].get(Column::Sha256), Some(&*digits.to_ascii_lowercase()));
    assert!(read("list", &format!("{}  a\n", "0".repeat(32))).has(Column::Md5), "told by content");
}

#[test]
fn complaints_of_one_kind_are_capped_and_counted() {
    let table = read("m.csv", &format!("file,size\n{}", "a,x\n".repeat(60)));
    assert_eq!(table.complaints().iter().count(), 50);
    assert_eq!(table.complaints().more(About::Invalid), 10);
}

#[test]
fn what_is_no_manifest_is_told() {
    let settings = Settings::default();
    for (name, bytes) in [
        ("a.png", &b"\x89PNG\r\n\x1a\n"[..]),
        ("manifest.csv", b"\x89PNG\r\n\x1a\n"),
        ("notes", b"Some prose."),
        ("x.bin", b"\x01\x02\x03"),
    ] {
        assert!(Table::manifest(name, bytes, &settings).is_none(), "{name}");
    }
}

/// Two DICOM pictures of two patients, and what a manifest says of them.
fn judged(rows: &str, manifest: Option<Table>) -> Report {
    let file = |path: &str, patient: u32| {
        format!(
            "[[file]]\npath = \"{path}\"\npicture = \"chest\"\nwidth = 64\nheight = 64\n\
             format = \"dicom\"\npatient = {patient}\nset.PatientID = \"P{patient}\"\n\
             set.PatientAge = \"061Y\"\nset.PatientSex = \"F\"\n"
        )
    };
    let recipe = Recipe::parse(&(file("a.dcm", 1) + &file("b.dcm", 2))).unwrap();
    let mut source: Memory = recipe
        .build()
        .unwrap()
        .into_iter()
        .map(|(path, entry)| match entry {
            luna_fixtures::Entry::File(bytes) => (path, bytes),
            luna_fixtures::Entry::Link(_) => (path, Vec::new()),
        })
        .collect();
    if !rows.is_empty() {
        source.insert("manifest.csv", rows.as_bytes().to_vec());
    }
    let validator = Validator::default();
    let cancel = CancelToken::default();
    validator.validate_against(manifest, &source, &Unobserved, &cancel).unwrap()
}

/// Rule, path, place and message of the LM findings: of files, then of the set.
fn found(report: &Report) -> Vec<String> {
    let files = report.files.iter().flat_map(|file| &file.findings);
    files
        .chain(&report.findings)
        .filter(|finding| finding.rule.starts_with("LM"))
        .map(|it| {
            let place = it.location.as_ref().map(ToString::to_string).unwrap_or_default();
            let path = it.path.as_deref().unwrap_or("-");
            format!("{} {path} [{place}] {}", it.rule, it.message)
        })
        .collect()
}

#[test]
fn headers_are_compared_and_nobody_is_named() {
    let rows = "file,patient,sex,age\na.dcm,P1,F,61\nb.dcm,Jane Doe,M,70\n";
    let report = judged(rows, None);
    assert_eq!(
        found(&report),
        [
            "LM009 manifest.csv [row 3, column age] Column age says of `b.dcm` what its header does not.",
            "LM009 manifest.csv [row 3, column patient] Column patient says of `b.dcm` what its header does not.",
            "LM009 manifest.csv [row 3, column sex] Column sex says of `b.dcm` what its header does not.",
        ]
    );
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("Jane Doe") && !text.contains("\"P2\""), "no value of a person");
    let own = judged("file,patient\na.dcm,17\nb.dcm,18\n", None);
    assert_eq!(found(&own), Vec::<String>::new(), "a table with numbers of its own");
}

#[test]
fn a_table_from_outside_stands_at_the_top_by_its_name() {
    let table = read("ours.csv", "file,md5\na.dcm,00000000000000000000000000000000\nc.dcm,\n");
    let report = judged("file\na.dcm\n", Some(table));
    assert_eq!(
        found(&report),
        [
            "LM007 b.dcm [] Is not listed in `ours.csv`.",
            "LM006 ours.csv [row 3, column file] `c.dcm` is listed, but not there. Is `b.dcm` meant?",
            "LM008 ours.csv [row 2, column md5] The MD5 of `a.dcm` is not the one listed.",
        ]
    );
}

#[test]
fn a_broken_manifest_is_no_unknown_file() {
    let mut source = Memory::single("manifest.json", b"{\"version\": 1".to_vec());
    source.insert("manifest.parquet", b"PAR1".to_vec());
    let report = Validator::default().validate(&source).unwrap();
    let rules: Vec<_> = report.files[0].findings.iter().map(|it| it.rule.as_ref()).collect();
    assert!(rules.contains(&"LM002") && !rules.contains(&"LF002"), "{rules:?}");
    let parquet = Memory::single("manifest.parquet", b"PAR1 and so on PAR1".to_vec());
    let report = Validator::default().validate(&parquet).unwrap();
    assert!(found(&report)[0].contains("Parquet is not read by this version"), "{report:?}");
}

#[test]
fn a_profile_names_unknown_columns_with_the_nearest() {
    let error = crate::Profile::parse("[manifest.columns]\nfyle = \"x\"", "p")
        .and_then(|profile| profile.check(&crate::rules::Registry::default()).map(|()| profile));
    assert!(error.unwrap_err().to_string().contains("did you mean `file`"));
    let renamed = settings("[manifest]\ncolumns = { file = \"Image Index\" }");
    let table = Table::manifest("m.csv", b"Image Index,file\na.png,x\n", &renamed).unwrap();
    assert_eq!(table.rows()[0].get(Column::File), Some("a.png"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), name in "m\\.(csv|json|md5|parquet)") {
        let _ = Table::manifest(&name, &bytes, &Settings::default());
    }

    /// What serde_json writes is read, and what it refuses is refused.
    #[test]
    fn json_is_what_serde_json_takes(text in "[\\[\\]{}:,\"a\\\\u0-9.eE+ -]{0,24}|(null|true|[0-9.eE-]){0,4}") {
        let accepted = (|| {
            let mut json = Json::new(&text, 128, 1 << 16);
            let value = json.value()?;
            json.skip(&value, &mut |_, _| {})?;
            json.end()
        })();
        let expected = serde_json::from_str::<serde::de::IgnoredAny>(&text);
        prop_assert_eq!(accepted.is_ok(), expected.is_ok(), "{:?} {:?}", accepted, expected);
    }

    #[test]
    fn delimited_text_comes_back_as_it_was_written(
        rows in prop::collection::vec(prop::collection::vec("[a-z,;\"\n é|]{0,6}", 3), 1..6),
    ) {
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let mut complaints = Complaints::default();
        let read = delimited::read(&text, Settings::default().limits(), &mut complaints);
        let cells: Vec<Vec<String>> = read.into_iter().map(|(_, cells)| cells).collect();
        prop_assert_eq!(cells, rows);
        prop_assert_eq!(complaints, Complaints::default());
    }
}
