//! Huffman tables (T.81 annex C), made for walking: one look gives a code's length together with
//! that of the value bits behind it.
#![expect(clippy::arithmetic_side_effects, reason = "code lengths up to 16, codes up to 17 bits")]

use super::bits::BitReader;
use super::fault::Fault;

/// Bits that the first look covers; longer codes are rare.
const LOOK: u32 = 10;
/// Bits of a look that may cover two codes at once.
const PAIR_LOOK: u32 = 11;
/// Step of an end-of-block code: past every coefficient.
pub(super) const END_OF_BLOCK: u8 = 128;

/// What a table codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Differences of DC coefficients.
    Dc,
    /// Runs and sizes of AC coefficients.
    Ac,
}

/// A code word.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Code {
    /// Bits of the code and of the value behind it, as a sequential scan has them; 0 for none.
    pub(super) skip: u8,
    /// Coefficients that it takes, for AC codes of a sequential scan.
    pub(super) step: u8,
    /// The symbol: for AC, run in the high and size in the low four bits.
    pub(super) symbol: u8,
    /// Bits of the code alone; 0 for none.
    pub(super) length: u8,
}

impl Code {
    fn new(class: Class, symbol: u8, length: u8) -> Self {
        let (run, size) = (symbol >> 4, symbol & 15);
        // Sizes of 8-bit samples: T.81 tables F.1 and F.2.
        let (legal, step) = match class {
            Class::Dc => (symbol <= 11, 1),
            Class::Ac if symbol == 0 => (true, END_OF_BLOCK),
            Class::Ac if size == 0 => (run == 15, 16),
            Class::Ac => (size <= 10, run + 1),
        };
        let skip = if legal { length + size } else { 0 };
        Self { skip, step, symbol, length }
    }
}

/// One code or two of a sequential scan, with their values.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pair {
    /// Bits of all, at most 31; 0 where the look does not tell.
    pub(super) skip: u8,
    /// Coefficients that they take.
    pub(super) step: u8,
}

/// A Huffman table.
pub(super) struct Table {
    look: Vec<Code>,
    /// For AC: what the next [`PAIR_LOOK`] bits hold.
    pairs: Vec<Pair>,
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
            look: vec![Code::default(); 1 << LOOK],
            pairs: Vec::new(),
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
                let code = Code::new(class, symbol, length as u8);
                table.codes.push(code);
                if length <= LOOK {
                    let from = (next << (LOOK - length)) as usize;
                    table.look.get_mut(from..from + (1 << (LOOK - length)))?.fill(code);
                }
                next += 1;
            }
            if next > 1 << length {
                return None;
            }
            *slot = (next << (16 - length), index - first as i32);
            next <<= 1;
        }
        if class == Class::Ac {
            table.pairs = (0..1 << PAIR_LOOK).map(|bits| table.pair_of(bits)).collect();
        }
        Some(table)
    }

    /// The codes at the start of [`PAIR_LOOK`] bits.
    fn pair_of(&self, bits: u32) -> Pair {
        let bits = bits << (16 - PAIR_LOOK);
        let first = self.any(bits);
        if first.skip == 0 || u32::from(first.length) > PAIR_LOOK {
            return Pair::default();
        }
        let left = PAIR_LOOK.saturating_sub(u32::from(first.skip));
        let second = self.any(bits << first.skip & 0xFFFF);
        if first.step == END_OF_BLOCK || second.skip == 0 || u32::from(second.length) > left {
            return Pair { skip: first.skip, step: first.step };
        }
        Pair { skip: first.skip + second.skip, step: first.step + second.step }
    }

    /// The next code or two of a sequential scan; not taken yet. A block must have room for at least
    /// 16 coefficients more, so that the second code is its own.
    #[inline]
    pub(super) fn peek_pair(&self, reader: &BitReader<'_>) -> Result<Pair, Fault> {
        let look = (reader.peek16() >> (16 - PAIR_LOOK)) as usize;
        let pair = self.pairs.get(look).copied().unwrap_or_default();
        if pair.skip > 0 {
            return Ok(pair);
        }
        let Code { skip, step, .. } = self.peek(reader)?;
        Ok(Pair { skip, step })
    }

    /// The next code, for a sequential scan. It is not taken yet.
    #[inline]
    pub(super) fn peek(&self, reader: &BitReader<'_>) -> Result<Code, Fault> {
        let code = self.any(reader.peek16());
        if code.skip == 0 { Err(Fault::Code) } else { Ok(code) }
    }

    /// Takes the next code and gives its symbol, for a progressive scan.
    pub(super) fn take(&self, reader: &mut BitReader<'_>) -> Result<u8, Fault> {
        reader.fill();
        let code = self.any(reader.peek16());
        if code.length == 0 {
            return Err(Fault::Code);
        }
        reader.skip(u32::from(code.length));
        Ok(code.symbol)
    }

    #[inline]
    fn any(&self, bits: u32) -> Code {
        let code = self.look.get((bits >> (16 - LOOK)) as usize).copied().unwrap_or_default();
        if code.length == 0 { self.long(bits) } else { code }
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

    /// Codes 0, 10, 110, … up to 16 bits.
    fn unary() -> Table {
        let symbols: Vec<u8> = (0..16).collect();
        Table::new(Class::Ac, &[1; 16], &symbols).unwrap()
    }

    #[test]
    fn codes_of_every_length_are_found() {
        let table = unary();
        for length in 1..=16_u32 {
            let bits = 0xFFFF << (17 - length) & 0xFFFF;
            let code = table.any(bits);
            assert_eq!((u32::from(code.length), u32::from(code.symbol)), (length, length - 1));
        }
        assert_eq!(table.any(0xFFFF).length, 0, "the code of ones only is none");
    }

    #[test]
    fn two_codes_at_once_are_what_they_are_one_by_one() {
        let table = unary();
        for bits in 0..1 << PAIR_LOOK {
            let pair = table.pair_of(bits);
            let bits = bits << (16 - PAIR_LOOK);
            let first = table.any(bits);
            let second = table.any(bits << first.skip & 0xFFFF);
            let both = (first.skip + second.skip, first.step.wrapping_add(second.step));
            let one = (first.skip, first.step);
            assert!([one, both, (0, 0)].contains(&(pair.skip, pair.step)), "{bits:016b}");
            // A second code is taken only if the look shows all of it, so whatever follows.
            let after = table.any((bits | ((1 << (16 - PAIR_LOOK)) - 1)) << first.skip & 0xFFFF);
            assert!((pair.skip, pair.step) != both || after.length == second.length);
        }
    }

    #[test]
    fn more_codes_than_bits_can_tell_are_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(Table::new(Class::Dc, &counts, &[0, 1, 2]).is_none());
    }
}
