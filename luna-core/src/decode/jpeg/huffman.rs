//! Huffman tables (T.81 annex C), made for speed: one look gives a code, the run before its value, and
//! the value itself where that lies within the look.
#![expect(clippy::arithmetic_side_effects, reason = "code lengths up to 16, codes up to 17 bits")]

use super::bits::{BitReader, extend};
use super::fault::Fault;

/// Bits of the first look; longer codes are rare.
const LOOK: u32 = 10;
const LOOKS: usize = 1 << LOOK;

/// What a table codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Differences of DC coefficients, or of the samples of a lossless scan.
    Dc,
    /// Runs and sizes of AC coefficients.
    Ac,
}

/// A code without its value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Code {
    /// For AC, run in the high and size in the low four bits; for DC, the size.
    pub(super) symbol: u8,
    /// Bits of the code; 0 for none.
    pub(super) length: u8,
}

/// What a look at the next bits tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// The coefficient or difference, if the look shows all of it. For AC, 0 is none.
    pub(super) value: i16,
    /// Zeros before the coefficient, for AC; [`Entry::END`] for an end of block.
    pub(super) run: u8,
    /// Bits of code and value; 0 if the look does not tell all.
    pub(super) skip: u8,
}

impl Entry {
    /// Run of an end-of-block code.
    pub(super) const END: u8 = 0xFF;

    /// What a code says, if `look` (its highest bits first, [`LOOK`] of them) shows all its value.
    fn of(class: Class, code: Code, look: u32) -> Self {
        let (run, size) = match class {
            Class::Dc => (0, code.symbol),
            Class::Ac => (code.symbol >> 4, code.symbol & 15),
        };
        let skip = u32::from(code.length) + u32::from(size);
        if size > 0 && skip <= LOOK {
            let bits = look >> (LOOK - skip) & ((1 << size) - 1);
            let value = extend(bits, u32::from(size)) as i16;
            return Self { value, run, skip: skip as u8 };
        }
        match (class, code.symbol) {
            (Class::Dc, 0) => Self { value: 0, run: 0, skip: code.length },
            (Class::Ac, 0) => Self { value: 0, run: Self::END, skip: code.length },
            _ => Self::default(),
        }
    }
}

/// A Huffman table.
#[derive(Clone)]
pub(super) struct Table {
    look: Box<[Entry; LOOKS]>,
    /// The code at the start of each look; length 0 for one that is longer, or none.
    short: Box<[Code; LOOKS]>,
    /// All codes, by length.
    codes: Vec<Code>,
    /// For each length, the first 16 bits that are past all its codes, and what to add to a code
    /// to find it in `codes`.
    lengths: [(u32, i32); 17],
}

impl Table {
    /// Reads the first table of a DHT payload: class, number, table, and the payload behind it.
    pub(super) fn parse(payload: &[u8]) -> Option<(Class, usize, Self, &[u8])> {
        let (&head, rest) = payload.split_first()?;
        let (counts, rest) = rest.split_first_chunk::<16>()?;
        let total = counts.iter().map(|&count| usize::from(count)).sum::<usize>();
        let (symbols, rest) = rest.split_at_checked(total).filter(|_| total <= 256)?;
        let class = match head >> 4 {
            0 => Class::Dc,
            1 => Class::Ac,
            _ => return None,
        };
        let table = Self::new(class, counts, symbols)?;
        Some((class, usize::from(head & 15), table, rest))
    }

    fn new(class: Class, counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table = Self {
            look: vec![Entry::default(); LOOKS].try_into().ok()?,
            short: vec![Code::default(); LOOKS].try_into().ok()?,
            codes: Vec::with_capacity(symbols.len()),
            lengths: [(0, 0); 17],
        };
        let mut next = 0_u32;
        let mut symbols = symbols.iter();
        for ((length, &count), slot) in (1_u32..).zip(counts).zip(table.lengths.iter_mut().skip(1))
        {
            let first = next;
            let index = table.codes.len() as i32;
            for &symbol in symbols.by_ref().take(usize::from(count)) {
                let code = Code { symbol, length: length as u8 };
                table.codes.push(code);
                if length <= LOOK {
                    let from = (next << (LOOK - length)) as usize;
                    table.short.get_mut(from..from + (1 << (LOOK - length)))?.fill(code);
                }
                next += 1;
            }
            if next > 1 << length {
                return None;
            }
            *slot = (next << (16 - length), index - first as i32);
            next <<= 1;
        }
        for ((look, entry), &code) in (0..).zip(table.look.iter_mut()).zip(table.short.iter()) {
            // A size that no value has is told by the way of long codes.
            if code.length > 0 && (class == Class::Ac || code.symbol < 16) {
                *entry = Entry::of(class, code, look);
            }
        }
        Some(table)
    }

    /// What the next bits are, as far as a look tells. Nothing is taken.
    #[inline(always)]
    pub(super) fn look(&self, reader: &BitReader<'_>) -> Entry {
        self.look.get(reader.peek(LOOK) as usize).copied().unwrap_or_default()
    }

    /// The next code, whatever its length. Nothing is taken.
    #[inline]
    pub(super) fn code(&self, reader: &BitReader<'_>) -> Result<Code, Fault> {
        let code = self.short.get(reader.peek(LOOK) as usize).copied().unwrap_or_default();
        let code = if code.length == 0 { self.long(reader.peek(16)) } else { code };
        if code.length == 0 { Err(Fault::Code) } else { Ok(code) }
    }

