//! DICOM on hostile bytes: an element walker of our own, and what the library reads from the values
//! that it has passed.

use std::borrow::Cow;

use dicom_core::Tag;
use dicom_object::InMemDicomObject;

use crate::finding::Location;

/// A data element, as the walker found it. All offsets count from the start of
/// [`DicomFile::data`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// The tag.
    pub tag: Tag,
    /// The VR as written, if explicit.
    pub explicit_vr: Option<[u8; 2]>,
    /// Offset of the tag.
    pub offset: usize,
    /// Offset of the value.
    pub value: usize,
    /// Length of the value, up to the delimiter where it is undefined.
    pub length: usize,
    /// True if the length is undefined in the file.
    pub undefined_length: bool,
    /// Index of the enclosing sequence element, if any.
    pub parent: Option<u32>,
    /// Item of the enclosing sequence, from 0.
    pub item: u32,
}

/// A DICOM object: its bytes, its elements, its readable values.
#[derive(Debug)]
pub struct DicomFile<'a> {
    /// The file, or file meta and inflated data set.
    pub data: Cow<'a, [u8]>,
    /// All elements at all depths, in file order.
    pub elements: Vec<Element>,
    /// Top-level values (sequences and pixel data excepted), decoded by the library.
    pub object: InMemDicomObject,
}

impl DicomFile<'_> {
    /// The top-level element of this tag.
    pub fn element(&self, tag: Tag) -> Option<&Element> {
        self.elements.iter().find(|element| element.tag == tag && element.parent.is_none())
    }

    /// The raw bytes of a value.
    pub fn bytes_of(&self, element: &Element) -> &[u8] {
        self.data.get(element.value..element.value + element.length).unwrap_or_default()
    }

    /// The place of an element, for findings.
    pub fn location(&self, _element: &Element) -> Location {
        Location::Byte { offset: 0 }
    }

    /// The value of a top-level text attribute: decoded, trimmed, several values separated by `\`;
    /// `None` if absent or empty.
    pub fn text(&self, tag: Tag) -> Option<String> {
        let text = self.object.get(tag)?.to_str().ok()?;
        let text = text.trim_end_matches(['\0', ' ']).trim_start();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The first value of a top-level whole-number attribute.
    pub fn integer(&self, tag: Tag) -> Option<i64> {
        self.object.get(tag)?.to_int().ok()
    }

    /// All values of a top-level number attribute.
    pub fn numbers(&self, tag: Tag) -> Vec<f64> {
        self.object.get(tag).and_then(|element| element.to_multi_float64().ok()).unwrap_or_default()
    }
}
