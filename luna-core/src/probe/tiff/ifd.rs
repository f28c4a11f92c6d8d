//! The skeleton of TIFF, which EXIF shares: byte order, directories (IFD), entries and their values.
//! Nothing is believed before it is found inside the bytes.

/// Entries of one directory that are looked at; real ones have some dozens.
const MOST_ENTRIES: usize = 4_096;

/// Bytes with a TIFF header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    /// BigTIFF: offsets and counts of 64 bits.
    big: bool,
}

/// An entry whose value lies inside the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) tag: u16,
    kind: u16,
    /// Number of values.
    pub(crate) count: usize,
    /// Offset of the first value.
    pub(crate) at: usize,
}

/// A directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    entries: Vec<Entry>,
    /// Offset of the next one; 0 if it is the last.
    pub(crate) next: u64,
    /// First tag whose value reaches beyond the end, with the bytes it needs from its offset on.
    pub(crate) beyond: Option<(u16, u64, u64)>,
}

impl Directory {
    /// The first entry of this tag.
    pub(crate) fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// All entries, in file order.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl<'a> Tiff<'a> {
    /// Reads the header; the second value is the offset of the first directory.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<(Self, u64)> {
        let big_endian = match bytes.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let classic = Self { bytes, big_endian, big: false };
        match classic.short(2)? {
            42 => Some((classic, u64::from(classic.long(4)?))),
            43 if classic.short(4)? == 8 && classic.short(6)? == 0 => {
                Some((Self { big: true, ..classic }, classic.long8(8)?))
            }
            _ => None,
        }
    }

    pub(crate) fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk().copied()
    }

    fn short(&self, at: usize) -> Option<u16> {
        let two = self.array(at)?;
        Some(if self.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let four = self.array(at)?;
        Some(if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    }

    fn long8(&self, at: usize) -> Option<u64> {
        let eight = self.array(at)?;
        Some(if self.big_endian { u64::from_be_bytes(eight) } else { u64::from_le_bytes(eight) })
    }

    /// A number of the width that offsets have.
    fn word(&self, at: usize) -> Option<u64> {
        if self.big { self.long8(at) } else { self.long(at).map(u64::from) }
    }

    /// The directory at an offset; `None` if it is not all there.
    pub(crate) fn directory(&self, offset: u64) -> Option<Directory> {
        let at = usize::try_from(offset).ok()?;
        let (count, start, size) = if self.big {
            (usize::try_from(self.long8(at)?).ok()?, at.checked_add(8)?, 20_usize)
        } else {
            (usize::from(self.short(at)?), at.checked_add(2)?, 12)
        };
        let end = start.checked_add(count.checked_mul(size)?)?;
        let mut directory = Directory { next: self.word(end)?, ..Directory::default() };
        for index in 0..count.min(MOST_ENTRIES) {
            self.read_entry(start.checked_add(index.checked_mul(size)?)?, &mut directory)?;
        }
        Some(directory)
    }

    fn read_entry(&self, at: usize, directory: &mut Directory) -> Option<()> {
        let (tag, kind) = (self.short(at)?, self.short(at.checked_add(2)?)?);
        let count = self.word(at.checked_add(4)?)?;
        let (field, room) =
            if self.big { (at.checked_add(12)?, 8) } else { (at.checked_add(8)?, 4) };
        let Some(size) = size_of(kind) else { return Some(()) };
        let length = count.saturating_mul(size);
        let offset = if length <= room { field as u64 } else { self.word(field)? };
        if offset.saturating_add(length) > self.bytes.len() as u64 {
            directory.beyond = directory.beyond.or(Some((tag, offset, length)));
            return Some(());
        }
        let (count, at) = (usize::try_from(count).ok()?, usize::try_from(offset).ok()?);
        directory.entries.push(Entry { tag, kind, count, at });
        Some(())
    }

    /// Whole numbers of an entry; empty for other types.
    pub(crate) fn numbers(&self, entry: Entry) -> impl Iterator<Item = u64> {
        let Self { bytes, big_endian, big } = *self;
        let tiff = Tiff { bytes, big_endian, big };
        let step = size_of(entry.kind).unwrap_or(1) as usize;
        (0..entry.count).map_while(move |index| {
            let at = entry.at.checked_add(index.checked_mul(step)?)?;
            match entry.kind {
                1 | 6 | 7 => tiff.bytes.get(at).map(|byte| u64::from(*byte)),
                3 | 8 => tiff.short(at).map(u64::from),
                4 | 9 | 13 => tiff.long(at).map(u64::from),
                16..=18 => tiff.long8(at),
                _ => None,
            }
        })
    }

    /// The first whole number of an entry.
    pub(crate) fn number(&self, directory: &Directory, tag: u16) -> Option<u64> {
        self.numbers(*directory.entry(tag)?).next()
    }

    /// Fractions of an entry, as numerator and denominator.
    pub(crate) fn fractions(&self, entry: Entry) -> impl Iterator<Item = (u32, u32)> {
        let tiff = *self;
        let count = if matches!(entry.kind, 5 | 10) { entry.count } else { 0 };
        (0..count).map_while(move |index| {
            let at = entry.at.checked_add(index.checked_mul(8)?)?;
            Some((tiff.long(at)?, tiff.long(at.checked_add(4)?)?))
        })
    }

    /// The bytes of an entry of bytes or text.
    pub(crate) fn raw(&self, entry: Entry) -> &'a [u8] {
        let is_bytes = matches!(entry.kind, 1 | 2 | 6 | 7);
        let end = entry.at.saturating_add(entry.count);
        self.bytes.get(entry.at..end).filter(|_| is_bytes).unwrap_or_default()
    }
}

/// Bytes of one value of a type.
fn size_of(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}
