//! What the walker finds odd in the structure of a DICOM object, as plain data.

use dicom_core::Tag;

/// One oddity, with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What is odd.
    pub kind: AnomalyKind,
    /// Offset of the element, item or delimiter it is about, in [`DicomFile::data`](super::DicomFile::data).
    pub offset: usize,
    /// Its tag, as read.
    pub tag: Tag,
    /// Index of the element it is about, or of the sequence it was met in, if that was recorded.
    pub element: Option<u32>,
}

/// What can be odd (PS3.5, sections 7.1, 7.5, A.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnomalyKind {
    /// An element stands after one with a higher tag.
    OutOfOrder {
        /// The higher tag before it.
        after: Tag,
    },
    /// The data set has this element already.
    Duplicate {
        /// Offset of the first one.
        first: usize,
    },
    /// The value takes an odd number of bytes.
    OddLength {
        /// The length as written.
        length: u32,
    },
    /// A sequence, item or pixel data of undefined length ends without its delimiter.
    NoDelimiter,
    /// A delimiter has a length other than 0.
    DelimiterLength {
        /// The length as written.
        length: u32,
    },
    /// An item or delimiter that closes or belongs to nothing.
    StrayDelimiter,
    /// Something other than an item inside a sequence or encapsulated pixel data.
    NotAnItem,
    /// Sequences are nested deeper than the budget; what is deeper is not recorded.
    TooDeep {
        /// The deepest nesting that is recorded.
        allowed: u32,
    },
    /// A length reaches beyond the end of the data.
    BeyondEnd {
        /// Bytes that the length claims.
        declared: u64,
        /// Bytes that are left.
        left: u64,
    },
    /// A length reaches beyond the end of the enclosing item or sequence.
    BeyondParent {
        /// Bytes that the length claims.
        declared: u64,
        /// Bytes that are left in it.
        left: u64,
    },
    /// Explicit VR: the two bytes are no VR of the standard.
    UnknownVr {
        /// The two bytes.
        vr: [u8; 2],
    },
    /// Undefined length where the VR does not allow it.
    UndefinedLength {
        /// The VR.
        vr: [u8; 2],
    },
    /// A fragment of encapsulated pixel data with undefined length.
    UndefinedFragment,
    /// Too few bytes for another element at the end of an item or sequence.
    Leftover {
        /// How many bytes.
        bytes: usize,
    },
}
