//! Chunks, one after the other, as far as the bytes reach.

/// A chunk; `data` ends early if the file does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    /// Offset of the length field.
    pub(crate) offset: usize,
    /// The four letters.
    pub(crate) kind: [u8; 4],
    /// Length as declared.
    pub(crate) length: u32,
    /// What is there of it.
    pub(crate) data: &'a [u8],
    /// The checksum that stands behind the data.
    pub(crate) crc: Option<u32>,
}

impl Chunk<'_> {
    /// Length, kind and CRC.
    pub(crate) const OVERHEAD: usize = 12;
    /// Length and kind.
    const HEAD: usize = 8;

    /// Offset of the first byte of the data.
    pub(crate) fn data_offset(&self) -> usize {
        self.offset.saturating_add(Self::HEAD)
    }

    /// Offset behind the chunk, by its declared length.
    pub(crate) fn end(&self) -> usize {
        self.offset.saturating_add(self.length as usize).saturating_add(Self::OVERHEAD)
    }

    /// The four letters, for messages; only of plausible chunks.
    pub(crate) fn name(&self) -> String {
        self.kind.iter().map(|byte| char::from(*byte)).collect()
    }

    /// Letters for a name and a length that the standard allows (PNG 5.3).
    pub(crate) fn is_plausible(&self) -> bool {
        self.kind.iter().all(u8::is_ascii_alphabetic) && i32::try_from(self.length).is_ok()
    }

    /// Data and CRC are there.
    pub(crate) fn is_complete(&self) -> bool {
        self.crc.is_some()
    }

    /// Not needed to draw the picture (PNG 5.4): the first letter is small.
    pub(crate) fn is_ancillary(&self) -> bool {
        self.kind.first().is_some_and(u8::is_ascii_lowercase)
    }

    /// CRC-32 over kind and data.
    pub(crate) fn crc_of_bytes(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.kind);
        hasher.update(self.data);
        hasher.finalize()
    }
}

/// All chunks from an offset on, up to the end of the bytes; the last may be incomplete.
pub(crate) fn chunks(bytes: &[u8], from: usize) -> impl Iterator<Item = Chunk<'_>> + Clone {
    let mut offset = from;
    std::iter::from_fn(move || {
        let (length, rest) = bytes.get(offset..)?.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length);
        let (data, crc) = match rest.split_at_checked(length as usize) {
            Some((data, rest)) => (data, rest.first_chunk().map(|crc| u32::from_be_bytes(*crc))),
            None => (rest, None),
        };
        let chunk = Chunk { offset, kind: *kind, length, data, crc };
        offset = chunk.end();
        Some(chunk)
    })
}
