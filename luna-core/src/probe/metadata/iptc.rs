//! IPTC-IIM data sets (IIM 4.2): tag 1C, record, data set, length, value.

use super::{Metadata, Trace, text};

const CARRIER: &str = "IPTC";

/// Data sets of record 2 that tell something.
const FIELDS: [(u8, &str, Trace); 11] = [
    (55, "DateCreated", Trace::Date),
    (62, "DigitalCreationDate", Trace::Date),
    (80, "By-line", Trace::Person),
    (90, "City", Trace::Place),
    (92, "Sub-location", Trace::Place),
    (95, "Province-State", Trace::Place),
    (101, "Country", Trace::Place),
    (118, "Contact", Trace::Person),
    (120, "Caption", Trace::Text),
    (122, "Writer-Editor", Trace::Person),
    (40, "SpecialInstructions", Trace::Text),
];

/// Reads data sets at an offset of the file, until one does not fit.
pub(super) fn read(block: &[u8], offset: u64, out: &mut Metadata) {
    let mut rest = block;
    while let [0x1c, record, set, high, low, after @ ..] = rest {
        let length = u16::from_be_bytes([*high, *low]);
        // Longer values have another form of length; no person's name needs it.
        let Some((value, next)) = after.split_at_checked(usize::from(length)) else { return };
        if let (2, Some((_, name, trace))) =
            (record, FIELDS.iter().find(|(known, ..)| known == set))
        {
            out.add(CARRIER, name, *trace, &text::decoded(value), offset);
        }
        rest = next;
    }
}
