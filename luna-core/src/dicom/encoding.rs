//! How the elements of a data set are encoded: explicit or implicit VR, byte order; told by the bytes
//! where the transfer syntax does not say, or lies.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_core::dictionary::VirtualVr;
use dicom_core::{Tag, VR};

use super::dictionary;

/// Length field of elements and items whose end is marked by a delimiter.
pub(super) const UNDEFINED: u32 = u32::MAX;

/// Elements that [`Encoding::guess`] reads at most.
const PROBED: u32 = 12;

/// How elements are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Elements carry their VR.
    pub explicit: bool,
    /// Numbers have their most significant byte first.
    pub big_endian: bool,
}

/// The header of an element, item or delimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) tag: Tag,
    /// The two VR bytes, if explicit.
    pub(super) vr: Option<[u8; 2]>,
    /// Offset of the value.
    pub(super) value: usize,
    pub(super) length: u32,
}

impl Encoding {
    /// Implicit VR little endian.
    pub const IMPLICIT: Self = Self { explicit: false, big_endian: false };
    /// Explicit VR little endian.
    pub const EXPLICIT: Self = Self { explicit: true, big_endian: false };
    /// Explicit VR big endian (retired).
    pub const BIG: Self = Self { explicit: true, big_endian: true };

    /// All that is met in the wild; the last was never legal.
    const ALL: [Self; 4] =
        [Self::EXPLICIT, Self::IMPLICIT, Self::BIG, Self { explicit: false, big_endian: true }];

    /// Reads two bytes as a number.
    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    /// Reads four bytes as a number.
    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// Reads eight bytes as a number.
    pub fn u64(self, bytes: [u8; 8]) -> u64 {
        if self.big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }
    }

    /// The header at this offset; `None` if the bytes end before it does.
    pub(super) fn head(self, data: &[u8], at: usize) -> Option<Head> {
        let rest = data.get(at..)?;
        let tag = Tag(self.u16(array(rest, 0)?), self.u16(array(rest, 2)?));
        let vr: [u8; 2] = array(rest, 4)?;
        let is_item = tag.group() == 0xFFFE;
        if is_item || !self.explicit || !vr.iter().all(u8::is_ascii_uppercase) {
            let length = self.u32(array(rest, 4)?);
            return Some(Head { tag, vr: None, value: at.checked_add(8)?, length });
        }
        let short = match VR::from_binary(vr) {
            Some(known) => has_short_length(known),
            // A VR of a later edition has the long form (PS3.5 6.2.2); one that is just wrong may not.
            None => array(rest, 6)? != [0, 0],
        };
        if short {
            let length = u32::from(self.u16(array(rest, 6)?));
            return Some(Head { tag, vr: Some(vr), value: at.checked_add(8)?, length });
        }
        let length = self.u32(array(rest, 8)?);
        Some(Head { tag, vr: Some(vr), value: at.checked_add(12)?, length })
    }

    /// How the data set at this offset is encoded: as declared if the bytes allow it, else what they
    /// look like.
    pub(super) fn guess(data: &[u8], at: usize, declared: Option<Self>) -> Option<Self> {
        let declared_run = declared.map(|encoding| encoding.plausible_run(data, at));
        if declared_run.is_some_and(|run| run.complete) {
            return declared;
        }
        let mut best: Option<(Run, Self)> = None;
        for candidate in Self::ALL {
            let run = candidate.plausible_run(data, at);
            if best.is_none_or(|(other, _)| run > other) {
                best = Some((run, candidate));
            }
        }
        let (run, encoding) = best.filter(|(run, _)| run.elements > 0)?;
        match declared_run {
            Some(own) if own.elements > 0 && !run.complete => declared,
            _ => Some(encoding),
        }
    }

    /// True if the bytes plainly are elements in some encoding.
    pub(super) fn reads_well(data: &[u8], at: usize) -> bool {
        Self::ALL.iter().any(|encoding| encoding.plausible_run(data, at).complete)
    }

    /// How far the bytes read as elements in this encoding.
    fn plausible_run(self, data: &[u8], mut at: usize) -> Run {
        let mut run = Run { complete: false, elements: 0 };
        while run.elements < PROBED {
            if at == data.len() && run.elements > 0 {
                break;
            }
            let Some(next) = self.head(data, at).and_then(|head| self.plausible_end(data, &head))
            else {
                return run;
            };
            at = next;
            run.elements = run.elements.saturating_add(1);
        }
        run.complete = true;
        run
    }

    /// Where the next header stands, if this one makes sense.
    pub(super) fn plausible_end(self, data: &[u8], head: &Head) -> Option<usize> {
        if head.tag.group() == 0xFFFE {
            return Some(head.value);
        }
        let known = dictionary::virtual_vr(head.tag);
        if known.is_none() && head.tag.group().is_multiple_of(2) && head.tag.element() != 0 {
            return None;
        }
        if self.explicit && head.vr.and_then(VR::from_binary).is_none() {
            return None;
        }
        if head.length == UNDEFINED {
            let vr = head.vr.and_then(VR::from_binary);
            let sequence = matches!(vr, Some(VR::SQ | VR::UN | VR::OB | VR::OW))
                || (vr.is_none()
                    && matches!(known, None | Some(VirtualVr::Exact(VR::SQ) | VirtualVr::Px)));
            return sequence.then_some(head.value);
        }
        let end = head.value.checked_add(usize::try_from(head.length).ok()?)?;
        (end <= data.len()).then_some(end)
    }
}

/// How far bytes make sense; ordered by likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    /// To the end of the data, or as far as was looked.
    complete: bool,
    /// Headers that made sense.
    elements: u32,
}

/// Explicit VRs with a 16-bit length field (PS3.5, table 7.1-2).
fn has_short_length(vr: VR) -> bool {
    !matches!(
        vr,
        VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV
    )
}

/// `N` bytes at an offset.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPLICIT: &[u8] = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100\x08\x00\x60\x00CS\x02\x00DX";
    const IMPLICIT: &[u8] =
        b"\x08\x00\x05\x00\x0a\x00\x00\x00ISO_IR 100\x08\x00\x60\x00\x02\x00\x00\x00DX";
    const BIG: &[u8] = b"\x00\x08\x00\x05CS\x00\x0aISO_IR 100\x00\x08\x00\x60CS\x00\x02DX";

    #[test]
    fn each_encoding_is_told_by_its_bytes() {
        assert_eq!(Encoding::guess(EXPLICIT, 0, None), Some(Encoding::EXPLICIT));
        assert_eq!(Encoding::guess(IMPLICIT, 0, None), Some(Encoding::IMPLICIT));
        assert_eq!(Encoding::guess(BIG, 0, None), Some(Encoding::BIG));
        assert_eq!(Encoding::guess(b"no data set at all", 0, None), None);
    }

    #[test]
    fn bytes_win_over_a_declaration_that_lies() {
        assert_eq!(
            Encoding::guess(IMPLICIT, 0, Some(Encoding::EXPLICIT)),
            Some(Encoding::IMPLICIT)
        );
        assert_eq!(Encoding::guess(EXPLICIT, 0, Some(Encoding::BIG)), Some(Encoding::EXPLICIT));
    }

    #[test]
    fn a_declaration_stands_while_its_first_element_makes_sense() {
        let cut = &EXPLICIT[..20];
        assert_eq!(Encoding::guess(cut, 0, Some(Encoding::EXPLICIT)), Some(Encoding::EXPLICIT));
    }
}
