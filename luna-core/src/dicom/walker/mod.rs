//! Walks the elements of a data set: bytes in, a flat list of elements with offsets out, and what is
//! odd about their structure. Reads no value, allocates nothing by a length from the file, and keeps
//! its own stack, so that nesting costs heap and not call frames.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod fragments;
mod level;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use self::level::{Holds, Level};
use crate::dicom::anomaly::{Anomaly, AnomalyKind};
use crate::dicom::encoding::{Encoding, Head, UNDEFINED, array};
use crate::dicom::{Element, Encapsulated, dictionary};
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws};

/// Anomalies beyond this number are not kept: the file is beyond repair, and so is the list.
const MOST_ANOMALIES: usize = 1_000;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// What was found, and where the walk goes on.
#[derive(Debug)]
pub(crate) struct Walker<'a> {
    data: &'a [u8],
    limits: &'a Limits,
    at: usize,
    levels: Vec<Level>,
    seen: u32,
    pub(crate) found: Found,
}

/// What a walk brings home.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) elements: Vec<Element>,
    pub(crate) anomalies: Vec<Anomaly>,
    pub(crate) flaws: Flaws,
    pub(crate) encapsulated: Option<Encapsulated>,
}

/// Whether the walk goes on.
enum Step {
    On,
    Over,
}

impl<'a> Walker<'a> {
    pub(crate) fn new(data: &'a [u8], limits: &'a Limits) -> Self {
        Self { data, limits, at: 0, levels: Vec::new(), seen: 0, found: Found::default() }
    }

