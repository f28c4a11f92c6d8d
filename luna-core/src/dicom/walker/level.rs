//! Where the walk is: a data set, or the items of a sequence, with its end and its encoding.

use dicom_core::Tag;

use crate::dicom::encoding::Encoding;

/// A data set (the whole, or an item), or the items of a sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) holds: Holds,
    /// Nothing of this level lies at or after this offset.
    pub(super) stop: usize,
    /// A delimiter must close it.
    pub(super) delimited: bool,
    pub(super) encoding: Encoding,
    /// The sequence element, if it was recorded.
    pub(super) sequence: Option<u32>,
    /// Offset of the sequence or item.
    pub(super) offset: usize,
    /// Items met (in a sequence); number of the item (in a data set).
    pub(super) item: u32,
    /// Tag before, in a data set.
    pub(super) last: Option<Tag>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Elements,
    Items,
}

impl Level {
    pub(super) fn root(stop: usize, encoding: Encoding, offset: usize) -> Self {
        Self {
            holds: Holds::Elements,
            stop,
            delimited: false,
            encoding,
            sequence: None,
            offset,
            item: 0,
            last: None,
        }
    }
}
