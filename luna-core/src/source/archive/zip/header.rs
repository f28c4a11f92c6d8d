//! The two headers of a zip member, and where they disagree.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::io;

use super::super::bytes::{Bytes, Range, u16_at, u32_at, u64_at};
use super::{COMPARED, DEFLATED, DESCRIPTOR, ENCRYPTED, STORED, UTF8, is_impossible};
use crate::source::{Defect, ItemKind};
use crate::text::{counted, escaped, grouped};

const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL_LENGTH: usize = 46;
const LOCAL_LENGTH: usize = 30;

/// Extra fields that are read here.
const ZIP64: u16 = 1;
const UNICODE_PATH: u16 = 0x7075;

/// Methods by their number, as far as somebody may meet them.
const METHODS: [(u16, &str); 10] = [
    (1, "Shrink"),
    (6, "Implode"),
    (9, "Deflate64"),
    (12, "bzip2"),
    (14, "LZMA"),
    (93, "Zstandard"),
    (94, "MP3"),
    (95, "XZ"),
    (96, "JPEG"),
    (98, "PPMd"),
];

/// An entry of the central directory.
#[derive(Clone, Debug)]
pub(super) struct Central {
    host: u8,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) offset: u64,
    pub(super) name: Vec<u8>,
    /// The name that an extra field gives in UTF-8.
    unicode_name: Option<Vec<u8>>,
    attributes: u32,
    /// True if a size that should stand in the zip64 field does not.
    incomplete: bool,
    /// True if the sizes are in the zip64 field.
    pub(super) wide: bool,
}

impl Central {
    /// Reads the next entry; `None` if there is none.
    pub(super) fn read(input: &mut Range) -> io::Result<Option<Self>> {
        let Some(fixed) = input.exactly(CENTRAL_LENGTH)? else { return Ok(None) };
        if !fixed.starts_with(CENTRAL) {
            return Ok(None);
        }
        let number = |at| u16_at(&fixed, at).unwrap_or_default();
        let wide = |at| u64::from(u32_at(&fixed, at).unwrap_or_default());
        let lengths = [number(28), number(30), number(32)].map(usize::from);
        let Some(name) = input.exactly(lengths[0])? else { return Ok(None) };
        let Some(extra) = input.exactly(lengths[1])? else { return Ok(None) };
        if input.exactly(lengths[2])?.is_none() {
            return Ok(None);
        }
        let mut entry = Self {
            host: fixed.get(5).copied().unwrap_or_default(),
            flags: number(8),
            method: number(10),
            crc: u32_at(&fixed, 16).unwrap_or_default(),
            packed: wide(20),
            size: wide(24),
            offset: wide(42),
            unicode_name: unicode_name(&extra, &name),
            name,
            attributes: u32_at(&fixed, 38).unwrap_or_default(),
            incomplete: false,
            wide: false,
        };
        let mut field = field(&extra, ZIP64).unwrap_or_default();
        for value in [&mut entry.size, &mut entry.packed, &mut entry.offset] {
            if *value == u64::from(u32::MAX) {
                entry.wide = true;
                match u64_at(field, 0) {
                    Some(number) => *value = number,
                    None => entry.incomplete = true,
                }
                field = field.get(8..).unwrap_or_default();
            }
        }
        Ok(Some(entry))
    }

    /// What is wrong with the entry by itself.
    pub(super) fn defects(&self) -> Vec<Defect> {
        let mut defects = Vec::new();
        if self.incomplete {
            defects.push(Defect::ambiguous("A size or offset should stand in a zip64 field"));
        }
        if self.method == DEFLATED && is_impossible(self.packed, self.size) {
            defects.push(Defect::ambiguous(format!(
                "Declares {} of {} data, more than deflate can unpack",
                counted(self.size, "byte"),
                grouped(self.packed)
            )));
        }
        match &self.unicode_name {
            Some(other) if *other != self.name => {
                let other = escaped(&String::from_utf8_lossy(other));
                let reason = format!("An extra field gives it another name, `{other}`");
                defects.push(Defect::ambiguous(reason));
            }
            None if self.flags & UTF8 == 0 && !self.name.is_ascii() => {
                defects.push(Defect::UnmarkedName);
            }
            _ => {}
        }
        defects
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0 || self.method == 99
    }

    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & DESCRIPTOR != 0
    }

    /// The name of a method that is not read here.
    pub(super) fn unsupported(&self) -> Option<String> {
        if matches!(self.method, STORED | DEFLATED) {
            return None;
        }
        let known = METHODS.iter().find(|(number, _)| *number == self.method);
        let name = known.map_or(String::new(), |(_, name)| format!(" ({name})"));
        Some(format!("zip method {}{name}", self.method))
    }

    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with(b"/") || self.unix_type() == Some(0o040_000)
    }

    /// What it is on a Unix system.
    pub(super) fn kind(&self) -> ItemKind {
        match self.unix_type() {
            Some(0o120_000) => ItemKind::Link,
            Some(0o010_000 | 0o020_000 | 0o060_000 | 0o140_000) => ItemKind::Special,
            _ => ItemKind::File,
        }
    }

    fn unix_type(&self) -> Option<u32> {
        (self.host == 3).then_some((self.attributes >> 16) & 0o170_000)
    }
}

