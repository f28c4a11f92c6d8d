//! The items of encapsulated pixel data.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::{ITEM, Level, SEQUENCE_END, Walker};
use crate::dicom::Encapsulated;
use crate::dicom::anomaly::AnomalyKind;
use crate::dicom::encoding::{Head, UNDEFINED};

impl Walker<'_> {
    /// Encapsulated pixel data: the offset table, then fragments up to the delimiter (PS3.5 A.4).
    pub(super) fn fragments(&mut self, level: Level, head: Head, index: Option<u32>) {
        let keep = self.levels.len() == 1 && head.tag == tags::PIXEL_DATA;
        let mut found = Encapsulated::default();
        self.at = head.value;
        while self.fragment(level, head.tag, index, &mut found) {}
        if let Some(element) = index.and_then(|at| self.found.elements.get_mut(at as usize)) {
            element.length = self.at.saturating_sub(element.value);
        }
        if found.closed
            && let Some(end) = level.encoding.head(self.data, self.at)
        {
            self.at = self.past_delimiter(end, level);
        }
        if keep && self.found.encapsulated.is_none() {
            self.found.encapsulated = Some(found);
        }
    }

    /// Takes one item; false at the end of the pixel data.
    fn fragment(
        &mut self,
        level: Level,
        tag: Tag,
        index: Option<u32>,
        found: &mut Encapsulated,
    ) -> bool {
        let item = level.encoding.head(self.data, self.at).filter(|item| item.value <= level.stop);
        let Some(item) = item else {
            if level.stop == self.data.len() {
                let left = level.stop.saturating_sub(self.at) as u64;
                self.truncated(format!("element {tag}"), None, left);
            }
            self.note(AnomalyKind::NoDelimiter, self.at, SEQUENCE_END, index);
            self.at = level.stop;
            return false;
        };
        match (item.tag, item.length) {
            (SEQUENCE_END, _) => {
                found.closed = true;
                return false;
            }
            (ITEM, UNDEFINED) => {
                self.note(AnomalyKind::UndefinedFragment, self.at, ITEM, index);
                self.at = item.value;
            }
            (ITEM, length) => {
                let end = self.bounded(item, length, level.stop, index);
                self.at = end;
                if found.items.len() >= self.limits.dicom_elements as usize {
                    self.over_budget(found.items.len() as u64);
                    return false;
                }
                found.items.push(Range { start: item.value, end });
            }
            (tag, _) => {
                self.note(AnomalyKind::NotAnItem, self.at, tag, index);
                return false;
            }
        }
        true
    }
}
