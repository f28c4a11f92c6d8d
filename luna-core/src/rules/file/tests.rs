use crate::conclude::{Entry, Whole, conclude};
use crate::examine::examine;
use crate::record::Record;
use crate::report::Report;
use crate::rules::testing::{DataSet, settings};
use crate::settings::Settings;
use crate::source::{Item, ItemKind, ItemPath};

/// Rule, case or severity, and message of every LF finding, files first.
fn found(report: &Report) -> Vec<(String, String)> {
    let files = report.files.iter().flat_map(|file| &file.findings);
    files
        .chain(&report.findings)
        .filter(|finding| finding.rule.starts_with("LF"))
        .map(|finding| {
            (finding.rule.to_string(), format!("{}: {}", finding.severity, finding.message))
        })
        .collect()
}

fn concluded(files: &[(&str, &[u8])], settings: &Settings) -> Report {
    let entry = |(path, bytes): &(&str, &[u8])| Entry {
        item: Item::file(*path, bytes.len() as u64),
        record: examine(bytes, settings).into(),
    };
    conclude(Whole::of(files.iter().map(entry).collect()), settings)
}

/// Codes of the LF findings about one file.
fn codes(path: &str, bytes: &[u8]) -> Vec<String> {
    let report = concluded(&[(path, bytes)], &Settings::default());
    report.files[0]
        .findings
        .iter()
        .filter(|finding| finding.rule.starts_with("LF"))
        .map(|finding| format!("{} {}", finding.rule, finding.severity))
        .collect()
}

fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 64, 64);
    encoder.set_color(png::ColorType::Grayscale);
    let pixels: Vec<u8> = (0..64 * 64).map(|i| (i % 64 * 3 + i / 64) as u8).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

#[test]
fn a_sound_png_is_silent() {
    assert_eq!(codes("a/b.png", &png()), Vec::<String>::new());
}

#[test]
fn what_is_no_image_is_named() {
    for (path, bytes, expected) in [
        ("x.pdf", &b"%PDF-1.7"[..], "LF002 error"),
        ("x.bin", b"\x01\x02\x03\x04", "LF002 error"),
        ("notes.txt", b"Some prose that is no table.", "LF002 error"),
        ("labels.csv", b"prose in a csv", "LF002 error"),
        ("README.md", b"# A data set", "LF002 info"),
        ("LICENSE", b"Do what you want.", "LF002 info"),
        (".DS_Store", b"\0\0\0\x01Bud1", "LF002 info"),
        ("__MACOSX/a/._b.png", b"\0\x05\x16\x07", "LF002 info"),
        ("DICOMDIR", b"x", "LF002 info"),
        ("a.png", b"", "LF001 error"),
        ("set.zip", b"PK\x03\x04\x14\0", "LF010 error"),
        ("a.webp", b"RIFF\x04\0\0\0WEBPVP8 ", "LF010 error"),
    ] {
        assert_eq!(codes(path, bytes), [expected], "{path}");
    }
}

