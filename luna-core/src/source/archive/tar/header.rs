//! One tar header.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::source::Defect;

/// A header that fits its checksum.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
    pub(super) kind: u8,
    /// True if blocks of a sparse file's map follow.
    pub(super) extended: bool,
}

impl Header {
    /// Reads a block that stands at this offset.
    pub(super) fn read(block: &[u8; 512], at: u64) -> Result<Self, Defect> {
        let (stored, computed, signed) = sums(block);
        let Some(stored) = stored else {
            let reason = "a header's checksum is no number".to_owned();
            return Err(Defect::Undecodable { reason, offset: at });
        };
        if stored != u64::from(computed) && i64::try_from(stored).ok() != Some(signed) {
            let what = "the header of a member".to_owned();
            let stored = u32::try_from(stored).unwrap_or(u32::MAX);
            return Err(Defect::Checksum { what, offset: at, stored, computed });
        }
        let Some(size) = number(field(block, 124, 12)) else {
            let reason = "the size in a header is no number".to_owned();
            return Err(Defect::Undecodable { reason, offset: at });
        };
        let kind = block.get(156).copied().unwrap_or_default();
        let mut name = text(field(block, 0, 100)).to_vec();
        // GNU tar uses the place of the prefix for other things.
        if field(block, 257, 6) == b"ustar\0" {
            let prefix = text(field(block, 345, 155));
            if !prefix.is_empty() {
                name = [prefix, b"/", &name].concat();
            }
        }
        let extended = block.get(482).is_some_and(|more| *more != 0);
        Ok(Self { name, size, kind, extended })
    }

    /// True for an ordinary file, by its type alone.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.kind, b'0' | b'7' | 0)
    }
}

/// True if a tar archive may begin so, damaged or not.
pub(in super::super) fn is_likely(bytes: &[u8]) -> bool {
    is_header(bytes) || bytes.get(257..).is_some_and(|rest| rest.starts_with(b"ustar"))
}

/// True if a sound header stands here.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    let Some(block) = bytes.first_chunk::<512>() else { return false };
    let (stored, computed, _) = sums(block);
    let named = block.first().is_some_and(|byte| *byte != 0);
    named && stored == Some(computed.into()) && number(field(block, 124, 12)).is_some()
}

/// The checksum that a header gives, and its own, of bytes without and with sign.
fn sums(block: &[u8; 512]) -> (Option<u64>, u32, i64) {
    let counted = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { b' ' } else { *byte };
    let bytes = block.iter().enumerate().map(counted);
    let (mut sum, mut signed) = (0_u32, 0_i64);
    for byte in bytes {
        sum = sum.saturating_add(byte.into());
        signed = signed.saturating_add(byte.cast_signed().into());
    }
    (number(field(block, 148, 8)), sum, signed)
}

fn field(block: &[u8; 512], at: usize, len: usize) -> &[u8] {
    block.get(at..).and_then(|rest| rest.get(..len)).unwrap_or_default()
}

/// A text up to its NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// An octal number, or one in base 256 (GNU).
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if *first & 0x80 != 0 {
        // The highest bit is the mark; a set second bit would be a negative number.
        let start = u64::from(*first & 0x7f);
        return rest
            .iter()
            .try_fold(start, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let digits = text(field).trim_ascii();
    digits.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        sum.checked_mul(8)?.checked_add(digit.into())
    })
}
