//! Is the name safe to use, here and elsewhere?

use super::archive;
use crate::finding::Severity;
use crate::names::{folded, odd_because, unsafe_because};
use crate::rules::{Case, Check, Draft, NameContext, Rule, Scope, Sink, Stage, Status};
use crate::source::ItemKind;

pub(super) static RULES: &[&Rule] = &[&UNSAFE_PATH];

static UNSAFE_PATH: Rule = Rule {
    code: "LF011",
    name: "unsafe-path",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("", Severity::Error, Stage::Name, "absolute, `..` or NUL in a path"),
        Case::new("link", Severity::Error, Stage::Name, "a link, device, pipe or socket"),
        Case::new("collision", Severity::Error, Stage::Name, "two names that are one elsewhere"),
        Case::new("odd-name", Severity::Warning, Stage::Name, "a name that will give trouble"),
        Case::new(
            "member",
            Severity::Error,
            Stage::Name,
            "an archive's member that is encrypted, doubled or described in two ways",
        ),
        Case::new(
            "source",
            Severity::Error,
            Stage::Set,
            "an archive that programs read in two ways",
        ),
    ],
    options: &[],
    summary: "A name leads out of the data set, is no plain file, means another file on other systems, \
              or cannot be written or shown everywhere.",
    why: "Whoever unpacks or copies the set may overwrite a file, lose one of two, or run what a name \
          smuggles into a spreadsheet or terminal. Links are never followed, so what they point to \
          is missing.",
    measured: "Names are compared after Unicode NFC and lower-casing. Odd are: control, bidirectional \
               and zero-width characters, bytes that are not UTF-8, what Windows cannot store, and \
               beginnings of formulas. In archives: local against central headers (name, method, \
               sizes, checksum, flags), PAX against ustar sizes, members of one name, members that \
               share bytes, a second end, members that are encrypted or missing in the directory.",
    how_to_fix: "Rename the file with plain letters, digits, dashes and dots; put files in place of \
                 links.",
    references: &[
        "CWE-22: Path Traversal",
        "CWE-61: Symlink Following",
        "Unicode Standard Annex 15",
    ],
    check: Check::All(&[
        Check::Name(unsafe_path),
        Check::Name(archive::member),
        Check::Set(archive::source),
    ]),
};

fn unsafe_path(cx: &NameContext<'_>, out: &mut Sink<'_>) {
    let path = cx.item.path.as_str();
    if let Some(reason) = unsafe_because(path) {
        out.fire("", Draft::new(format!("The path {reason}.")));
    }
    let other = match cx.item.kind {
        ItemKind::Link => {
            Some("A link, which is never followed; what it points to is not validated.")
        }
        ItemKind::Special => Some("A device, pipe or socket, which is never opened."),
        ItemKind::File | ItemKind::UnreadableFolder => None,
    };
    if let Some(message) = other {
        out.fire("link", Draft::new(message).expected("a plain file"));
    }
    if let Some(twin) = cx.twin() {
        let message = "Differs from another name in case or Unicode form alone; many systems hold only one of them.";
        out.fire("collision", Draft::new(message).related([twin]));
    }
    if let Some(reason) = odd_because(&cx.item.path) {
        out.fire("odd-name", Draft::new(format!("The name {reason}.")));
    }
}

impl NameContext<'_> {
    /// Another path of the set that is the same where case and Unicode form do not count.
    fn twin(&self) -> Option<&str> {
        let own = self.item.path.as_str();
        let twins = self.folded.get(&folded(own))?;
        twins.iter().copied().find(|twin| *twin != own)
    }
}
