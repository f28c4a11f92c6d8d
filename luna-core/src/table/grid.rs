//! Tables of rows and columns, and lists of checksums: which column is which, which cells are valid.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::HashMap;

use super::complaint::{About, Complaint, cell};
use super::delimited::{self, Row};
use super::{Column, Listed, Role, Table, reference, sums};
use crate::settings::Settings;
use crate::text::{grouped, nearest, shown};

/// Reads CSV, TSV and the like.
pub(super) fn read(bytes: &[u8], settings: &Settings, table: &mut Table) {
    let mut rows = delimited::read(bytes, settings.limits(), &mut table.complaints).into_iter();
    let Some((number, header)) = rows.next() else {
        if !table.complaints.is_broken() {
            let complaint = Complaint::new(About::Broken, "Holds no row, not even a header.");
            table.complaints.push(complaint.expected("a header with column names"));
        }
        return;
    };
    let meanings = meanings(&header, number, settings, table);
    missing(&header, settings, table);
    for row in rows {
        let listed = cells(&row, &header, &meanings, settings, table);
        table.rows.push(listed);
    }
}

/// Reads a list of checksums.
pub(super) fn read_sums(
    bytes: &[u8],
    digits: Option<usize>,
    settings: &Settings,
    table: &mut Table,
) {
    let sums = sums::read(bytes, digits, settings.limits(), &mut table.complaints);
    let md5 = digits == Some(32) || sums.first().is_some_and(|sum| sum.digits.len() == 32);
    let column = if md5 { Column::Md5 } else { Column::Sha256 };
    table.columns = vec![(Column::File, String::new()), (column, String::new())];
    for sum in sums {
        let mut cells = vec![(column, sum.digits.into_boxed_str())];
        if let Some(path) = path(&sum.path, super::complaint::row(sum.line), table) {
            cells.push((Column::File, path.into_boxed_str()));
        }
        table.rows.push(Listed { number: sum.line, cells });
    }
}

/// What each column means; `None` for one that nobody asked for.
fn meanings(
    header: &[String],
    number: u64,
    settings: &Settings,
    table: &mut Table,
) -> Vec<Option<Column>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut taken: Vec<Column> = Vec::new();
    let mut meanings = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let position = at.saturating_add(1);
        let folded = name.trim().to_lowercase();
        let place = || cell(number, &position.to_string());
        if folded.is_empty() {
            let message = format!("Column {position} has no name (pandas: `index=False`).");
            let complaint = Complaint::new(About::Broken, message).at(place());
            table.complaints.push(complaint.expected("a name in every column's header"));
        } else if let Some(first) = seen.insert(folded.clone(), position) {
            let message =
                format!("Columns {first} and {position} are both called `{}`.", shown(name));
            let complaint = Complaint::new(About::Broken, message).at(place());
            table.complaints.push(complaint.expected("each name once"));
        }
        let meaning = meaning(&folded, settings).filter(|column| !taken.contains(column));
        if let Some(column) = meaning {
            taken.push(column);
            table.columns.push((column, name.trim().to_owned()));
        } else if !folded.is_empty() && table.role == Role::Manifest {
            unknown(name, number, position, table);
        }
        meanings.push(meaning);
    }
    meanings
}

fn meaning(folded: &str, settings: &Settings) -> Option<Column> {
    let own = &settings.profile().manifest.columns;
    let renamed = own.iter().find(|(_, name)| name.trim().to_lowercase() == folded);
    if let Some((id, _)) = renamed {
        return Column::ALL.into_iter().find(|column| column.id() == id);
    }
    // A column with a name of its own is not looked for under the usual ones.
    Column::ALL
        .into_iter()
        .filter(|column| !own.contains_key(column.id()))
        .find(|column| column.names().contains(&folded))
}

fn unknown(name: &str, row: u64, position: usize, table: &mut Table) {
    let known = || Column::ALL.into_iter().flat_map(|column| column.names().iter().copied());
    let folded = name.trim().to_lowercase();
    let near = nearest(&folded, known()).filter(|near| *near != folded);
    let hint = near.map_or(String::new(), |near| format!(" Is `{near}` meant?"));
    let message =
        format!("Nothing is known of the column `{}`; it was not looked at.{hint}", shown(name));
    let complaint = Complaint::new(About::Unknown, message)
        .at(cell(row, &position.to_string()))
        .found(shown(name));
    table.complaints.push(match near {
        Some(near) => complaint.expected(near),
        None => complaint,
    });
}