    /// Goes on over other data that begin with the same bytes.
    pub(super) fn over<'b>(self, data: &'b [u8]) -> Walker<'b>
    where
        'a: 'b,
    {
        Walker {
            data,
            limits: self.limits,
            at: 0,
            levels: Vec::new(),
            seen: self.seen,
            found: self.found,
        }
    }

    /// Walks the file meta elements (group 0002) from `at`; gives the offset behind them.
    pub(crate) fn file_meta(&mut self, at: usize, encoding: Encoding) -> usize {
        self.at = at;
        let is_meta = |data: &[u8], at| {
            encoding.head(data, at).is_some_and(|head| head.tag.group() == 0x0002)
        };
        self.levels = vec![Level::root(self.data.len(), encoding, at)];
        while self.levels.len() > 1 || is_meta(self.data, self.at) {
            if let Step::Over = self.step() {
                break;
            }
        }
        self.levels.clear();
        self.at
    }

    /// Walks the data set from `at` to the end of the data.
    pub(crate) fn data_set(&mut self, at: usize, encoding: Encoding) {
        self.at = at;
        self.levels = vec![Level::root(self.data.len(), encoding, at)];
        while let Step::On = self.step() {}
        while self.levels.len() > 1 {
            self.close(true);
        }
        self.find_duplicates();
    }

    fn step(&mut self) -> Step {
        let Some(level) = self.levels.last().copied() else { return Step::Over };
        if self.at >= level.stop {
            if self.levels.len() == 1 {
                return Step::Over;
            }
            self.close(level.delimited);
            return Step::On;
        }
        let head = level.encoding.head(self.data, self.at).filter(|head| head.value <= level.stop);
        let Some(head) = head else { return self.leftover(level) };
        match (level.holds, head.tag) {
            (Holds::Items, _) => self.item(level, head),
            (Holds::Elements, ITEM | ITEM_END | SEQUENCE_END) => self.delimiter(level, head),
            (Holds::Elements, _) => return self.element(level, head),
        }
        Step::On
    }

    /// Too few bytes for another header.
    fn leftover(&mut self, level: Level) -> Step {
        let bytes = level.stop.saturating_sub(self.at);
        let tag = level.last.unwrap_or(Tag(0, 0));
        if self.levels.len() == 1 && (tag >= tags::FLOAT_PIXEL_DATA || self.rest_is_zero()) {
            return self.trailing();
        }
        if level.stop == self.data.len() {
            self.truncated(format!("header of the element after {tag}"), None, bytes as u64);
        }
        self.note(AnomalyKind::Leftover { bytes }, self.at, tag, level.sequence);
        self.at = level.stop;
        Step::On
    }

    /// The rest of the data belongs to no element. Zeros are padding.
    fn trailing(&mut self) -> Step {
        if !self.rest_is_zero() {
            let bytes = self.data.len().saturating_sub(self.at) as u64;
            self.found.flaws.push(Flaw::Trailing { offset: self.at as u64, bytes });
        }
        self.at = self.data.len();
        Step::Over
    }

    fn rest_is_zero(&self) -> bool {
        self.data.get(self.at..).unwrap_or_default().iter().all(|byte| *byte == 0)
    }

    /// Leaves the innermost level; `unclosed` if its delimiter is missing.
    fn close(&mut self, unclosed: bool) {
        let Some(level) = self.levels.pop() else { return };
        if unclosed && level.delimited {
            let tag = if level.holds == Holds::Items { SEQUENCE_END } else { ITEM_END };
            self.note(AnomalyKind::NoDelimiter, level.offset, tag, level.sequence);
            if self.at >= self.data.len() {
                let sequence = level.sequence.and_then(|at| self.found.elements.get(at as usize));
                let tag = sequence.map_or(tag, |element| element.tag);
                self.truncated(format!("sequence {tag}"), None, 0);
            }
        }
        if level.holds == Holds::Items
            && let Some(element) =
                level.sequence.and_then(|at| self.found.elements.get_mut(at as usize))
        {
            element.length = self.at.saturating_sub(element.value);
            element.items = level.item;
        }
    }

    /// Inside a sequence: an item, or its end.
    fn item(&mut self, level: Level, head: Head) {
        match head.tag {
            ITEM => self.open_item(level, head),
            SEQUENCE_END if level.delimited => {
                self.close(false);
                self.at = self.past_delimiter(head, level);
            }
            ITEM_END | SEQUENCE_END => {
                self.note(AnomalyKind::StrayDelimiter, self.at, head.tag, level.sequence);
                self.at = head.value;
            }
            _ => {
                self.note(AnomalyKind::NotAnItem, self.at, head.tag, level.sequence);
                if !level.delimited {
                    self.at = level.stop;
                }
                self.close(false);
            }
        }
    }

    fn open_item(&mut self, level: Level, head: Head) {
        let offset = self.at;
        let (stop, delimited) = match head.length {
            UNDEFINED => (level.stop, true),
            length => (self.bounded(head, length, level.stop, level.sequence), false),
        };
        if let Some(sequence) = self.levels.last_mut() {
            sequence.item = sequence.item.saturating_add(1);
        }
        self.at = head.value;
        let encoding = self.item_encoding(level);
        self.levels.push(Level {
            holds: Holds::Elements,
            stop,
            delimited,
            encoding,
            sequence: level.sequence,
            offset,
            item: level.item,
            last: None,
        });
    }

    /// Items of a UN sequence are implicit little endian (PS3.5 6.2.2), unless their first element
    /// plainly is not.
    fn item_encoding(&self, level: Level) -> Encoding {
        let in_unknown = level
            .sequence
            .and_then(|at| self.found.elements.get(at as usize))
            .is_some_and(|element| element.explicit_vr == Some(*b"UN"));
        if !in_unknown {
            return level.encoding;
        }
        match Encoding::EXPLICIT.head(self.data, self.at).and_then(|head| head.vr) {
            Some(vr) if VR::from_binary(vr).is_some() => Encoding::EXPLICIT,
            _ => level.encoding,
        }
    }

    /// Among elements: an item or delimiter.
    fn delimiter(&mut self, level: Level, head: Head) {
        let in_item = self.levels.len() > 1 && level.delimited;
        match head.tag {
            ITEM_END if in_item => {
                self.close(false);
                self.at = self.past_delimiter(head, level);
            }
            // The item is not closed; the sequence sees the same header next.
            ITEM | SEQUENCE_END if in_item => self.close(true),
            ITEM if head.length != UNDEFINED => {
                self.note(AnomalyKind::StrayDelimiter, self.at, head.tag, level.sequence);
                let end = head.value.saturating_add(head.length as usize);
                self.at = end.min(level.stop);
            }
            _ => {
                self.note(AnomalyKind::StrayDelimiter, self.at, head.tag, level.sequence);
                self.at = head.value;
            }
        }
    }

    fn past_delimiter(&mut self, head: Head, level: Level) -> usize {
        if head.length != 0 {
            let kind = AnomalyKind::DelimiterLength { length: head.length };
            self.note(kind, self.at, head.tag, level.sequence);
        }
        head.value
    }

    fn element(&mut self, level: Level, head: Head) -> Step {
        if self.levels.len() == 1 && self.is_after_the_end(level, head) {
            return self.trailing();
        }
        if self.seen >= self.limits.dicom_elements {
            self.over_budget(u64::from(self.seen));
            return Step::Over;
        }
        self.seen = self.seen.saturating_add(1);
        let index = self.record(level, head);
        self.check_header(level, head, index);
        if let Some(own) = self.levels.last_mut() {
            own.last = Some(head.tag);
        }
        if head.length == UNDEFINED {
            self.open_undefined(level, head, index);
            return Step::On;
        }
        let end = self.bounded(head, head.length, level.stop, index);
        if is_sequence(self.data, head, level.encoding) {
            self.open_sequence(level, head, index, end, false);
        } else {
            self.at = end;
        }
        Step::On
    }

    /// After the pixel data, what does not read as an element is no part of the data set; nor are
    /// zeros at its end.
    fn is_after_the_end(&self, level: Level, head: Head) -> bool {
        let after_pixels = level.last.is_some_and(|last| last >= tags::FLOAT_PIXEL_DATA);
        head.tag == Tag(0, 0)
            || (after_pixels && level.encoding.plausible_end(self.data, &head).is_none())
    }

    fn check_header(&mut self, level: Level, head: Head, index: Option<u32>) {
        if let Some(after) = level.last.filter(|last| *last > head.tag) {
            self.note(AnomalyKind::OutOfOrder { after }, self.at, head.tag, index);
        }
        if head.length != UNDEFINED && !head.length.is_multiple_of(2) {
            let kind = AnomalyKind::OddLength { length: head.length };
            self.note(kind, self.at, head.tag, index);
        }
        let known = head.vr.and_then(VR::from_binary);
        if level.encoding.explicit && known.is_none() {
            let at = self.at.saturating_add(4);
            let vr = head.vr.or_else(|| array(self.data, at)).unwrap_or_default();
            self.note(AnomalyKind::UnknownVr { vr }, self.at, head.tag, index);
        }
        if head.length == UNDEFINED
            && let Some(vr) = known
            && !matches!(vr, VR::SQ | VR::UN)
            && !(head.tag == tags::PIXEL_DATA && matches!(vr, VR::OB | VR::OW))
        {
            let kind = AnomalyKind::UndefinedLength { vr: vr.to_bytes() };
            self.note(kind, self.at, head.tag, index);
        }
    }

    /// The end of a value; cut to what is there if the length claims more.
    fn bounded(&mut self, head: Head, length: u32, stop: usize, element: Option<u32>) -> usize {
        let end = usize::try_from(length).ok().and_then(|length| head.value.checked_add(length));
        if let Some(end) = end.filter(|end| *end <= stop) {
            return end;
        }
        let (declared, left) = (u64::from(length), stop.saturating_sub(head.value) as u64);
        let at_end = stop == self.data.len();
        if at_end {
            self.truncated(format!("element {}", head.tag), Some(declared), left);
            self.note(AnomalyKind::BeyondEnd { declared, left }, self.at, head.tag, element);
        } else {
            self.note(AnomalyKind::BeyondParent { declared, left }, self.at, head.tag, element);
        }
        stop
    }

    /// Bytes are missing at the end of the data. Said once: outer levels are cut by the same end.
    fn truncated(&mut self, what: String, expected: Option<u64>, found: u64) {
        if self.found.flaws.iter().any(|flaw| matches!(flaw, Flaw::Truncated { .. })) {
            return;
        }
        self.found.flaws.push(Flaw::Truncated {
            what,
            offset: self.data.len() as u64,
            expected,
            found,
            rows: None,
        });
    }

    fn open_undefined(&mut self, level: Level, head: Head, index: Option<u32>) {
        let binary = matches!(
            head.vr.and_then(VR::from_binary),
            Some(VR::OB | VR::OW | VR::OD | VR::OF | VR::OL | VR::OV)
        );
        if head.tag == tags::PIXEL_DATA || binary {
            self.fragments(level, head, index);
        } else {
            self.open_sequence(level, head, index, level.stop, true);
        }
    }

    fn open_sequence(
        &mut self,
        level: Level,
        head: Head,
        index: Option<u32>,
        stop: usize,
        delimited: bool,
    ) {
        if self.depth() == self.limits.dicom_nesting as usize {
            let allowed = self.limits.dicom_nesting;
            self.note(AnomalyKind::TooDeep { allowed }, self.at, head.tag, index);
        }
        let encoding = if head.vr == Some(*b"UN") { Encoding::IMPLICIT } else { level.encoding };
        self.levels.push(Level {
            holds: Holds::Items,
            stop,
            delimited,
            encoding,
            sequence: index,
            offset: self.at,
            item: 0,
            last: None,
        });
        self.at = head.value;
    }

    fn over_budget(&mut self, elements: u64) {
        self.found.flaws.push(Flaw::OverBudget {
            limit: "dicom_elements",
            allowed: u64::from(self.limits.dicom_elements),
            seen: elements.saturating_add(1),
        });
        self.at = self.data.len();
    }

    /// Sequences around this place.
    fn depth(&self) -> usize {
        self.levels.len() / 2
    }

    fn record(&mut self, level: Level, head: Head) -> Option<u32> {
        if self.depth() > self.limits.dicom_nesting as usize {
            return None;
        }
        let stop = level.stop.saturating_sub(head.value);
        let undefined_length = head.length == UNDEFINED;
        let length = if undefined_length { 0 } else { (head.length as usize).min(stop) };
        let index = u32::try_from(self.found.elements.len()).ok()?;
        self.found.elements.push(Element {
            tag: head.tag,
            explicit_vr: head.vr,
            big_endian: level.encoding.big_endian,
            offset: self.at,
            value: head.value,
            length,
            declared_length: head.length,
            undefined_length,
            parent: level.sequence,
            item: level.item,
            items: 0,
        });
        Some(index)
    }

    fn note(&mut self, kind: AnomalyKind, offset: usize, tag: Tag, element: Option<u32>) {
        if self.found.anomalies.len() < MOST_ANOMALIES {
            self.found.anomalies.push(Anomaly { kind, offset, tag, element });
        }
    }

    fn find_duplicates(&mut self) {
        let mut order: Vec<u32> =
            (0..u32::try_from(self.found.elements.len()).unwrap_or(0)).collect();
        let key = |at: &u32| {
            self.found
                .elements
                .get(*at as usize)
                .map(|own| (own.parent, own.item, own.tag, own.offset))
        };
        order.sort_by_key(key);
        let mut found = Vec::new();
        for pair in order.windows(2) {
            let [first, second] = pair else { continue };
            let (Some(a), Some(b)) = (
                self.found.elements.get(*first as usize),
                self.found.elements.get(*second as usize),
            ) else {
                continue;
            };
            if (a.parent, a.item, a.tag) == (b.parent, b.item, b.tag) {
                found.push((a.offset, b.offset, b.tag, *second));
            }
        }
        for (first, offset, tag, element) in found {
            self.note(AnomalyKind::Duplicate { first }, offset, tag, Some(element));
        }
    }
}

/// True if a value of defined length holds items.
fn is_sequence(data: &[u8], head: Head, encoding: Encoding) -> bool {
    match head.vr.and_then(VR::from_binary) {
        Some(VR::SQ) => true,
        Some(VR::UN) => {
            dictionary::implicit_vr(head.tag, false) == VR::SQ
                && starts_with_item(data, head.value, Encoding::IMPLICIT)
        }
        Some(_) => false,
        None => {
            dictionary::implicit_vr(head.tag, false) == VR::SQ
                && (head.length == 0 || starts_with_item(data, head.value, encoding))
        }
    }
}

fn starts_with_item(data: &[u8], at: usize, encoding: Encoding) -> bool {
    encoding.head(data, at).is_some_and(|head| head.tag == ITEM)
}
