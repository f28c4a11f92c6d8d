//! DICOM without preamble: the first bytes are a plausible data element of group 0002 or 0008, and
//! another one follows it.

/// Longest first value that is believed.
const LONGEST_VALUE: u32 = 1 << 20;

#[derive(Clone, Copy)]
struct Element {
    tag: (u16, u16),
    /// Bytes of the whole element.
    length: usize,
}

/// True if an element stands at the start, and the end of the file or a later element behind it.
pub(super) fn starts_with_element(head: &[u8]) -> bool {
    [false, true].into_iter().any(|big_endian| {
        [false, true].into_iter().any(|explicit| {
            let Some(first) = element(head, big_endian, explicit) else { return false };
            if !matches!(first.tag.0, 0x0002 | 0x0008) {
                return false;
            }
            let rest = head.get(first.length..).unwrap_or_default();
            // A value longer than what is looked at, or the end, has to be believed.
            rest.len() < 8 || follows(first, rest, big_endian, explicit)
        })
    })
}

fn follows(first: Element, rest: &[u8], big_endian: bool, explicit: bool) -> bool {
    // The data set may be encoded otherwise than its file meta group.
    let next = element(rest, big_endian, explicit).or_else(|| element(rest, false, !explicit));
    next.is_some_and(|next| next.tag > first.tag && next.tag.0 <= 0x0054)
}

fn element(bytes: &[u8], big_endian: bool, explicit: bool) -> Option<Element> {
    let short = |at: usize| {
        let pair: [u8; 2] = bytes.get(at..)?.first_chunk().copied()?;
        Some(if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let long = |at: usize| {
        let four: [u8; 4] = bytes.get(at..)?.first_chunk().copied()?;
        Some(if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    let tag = (short(0)?, short(2)?);
    let (header, value) = if explicit {
        match bytes.get(4..6)? {
            b"AE" | b"AS" | b"AT" | b"CS" | b"DA" | b"DS" | b"DT" | b"FL" | b"FD" | b"IS"
            | b"LO" | b"LT" | b"PN" | b"SH" | b"SL" | b"SS" | b"ST" | b"TM" | b"UI" | b"UL"
            | b"US" => (8, u32::from(short(6)?)),
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN"
            | b"UR" | b"UT" | b"UV" => (12, long(8)?),
            _ => return None,
        }
    } else {
        (8, long(4)?)
    };
    (value <= LONGEST_VALUE && value.is_multiple_of(2))
        .then(|| Element { tag, length: (value as usize).saturating_add(header) })
}
