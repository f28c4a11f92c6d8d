//! Markers of a JPEG-LS stream (ITU-T T.87 annex C): frame, scans, presets, restart intervals.

/// A sound segment.
#[derive(Debug)]
pub(super) enum Segment {
    Frame(Frame),
    Presets(Presets),
    /// Lines from one restart marker to the next; 0 is none.
    Restart(u32),
    Scan(Scan),
    End,
    /// Nothing that changes a sample.
    Other,
}

/// Why a segment cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The bytes end within it; how many it should have.
    Cut(u64),
    /// It breaks the standard: what is wrong.
    Wrong(&'static str),
    /// Legal, but not read here.
    Unsupported(&'static str),
}

/// SOF55.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) precision: u8,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Identifiers of the components.
    pub(super) components: Vec<u8>,
}

/// LSE of type 1; 0 stands for the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Presets {
    pub(super) max: u16,
    pub(super) thresholds: [u16; 3],
    pub(super) reset: u16,
}

/// How the components of a scan take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interleave {
    None,
    Line,
    Sample,
}

/// SOS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) components: Vec<u8>,
    pub(super) near: u8,
    pub(super) interleave: Interleave,
}

/// Reads the segment at a marker; gives it and the offset after it.
pub(super) fn segment(bytes: &[u8], at: usize) -> Result<(Segment, usize), Refusal> {
    const NO_MARKER: Refusal = Refusal::Wrong("bytes between segments that are no marker");
    let rest = bytes.get(at..).unwrap_or_default();
    let fill = rest.iter().take_while(|byte| **byte == 0xFF).count();
    let Some(marker) = rest.get(fill) else { return Err(Refusal::Cut(2)) };
    if fill == 0 {
        return Err(NO_MARKER);
    }
    let body = at.saturating_add(fill).saturating_add(1);
    match marker {
        0xD9 => return Ok((Segment::End, body)),
        0xD8 => return Ok((Segment::Other, body)),
        0x00..0x80 | 0xD0..=0xD7 => return Err(NO_MARKER),
        _ => {}
    }
    let payload = bytes.get(body..).unwrap_or_default();
    let Some(length) = payload.first_chunk().map(|own| usize::from(u16::from_be_bytes(*own)))
    else {
        return Err(Refusal::Cut(2));
    };
    if length < 2 {
        return Err(Refusal::Wrong("a segment shorter than its own length"));
    }
    let Some(payload) = payload.get(2..length) else { return Err(Refusal::Cut(length as u64)) };
    let read = match marker {
        0xF7 => frame(payload).map(Segment::Frame)?,
        0xF8 => presets(payload)?,
        0xDD => restart(payload).map(Segment::Restart)?,
        0xDA => scan(payload).map(Segment::Scan)?,
        0xDC => return Err(Refusal::Unsupported("a number of lines after the scan")),
        0xE8 => colour_transform(payload)?,
        0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
            return Err(Refusal::Wrong("a frame header of another JPEG process"));
        }
        _ => Segment::Other,
    };
    Ok((read, body.saturating_add(length)))
}

fn frame(payload: &[u8]) -> Result<Frame, Refusal> {
    const WRONG: Refusal = Refusal::Wrong("malformed frame header");
    let [precision, h1, h0, w1, w0, count, parts @ ..] = payload else { return Err(WRONG) };
    let parts = parts.as_chunks::<3>();
    if parts.0.len() != usize::from(*count) || !parts.1.is_empty() {
        return Err(WRONG);
    }
    if !(2..=16).contains(precision) || !(1..=4).contains(count) {
        return Err(Refusal::Wrong("a precision or a number of components that is out of range"));
    }
    let side = |high: &u8, low: &u8| u32::from(u16::from_be_bytes([*high, *low]));
    let (width, height) = (side(w1, w0), side(h1, h0));
    if width == 0 || height == 0 {
        return Err(Refusal::Unsupported("a size that does not stand in its frame header"));
    }
    if parts.0.iter().any(|[_, sampling, _]| *sampling != 0x11) {
        return Err(Refusal::Unsupported("subsampled components"));
    }
    let components: Vec<u8> = parts.0.iter().map(|[id, ..]| *id).collect();
    let mut unique = components.clone();
    unique.sort_unstable();
    unique.dedup();
    if unique.len() < components.len() {
        return Err(Refusal::Wrong("two components with one identifier"));
    }
    Ok(Frame { precision: *precision, width, height, components })
}

fn presets(payload: &[u8]) -> Result<Segment, Refusal> {
    let (kind, values) = match payload {
        [kind, values @ ..] => (*kind, values),
        [] => return Err(Refusal::Wrong("an empty preset segment")),
    };
    match (kind, values.as_chunks::<2>()) {
        (1, ([max, t1, t2, t3, reset], [])) => Ok(Segment::Presets(Presets {
            max: u16::from_be_bytes(*max),
            thresholds: [*t1, *t2, *t3].map(u16::from_be_bytes),
            reset: u16::from_be_bytes(*reset),
        })),
        (2 | 3, _) => Err(Refusal::Unsupported("a mapping table")),
        (4, _) => Err(Refusal::Unsupported("a size that does not stand in its frame header")),
        _ => Err(Refusal::Wrong("malformed preset segment")),
    }
}

fn restart(payload: &[u8]) -> Result<u32, Refusal> {
    match payload {
        [_, _] | [_, _, _] | [_, _, _, _] => {
            Ok(payload.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
        }
        _ => Err(Refusal::Wrong("malformed restart interval")),
    }
}

fn scan(payload: &[u8]) -> Result<Scan, Refusal> {
    const WRONG: Refusal = Refusal::Wrong("malformed scan header");
    let [count, rest @ ..] = payload else { return Err(WRONG) };
    let Some((parts, [near, interleave, point])) =
        rest.split_at_checked(usize::from(*count).saturating_mul(2))
    else {
        return Err(WRONG);
    };
    let parts = parts.as_chunks::<2>().0;
    if parts.iter().any(|[_, table]| *table != 0) {
        return Err(Refusal::Unsupported("a mapping table"));
    }
    if point & 0x0F != 0 {
        return Err(Refusal::Unsupported("a point transform"));
    }
    let interleave = match (interleave, parts.len()) {
        (0..=2, 1) => Interleave::None,
        (1, 2..=4) => Interleave::Line,
        (2, 2..=4) => Interleave::Sample,
        _ => return Err(WRONG),
    };
    Ok(Scan { components: parts.iter().map(|[id, _]| *id).collect(), near: *near, interleave })
}

/// APP8 `mrfx`: a colour transform that is in no standard.
fn colour_transform(payload: &[u8]) -> Result<Segment, Refusal> {
    match payload {
        [b'm', b'r', b'f', b'x', transform] if *transform != 0 => {
            Err(Refusal::Unsupported("a private colour transform"))
        }
        _ => Ok(Segment::Other),
    }
}