/// The header before the data.
#[derive(Clone, Debug)]
pub(super) struct Local {
    /// Bytes up to the data.
    pub(super) len: u64,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    name: Vec<u8>,
}

impl Local {
    /// Reads the header at this offset; `None` if there is none.
    pub(super) fn read(bytes: &Bytes, at: u64) -> io::Result<Option<Self>> {
        let fixed = bytes.take(at, LOCAL_LENGTH as u64)?;
        let (Some(name_len), Some(extra_len)) = (u16_at(&fixed, 26), u16_at(&fixed, 28)) else {
            return Ok(None);
        };
        if !fixed.starts_with(LOCAL) {
            return Ok(None);
        }
        let fixed_len = LOCAL_LENGTH as u64;
        let (name_len, extra_len) = (u64::from(name_len), u64::from(extra_len));
        let variable = name_len.saturating_add(extra_len);
        let rest = bytes.take(at.saturating_add(fixed_len), variable)?;
        let name = rest.get(..name_len as usize).unwrap_or(&rest).to_vec();
        let extra = rest.get(name_len as usize..).unwrap_or_default();
        let wide = |at| u64::from(u32_at(&fixed, at).unwrap_or_default());
        let (mut packed, mut size) = (wide(18), wide(22));
        let mut field = field(extra, ZIP64).unwrap_or_default();
        for value in [&mut size, &mut packed] {
            if *value == u64::from(u32::MAX)
                && let Some(number) = u64_at(field, 0)
            {
                *value = number;
                field = field.get(8..).unwrap_or_default();
            }
        }
        Ok(Some(Self {
            len: fixed_len.saturating_add(variable),
            flags: u16_at(&fixed, 6).unwrap_or_default(),
            method: u16_at(&fixed, 8).unwrap_or_default(),
            crc: u32_at(&fixed, 14).unwrap_or_default(),
            packed,
            size,
            name,
        }))
    }

    /// Where it says other than the central directory.
    pub(super) fn disagreement(&self, central: &Central) -> Vec<Defect> {
        let mut defects = Vec::new();
        if self.name != central.name {
            let name = escaped(&String::from_utf8_lossy(&self.name));
            let reason = format!("Its local header calls it `{name}`");
            defects.push(Defect::ambiguous(reason));
        }
        if self.flags & COMPARED != central.flags & COMPARED || self.method != central.method {
            defects.push(Defect::ambiguous(
                "Its local header and the central directory disagree about how it is packed",
            ));
        }
        let said = [
            ("packed size", self.packed, central.packed),
            ("size", self.size, central.size),
            ("checksum", u64::from(self.crc), u64::from(central.crc)),
        ];
        // Where a descriptor follows, zeros stand here, as does the mark of a zip64 field.
        let deferred = central.has_descriptor();
        let blank = |value: u64| deferred && (value == 0 || value == u64::from(u32::MAX));
        for (what, local, central) in said {
            if local != central && !blank(local) {
                let values = match what {
                    "checksum" => format!("{local:08x}, the central directory {central:08x}"),
                    _ => format!("{}, the central directory {}", grouped(local), grouped(central)),
                };
                let reason = format!("Its local header gives the {what} {values}");
                defects.push(Defect::ambiguous(reason));
            }
        }
        defects
    }
}

/// The contents of the first extra field with this number.
fn field(extra: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = extra;
    loop {
        let (number, len) = (u16_at(rest, 0)?, usize::from(u16_at(rest, 2)?));
        let after = rest.get(4..)?;
        if number == wanted {
            return after.get(..len);
        }
        rest = after.get(len..)?;
    }
}

/// The UTF-8 name of an extra field, if it belongs to this name.
fn unicode_name(extra: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let [1, rest @ ..] = field(extra, UNICODE_PATH)? else { return None };
    let belongs = u32_at(rest, 0)? == crc32fast::hash(name);
    belongs.then(|| rest.get(4..).unwrap_or_default().to_vec())
}
