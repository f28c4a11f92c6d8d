//! The report as one JSON document: ASCII, two spaces a level, keys in the order of the types.

use std::io::{self, Write};

use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::Report;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write_pretty(report, out)
}

/// A document with two spaces a level, ASCII only.
pub(super) fn write_pretty(value: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut pretty = Serializer::with_formatter(&mut *out, Ascii(PrettyFormatter::new()));
    value.serialize(&mut pretty)?;
    out.write_all(b"\n")
}

/// A value on one line, ASCII only.
pub(super) fn write_line(value: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut compact = Serializer::with_formatter(&mut *out, Ascii(CompactFormatter));
    value.serialize(&mut compact)?;
    out.write_all(b"\n")
}

/// Writes what is not ASCII as `\uXXXX`, and leaves the layout to `F`.
struct Ascii<F>(F);

macro_rules! leave_to_inner {
    ($($method:ident($($flag:ident)?))*) => {
        $(fn $method<W: ?Sized + Write>(&mut self, out: &mut W $(, $flag: bool)?) -> io::Result<()> {
            self.0.$method(out $(, $flag)?)
        })*
    };
}

impl<F: Formatter> Formatter for Ascii<F> {
    leave_to_inner! {
        begin_array() end_array() begin_array_value(first) end_array_value()
        begin_object() end_object() begin_object_key(first) end_object_key()
        begin_object_value() end_object_value()
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| !matches!(c, ' '..='~')) {
            let (plain, tail) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            let mut chars = tail.chars();
            if let Some(c) = chars.next() {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}
