//! The data of one zip member.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::io;
use std::sync::Arc;

use super::super::bytes::{Bytes, Range, u32_at, u64_at};
use super::super::inflate::{Inflate, InflateError};
use super::header::Central;
use super::{DEFLATED, STORED};
use crate::source::{Defect, ReadError};
use crate::text::counted;

/// Bytes by which the buffer grows: never by what a header claims alone.
const STEP: usize = 256 << 10;

/// Where a member ends, with the descriptor that may follow its data; `None` if that one contradicts
/// the central directory.
pub(super) fn end(bytes: &Bytes, central: &Central, data_end: u64) -> io::Result<Option<u64>> {
    if !central.has_descriptor() {
        return Ok(Some(data_end));
    }
    let found = bytes.take(data_end, 24)?;
    let fits = |skip: usize, wide: bool| {
        let crc = u32_at(&found, skip)?;
        let at = skip.checked_add(4)?;
        let (packed, size, len) = if wide {
            (u64_at(&found, at)?, u64_at(&found, at.checked_add(8)?)?, 20_u64)
        } else {
            let (packed, size) = (u32_at(&found, at)?, u32_at(&found, at.checked_add(4)?)?);
            (packed.into(), size.into(), 12)
        };
        let same = (crc, packed, size) == (central.crc, central.packed, central.size);
        same.then(|| len.saturating_add(skip as u64))
    };
    let signed = if found.starts_with(b"PK\x07\x08") { 4 } else { 0 };
    let len = [central.wide, !central.wide]
        .into_iter()
        .flat_map(|wide| [(signed, wide), (0, wide)])
        .find_map(|(skip, wide)| fits(skip, wide));
    Ok(len.map(|len| data_end.saturating_add(len)))
}

/// Unpacks a member of `size` bytes and holds it against its checksum.
pub(in super::super) fn read(
    bytes: &Arc<Bytes>,
    (offset, packed, method, crc): (u64, u64, u16, u32),
    size: u64,
) -> Result<Vec<u8>, ReadError> {
    let unpacked = match method {
        STORED => bytes.take(offset, size)?,
        DEFLATED => inflated(bytes, offset, packed, size)?,
        _ => return Err(ReadError::NotAFile),
    };
    if (unpacked.len() as u64) < size {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let computed = crc32fast::hash(&unpacked);
    if computed != crc {
        let what = "the member".to_owned();
        let defects = vec![Defect::Checksum { what, offset, stored: crc, computed }];
        return Err(ReadError::Damaged { defects, bytes: Some(unpacked) });
    }
    Ok(unpacked)
}

fn inflated(bytes: &Arc<Bytes>, offset: u64, packed: u64, size: u64) -> Result<Vec<u8>, ReadError> {
    let damaged = |defect| ReadError::Damaged { defects: vec![defect], bytes: None };
    let mut input = Range::new(bytes, offset, offset.saturating_add(packed));
    bytes.will_read(offset, packed);
    let mut inflate = Inflate::new();
    let mut out: Vec<u8> = Vec::new();
    let mut filled = 0_usize;
    let most = usize::try_from(size).map_err(io::Error::other)?;
    loop {
        if filled == out.len() {
            // One byte more than declared, to see whether there is one.
            let step = STEP.max(out.len() / 2);
            out.resize(filled.saturating_add(step).min(most.saturating_add(1)), 0);
        }
        let rest = out.get_mut(filled..).unwrap_or_default();
        match inflate.read(&mut input, rest) {
            Ok(count) => filled = filled.saturating_add(count),
            Err(InflateError::Io(error)) => return Err(error.into()),
            Err(InflateError::Truncated) => {
                let what = "the data of the member".to_owned();
                let offset = input.position();
                return Err(damaged(Defect::Truncated { what, offset, missing: None }));
            }
            Err(InflateError::Corrupt) => {
                let reason = "the compressed data break the rules of deflate".to_owned();
                return Err(damaged(Defect::Undecodable { reason, offset: input.position() }));
            }
        }
        if inflate.is_finished() || filled > most {
            break;
        }
    }
    out.truncate(filled);
    if filled != most {
        let found = if filled > most { "more".to_owned() } else { counted(filled as u64, "byte") };
        let reason = format!("Unpacks to {found} where its headers say {}", counted(size, "byte"));
        return Err(damaged(Defect::ambiguous(reason)));
    }
    if input.left() > 0 {
        let left = counted(input.left(), "byte");
        let reason = format!("Its compressed data end {left} before its headers say");
        return Err(damaged(Defect::ambiguous(reason)));
    }
    Ok(out)
}
