//! Walks the registry: every case of every rule has a recipe that fires it, every rule one that
//! leaves it silent, and each does what its name says.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on may say so")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use luna_core::report::Report;
use luna_core::rules::{Registry, Rule};
use luna_core::source::{Archive, Folder, Memory};
use luna_core::{Profile, Validator};
use luna_fixtures::{Entry, Recipe};

/// Cases that no recipe can bring about, and why.
const NO_RECIPE: [(&str, &str); 4] = [
    // A decoder that panics is a defect to mend; `examine`'s own tests make a rule panic instead.
    ("LF007", "panic"),
    // Nothing here takes a minute.
    ("LF007", "timeout"),
    // Only a service knows whether its workers died.
    ("LF007", "killed"),
    // A folder promises nothing; the test of the whole run does.
    ("LM006", "announced"),
];

fn folder_of(rule: &Rule) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rules").join(rule.code)
}

/// Recipes of a rule, with their names without the ending, in order.
fn recipes(rule: &Rule) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder_of(rule)) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path))
        .collect();
    found.sort();
    found
}

/// The case that a recipe's name promises to fire; `None` for a silent one.
fn promised<'a>(rule: &'a Rule, name: &'a str) -> Option<&'a str> {
    let rest = name.strip_prefix("fires")?;
    let case = rest.strip_prefix('-').unwrap_or("");
    // `fires.toml` stands for the first case of a rule whose cases all have names, and
    // `fires-eoi-progressive.toml` for one more way to bring about `eoi`.
    rule.cases
        .iter()
        .map(|known| known.name)
        .filter(|known| !known.is_empty())
        .filter(|known| case == *known || case.starts_with(&format!("{known}-")))
        .max_by_key(|known| known.len())
        .or(Some(if rule.cases[0].name.is_empty() || !case.is_empty() {
            ""
        } else {
            rule.cases[0].name
        }))
}

fn validate(recipe: &Recipe) -> Report {
    let profile = match recipe.profile() {
        Some(text) => Profile::parse(text, "recipe").unwrap(),
        None => Profile::default(),
    };
    let validator = Validator::builder().profile(profile).build().unwrap();
    if let Some((_, bytes)) = recipe.archive().unwrap() {
        let archive = Archive::from_bytes(bytes, validator.settings().limits());
        let archive = archive.expect("an archive that is told by its first bytes");
        return validator.validate(&archive).unwrap();
    }
    let files = recipe.build().unwrap();
    if files.iter().any(|(_, entry)| matches!(entry, Entry::Link(_))) {
        let dir = tempfile::tempdir().unwrap();
        recipe.write_to(dir.path()).unwrap();
        return validator.validate(&Folder::new(dir.path())).unwrap();
    }
    let set: Memory = files
        .into_iter()
        .filter_map(|(path, entry)| match entry {
            Entry::File(bytes) => Some((path, bytes)),
            Entry::Link(_) => None,
        })
        .collect();
    validator.validate(&set).unwrap()
}

/// Findings of one rule: case, severity and message.
fn fired(report: &Report, rule: &Rule) -> Vec<(String, &'static str, String)> {
    let all = report.files.iter().flat_map(|file| &file.findings).chain(&report.findings);
    all.filter(|finding| finding.rule == rule.code)
        .map(|finding| {
            let case = finding
                .message
                .rsplit_once(&format!(" ({}/", rule.code))
                .map_or("", |(_, case)| case.split(')').next().unwrap_or_default());
            (case.to_owned(), finding.severity.as_str(), finding.message.clone())
        })
        .collect()
}

#[test]
fn every_case_has_a_firing_recipe_and_every_rule_a_silent_one() {
    let mut missing = Vec::new();
    for rule in Registry::default().rules() {
        let names: Vec<String> = recipes(rule).into_iter().map(|(name, _)| name).collect();
        let promises: BTreeSet<&str> =
            names.iter().filter_map(|name| promised(rule, name)).collect();
        for case in rule.cases {
            if !promises.contains(case.name) && !NO_RECIPE.contains(&(rule.code, case.name)) {
                missing.push(format!("{}: no recipe fires case {:?}", rule.code, case.name));
            }
        }
        if !names.iter().any(|name| name.starts_with("silent")) {
            missing.push(format!("{}: no silent recipe", rule.code));
        }
    }
    assert!(missing.is_empty(), "{} missing:\n{}", missing.len(), missing.join("\n"));
}

#[test]
fn every_folder_of_recipes_belongs_to_a_rule() {
    let registry = Registry::default();
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rules");
    for entry in fs::read_dir(folders).unwrap() {
        let code = entry.unwrap().file_name().into_string().unwrap();
        assert!(registry.get(&code).is_some(), "fixtures/rules/{code} belongs to no rule");
    }
}

#[test]
fn recipes_fire_or_stay_silent_as_their_names_say() {
    let registry = Registry::default();
    let work: Vec<(&Rule, String, PathBuf)> = registry
        .rules()
        .iter()
        .flat_map(|rule| recipes(rule).into_iter().map(move |(name, path)| (rule, name, path)))
        .collect();
    assert!(work.len() >= 2 * registry.rules().len());
    let wrong: Vec<String> = work
        .iter()
        .filter_map(|(rule, name, path)| {
            let recipe = Recipe::load(path).unwrap_or_else(|error| panic!("{error}"));
            let fired = fired(&validate(&recipe), rule);
            let weight = recipe.expect.severity.as_deref();
            let fine = match promised(rule, name) {
                Some(case) => fired.iter().any(|(found, severity, _)| {
                    found == case && weight.is_none_or(|weight| weight == *severity)
                }),
                None => fired.is_empty(),
            };
            (!fine).then(|| format!("{}/{name}: {fired:?}", rule.code))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
