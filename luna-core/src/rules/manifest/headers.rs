//! Does the manifest say of a picture what its own header says?

use super::{at, manifest};
use crate::conclude::Entry;
use crate::finding::Severity;
use crate::record::DicomFacts;
use crate::rules::{Case, Check, Draft, Rule, Scope, SetContext, Sink, Stage, Status};
use crate::settings::Settings;
use crate::table::{Column, Listed, Matched, years};
use crate::text::shown;

pub(super) static RULES: &[&Rule] = &[&HEADER_MISMATCH];

static HEADER_MISMATCH: Rule = Rule {
    code: "LM009",
    name: "header-mismatch",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Table,
    cases: &[Case::only(Severity::Warning, Stage::Set)],
    options: &[],
    summary: "The manifest gives another patient, study, sex, age, view, side or size than the \
              picture's header.",
    why: "One of the two is wrong: rows were shifted, files mixed up, or laterals labelled PA. Splits by \
          patient then leak.",
    measured: "PatientID, StudyInstanceUID, PatientSex, PatientAge (by more than a year), ViewPosition \
               and laterality of DICOM objects; rows and columns of every picture. Patients and studies \
               are compared through keyed hashes and never shown; where no row at all agrees, the table \
               has numbers of its own and the rule is silent about them. An empty value on either side \
               is no mismatch.",
    how_to_fix: "Find out which of the two is right; if rows are shifted, write the table anew from the \
                 headers.",
    references: &["ieee8023/covid-chestxray-dataset, issue 109: laterals labelled PA"],
    check: Check::Set(mismatches),
};

/// Columns that are compared through hashes.
const HASHED: [Column; 2] = [Column::Patient, Column::Study];

fn mismatches(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    let Some(matched) = manifest(cx) else { return };
    let pairs: Vec<(&Listed, &Entry)> =
        matched.rows().filter_map(|(row, file)| Some((row, cx.entries.get(file?)?))).collect();
    for column in HASHED {
        let same: Vec<(&Listed, &Entry, bool)> = pairs
            .iter()
            .filter_map(|(row, entry)| {
                Some((*row, *entry, agrees(column, row, entry, cx.settings)?))
            })
            .collect();
        // Numbers of the table's own agree nowhere.
        if same.iter().any(|(.., agree)| *agree) {
            for (row, entry, _) in same.iter().filter(|(.., agree)| !agree) {
                let found = "another one in the header".to_owned();
                let given = cx.settings.value(row.get(column).unwrap_or_default());
                differ(matched, row, entry, (column, given, found), out);
            }
        }
    }
    for (row, entry) in pairs {
        for (column, found) in header(entry) {
            let Some(given) = row.get(column) else { continue };
            if !same(column, given, &found) {
                let personal = matches!(column, Column::Age | Column::Sex);
                let said = |text: &str| {
                    if personal { cx.settings.value(text) } else { shown(text) }
                };
                let values = (column, said(given), said(&found));
                differ(matched, row, entry, values, out);
            }
        }
    }
}

/// Whether a hashed value is the header's; `None` if one of them has none.
fn agrees(column: Column, row: &Listed, entry: &Entry, settings: &Settings) -> Option<bool> {
    let identity = entry.record.identity.as_ref()?;
    let (level, hash) = match column {
        Column::Patient => ("patient-id", identity.patient_id?),
        _ => ("study", identity.study?),
    };
    Some(settings.identity_key().hash(&[level, row.get(column)?]) == hash)
}

/// What a header says, as far as it says something.
fn header(entry: &Entry) -> Vec<(Column, String)> {
    let facts = &entry.record.facts;
    let text = |get: fn(&DicomFacts) -> Option<&str>| {
        facts.dicom.as_deref().and_then(get).map(str::to_owned)
    };
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    [
        (Column::Sex, text(|it| it.sex.as_deref())),
        (Column::Age, entry.record.age_years.map(|age| age.to_string())),
        (Column::View, text(|it| it.view_position.as_deref())),
        (Column::Laterality, text(|it| it.laterality.as_deref())),
        (Column::Rows, number(facts.height)),
        (Column::Columns, number(facts.width)),
    ]
    .into_iter()
    .filter_map(|(column, value)| Some((column, value.filter(|value| !value.trim().is_empty())?)))
    .collect()
}

fn same(column: Column, given: &str, found: &str) -> bool {
    match column {
        Column::Age => match (years(given), found.parse::<f64>()) {
            (Some(given), Ok(found)) => (given - found).abs() <= 1.0,
            // An open age (`90+`) cannot be compared.
            _ => true,
        },
        // Unknown is no contradiction.
        Column::Sex if given == "U" => true,
        _ => given.trim().eq_ignore_ascii_case(found.trim()),
    }
}

fn differ(
    matched: &Matched<'_>,
    row: &Listed,
    entry: &Entry,
    (column, given, found): (Column, String, String),
    out: &mut Sink<'_>,
) {
    let path = entry.item.path.as_str();
    let message =
        format!("Column {} says of `{}` what its header does not.", column.id(), shown(path));
    let draft = Draft::new(message).found(given).expected(found).related([path]);
    out.fire("", at(matched, row, column, draft));
}