/// Columns that must be there and are not.
fn missing(header: &[String], settings: &Settings, table: &mut Table) {
    let policy = &settings.profile().manifest;
    let mut required = vec![Column::File];
    if table.role == Role::Manifest {
        required.extend(policy.require.iter().copied().filter(|column| *column != Column::File));
    }
    for column in required {
        if table.has(column) {
            continue;
        }
        let named = policy.columns.get(column.id()).map(|name| vec![name.as_str()]);
        let names = named.unwrap_or_else(|| column.names().to_vec());
        let near = header.iter().find_map(|name| {
            let folded = name.trim().to_lowercase();
            nearest(&folded, names.iter().copied()).map(|near| (name, near))
        });
        let hint = near.map_or(String::new(), |(name, near)| {
            format!(" Rename `{}` to `{near}`, if that is the one.", shown(name))
        });
        let message = format!("There is no column that gives the {}.{hint}", title(column));
        let complaint = Complaint::new(About::Missing, message).at(super::complaint::row(1));
        table
            .complaints
            .push(complaint.expected(format!("a column called {}", names.join(" or "))));
    }
}

fn title(column: Column) -> &'static str {
    match column {
        Column::File => "file",
        Column::Rows => "number of rows",
        Column::Columns => "number of columns",
        Column::Sha256 => "SHA-256",
        Column::Md5 => "MD5",
        other => other.id(),
    }
}

/// The cells of a row that say something.
fn cells(
    (number, texts): &Row,
    header: &[String],
    meanings: &[Option<Column>],
    settings: &Settings,
    table: &mut Table,
) -> Listed {
    let mut cells = Vec::new();
    for ((text, name), meaning) in texts.iter().zip(header).zip(meanings) {
        let place = || cell(*number, name.trim());
        if is_formula(text) {
            let message = "The cell begins like a formula; a spreadsheet would run it.";
            let complaint = Complaint::new(About::Formula, message).at(place());
            table.complaints.push(complaint.found(settings.value(text)));
        }
        let Some(column) = *meaning else { continue };
        if column == Column::File {
            if let Some(path) = path(text, place(), table) {
                cells.push((column, path.into_boxed_str()));
            }
        } else if !text.trim().is_empty() {
            match column.taken(text) {
                Ok(value) => cells.push((column, value.into_boxed_str())),
                Err(expected) => {
                    let found =
                        if column.is_personal() { settings.value(text) } else { shown(text) };
                    let message = format!(
                        "Row {}, column `{}`: {found} is not {expected}.",
                        grouped(*number),
                        shown(name)
                    );
                    let complaint = Complaint::new(About::Invalid, message).at(place());
                    table.complaints.push(complaint.found(found).expected(expected));
                }
            }
        } else if settings.profile().manifest.require.contains(&column)
            && table.role == Role::Manifest
        {
            let message = format!("Row {}: the {} is empty.", grouped(*number), title(column));
            table.complaints.push(Complaint::new(About::Invalid, message).at(place()));
        }
    }
    Listed { number: *number, cells }
}

/// A path that may be looked for.
pub(super) fn path(
    text: &str,
    place: crate::finding::Location,
    table: &mut Table,
) -> Option<String> {
    let expected = "a path inside the data set";
    if text.trim().is_empty() {
        let message = "The path is empty.";
        let complaint = Complaint::new(About::Invalid, message).at(place);
        table.complaints.push(complaint.expected(expected));
        return None;
    }
    if let Some(reason) = reference::refused(text) {
        let message = format!("`{}` {reason}; it was not looked for.", shown(text));
        let complaint = Complaint::new(About::Reference, message).at(place);
        table.complaints.push(complaint.found(shown(text)).expected(expected));
        return None;
    }
    Some(reference::normal(text).to_owned())
}

/// What a spreadsheet would take for a formula; a plain number is none, nor is a lone dash.
fn is_formula(text: &str) -> bool {
    let text = text.trim_start_matches(' ');
    let Some(first) = text.chars().next() else { return false };
    if !matches!(first, '=' | '+' | '-' | '@' | '\t') || text.trim().len() == 1 {
        return false;
    }
    text.trim().parse::<f64>().is_err() && text.trim() != "--"
}
