//! Is there a manifest, and does it count what is there?

use std::collections::BTreeSet;

use super::manifest;
use crate::digest::Digest;
use crate::finding::Severity;
use crate::record::Kind;
use crate::rules::{Case, Check, Draft, Rule, Scope, SetContext, Sink, Stage, Status};
use crate::table::Column;
use crate::text::{counted, grouped};

pub(super) static RULES: &[&Rule] = &[&MANIFEST_MISSING, &COUNT_MISMATCH];

static MANIFEST_MISSING: Rule = Rule {
    code: "LM001",
    name: "manifest-missing",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("", Severity::Error, Stage::Set, "the profile wants one, and there is none"),
        Case::new("several", Severity::Warning, Stage::Set, "there are several candidates"),
    ],
    options: &[],
    summary: "The profile requires a manifest and none was found, or there are several and only the \
              first was read.",
    why: "A manifest is the only way to see that a file is missing, was added or has changed. Of two \
          that differ, nobody knows which is right.",
    measured: "Looked for at the root of the data set: `manifest.json`, `.csv`, `.tsv`, `.parquet`, \
               `SHA256SUMS`, `*.sha256`, `MD5SUMS`, `*.md5`; the first in this order counts. With \
               `--manifest FILE` none is looked for. The profile asks for one by `[manifest] required \
               = true`.",
    how_to_fix: "Put a manifest at the root of the data set (`sha256sum` writes one, `luna schema \
                 manifest` describes the JSON form), or name it with `--manifest`.",
    references: &["Public data sets are published with one, e.g. SHA256SUMS.txt of PhysioNet"],
    check: Check::Set(presence),
};

fn presence(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    let used = manifest(cx).map(crate::table::Matched::table);
    if used.is_none() && cx.settings.profile().manifest.required {
        let draft = Draft::new("There is no manifest, and the profile requires one.")
            .expected("manifest.json, manifest.csv, SHA256SUMS or the like at the root");
        out.fire("", draft);
    }
    // Whoever named one has chosen.
    if let Some(used) = used.filter(|it| !it.is_outside() && !cx.left.is_empty()) {
        let used = used.name();
        let message = format!(
            "There are {} manifests; `{}` is used, the others were not read.",
            grouped(cx.left.len() as u64 + 1),
            crate::text::shown(used)
        );
        let all = std::iter::once(used).chain(cx.left.iter().map(String::as_str));
        let help = "Keep one of them, or say which counts with `--manifest`.";
        out.fire("several", Draft::new(message).related(all).expected("one").help(help));
    }
}

static COUNT_MISMATCH: Rule = Rule {
    code: "LM010",
    name: "count-mismatch",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Table,
    cases: &[Case::only(Severity::Error, Stage::Set)],
    options: &[],
    summary: "The manifest declares another number of images or patients than there are.",
    why: "Whoever wrote it counted another set: something was lost, or added, since.",
    measured: "`images` of `manifest.json` against the images of the set; `patients` against the \
               different patients that the manifest names, or, where it names none, those of the DICOM \
               headers if all images have one. Silent if the run was cut short.",
    how_to_fix: "Find the files that are missing (LM006) or too many (LM007), or correct the number.",
    references: &["`luna schema manifest`, `images` and `patients`"],
    check: Check::Set(counts),
};

fn counts(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    let Some(matched) = manifest(cx).filter(|_| !cx.partial) else { return };
    let (images, patients) = matched.table().declared();
    let mut compare = |noun: &str, declared: Option<u64>, found: Option<u64>| {
        let (Some(declared), Some(found)) = (declared, found) else { return };
        if declared != found {
            let message =
                format!("Declares {}, the set has {}.", counted(declared, noun), grouped(found));
            let pointer = format!("/{noun}s");
            let draft = Draft::new(message)
                .about(matched.table().name())
                .at(crate::finding::Location::Key { pointer })
                .found(counted(found, noun))
                .expected(counted(declared, noun));
            out.fire("", draft);
        }
    };
    let is_image = |kind| kind == Kind::Image;
    let seen = cx.entries.iter().filter(|entry| is_image(entry.record.facts.kind));
    compare("image", images, Some(seen.clone().count() as u64));
    let named: BTreeSet<&str> =
        matched.rows().filter_map(|(row, _)| row.get(Column::Patient)).collect();
    let in_headers: Option<BTreeSet<Digest>> =
        seen.map(|entry| entry.record.identity.as_ref()?.patient).collect();
    let found = if named.is_empty() { in_headers.map(|set| set.len()) } else { Some(named.len()) };
    compare("patient", patients, found.map(|count| count as u64));
}
