//! Text of DICOM values: bytes in the character sets of SpecificCharacterSet, with ISO 2022 escapes
//! (PS3.5 section 6.1.2, PS3.3 C.12.1.1.2).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_encoding::text::{SpecificCharacterSet, TextCodec as _};

/// Character sets in force for a data set: the first, and those that escapes may switch to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Charsets(Vec<SpecificCharacterSet>);

impl Default for Charsets {
    fn default() -> Self {
        Self(vec![SpecificCharacterSet::ISO_IR_6])
    }
}

impl Charsets {
    /// The character sets of a SpecificCharacterSet value; unknown ones are read as the default.
    pub(super) fn named(value: &[u8]) -> Self {
        let value = String::from_utf8_lossy(value);
        let sets: Vec<_> = value
            .split('\\')
            .take(8)
            .map(|code| SpecificCharacterSet::from_code(code.trim_matches([' ', '\0'])))
            .map(|set| set.unwrap_or(SpecificCharacterSet::ISO_IR_6))
            .collect();
        Self(sets)
    }

    /// Decodes a value; several values stay separated by `\`. Bytes that are not valid become
    /// U+FFFD.
    pub(super) fn decode(&self, bytes: &[u8]) -> String {
        if bytes.is_ascii() && !bytes.contains(&ESC) {
            return bytes.iter().map(|byte| char::from(*byte)).collect();
        }
        let first = self.0.first().unwrap_or(&SpecificCharacterSet::ISO_IR_6);
        if *first == SpecificCharacterSet::ISO_IR_192 {
            return String::from_utf8_lossy(bytes).into_owned();
        }
        let mut text = String::new();
        for (at, run) in bytes.split(|byte| *byte == ESC).enumerate() {
            match escape(run).filter(|_| at > 0) {
                Some((switch, length)) => {
                    switch.decode(run.get(length..).unwrap_or_default(), first, &mut text);
                }
                None => decode_run(first, first, run, &mut text),
            }
        }
        text
    }
}

/// Decodes a run between escapes. Each value begins in the first character set again.
fn decode_run(
    set: &SpecificCharacterSet,
    first: &SpecificCharacterSet,
    run: &[u8],
    text: &mut String,
) {
    for (at, value) in values(run, is_double_byte(set)).into_iter().enumerate() {
        if at > 0 {
            text.push('\\');
        }
        text.push_str(&decoded(if at == 0 { set } else { first }, value));
    }
}

const ESC: u8 = 0x1B;

/// What an escape switches to (PS3.3, tables C.12-3 and C.12-4).
#[derive(Clone, Copy, Debug)]
enum Switch {
    /// A set of one byte a character, or one whose two-byte characters all have their high bits set.
    To(&'static str),
    /// JIS X 0208: two bytes without high bits; the codec knows it by its escape alone.
    Kanji,
    /// JIS X 0212: two bytes without high bits; no codec.
    Unreadable,
}

const ESCAPES: &[(&[u8], Switch)] = &[
    (b"(B", Switch::To("ISO_IR 6")),
    (b"-A", Switch::To("ISO_IR 100")),
    (b"-B", Switch::To("ISO_IR 101")),
    (b"-C", Switch::To("ISO_IR 109")),
    (b"-D", Switch::To("ISO_IR 110")),
    (b"-F", Switch::To("ISO_IR 126")),
    (b"-G", Switch::To("ISO_IR 127")),
    (b"-H", Switch::To("ISO_IR 138")),
    (b"-L", Switch::To("ISO_IR 144")),
    (b"-T", Switch::To("ISO_IR 166")),
    (b"(J", Switch::To("ISO_IR 13")),
    (b")I", Switch::To("ISO_IR 13")),
    (b"$)C", Switch::To("ISO_IR 149")),
    (b"$)A", Switch::To("ISO 2022 IR 58")),
    (b"$B", Switch::Kanji),
    (b"$(D", Switch::Unreadable),
];

/// The escape (without its ESC) at the start of a run, and its length.
fn escape(run: &[u8]) -> Option<(Switch, usize)> {
    let (escape, switch) = ESCAPES.iter().find(|(escape, _)| run.starts_with(escape))?;
    Some((*switch, escape.len()))
}

impl Switch {
    fn decode(self, run: &[u8], first: &SpecificCharacterSet, text: &mut String) {
        if let Self::To(code) = self {
            return decode_run(&named(code), first, run, text);
        }
        // Any printable byte may be half a character; control characters end a two-byte set.
        let end = run.iter().position(|byte| *byte < 0x20);
        let (double, single) = run.split_at(end.unwrap_or(run.len()));
        if matches!(self, Self::Kanji) {
            let escaped = [b"\x1B$B".as_slice(), double, b"\x1B(B"].concat();
            text.push_str(&decoded(&named("ISO_IR 87"), &escaped));
        } else {
            text.extend(double.chunks(2).map(|_| char::REPLACEMENT_CHARACTER));
        }
        decode_run(first, first, single, text);
    }
}

fn named(code: &str) -> SpecificCharacterSet {
    SpecificCharacterSet::from_code(code).unwrap_or(SpecificCharacterSet::ISO_IR_6)
}

/// True for sets whose second bytes may be a backslash.
fn is_double_byte(set: &SpecificCharacterSet) -> bool {
    matches!(set.name().as_ref(), "GB18030" | "GBK")
}

/// Splits at backslashes that are no second byte.
fn values(bytes: &[u8], double_byte: bool) -> Vec<&[u8]> {
    let mut is_second = false;
    bytes
        .split(|byte| {
            let separates = *byte == b'\\' && !is_second;
            is_second = double_byte && !is_second && *byte > 0x80;
            separates
        })
        .collect()
}

/// Decodes a piece without separators. No character set here has a backslash but as one.
fn decoded(codec: &SpecificCharacterSet, bytes: &[u8]) -> String {
    let Ok(text) = codec.decode(bytes) else {
        return String::from_utf8_lossy(bytes).into_owned();
    };
    if !text.contains('\\') {
        return text;
    }
    // The codec writes bytes that it cannot read as a backslash and three octal digits.
    let mut pieces = text.split('\\');
    let mut mended = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        mended.push(char::REPLACEMENT_CHARACTER);
        mended.push_str(piece.get(3..).unwrap_or_default());
    }
    mended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_names_switch_sets_by_escapes() {
        let sets = Charsets::named(b"\\ISO 2022 IR 87");
        let name = b"Yamada^Tarou=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B";
        assert_eq!(sets.decode(name), "Yamada^Tarou=\u{5c71}\u{7530}^\u{592a}\u{90ce}");
        // Halves of these characters are `^` and `\\`.
        assert_eq!(sets.decode(b"\x1B$B$^$\\\x1B(B\\x"), "\u{307e}\u{307c}\\x");
    }

    #[test]
    fn a_second_byte_is_no_separator() {
        let text = Charsets::named(b"GB18030").decode(b"\x81\x5Ca\\b");
        assert_eq!(text.split('\\').count(), 2, "{text}");
    }

    #[test]
    fn bytes_that_are_not_valid_become_replacement_characters() {
        assert_eq!(Charsets::named(b"ISO_IR 192").decode(b"a\xFFb"), "a\u{fffd}b");
        assert_eq!(Charsets::named(b"ISO_IR 109").decode(b"a\xA5b"), "a\u{fffd}b");
        assert_eq!(Charsets::default().decode(b"M\xFCller\\x"), "M\u{fc}ller\\x");
    }
}
