//! Tests of profiles: what is refused and how, merging, the way to TOML and back.

use proptest::prelude::*;

use super::*;
use crate::error::ProfileError;
use crate::rules::{Case, Check, Registry, RuleOption, Scope, Stage};

static LEVEL: RuleOption = RuleOption::number("LT001", "level", 3.0, (0.0, 10.0), "levels", "");
static WORDS: RuleOption = RuleOption::texts("LT001", "words", &["a"], "");

static OPTIONS: &[&RuleOption] = &[&LEVEL, &WORDS];
static CASES: &[Case] = &[Case::only(Severity::Info, Stage::File)];

/// The built-in rules, and one whose options are known here.
fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.add(Rule {
        code: "LT001",
        name: "test-rule",
        status: Status::Stable { since: "0.1.0" },
        scope: Scope::Any,
        cases: CASES,
        options: OPTIONS,
        summary: "",
        why: "",
        measured: "",
        how_to_fix: "",
        references: &[],
        check: Check::File(|_, _| {}),
    });
    registry
}

/// The message with which a text is refused, by parsing or by the check against the rules.
fn refusal(text: &str) -> String {
    let checked = Profile::parse(text, "ours.toml")
        .and_then(|profile| profile.check(&registry()).map(|()| profile));
    checked.expect_err("this profile must be refused").to_string()
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_key() {
    assert_eq!(
        refusal("name = \"a\"\n\n[rules]\nselct = [\"LF\"]"),
        "profile ours.toml, line 4: unknown key `selct` in [rules]; did you mean `select`?"
    );
    assert_eq!(
        refusal("[acept]"),
        "profile ours.toml, line 1: unknown key `acept`; did you mean `accept`?"
    );
    assert_eq!(
        refusal("[rules.LT001]\nseverty = \"error\""),
        "profile ours.toml, line 2: unknown key `severty` in [rules.LT001]; did you mean `severity`?"
    );
    assert_eq!(
        refusal("[identity]\nHipaa = true"),
        "profile ours.toml, line 2: unknown key `Hipaa` in [identity]; did you mean `hipaa`?"
    );
}

#[test]
fn impossible_values_are_refused_with_what_was_expected() {
    for (text, message) in [
        ("rules = 3", "line 1: `rules` is a whole number, expected a table"),
        (
            "[rules]\npreview = 1",
            "line 2: `rules.preview` is a whole number, expected true or false",
        ),
        (
            "[accept]\nformats = [\n  \"png\",\n  \"dicm\",\n]",
            "line 4: `accept.formats[1]`: unknown value `dicm`; did you mean `dicom`?",
        ),
        (
            "[identity]\nretain = [\"device\"]",
            "line 2: `identity.retain[0]`: unknown value `device`; did you mean `device-identity`?",
        ),
        ("[limits]\nside = 0", "line 2: `limits.side` is 0, expected at least 1"),
        (
            "[limits]\nside = 5000000000",
            "line 2: `limits.side` is 5000000000, expected at most 4294967295",
        ),
        ("[limits]\nside = 1e999", "line 2: `limits.side` is no finite number of 64 bits"),
        (
            "[limits]\nside = 99999999999999999999",
            "line 2: `limits.side` is no finite number of 64 bits",
        ),
        (
            "[rules.LT001]\nseverity = \"fatal\"",
            "line 2: `rules.LT001.severity`: unknown value `fatal`; known: `error`, `warning`, `info`",
        ),
        (
            "[[exceptions]]\nrules = [\"LF\"]\nreason = \"x\"",
            "line 1: [exceptions[0]] lacks the key `paths`",
        ),
        ("name = \"a\"\nname = \"b\"", "line 2: duplicate key"),
    ] {
        let refused = refusal(text);
        assert_eq!(refused, format!("profile ours.toml, {message}"), "{text}");
    }
    assert!(refusal("[limits]\nfile_bytes = \"1 acre\"").contains("line 2: `limits.file_bytes`"));
    assert!(refusal("[accept]\nmodalities = [\"dx\"]").contains("line 2: `accept.modalities[0]`"));
}

#[test]
fn patterns_dates_and_codes_are_checked_against_the_rules() {
    let exception =
        |more: &str| format!("[[exceptions]]\nrules = [\"LT\"]\nreason = \"why\"\n{more}");
    for (text, message) in [
        (
            "[rules]\nselect = [\"LX\", \"lt001\"]",
            "line 2: `rules.select[1]`: no rule has the code or prefix `lt001`; did you mean `LT001` (test-rule)?",
        ),
        (
            "[rules]\nselect = [\"\"]",
            "line 2: `rules.select[0]`: no rule has the code or prefix ``",
        ),
        (
            "[rules.LT01]\nseverity = \"info\"",
            "line 1: `rules.LT01`: no rule has the code or prefix `LT01`; did you mean `LT001`?",
        ),
        (
            "[rules.test-rule]",
            "line 1: `rules.test-rule`: no rule has the code or prefix `test-rule`; did you mean `LT001` (test-rule)?",
        ),
        (
            "[rules.LT001]\ncolour = 1",
            "line 2: unknown key `colour` in [rules.LT001]; known: `level`, `words`, `severity`",
        ),
        (
            "[rules.LT001]\nlevl = 1",
            "line 2: unknown key `levl` in [rules.LT001]; did you mean `level`?",
        ),
        ("[rules.LT001]\nlevel = 11", "line 2: `rules.LT001.level` is 11, expected 0 to 10 levels"),
        (
            "[rules.LT001]\nlevel = [\"b\"]",
            "line 2: `rules.LT001.level` is a list, expected 0 to 10 levels",
        ),
        ("[rules.LT001]\nwords = 1", "line 2: `rules.LT001.words` is 1, expected a list of texts"),
        (
            "[rules.LT001]\nwords = true",
            "line 2: `rules.LT001.words` is true or false, expected a number or a list",
        ),
        (
            "[identity]\npseudonym = \"(\"",
            "line 2: `identity.pseudonym` is no regular expression: unclosed group",
        ),
        (
            &exception("paths = [\"a/[\"]"),
            "line 4: `exceptions[0].paths[0]` is no glob: unclosed character class; missing ']'",
        ),
        (
            &exception("paths = [\"a\"]\nuntil = \"2027-02-29\""),
            "line 5: `exceptions[0].until`: there is no day 2027-02-29",
        ),
    ] {
        let refused = refusal(text);
        assert!(refused.starts_with(&format!("profile ours.toml, {message}")), "{refused}");
    }
}

#[test]
fn dates_are_taken_as_toml_dates_and_as_text() {
    for until in ["2028-02-29", "\"2028-02-29\""] {
        let text = format!(
            "[[exceptions]]\nrules = [\"LT\"]\npaths = [\"a\"]\nreason = \"b\"\nuntil = {until}"
        );
        let profile = Profile::parse(&text, "x").unwrap();
        assert_eq!(profile.exceptions[0].until.as_deref(), Some("2028-02-29"));
        profile.check(&registry()).unwrap();
    }
    assert!(refusal("[[exceptions]]\nrules = [\"LT\"]\npaths = [\"a\"]\nreason = \"b\"\nuntil = 2027-01-31T10:00:00Z").contains("until"));
}

#[test]
fn a_circle_of_extends_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    std::fs::write(&path, "extends = \"b.toml\"").unwrap();
    std::fs::write(folder.path().join("b.toml"), "extends = \"a.toml\"").unwrap();
    let refused = Profile::load(path.to_str().unwrap()).unwrap_err();
    assert!(matches!(refused, ProfileError::Circular { .. }), "{refused}");
}

