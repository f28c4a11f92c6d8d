//! What file names tell: debris, documents, and what makes a name unsafe or odd. Text in, words out;
//! no file is opened here.

use unicode_normalization::UnicodeNormalization as _;

use crate::probe::{Family, Format};
use crate::record::{Facts, Kind};
use crate::source::ItemPath;
use crate::text;

/// Files that operating systems and viewers leave behind, in lower case.
const DEBRIS: [&str; 6] =
    ["thumbs.db", "ehthumbs.db", "desktop.ini", "dicomdir", "icon\r", "__macosx"];

/// Names of documents, in upper case and without ending.
const DOCUMENTS: [&str; 12] = [
    "README",
    "LICENSE",
    "LICENCE",
    "COPYING",
    "NOTICE",
    "CITATION",
    "CHANGELOG",
    "SOURCES",
    "AUTHORS",
    "CONTRIBUTING",
    "SHA256SUMS",
    "MD5SUMS",
];

/// Names that Windows keeps for devices, in upper case.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// What a file is to the data set, once its name is known: hidden files and debris, documents, or
/// what its bytes say.
pub(crate) fn kind_of(path: &ItemPath, facts: &Facts) -> Kind {
    if path.is_debris() {
        return Kind::Debris;
    }
    let is_picture = facts.format.is_some_and(|format| {
        matches!(format.family(), Family::Picture | Family::OtherPicture | Family::Archive)
    });
    if !is_picture && is_document(path.file_name(), &path.extension()) {
        return Kind::Document;
    }
    facts.kind
}

pub(crate) fn is_debris(part: &str) -> bool {
    let lower = part.to_ascii_lowercase();
    (part.starts_with('.') && part != "." && part != "..")
        || part.starts_with("~$")
        || DEBRIS.contains(&lower.as_str())
}

fn is_document(name: &str, extension: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let plain = ["", "txt", "md", "rst", "cff", "bib", "html", "pdf"].contains(&extension);
    matches!(extension, "md" | "sha256" | "md5") || (plain && DOCUMENTS.contains(&stem.as_str()))
}

/// Why a path must not be used to name a file: it leaves its folder, or ends early.
pub(crate) fn unsafe_because(path: &str) -> Option<&'static str> {
    let drive = path.as_bytes().get(1) == Some(&b':')
        && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    if path.contains('\0') {
        Some("holds a NUL character")
    } else if path.starts_with('/') || path.starts_with('\\') || drive {
        Some("is absolute")
    } else if path.split(['/', '\\']).any(|part| part == "..") {
        Some("climbs out of its folder with `..`")
    } else {
        None
    }
}

/// Why a name will give somebody trouble.
pub(crate) fn odd_because(path: &ItemPath) -> Option<&'static str> {
    let text = path.as_str();
    if !path.is_utf8() {
        return Some("is not UTF-8");
    }
    if text.chars().any(text::is_bidi) {
        return Some("holds characters that turn the direction of writing");
    }
    if text.chars().any(text::is_zero_width) {
        return Some("holds characters that cannot be seen");
    }
    if text.chars().any(char::is_control) {
        return Some("holds control characters");
    }
    text.split('/').find_map(odd_part)
}

fn odd_part(part: &str) -> Option<&'static str> {
    let stem = part.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() == 1 && rest.bytes().all(|digit| digit.is_ascii_digit() && digit != b'0')
        })
    };
    if DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT") {
        Some("is the name of a device on Windows")
    } else if part.contains(['<', '>', ':', '"', '|', '?', '*', '\\']) {
        Some("holds characters that Windows does not allow")
    } else if part.ends_with(['.', ' ']) || part.starts_with(' ') {
        Some("begins or ends with a space, or ends with a dot")
    } else if part.starts_with(['=', '+', '-', '@']) {
        Some("begins like a formula or an option")
    } else {
        None
    }
}

/// The form under which two names are one on file systems that ignore case or Unicode form.
pub(crate) fn folded(path: &str) -> String {
    path.nfc().flat_map(char::to_lowercase).collect()
}

/// The format whose usual ending this is.
pub(crate) fn format_of_extension(extension: &str) -> Option<Format> {
    Format::ALL.iter().copied().find(|format| format.extensions().contains(&extension))
}

/// Why a text could act where it is shown: markup, script, terminal escapes.
pub(crate) fn active_because(text: &str) -> Option<&'static str> {
    const MARKUP: [&str; 8] =
        ["<script", "<iframe", "<img", "<svg", "<object", "<embed", "<a href", "<!--"];
    let lower = text.to_ascii_lowercase();
    if text.contains('\u{1b}') || text.contains('\u{9b}') {
        Some("terminal escapes")
    } else if MARKUP.iter().any(|tag| lower.contains(tag)) {
        Some("markup")
    } else if lower.contains("javascript:") || has_handler(&lower) {
        Some("script")
    } else {
        None
    }
}

/// `onerror=`, `onload =`, … as they stand in markup.
fn has_handler(lower: &str) -> bool {
    ["onerror", "onload", "onclick", "onmouseover", "onfocus"]
        .iter()
        .any(|handler| lower.split(handler).skip(1).any(|rest| rest.trim_start().starts_with('=')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str) -> Kind {
        kind_of(&path.into(), &Facts::unknown(1))
    }

    #[test]
    fn debris_and_documents_are_told_by_their_names() {
        for path in [".DS_Store", "a/Thumbs.db", "__MACOSX/a.png", ".hidden/b.png", "DICOMDIR"] {
            assert_eq!(kind(path), Kind::Debris, "{path}");
        }
        for path in ["README", "docs/readme.TXT", "LICENSE", "notes.md", "set/SHA256SUMS"] {
            assert_eq!(kind(path), Kind::Document, "{path}");
        }
        for path in ["notes.txt", "a.png", "README.exe", "../a"] {
            assert_eq!(kind(path), Kind::Unknown, "{path}");
        }
    }

    #[test]
    fn a_picture_called_readme_stays_a_picture() {
        let facts = Facts { format: Some(Format::Png), kind: Kind::Image, ..Facts::unknown(1) };
        assert_eq!(kind_of(&"README.md".into(), &facts), Kind::Image);
    }

    #[test]
    fn names_that_leave_their_folder_are_unsafe() {
        for path in ["/a", "a/../../b", "..\\a", "C:a", "a\0.png"] {
            assert!(unsafe_because(path).is_some(), "{path:?}");
        }
        for path in ["a", "a..b/c", "…/a.png"] {
            assert_eq!(unsafe_because(path), None, "{path:?}");
        }
    }

    #[test]
    fn names_that_give_trouble_are_odd() {
        for path in
            ["a\u{202e}gpj.exe", "a\u{200b}", "a\tb", "NUL.png", "x/com1", "a?", "a.", "=1+1"]
        {
            assert!(odd_because(&path.into()).is_some(), "{path:?}");
        }
        for path in ["scan 1.png", "ä/ö.dcm", "COM10.png", "conus.png", "a-b.png"] {
            assert_eq!(odd_because(&path.into()), None, "{path:?}");
        }
    }

    #[test]
    fn text_that_acts_is_told_from_text_that_does_not() {
        for text in ["<ScRipt>", "x onerror = 1", "\u{1b}[31m", "JavaScript:alert(1)"] {
            assert!(active_because(text).is_some(), "{text:?}");
        }
        for text in ["a < b > c", "Fuji", "on error = stop", "FOR PRESENTATION"] {
            assert_eq!(active_because(text), None, "{text:?}");
        }
    }
}
