//! The compressed data of a PNG, inflated with great care: how far they are good, and what is wrong
//! with them. For pictures that do not decode at once, and for interlaced ones.

use flate2::{Decompress, FlushDecompress, Status};

use super::stream::{adler32, image_data, raw_bytes};
use crate::probe::PngHeader;

/// What is wrong with the compressed data.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Nothing.
    None,
    /// All bytes are there; their Adler-32 is another.
    Checksum { stored: u32, computed: u32 },
    /// The compressed data end before the picture does.
    EndsEarly {
        /// Where in the file.
        offset: u64,
        /// Compressed bytes that are there.
        found: u64,
    },
    /// They cannot be inflated.
    Damaged(&'static str),
}

pub(super) struct Salvaged {
    /// The whole picture before compression; zeros where bytes are missing.
    pub(super) raw: Vec<u8>,
    /// Bytes of it that were inflated.
    pub(super) good: usize,
    /// What is wrong.
    pub(super) cause: Cause,
}

pub(super) fn salvage(bytes: &[u8], header: &PngHeader, first: usize) -> Option<Salvaged> {
    let data: Vec<u8> = image_data(bytes, first).flat_map(|chunk| chunk.data).copied().collect();
    let end = image_data(bytes, first)
        .last()
        .map_or(first, |chunk| chunk.data_offset().saturating_add(chunk.data.len()));
    let mut raw = vec![0; raw_bytes(header)?];
    let ends_early = Cause::EndsEarly { offset: end as u64, found: data.len() as u64 };
    let Some((zlib, deflate)) = data.split_first_chunk::<2>() else {
        return Some(Salvaged { raw, good: 0, cause: ends_early });
    };
    if !is_zlib(*zlib) {
        let cause = Cause::Damaged("the picture data do not begin with a zlib header");
        return Some(Salvaged { raw, good: 0, cause });
    }
    let mut inflater = Decompress::new(false);
    let result = inflater.decompress(deflate, &mut raw, FlushDecompress::Finish);
    let good = usize::try_from(inflater.total_out()).ok()?.min(raw.len());
    let used = usize::try_from(inflater.total_in()).ok()?;
    let tail = deflate.get(used..).unwrap_or_default();
    let cause = match result {
        Ok(Status::StreamEnd) if good < raw.len() => ends_early,
        Ok(Status::StreamEnd) => match tail.first_chunk() {
            None => ends_early,
            Some(stored) => compare(u32::from_be_bytes(*stored), adler32(&raw)),
        },
        Ok(Status::Ok | Status::BufError) if tail.is_empty() => ends_early,
        Ok(Status::Ok | Status::BufError) => {
            Cause::Damaged("the compressed data hold more rows than the header says")
        }
        Err(_) => Cause::Damaged("the compressed data are damaged"),
    };
    Some(Salvaged { raw, good, cause })
}

fn compare(stored: u32, computed: u32) -> Cause {
    if stored == computed { Cause::None } else { Cause::Checksum { stored, computed } }
}

/// The two bytes before the deflate stream: method 8, no dictionary, a checksum (RFC 1950 2.2).
fn is_zlib(header: [u8; 2]) -> bool {
    let [method, flags] = header;
    method & 0x0f == 8 && flags & 0x20 == 0 && u16::from_be_bytes(header).is_multiple_of(31)
}
