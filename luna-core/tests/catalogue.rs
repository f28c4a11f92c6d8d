//! The catalogue of rules as a whole: nothing empty, nothing twice, nothing misnamed.

use std::collections::BTreeSet;

use luna_core::rules::{DefaultValue, FAMILIES, Registry, Rule};

/// Complaints about each rule, with its code.
fn complaints(of: impl Fn(&Rule) -> Vec<String>) -> Vec<String> {
    let registry = Registry::default();
    let all = registry.rules().iter();
    all.flat_map(|rule| of(rule).into_iter().map(|it| format!("{}: {it}", rule.code))).collect()
}

fn is_kebab(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    name.split('-').all(part)
}

#[test]
fn every_rule_explains_itself() {
    let empty = complaints(|rule| {
        let texts = [
            ("summary", rule.summary),
            ("why", rule.why),
            ("measured", rule.measured),
            ("how_to_fix", rule.how_to_fix),
        ];
        let mut missing: Vec<String> = texts
            .into_iter()
            .filter(|(_, text)| text.trim().is_empty())
            .map(|(name, _)| format!("{name} is empty"))
            .collect();
        if rule.references.is_empty() {
            missing.push("no reference".to_owned());
        }
        if rule.cases.len() > 1 && rule.cases.iter().any(|case| case.about.is_empty()) {
            missing.push("a case does not say what sets it apart".to_owned());
        }
        if rule.options.iter().any(|option| option.about.is_empty()) {
            missing.push("an option does not say what it does".to_owned());
        }
        missing
    });
    assert!(empty.is_empty(), "{}", empty.join("\n"));
}

#[test]
fn codes_and_names_are_well_formed_and_unique() {
    let registry = Registry::default();
    let declared =
        FAMILIES.iter().flat_map(|family| family.topics.iter().copied().flatten()).count();
    assert_eq!(registry.rules().len(), declared, "two rules share a code");
    let names: BTreeSet<&str> = registry.rules().iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), declared, "two rules share a name");
    for family in FAMILIES {
        for rule in family.topics.iter().copied().flatten() {
            let number = rule.code.strip_prefix(family.prefix).unwrap_or_default();
            let digits = number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
            assert!(digits, "{} in family {}", rule.code, family.prefix);
            assert!(is_kebab(rule.name), "{}: {}", rule.code, rule.name);
        }
    }
}

#[test]
fn cases_and_options_belong_to_their_rule() {
    let wrong = complaints(|rule| {
        let mut wrong = Vec::new();
        let names: BTreeSet<&str> = rule.cases.iter().map(|case| case.name).collect();
        if rule.cases.is_empty() || names.len() != rule.cases.len() {
            wrong.push("no case, or two of one name".to_owned());
        }
        if names.iter().any(|name| !name.is_empty() && !is_kebab(name)) {
            wrong.push("a case's name is not in kebab case".to_owned());
        }
        for option in rule.options {
            if option.rule != rule.code {
                wrong.push(format!("its option {} says {}", option.key, option.rule));
            }
            if option.key == "severity" {
                wrong.push("an option cannot be called severity".to_owned());
            }
            if let DefaultValue::Number { value, least, most } = option.default
                && !(least..=most).contains(&value)
            {
                wrong.push(format!("the default of {} is out of its range", option.key));
            }
        }
        let keys: BTreeSet<&str> = rule.options.iter().map(|option| option.key).collect();
        if keys.len() != rule.options.len() {
            wrong.push("two options of one key".to_owned());
        }
        wrong
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Codes are for ever: a change here is a change of every profile that names them.
#[test]
fn the_list_of_codes_changes_only_on_purpose() {
    let registry = Registry::default();
    let lines: Vec<String> = registry
        .rules()
        .iter()
        .flat_map(|rule| {
            let main = format!("{} {}", rule.code, rule.name);
            let cases = rule.cases.iter().map(|case| {
                let name =
                    if case.name.is_empty() { String::new() } else { format!("/{}", case.name) };
                format!("  {}{name} {}", rule.code, case.severity)
            });
            std::iter::once(main).chain(cases)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
