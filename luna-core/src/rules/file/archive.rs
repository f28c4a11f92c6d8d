//! What is wrong with an archive or its members, as findings of the rules that it belongs to. Each of
//! those rules has a case `member` (under the member) and a case `source` (about the archive).

use crate::finding::Location;
use crate::rules::{Draft, NameContext, SetContext, Sink};
use crate::source::Defect;
use crate::text::{bytes, counted, grouped, shown};

/// Findings of this rule about one member.
pub(super) fn member(cx: &NameContext<'_>, out: &mut Sink<'_>) {
    for defect in &cx.item.defects {
        if rule_of(defect) == out.code() {
            let case = if *defect == Defect::UnmarkedName { "odd-name" } else { "member" };
            out.fire(case, draft(defect));
        }
    }
}

/// Findings of this rule about the archive that is the source.
pub(super) fn source(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    for (name, defect) in cx.defects {
        if rule_of(defect) == out.code() {
            let mut draft = draft(defect).among(name);
            if let Some(offset) = offset(defect) {
                draft = draft.at(Location::Byte { offset });
            }
            out.fire("source", draft);
        }
    }
}

fn rule_of(defect: &Defect) -> &'static str {
    match defect {
        Defect::Truncated { .. } => "LF004",
        Defect::Checksum { .. } => "LF005",
        Defect::Stray { .. } => "LF006",
        Defect::Undecodable { .. } => "LF007",
        Defect::OverBudget { .. } => "LF008",
        Defect::Unsupported { .. } => "LF010",
        Defect::Encrypted | Defect::Ambiguous { .. } | Defect::UnmarkedName => "LF011",
    }
}

fn offset(defect: &Defect) -> Option<u64> {
    match defect {
        Defect::Truncated { offset, .. }
        | Defect::Checksum { offset, .. }
        | Defect::Undecodable { offset, .. }
        | Defect::Stray { offset, .. } => Some(*offset),
        _ => None,
    }
}

fn draft(defect: &Defect) -> Draft {
    match defect {
        Defect::Truncated { what, offset, missing } => truncated(what, *offset, *missing),
        Defect::Checksum { what, offset, stored, computed } => {
            let at = grouped(*offset);
            Draft::new(format!("The archive's checksum of {what} (byte {at}) does not fit."))
                .found(format!("{stored:08x}"))
                .expected(format!("{computed:08x}"))
                .help("Make or copy the archive again from the original files.")
        }
        Defect::OverBudget { limit, allowed, seen } => over_budget(limit, *allowed, *seen),
        Defect::Unsupported { encoding } => {
            let encoding = shown(encoding);
            Draft::new(format!("Uses {encoding}, which is known, but not read by this version."))
                .found(encoding)
                .expected("stored or deflated members")
                .help("Pack it again with an ordinary method: `zip -r`, or `tar czf`.")
        }
        Defect::Undecodable { reason, offset } => {
            let at = grouped(*offset);
            Draft::new(format!("The archive cannot be read on: {reason} (byte {at})."))
                .help("Make or copy the archive again from the original files.")
        }
        Defect::Encrypted => Draft::new("Is encrypted; nobody without the password can read it.")
            .help("Pack the data set without a password.")
            .expected("no password"),
        Defect::Ambiguous { reason } => Draft::new(format!("{reason}.")).help(
            "Make the archive again with an ordinary tool; programs read this one differently.",
        ),
        Defect::Stray { place, offset, bytes } => {
            let at = grouped(*offset);
            let count = counted(*bytes, "byte");
            let verb = if *bytes == 1 { "stands" } else { "stand" };
            Draft::new(format!("{count} {verb} {place} (byte {at}) and belong to no member."))
                .found(count)
                .expected("nothing")
                .help("Make the archive again; an ordinary tool leaves nothing in between.")
        }
        Defect::UnmarkedName => {
            Draft::new("The archive does not say in which encoding the name is written.")
                .expected("a name that is marked as UTF-8")
                .help("Pack it again with a tool that marks names as UTF-8, or use ASCII names.")
        }
    }
}

fn truncated(what: &str, offset: u64, missing: Option<u64>) -> Draft {
    let at = grouped(offset);
    Draft::new(match missing {
        Some(missing) => {
            format!("The archive stops inside {what} at byte {at}; {} missing.", lack(missing))
        }
        None => format!("The archive stops before {what} is complete (byte {at})."),
    })
    .help("Make or copy the archive again; what was cut cannot be read by anybody.")
}

fn over_budget(limit: &str, allowed: u64, seen: u64) -> Draft {
    let (allowed, seen) = match limit {
        "text_bytes" | "archive_window" => (bytes(allowed), bytes(seen)),
        _ => (grouped(allowed), grouped(seen)),
    };
    Draft::new(format!(
        "The archive asks for {seen} where `{limit}` allows {allowed}; what comes after was not \
         looked at."
    ))
    .found(seen)
    .expected(format!("at most {allowed}"))
}

fn lack(missing: u64) -> String {
    let verb = if missing == 1 { "is" } else { "are" };
    format!("{} {verb}", counted(missing, "byte"))
}