#[test]
fn tables_are_merged_and_lists_replaced_along_extends() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("base")).unwrap();
    std::fs::write(
        folder.path().join("base/b.toml"),
        "[limits]\nside = 10\nframes = 2\n[rules]\nignore = [\"LT001\", \"LT002\"]",
    )
    .unwrap();
    let path = folder.path().join("ours.toml");
    std::fs::write(
        &path,
        "extends = \"base/b.toml\"\n[limits]\nside = 20\n[rules]\nignore = [\"LT002\"]",
    )
    .unwrap();
    let profile = Profile::load(path.to_str().unwrap()).unwrap();
    assert_eq!(profile.name, "ours");
    assert_eq!(profile.extends, None);
    assert_eq!((profile.limits.side, profile.limits.frames), (20, 2));
    assert_eq!(profile.rules.ignore, ["LT002"]);
    assert_eq!(profile.rules.select, Profile::default().rules.select);
}

#[test]
fn an_error_in_what_is_extended_names_the_extended_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("base.toml"), "[rules]\nignore = [\"XX\"]").unwrap();
    let path = folder.path().join("ours.toml");
    std::fs::write(&path, "extends = \"base.toml\"").unwrap();
    let profile = Profile::load(path.to_str().unwrap()).unwrap();
    let refused = profile.check(&registry()).unwrap_err().to_string();
    assert!(refused.contains("base.toml, line 2: `rules.ignore[0]`"), "{refused}");
}

#[test]
fn extending_what_is_not_there_names_the_line() {
    assert_eq!(
        refusal("name = \"a\"\nextends = \"chest-xry\""),
        "profile ours.toml, line 2: `extends`: no built-in profile `chest-xry`; did you mean `chest-xray`?"
    );
}

#[test]
fn the_built_in_profiles_fit_the_built_in_rules() {
    for name in Profile::BUILTIN {
        let profile = Profile::builtin(name).unwrap();
        assert_eq!(profile.name, name);
        profile.check(&registry()).unwrap();
    }
    assert!(!Profile::default().rules.select.is_empty());
}