    /// Takes the next code and gives its symbol.
    pub(super) fn take(&self, reader: &mut BitReader<'_>) -> Result<u8, Fault> {
        reader.fill();
        let code = self.code(reader)?;
        reader.skip(u32::from(code.length));
        Ok(code.symbol)
    }

    /// Takes a difference: its size, of at most `most` bits, then its value.
    #[inline(always)]
    pub(super) fn difference(&self, reader: &mut BitReader<'_>, most: u8) -> Result<i32, Fault> {
        reader.fill();
        let entry = self.look(reader);
        if entry.skip > 0 {
            reader.skip(u32::from(entry.skip));
            return Ok(i32::from(entry.value));
        }
        self.long_difference(reader, most)
    }

    #[inline]
    fn long_difference(&self, reader: &mut BitReader<'_>, most: u8) -> Result<i32, Fault> {
        let Code { symbol, length } = self.code(reader)?;
        if symbol > most {
            return Err(Fault::Code);
        }
        match symbol {
            0 | 16 => {
                reader.skip(u32::from(length));
                // Sixteen is a value of its own: no bits follow (T.81 H.1.2.2).
                Ok(i32::from(symbol) << 11)
            }
            size => {
                let value = reader.value_behind(u32::from(length), u32::from(size));
                reader.skip(u32::from(length) + u32::from(size));
                Ok(value)
            }
        }
    }

    /// A code of more than [`LOOK`] bits.
    #[cold]
    fn long(&self, bits: u32) -> Code {
        let found = (0_u32..).zip(&self.lengths).skip(LOOK as usize + 1);
        for (length, &(past, offset)) in found {
            if bits < past {
                let index = (bits >> (16 - length)) as i32 + offset;
                return self.codes.get(index as usize).copied().unwrap_or_default();
            }
        }
        Code::default()
    }
}

/// The tables in force: four of each class.
#[derive(Default)]
pub(super) struct Tables {
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
}

impl Tables {
    /// Takes over all tables of a DHT payload.
    pub(super) fn define(&mut self, mut payload: &[u8]) -> Result<(), Fault> {
        while !payload.is_empty() {
            let (class, number, table, rest) = Table::parse(payload).ok_or(Fault::Table)?;
            let slots = match class {
                Class::Dc => &mut self.dc,
                Class::Ac => &mut self.ac,
            };
            *slots.get_mut(number).ok_or(Fault::Table)? = Some(table);
            payload = rest;
        }
        Ok(())
    }

    /// The table of a class and number.
    pub(super) fn get(&self, class: Class, number: usize) -> Result<&Table, Fault> {
        let slots = match class {
            Class::Dc => &self.dc,
            Class::Ac => &self.ac,
        };
        slots.get(number).and_then(Option::as_ref).ok_or(Fault::NoTable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes 0, 10, 110, … up to 16 bits, for sizes 0 to 15.
    fn unary(class: Class) -> Table {
        let symbols: Vec<u8> = (0..16).collect();
        Table::new(class, &[1; 16], &symbols).unwrap()
    }

    /// Sixteen bits, then as many more.
    fn reader(bytes: &[u8; 4]) -> BitReader<'_> {
        let mut reader = BitReader::new(bytes);
        reader.fill();
        reader
    }

    #[test]
    fn codes_of_every_length_are_found() {
        let table = unary(Class::Ac);
        for length in 1..=16_u32 {
            let bits = (0xFFFF_u32 << (17 - length)) as u16;
            let [high, low] = bits.to_be_bytes();
            // A stuffed zero behind each FF.
            let stuffed: Vec<u8> = [high, low]
                .into_iter()
                .flat_map(|b| [b, 0].into_iter().take(1 + usize::from(b == 0xFF)))
                .collect();
            let mut reader = BitReader::new(&stuffed);
            reader.fill();
            let code = table.code(&reader).unwrap();
            assert_eq!((u32::from(code.length), u32::from(code.symbol)), (length, length - 1));
        }
        let ones = reader(&[0xFF, 0x00, 0xFF, 0x00]);
        assert_eq!(table.code(&ones).err(), Some(Fault::Code), "the code of ones only is none");
    }

    #[test]
    fn a_look_gives_the_value_that_code_and_bits_give() {
        let table = unary(Class::Dc);
        for bits in 0..=0xFFFE_u16 {
            let [high, low] = bits.to_be_bytes();
            if high == 0xFF || low == 0xFF {
                continue;
            }
            let bytes = [high, low, 0x5A, 0x5A];
            let look = table.look(&reader(&bytes));
            let mut slow = reader(&bytes);
            let value = table.long_difference(&mut slow, 15).unwrap();
            if look.skip > 0 {
                assert_eq!(i32::from(look.value), value, "{bits:016b}");
                let mut fast = reader(&bytes);
                fast.skip(look.skip.into());
                assert_eq!(fast.peek(12), slow.peek(12), "{bits:016b}");
            }
        }
    }

    #[test]
    fn more_codes_than_bits_can_tell_are_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(Table::new(Class::Dc, &counts, &[0, 1, 2]).is_none());
    }
}