#[test]
fn tables_are_no_finding() {
    for (path, bytes) in [
        ("labels.csv", &b"file,label\na.png,0\n"[..]),
        ("splits.json", b"{\"train\": []}"),
        ("manifest.txt", b"file,label\na.png,0\n"),
    ] {
        assert_eq!(codes(path, bytes), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn a_name_that_ends_like_another_format_is_a_warning() {
    let bytes = png();
    assert_eq!(codes("a.jpg", &bytes), ["LF003 warning"]);
    for silent in ["a.PNG", "a", "1.2.840.113619", "a.img"] {
        assert_eq!(codes(silent, &bytes), Vec::<String>::new(), "{silent}");
    }
}

#[test]
fn a_cut_png_names_row_and_bytes() {
    let bytes = png();
    let report = concluded(&[("a.png", &bytes[..bytes.len() / 2])], &Settings::default());
    let found = found(&report);
    assert_eq!(found.len(), 1, "{found:?}");
    let (rule, message) = &found[0];
    assert_eq!(rule, "LF004");
    let shape =
        regex::Regex::new(r"^error: Stops in row \d+ of 64 \(byte \d+ of at least \d+\)\.$");
    assert!(shape.unwrap().is_match(message), "{message}");
}

#[test]
fn checksums_trailing_bytes_and_budgets_are_told_apart() {
    let mut bytes = png();
    bytes.extend_from_slice(b"%PDF-1.4");
    assert_eq!(codes("a.png", &bytes), ["LF006 warning"]);

    let mut bytes = png();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_eq!(codes("a.png", &bytes), ["LF005 error"]);

    let mut bytes = png();
    bytes[16..20].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
    let crc = crc32fast::hash(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(codes("a.png", &bytes), ["LF008 error"]);
}

#[test]
fn a_profile_may_refuse_a_format() {
    let settings = settings("name = \"t\"\nextends = \"dicom\"");
    let report = concluded(&[("a.png", &png())], &settings);
    let found = found(&report);
    assert!(matches!(&found[..], [(rule, _)] if rule == "LF010"), "{found:?}");
}

#[test]
fn unsafe_names_are_errors_and_odd_ones_warnings() {
    let bytes = png();
    for (path, expected) in [
        ("/etc/a.png", "LF011 error"),
        ("a/../b.png", "LF011 error"),
        ("C:\\a.png", "LF011 error"),
        ("=cmd.png", "LF011 warning"),
        ("a/-1.png", "LF011 warning"),
        ("CON.png", "LF011 warning"),
        ("com1", "LF011 warning"),
        ("a?.png", "LF011 warning"),
        ("a./b.png", "LF011 warning"),
        ("a\u{202e}gnp.png", "LF011 warning"),
        ("a\u{200b}.png", "LF011 warning"),
        ("a\n.png", "LF011 warning"),
        ("<script>.png", "LF014 warning"),
    ] {
        assert!(codes(path, &bytes).contains(&expected.to_owned()), "{path:?}");
    }
    for fine in ["console.png", "com10.png", "patient 1/view-2.png", "größe.png", "a=b.png"] {
        assert_eq!(codes(fine, &bytes), Vec::<String>::new(), "{fine}");
    }
}

#[test]
fn names_that_are_not_utf8_are_odd_but_not_windows_trouble() {
    let item = Item::file(ItemPath::from_bytes(b"caf\xe9.png".to_vec()), 4);
    let settings = Settings::default();
    let record = examine(&png(), &settings);
    let report = conclude(Whole::of(vec![Entry { item, record: record.into() }]), &settings);
    let found = found(&report);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.starts_with("warning: The name is not UTF-8"), "{found:?}");
}

#[test]
fn paths_that_are_one_on_other_systems_collide() {
    let bytes = png();
    let files: [(&str, &[u8]); 4] = [
        ("a/Scan.png", &bytes),
        ("a/scan.PNG", &bytes),
        ("e\u{301}.png", &bytes),
        ("\u{e9}.png", &bytes),
    ];
    let report = concluded(&files, &Settings::default());
    let twins: Vec<_> = report
        .files
        .iter()
        .flat_map(|file| file.findings.iter().map(|found| (file.path.as_str(), found)))
        .filter(|(_, finding)| finding.rule == "LF011")
        .map(|(path, finding)| (path, finding.related.join(",")))
        .collect();
    let expected = [
        ("a/Scan.png", "a/scan.PNG".to_owned()),
        ("a/scan.PNG", "a/Scan.png".to_owned()),
        ("e\u{301}.png", "\u{e9}.png".to_owned()),
        ("\u{e9}.png", "e\u{301}.png".to_owned()),
    ];
    assert_eq!(twins, expected);
}

#[test]
fn links_devices_and_unreadable_names_are_errors() {
    let settings = Settings::default();
    for (kind, rule) in [
        (ItemKind::Link, "LF011"),
        (ItemKind::Special, "LF011"),
        (ItemKind::UnreadableFolder, "LF001"),
        (ItemKind::File, "LF001"),
    ] {
        let item = Item { size_bytes: 10, ..Item::of_kind("x.png", kind) };
        let entry = Entry { item, record: Record::unknown(10).into() };
        let found = found(&conclude(Whole::of(vec![entry]), &settings));
        assert!(matches!(&found[..], [(code, _)] if code == rule), "{kind:?}: {found:?}");
    }
}

#[test]
fn nothing_to_validate_is_one_finding_of_the_set() {
    let settings = Settings::default();
    let report = concluded(&[], &settings);
    assert_eq!(found(&report).len(), 1);
    assert_eq!((report.findings[0].rule.as_ref(), &report.findings[0].path), ("LF001", &None));
}

#[test]
fn a_preamble_may_be_zero_or_tiff_and_nothing_else() {
    let sound = DataSet::new().file("1.2.840.10008.1.2.1");
    let preamble = |start: &[u8]| -> Vec<String> {
        let mut bytes = sound.clone();
        bytes[..start.len()].copy_from_slice(start);
        codes("a.dcm", &bytes).into_iter().filter(|code| code.starts_with("LF013")).collect()
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(preamble(b""), none);
    assert_eq!(preamble(b"II*\0\x08\0\0\0"), none);
    assert_eq!(preamble(b"MZ\x90\0"), ["LF013 error".to_owned()]);
    assert_eq!(preamble(b"made by us"), ["LF013 warning".to_owned()]);
}
