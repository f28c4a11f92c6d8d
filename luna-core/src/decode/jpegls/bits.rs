//! Bits of JPEG-LS coded data (ITU-T T.87 A.1): after a byte FF the next one carries seven bits.
#![expect(
    clippy::inline_always,
    reason = "what is done for every sample is one loop; a call in it costs a third of the speed"
)]
#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets stay within the slice, bit counts at most 64"
)]

/// Reads bits up to the next marker; past it there are only zeros, and [`overrun`](Self::overrun)
/// is true once they are used.
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
    /// The byte before `at` is FF.
    after_ff: bool,
}

impl<'a> BitReader<'a> {
    /// Reads from `at`, the first byte of coded data.
    pub(super) fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at, word: 0, bits: 0, missing: 0, after_ff: false }
    }

    /// Makes sure that at least 56 bits are there.
    #[inline(always)]
    fn fill(&mut self) {
        let next = self.data.get(self.at..).and_then(|rest| rest.first_chunk::<8>());
        match next.map(|&bytes| u64::from_be_bytes(bytes)) {
            Some(next) if !self.after_ff && !has_ff(next) => {
                self.word |= next >> self.bits;
                self.at += ((63 - self.bits) >> 3) as usize;
                self.bits |= 0b11_1000;
            }
            _ => self.fill_slowly(),
        }
    }

    /// Byte by byte, where an FF or the end is near.
    #[inline(never)]
    fn fill_slowly(&mut self) {
        while self.bits < 56 {
            let (byte, width) = match (self.data.get(self.at), self.data.get(self.at + 1)) {
                // A marker, the end, or an FF with nothing after it.
                (None, _) | (Some(0xFF), None | Some(0x80..)) => {
                    self.missing = self.missing.saturating_add(8);
                    (0, 8)
                }
                (Some(&byte), _) => {
                    self.at += 1;
                    let width = if self.after_ff { 7 } else { 8 };
                    self.after_ff = byte == 0xFF;
                    (byte, width)
                }
            };
            self.word |= u64::from(byte) << (64 - width - self.bits);
            self.bits += width;
        }
    }

    /// A Golomb code of parameter `k` (T.87 A.5.3): zeros, a one and `k` bits; after `limit` zeros
    /// and a one `escape` bits that hold the value less one.
    #[inline(always)]
    pub(super) fn golomb(&mut self, k: u32, limit: u32, escape: u32) -> u32 {
        if self.bits < 40 {
            self.fill();
        }
        let zeros = self.word.leading_zeros();
        let used = zeros + 1 + k;
        if zeros < limit && used <= self.bits {
            let value = (self.word << ((zeros + 1) & 63)) >> 1 >> (63 - k);
            self.word = self.word << (zeros & 63) << 1 << k;
            self.bits -= used;
            return zeros << k | value as u32;
        }
        self.golomb_slowly(k, limit, escape)
    }

    #[inline(never)]
    fn golomb_slowly(&mut self, k: u32, limit: u32, escape: u32) -> u32 {
        let mut zeros = 0;
        while zeros < limit && self.take(1) == 0 {
            zeros += 1;
        }
        if zeros < limit {
            return zeros << k | self.take(k);
        }
        // The limit's own one; where it is missing the code is none, and its value is as good as any.
        self.take(1);
        self.take(escape) + 1
    }

    /// Takes up to 31 bits.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        if self.bits < 32 {
            self.fill();
        }
        let value = self.word >> 1 >> (63 - count.min(31));
        self.word <<= count;
        self.bits -= count;
        value as u32
    }

    /// True if more bits were taken than there are.
    #[inline]
    pub(super) fn overrun(&self) -> bool {
        self.bits < self.missing
    }

    /// True if all data up to the next marker are used, but for padding: less than a byte, and a
    /// whole one where it has to follow an FF.
    pub(super) fn is_used_up(&mut self) -> bool {
        self.fill_slowly();
        let at_end = match (self.data.get(self.at), self.data.get(self.at + 1)) {
            (None, _) => true,
            (Some(&byte), next) => byte == 0xFF && next.is_none_or(|next| *next >= 0x80),
        };
        let left = self.bits.saturating_sub(self.missing);
        let before = self.at.checked_sub(2).and_then(|at| self.data.get(at));
        at_end && (left < 8 || (left < 15 && before == Some(&0xFF)))
    }

    /// Offset of the byte that holds the next bit, give or take a stuffed one.
    pub(super) fn offset(&self) -> usize {
        self.at.saturating_sub((self.bits.saturating_sub(self.missing) / 8) as usize)
    }

    /// Where the next marker stands, or the data end.
    pub(super) fn end(&self) -> usize {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let is_end = |pair: &[u8]| matches!(pair, [0xFF, next] if *next >= 0x80);
        let marker = rest.windows(2).position(is_end);
        // The first half of a marker that is cut counts as one.
        let half = usize::from(rest.last() == Some(&0xFF));
        self.at + marker.unwrap_or(rest.len() - half)
    }
}

/// True if one of the eight bytes is FF.
#[inline]
fn has_ff(word: u64) -> bool {
    let zero = !word;
    zero.wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 != 0
}
