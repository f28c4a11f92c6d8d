//! A JPEG 2000 codestream from marker to marker (ITU-T T.800 annex A): what it says of itself, and
//! whether all of its tile-parts are there. No decoder sees a stream that was not walked: a lying size
//! makes every one of them allocate without bound.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "exponents of at most 32, and counts of 32 bits in 64; products and offsets saturate"
)]

use crate::limits::Limits;
use crate::probe::{Flaw, Flaws};

/// Components that are looked at; more make no picture here.
const MOST_COMPONENTS: usize = 4;
/// Changes of the progression order in one stream. Each walks through all packets.
const MOST_CHANGES: u64 = 64;
/// Bytes that a decoder keeps for a code-block, its share of a tag tree, and a precinct.
const BLOCK_BYTES: u64 = 200;
/// Bytes that a decoder keeps for a quality layer of a code-block.
const LAYER_BYTES: u64 = 24;

/// A component, as SIZ has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    /// Bits a sample, 1 to 128.
    pub(crate) precision: u8,
    pub(crate) signed: bool,
    /// Columns and rows of the picture for one of its samples.
    pub(crate) spread: [u8; 2],
}

/// What a codestream says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) components: Vec<Component>,
    /// Components in all, also where there are too many to be looked at.
    pub(crate) count: u16,
    /// HTJ2K (ITU-T T.814): block coding of high throughput.
    pub(crate) high_throughput: bool,
    /// Uses extensions (ITU-T T.801), as transforms over many components.
    extended: bool,
    /// All tile-parts are there.
    pub(crate) whole: bool,
    /// Where the end marker should stand, if it is all that is missing.
    pub(crate) open_end: Option<usize>,
    /// Width and height of a tile, at most the picture's.
    tile: [u32; 2],
    tiles: u32,
    /// Memory that a decoder needs beside samples, in bytes.
    upkeep: u64,
    changes: u64,
}

impl Stream {
    /// The budget that decoding would exceed beside the samples themselves.
    pub(crate) fn over_budget(&self, limits: &Limits) -> Option<Flaw> {
        let seen = self.upkeep;
        let allowed = limits.decoded_bytes;
        (seen > allowed).then_some(Flaw::OverBudget { limit: "decoded_bytes", allowed, seen })
    }

    /// Why it is legal but not decoded here.
    pub(crate) fn unsupported(&self) -> Option<String> {
        let first = self.components.first()?;
        let reason = if self.components.len() < usize::from(self.count) {
            format!("{} components", self.count)
        } else if self.components.iter().any(|own| own.spread != [1, 1]) {
            "subsampled components".to_owned()
        } else if self.components.iter().any(|own| own != first) {
            "components of different depth".to_owned()
        } else if self.extended {
            "extensions of part 2".to_owned()
        } else if first.precision > 16 {
            format!("{} bits a sample", first.precision)
        } else {
            return None;
        };
        Some(format!("JPEG 2000 with {reason}"))
    }
}

/// Walks through a codestream; `None` without a sound main header. Offsets of flaws count from `base`.
pub(crate) fn walk(bytes: &[u8], base: u64, flaws: &mut Flaws) -> Option<Stream> {
    let mut walk = Walk { bytes, base, at: 2, stream: Stream::default(), seen: Vec::new() };
    match walk.main_header() {
        Ok(()) => {}
        Err(flaw) => {
            flaws.push(flaw);
            return None;
        }
    }
    match walk.tile_parts() {
        Ok(()) => walk.stream.whole = true,
        Err(flaw) => {
            let is_open = matches!(flaw, Flaw::NoEndMarker { .. });
            walk.stream.open_end = is_open.then_some(walk.at);
            walk.stream.whole = is_open || matches!(flaw, Flaw::Trailing { .. });
            flaws.push(flaw);
        }
    }
    Some(walk.stream)
}

struct Walk<'a> {
    bytes: &'a [u8],
    base: u64,
    at: usize,
    stream: Stream,
    /// Of each tile: parts that were there, and parts that there should be (0 is not said).
    seen: Vec<[u8; 2]>,
}

impl<'a> Walk<'a> {
    fn main_header(&mut self) -> Result<(), Flaw> {
        if !self.bytes.starts_with(&[0xFF, 0x4F, 0xFF, 0x51]) {
            return Err(self.wrong("no start of a codestream"));
        }
        let siz = self.segment()?;
        self.size(siz).ok_or_else(|| self.wrong("malformed size segment"))?;
        let mut has_style = false;
        while self.marker()? != 0x90 {
            let marker = self.marker()?;
            // Markers without a segment.
            if matches!(marker, 0x30..=0x3F) {
                self.at = self.at.saturating_add(2);
                continue;
            }
            has_style |= marker == 0x52;
            let payload = self.segment()?;
            self.style(marker, payload)?;
        }
        if has_style { Ok(()) } else { Err(self.wrong("no coding style")) }
    }

