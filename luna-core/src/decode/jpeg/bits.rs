//! Bits of entropy-coded data, eight bytes at a time.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets stay within the slice, bit counts below 128; wrapped sums are marked"
)]

/// Reads bits up to the next marker; past it there are only zeros, and [`overrun`](Self::overrun)
/// is true once they are used. It is copied into registers while a block is read.
#[derive(Clone, Copy)]
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits, from the highest down. Below `bits` of them it may hold bits that are read
    /// again later, never others.
    word: u64,
    /// Bits in `word`, at most 63.
    bits: u32,
    /// Zeros among `bits` that stand for data that are not there.
    missing: u32,
}

impl<'a> BitReader<'a> {
    /// Reads from the start of the entropy-coded data of one scan.
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, word: 0, bits: 0, missing: 0 }
    }

    /// Makes sure that at least 32 bits can be taken.
    #[inline(always)]
    pub(super) fn fill(&mut self) {
        if self.bits >= 32 {
            return;
        }
        let next = self.data.get(self.at..).and_then(|rest| rest.first_chunk::<8>());
        match next.map(|&bytes| u64::from_be_bytes(bytes)) {
            Some(next) if !has_ff(next) => {
                self.word |= next >> self.bits;
                self.at += ((63 - self.bits) >> 3) as usize;
                self.bits |= 0b11_1000;
            }
            _ => *self = self.filled_slowly(),
        }
    }

    /// Byte by byte, where a stuffed FF or a marker is near.
    #[cold]
    #[inline(never)]
    fn filled_slowly(mut self) -> Self {
        while self.bits < 56 {
            let byte = match (self.data.get(self.at), self.data.get(self.at + 1)) {
                (Some(0xFF), Some(0x00)) => {
                    self.at += 2;
                    0xFF
                }
                (Some(0xFF) | None, _) => {
                    self.missing = self.missing.saturating_add(8);
                    0
                }
                (Some(&byte), _) => {
                    self.at += 1;
                    byte
                }
            };
            self.word |= u64::from(byte) << (56 - self.bits);
            self.bits += 8;
        }
        self
    }

    /// The next bits, 1 to 32. Call [`fill`](Self::fill) first.
    #[inline(always)]
    pub(super) fn peek(&self, count: u32) -> u32 {
        (self.word >> (64 - count)) as u32
    }

    /// The number that `size` bits behind a code stand for (T.81 F.2.2.1 EXTEND), 1 to 15 bits.
    /// Nothing is taken.
    #[inline(always)]
    pub(super) fn value_behind(&self, code: u32, size: u32) -> i32 {
        extend(((self.word << code) >> (64 - size)) as u32, size)
    }

    /// Takes up to 31 bits. Call [`fill`](Self::fill) first.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.word <<= count;
        self.bits = self.bits.wrapping_sub(count);
    }

    /// Takes and gives up to 15 bits.
    pub(super) fn take(&mut self, count: u32) -> u32 {
        self.fill();
        let value = self.peek(16) >> (16 - count.min(15));
        self.skip(count.min(15));
        value
    }

    /// True if more bits were taken than there are.
    #[inline]
    pub(super) fn overrun(&self) -> bool {
        self.bits < self.missing
    }

    /// True if the next code cannot be told because the data stop.
    pub(super) fn is_out(&self) -> bool {
        self.missing > 0 && self.bits < self.missing.saturating_add(16)
    }

    /// Offset of the byte that holds the next bit (a few bytes early where stuffed ones lie between).
    pub(super) fn offset(&self) -> usize {
        self.at.saturating_sub((self.bits.saturating_sub(self.missing) / 8) as usize)
    }

    /// True if all data up to the next marker are used, but for at most seven bits of padding.
    pub(super) fn is_used_up(&mut self) -> bool {
        *self = self.filled_slowly();
        let at_marker = match (self.data.get(self.at), self.data.get(self.at + 1)) {
            (Some(&byte), next) => byte == 0xFF && next != Some(&0),
            (None, _) => true,
        };
        at_marker && self.bits.saturating_sub(self.missing) < 8
    }

    /// The second byte of the marker at which the data stop; `None` at their end.
    pub(super) fn marker(&self) -> Option<u8> {
        let rest = self.data.get(self.at..)?;
        rest.iter().copied().find(|&byte| byte != 0xFF)
    }

    /// Goes on after the marker at which the data stop.
    pub(super) fn pass_marker(&mut self) {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
        self.at = (self.at + fill + 1).min(self.data.len());
        (self.word, self.bits, self.missing) = (0, 0, 0);
    }
}

/// The number that the lowest `size` bits stand for, 1 to 15: with a leading one itself, else what is
/// as far below zero.
#[inline(always)]
pub(super) fn extend(bits: u32, size: u32) -> i32 {
    let negative = (bits as i32 - (1 << (size - 1))) >> 31;
    bits as i32 + (negative & (1 - (1 << size)))
}

/// True if one of the eight bytes is FF.
#[inline(always)]
fn has_ff(word: u64) -> bool {
    let zero = !word;
    zero.wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_unstuffed_and_in_order() {
        let data = [0xFF, 0x00, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0, 0xFF, 0x00, 0x5A];
        let plain: [u8; 11] = [0xFF, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0, 0xFF, 0x5A];
        for step in 1..=15 {
            let mut reader = BitReader::new(&data);
            for at in (0..plain.len() as u32 * 8 - 15).step_by(step as usize) {
                let wanted = (0..step).fold(0, |value, bit| {
                    let bit = at + bit;
                    value << 1 | u32::from(plain[bit as usize / 8] >> (7 - bit % 8)) & 1
                });
                assert_eq!(reader.take(step), wanted, "{step} bits at bit {at}");
            }
            assert!(!reader.overrun());
        }
    }

    #[test]
    fn values_are_signed_by_their_first_bit() {
        for (bits, size, value) in [(0, 1, -1), (1, 1, 1), (0, 3, -7), (3, 3, -4), (4, 3, 4)] {
            assert_eq!(extend(bits, size), value);
        }
        assert_eq!((extend(0, 15), extend(0x7FFF, 15)), (-32_767, 32_767));
    }

    #[test]
    fn data_end_at_a_marker() {
        let mut reader = BitReader::new(&[0xAB, 0xFF, 0xD0, 0xCD]);
        assert_eq!((reader.take(4), reader.is_used_up()), (0xA, true));
        reader.take(4);
        assert!(!reader.overrun());
        reader.take(1);
        assert!(reader.overrun());
        assert_eq!(reader.marker(), Some(0xD0));
        reader.pass_marker();
        assert_eq!((reader.take(8), reader.marker(), reader.is_used_up()), (0xCD, None, true));
    }

    proptest::proptest! {
        #[test]
        fn an_ff_is_seen_in_every_place(word: u64, place in 0..8_u32) {
            let with = word | 0xFF << (8 * place);
            proptest::prop_assert!(has_ff(with));
            proptest::prop_assert_eq!(has_ff(word), word.to_be_bytes().contains(&0xFF));
        }
    }
}