#[test]
fn every_key_of_the_types_is_in_the_schema_and_has_a_default() {
    let schema = Profile::schema();
    jsonschema::draft202012::new(&schema).unwrap();
    let profile = serde_json::to_value(Profile::default()).unwrap();
    assert!(jsonschema::is_valid(&schema, &profile));
    let wrong = serde_json::json!({ "rules": { "selct": [] } });
    assert!(!jsonschema::is_valid(&schema, &wrong));
    assert_eq!(
        schema.pointer("/$defs/RuleSelection/properties/select/default"),
        profile.pointer("/rules/select")
    );
}

#[test]
fn nesting_beyond_reason_is_refused_not_followed() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}{}", "[".repeat(5_000), "]".repeat(5_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("[{}a]", "a.".repeat(100_000)),
        format!("a = {}", "{a=".repeat(50_000)),
    ] {
        assert!(Profile::parse(&text, "x").is_err());
    }
}

fn any_profile() -> impl Strategy<Value = Profile> {
    let texts = || prop::collection::vec(".{0,12}", 0..3);
    let rules = (
        prop::collection::vec("L[FPDIX][0-9]{0,3}", 0..4),
        any::<bool>(),
        prop::collection::btree_map(
            "L[FPDIX][0-9]{3}",
            (prop::option::of(prop::sample::select(&Severity::ALL[..])), -1e9..1e9, texts())
                .prop_map(|(severity, number, texts)| RuleSettings {
                    severity,
                    options: [
                        ("number".to_owned(), OptionValue::Number(number)),
                        ("whole".to_owned(), OptionValue::Number(number.trunc())),
                        ("texts".to_owned(), OptionValue::Texts(texts)),
                    ]
                    .into(),
                }),
            0..3,
        ),
    );
    let exception = (texts(), ".{1,9}", prop::option::of("20[0-9]{2}-0[1-9]-1[0-9]")).prop_map(
        |(paths, reason, until)| Exception {
            rules: vec!["LT".to_owned()],
            paths: paths.into_iter().chain(["a".to_owned()]).collect(),
            reason,
            until,
        },
    );
    let formats = prop::collection::vec(prop::sample::select(Format::ALL), 0..4);
    (
        ".{0,20}",
        rules,
        prop::collection::vec(exception, 0..3),
        formats,
        texts(),
        1_u32..,
        1_u64..1 << 53,
    )
        .prop_map(
            |(name, (select, preview, each), exceptions, formats, texts, side, file_bytes)| {
                let mut profile = Profile { name, exceptions, ..Profile::default() };
                profile.rules = RuleSelection { select, preview, each, ..RuleSelection::default() };
                profile.accept.formats = formats;
                profile.identity.pseudonym = texts.into_iter().next();
                profile.limits = Limits { file_bytes, side, ..Limits::default() };
                profile
            },
        )
}

/// TOML with the keys of every table turned round.
fn reversed(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::Table(table) => {
            table.into_iter().rev().map(|(key, value)| (key, reversed(value))).collect()
        }
        toml::Value::Array(items) => items.into_iter().map(reversed).collect(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::String(text) => text.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
    }
}

proptest! {
    #[test]
    fn a_profile_survives_the_way_to_toml_and_back(profile in any_profile()) {
        let text = profile.to_toml();
        prop_assert!(!text.is_empty());
        let again = Profile::parse(&text, "again").unwrap();
        prop_assert_eq!(&again, &profile);
        prop_assert_eq!(again.hash(), profile.hash());
    }

    #[test]
    fn the_hash_does_not_depend_on_the_order_of_keys(profile in any_profile()) {
        let tree: toml::Value = toml::from_str(&profile.to_toml()).unwrap();
        let other: Profile = serde_json::from_value(reversed(tree)).unwrap();
        prop_assert_eq!(other.hash(), profile.hash());
    }

    #[test]
    fn different_wills_have_different_hashes(side in 2_u32..) {
        let mut profile = Profile::default();
        let before = profile.hash();
        profile.limits.side = side - 1 + u32::from(side == 65_536);
        prop_assert_ne!(profile.hash(), before);
    }

    #[test]
    fn no_text_makes_the_parser_panic(
        text in prop_oneof![
            ".{0,200}",
            prop::collection::vec(
                prop::sample::select(&["[", "]", "rules", ".", "=", "\n", "\"LF\"", "1", "{", "}", ",", "limits", "side", "exceptions", "paths", "extends", "true", "2020-01-01", "'"][..]),
                0..30,
            ).prop_map(|words| words.concat()),
        ]
    ) {
        let _ = Profile::parse(&text, "x").map(|profile| profile.check(&registry()));
    }
}