    /// The second byte of the marker that is next.
    fn marker(&self) -> Result<u8, Flaw> {
        match self.bytes.get(self.at..).unwrap_or_default() {
            [0xFF, marker, ..] => Ok(*marker),
            [] | [0xFF] => Err(self.cut("marker", 2)),
            _ => Err(self.wrong("no marker where one is due")),
        }
    }

    /// The payload of the segment that is next; goes on after it.
    fn segment(&mut self) -> Result<&'a [u8], Flaw> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.get(2..4).and_then(|own| own.first_chunk::<2>()) else {
            return Err(self.cut("segment", 4));
        };
        let length = usize::from(u16::from_be_bytes(*length));
        let end = length.saturating_add(2);
        if length < 2 {
            return Err(self.wrong("a segment shorter than its own length"));
        }
        let Some(payload) = rest.get(4..end) else { return Err(self.cut("segment", end as u64)) };
        self.at = self.at.saturating_add(end);
        Ok(payload)
    }

    /// SIZ (A.5.1).
    fn size(&mut self, siz: &[u8]) -> Option<()> {
        let (fixed, parts) = siz.split_at_checked(36)?;
        let number = |at: usize| {
            let own = fixed.get(at..)?.first_chunk::<4>()?;
            Some(u32::from_be_bytes(*own))
        };
        let [right, bottom, left, top] = [number(2)?, number(6)?, number(10)?, number(14)?];
        let [tile_width, tile_height, tile_left, tile_top] =
            [number(18)?, number(22)?, number(26)?, number(30)?];
        let (width, height) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
        let count = u16::from_be_bytes(*fixed.get(34..)?.first_chunk::<2>()?);
        let parts = parts.as_chunks::<3>().0;
        let is_sound = width > 0
            && height > 0
            && tile_width > 0
            && tile_height > 0
            && tile_left <= left
            && tile_top <= top
            && tile_left.checked_add(tile_width)? > left
            && tile_top.checked_add(tile_height)? > top
            && count > 0
            && parts.len() == usize::from(count)
            && parts.iter().all(|[_, x, y]| *x > 0 && *y > 0);
        if !is_sound {
            return None;
        }
        let across = right.checked_sub(tile_left)?.div_ceil(tile_width);
        let down = bottom.checked_sub(tile_top)?.div_ceil(tile_height);
        let tiles = across.checked_mul(down).filter(|tiles| *tiles <= 65_535)?;
        let component = |[depth, x, y]: &[u8; 3]| Component {
            precision: (depth & 0x7F).saturating_add(1),
            signed: depth & 0x80 != 0,
            spread: [*x, *y],
        };
        self.stream = Stream {
            width,
            height,
            components: parts.iter().take(MOST_COMPONENTS).map(component).collect(),
            count,
            tile: [tile_width.min(width), tile_height.min(height)],
            tiles,
            ..Stream::default()
        };
        Some(())
    }

    /// COD and COC (A.6.1, A.6.2), POC (A.6.6), CAP: what decides the way and the cost of decoding.
    fn style(&mut self, marker: u8, payload: &[u8]) -> Result<(), Flaw> {
        let wide = self.stream.count > 256;
        let cost = match (marker, payload) {
            (0x52, [style, _, high, low, _, own @ ..]) => {
                let layers = u64::from(u16::from_be_bytes([*high, *low]));
                self.cost(own, style & 1 != 0, layers.max(1))
            }
            (0x53, [_, _, style, own @ ..]) if wide => self.cost(own, style & 1 != 0, 64),
            (0x53, [_, style, own @ ..]) => self.cost(own, style & 1 != 0, 64),
            (0x52 | 0x53, _) => None,
            (0x50, _) => {
                self.stream.high_throughput = true;
                return Ok(());
            }
            (0x70..=0x79, _) => {
                self.stream.extended = true;
                return Ok(());
            }
            (0x5F, _) => {
                let one = if wide { 9 } else { 7 };
                let changes = (payload.len() as u64).checked_div(one).unwrap_or_default();
                self.stream.changes = self.stream.changes.saturating_add(changes);
                if self.stream.changes > MOST_CHANGES {
                    return Err(self.wrong("too many changes of the progression order"));
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        let (bytes, high_throughput) = cost.ok_or_else(|| self.wrong("malformed coding style"))?;
        self.stream.upkeep = self.stream.upkeep.max(bytes);
        self.stream.high_throughput |= high_throughput;
        Ok(())
    }

    /// What a tile takes with this coding style, in bytes beside its samples; and whether its blocks
    /// are HTJ2K's.
    fn cost(&self, own: &[u8], has_precincts: bool, layers: u64) -> Option<(u64, bool)> {
        let [levels, block_width, block_height, block_style, _, sizes @ ..] = own else {
            return None;
        };
        let levels = *levels;
        let [across, down] = [block_width, block_height].map(|own| u32::from(own & 0x0F) + 2);
        if levels > 32 || across > 10 || down > 10 || across + down > 12 {
            return None;
        }
        let mut bytes = 0_u64;
        for resolution in 0..=levels {
            let size = match (has_precincts, sizes.get(usize::from(resolution))) {
                (true, Some(size)) => *size,
                (true, None) => return None,
                (false, _) => 0xFF,
            };
            let shrink = u32::from(levels - resolution);
            let [columns, rows] = self.stream.tile.map(|side| (u64::from(side) >> shrink) + 1);
            let (px, py) = (u32::from(size & 0x0F), u32::from(size >> 4));
            let precincts = ((columns >> px) + 2).saturating_mul((rows >> py) + 2);
            let blocks =
                ((columns >> across.min(px)) + 2).saturating_mul((rows >> down.min(py)) + 2);
            let one = BLOCK_BYTES.saturating_add(LAYER_BYTES.saturating_mul(layers));
            let here =
                blocks.saturating_mul(one).saturating_add(precincts.saturating_mul(BLOCK_BYTES));
            bytes = bytes.saturating_add(here.saturating_mul(3));
        }
        let bytes = bytes.saturating_mul(self.stream.components.len() as u64);
        Some((bytes, block_style & 0x40 != 0))
    }

    /// All tile-parts (A.4.2) up to the end of the codestream.
    fn tile_parts(&mut self) -> Result<(), Flaw> {
        self.seen = vec![[0; 2]; self.stream.tiles as usize];
        loop {
            let is_whole = self.seen.iter().all(|[parts, due]| *parts > 0 && parts >= due);
            match self.bytes.get(self.at..).unwrap_or_default() {
                [0xFF, 0xD9, rest @ ..] => {
                    self.at = self.at.saturating_add(2);
                    if !is_whole {
                        return Err(self.wrong("a tile-part is missing"));
                    }
                    let (offset, bytes) = (self.offset(), rest.len() as u64);
                    let is_clean = rest.iter().all(|byte| *byte == 0);
                    return if is_clean { Ok(()) } else { Err(Flaw::Trailing { offset, bytes }) };
                }
                [0xFF, 0x90, ..] => self.tile_part()?,
                // Nothing but half a marker and padding.
                rest if is_whole && is_padding(rest) => {
                    return Err(Flaw::NoEndMarker { what: "EOC", offset: self.offset() });
                }
                [] | [0xFF] => return Err(self.cut("tile-part", 12)),
                _ => return Err(self.wrong("no marker after a tile-part")),
            }
        }
    }

    fn tile_part(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        let (tile, length, parts) = match self.segment()? {
            [t1, t0, l3, l2, l1, l0, _, parts] => (
                usize::from(u16::from_be_bytes([*t1, *t0])),
                u32::from_be_bytes([*l3, *l2, *l1, *l0]) as usize,
                *parts,
            ),
            _ => return Err(self.wrong("malformed tile-part header")),
        };
        match self.seen.get_mut(tile) {
            Some([seen, due]) => {
                *seen = seen.saturating_add(1);
                *due = (*due).max(parts);
            }
            None => return Err(self.wrong("a tile-part of no tile")),
        }
        // A length of 0 reaches to the end of the codestream.
        let end = match length {
            0 => self.last_end(),
            _ => start.saturating_add(length),
        };
        if end > self.bytes.len() {
            let found = (self.bytes.len() as u64).saturating_sub(start as u64);
            return Err(Flaw::Truncated {
                what: format!("JPEG 2000 tile-part of tile {tile}"),
                offset: self.base.saturating_add(self.bytes.len() as u64),
                expected: Some(length as u64),
                found,
                rows: None,
            });
        }
        while self.marker()? != 0x93 {
            let marker = self.marker()?;
            let payload = self.segment()?;
            self.style(marker, payload)?;
        }
        if self.at.saturating_add(2) > end {
            return Err(self.wrong("a tile-part shorter than its header"));
        }
        self.at = end;
        Ok(())
    }

    /// Where a last tile-part of unsaid length ends: before EOC, wherever padding follows it.
    fn last_end(&self) -> usize {
        let end = self.bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let rest = self.bytes.get(..end).unwrap_or_default();
        if rest.ends_with(&[0xFF, 0xD9]) { end.saturating_sub(2) } else { self.bytes.len() }
    }

    fn offset(&self) -> u64 {
        self.base.saturating_add(self.at as u64)
    }

    fn wrong(&self, reason: &str) -> Flaw {
        let reason = format!("JPEG 2000: {reason}");
        Flaw::Decode { reason, offset: Some(self.offset()), rows: None }
    }

    fn cut(&self, what: &str, expected: u64) -> Flaw {
        Flaw::Truncated {
            what: format!("JPEG 2000 {what}"),
            offset: self.base.saturating_add(self.bytes.len() as u64),
            expected: Some(expected),
            found: (self.bytes.len() as u64).saturating_sub(self.at as u64),
            rows: None,
        }
    }
}

/// True for zeros alone, also behind the first half of a marker.
fn is_padding(rest: &[u8]) -> bool {
    rest.strip_prefix(&[0xFF]).unwrap_or(rest).iter().all(|byte| *byte == 0)
}
