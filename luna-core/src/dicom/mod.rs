//! DICOM on hostile bytes: an element walker of our own, and what the library reads from the values
//! that it has passed.
//!
//! [`DicomFile::read`] takes bytes and gives elements, structural [`Anomaly`]s and values. It never
//! fails, never recurses on input and allocates nothing by a length that the file claims.

mod anomaly;
mod charset;
pub(crate) mod codestream;
mod dictionary;
mod encapsulation;
mod encoding;
pub(crate) mod facts;
mod part10;
mod pixels;
mod sop_class;
mod transfer_syntax;
mod values;
pub(crate) mod walker;

use std::borrow::Cow;
use std::ops::Range;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

pub use self::anomaly::{Anomaly, AnomalyKind};
use self::charset::Charsets;
pub use self::codestream::Codestream;
pub use self::dictionary::keyword;
pub use self::encapsulation::{EncapsulationProblem, FrameFragments};
pub use self::encoding::Encoding;
pub use self::facts::{age_group, age_years, facts, kind};
pub use self::part10::FileMeta;
pub use self::pixels::{ModalityTransform, Photometric, PixelDescription, SampleType};
pub use self::sop_class::{SopClass, SopKind, sop_class};
pub(crate) use self::transfer_syntax::STANDARD_ROOT;
pub use self::transfer_syntax::{Codec, Loss, TransferSyntax, describe, transfer_syntax};
use crate::finding::Location;

/// A data element, as the walker found it. All offsets count from the start of
/// [`DicomFile::data`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// The tag.
    pub tag: Tag,
    /// The VR as written, if explicit.
    pub explicit_vr: Option<[u8; 2]>,
    /// Numbers have their most significant byte first.
    pub big_endian: bool,
    /// Offset of the tag.
    pub offset: usize,
    /// Offset of the value.
    pub value: usize,
    /// Length of the value that is there: up to the delimiter where it is undefined, cut where the
    /// data or the enclosing item end.
    pub length: usize,
    /// Length as written; `0xFFFF_FFFF` if undefined.
    pub declared_length: u32,
    /// True if the length is undefined in the file.
    pub undefined_length: bool,
    /// Index of the enclosing sequence element, if any.
    pub parent: Option<u32>,
    /// Item of the enclosing sequence, from 0.
    pub item: u32,
    /// Items of a sequence; 0 for everything else.
    pub items: u32,
}

/// How a file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// 128 bytes and `DICM` (PS3.10 section 7.1).
    Preamble,
    /// `DICM` without the 128 bytes before it.
    NoPreamble,
    /// The first element, or file meta, at once.
    DataSet,
}

/// Encapsulated pixel data (PS3.5, annex A.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encapsulated {
    /// Where the values of all items lie; the first is the basic offset table.
    pub items: Vec<Range<usize>>,
    /// True if the sequence delimiter is there.
    pub closed: bool,
}

impl Encapsulated {
    /// Where the basic offset table lies (empty for none).
    pub fn offset_table(&self) -> Range<usize> {
        self.items.first().cloned().unwrap_or_default()
    }

    /// Where the fragments lie.
    pub fn fragments(&self) -> &[Range<usize>] {
        self.items.get(1..).unwrap_or_default()
    }
}

/// A DICOM object: its bytes, its elements, its readable values.
#[derive(Debug)]
pub struct DicomFile<'a> {
    /// The file, or file meta and inflated data set.
    pub data: Cow<'a, [u8]>,
    /// How the file begins.
    pub opening: Opening,
    /// File meta information, if there is any.
    pub meta: Option<FileMeta>,
    /// Offset of the data set.
    pub data_set: usize,
    /// How the elements of the data set are encoded, told by its bytes.
    pub encoding: Encoding,
    /// True if the data set was inflated, so that offsets are not those of the file.
    pub inflated: bool,
    /// True if the bytes are not encoded as the transfer syntax says.
    pub misdeclared: bool,
    /// TransferSyntaxUID (0002,0010) as declared, without padding.
    pub transfer_syntax: Option<String>,
    /// All elements at all depths, file meta included, in file order.
    pub elements: Vec<Element>,
    /// What is odd about the structure, in the order in which it was met.
    pub anomalies: Vec<Anomaly>,
    /// Items of encapsulated pixel data.
    pub encapsulated: Option<Encapsulated>,
    /// Top-level values (sequences and pixel data excepted), decoded by the library.
    pub object: InMemDicomObject,
    /// Indices of top-level elements, by tag; of duplicates the first only.
    top: Vec<u32>,
    /// Character sets by the data set they hold for.
    charsets: Vec<(DataSet, Charsets)>,
    /// PixelRepresentation is 1: ambiguous numbers (US or SS) are signed.
    signed: bool,
    /// Bytes of a text value that are decoded at most.
    longest_text: usize,
}

/// A data set: enclosing sequence (`None` for the whole) and item.
type DataSet = (Option<u32>, u32);

impl DicomFile<'_> {
    /// The top-level element of this tag; the first if there are several.
    pub fn element(&self, tag: Tag) -> Option<&Element> {
        let tag_of = |at: &u32| self.elements.get(*at as usize).map(|element| element.tag);
        let at = self.top.binary_search_by_key(&Some(tag), tag_of).ok()?;
        self.elements.get(*self.top.get(at)? as usize)
    }

    /// Top-level elements in order of their tags; of duplicates the first only.
    pub fn top_level(&self) -> impl Iterator<Item = &Element> {
        self.top.iter().filter_map(|at| self.elements.get(*at as usize))
    }

    /// Elements directly inside the items of a sequence, in file order.
    pub fn inside(&self, sequence: &Element) -> impl Iterator<Item = &Element> {
        let at = self.elements.partition_point(|element| element.offset < sequence.offset);
        let end = sequence.value.saturating_add(sequence.length);
        let parent = u32::try_from(at).ok();
        self.elements
            .get(at..)
            .unwrap_or_default()
            .iter()
            .take_while(move |element| element.offset <= end)
            .filter(move |element| element.parent == parent)
    }

    /// The raw bytes of a value.
    pub fn bytes_of(&self, element: &Element) -> &[u8] {
        let end = element.value.saturating_add(element.length);
        self.data.get(element.value..end).unwrap_or_default()
    }

    /// The VR as which a value is read: as written, or the dictionary's; `UN` if neither helps.
    pub fn vr(&self, element: &Element) -> VR {
        match element.explicit_vr.and_then(VR::from_binary) {
            Some(vr) if vr != VR::UN => vr,
            _ => dictionary::implicit_vr(element.tag, self.signed),
        }
    }

    /// Path of an element: `(0040,0275)[0].(0032,1060)`.
    pub fn path(&self, element: &Element) -> String {
        let mut steps = vec![element.tag.to_string()];
        let mut inner = element;
        while let Some(outer) = inner.parent.and_then(|at| self.elements.get(at as usize)) {
            steps.push(format!("{}[{}]", outer.tag, inner.item));
            inner = outer;
        }
        steps.reverse();
        steps.join(".")
    }

    /// The place of an element, for findings.
    pub fn location(&self, element: &Element) -> Location {
        let keyword = keyword(element.tag).map(str::to_owned);
        Location::Attribute { path: self.path(element), keyword }
    }

    /// The place of a top-level attribute that may be absent, for findings.
    pub fn location_of(&self, tag: Tag) -> Location {
        Location::Attribute { path: tag.to_string(), keyword: keyword(tag).map(str::to_owned) }
    }

    /// The value of a text element at any depth: decoded in its character set, without padding,
    /// several values separated by `\`; `None` if it is empty or no text. What is longer than the
    /// budget (`limits.text_bytes`) is cut.
    pub fn text_of(&self, element: &Element) -> Option<String> {
        let vr = self.vr(element);
        if !values::is_text(vr) {
            return None;
        }
        let text = self.decode_text(element, vr);
        let text = text.trim_matches(['\0', ' ']);
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn decode_text(&self, element: &Element, vr: VR) -> String {
        let bytes = self.bytes_of(element);
        let bytes = bytes.get(..self.longest_text).unwrap_or(bytes);
        let is_extended =
            matches!(vr, VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UT);
        match self.charsets_of(element).filter(|_| is_extended) {
            Some(sets) => sets.decode(bytes),
            None => Charsets::default().decode(bytes),
        }
    }

    /// The character sets of the data set an element stands in, or of the nearest one around it
    /// that names any.
    fn charsets_of(&self, element: &Element) -> Option<&Charsets> {
        let mut inner = element;
        loop {
            let data_set = (inner.parent, inner.item);
            if let Ok(at) = self.charsets.binary_search_by_key(&data_set, |(own, _)| *own) {
                return self.charsets.get(at).map(|(_, sets)| sets);
            }
            inner = self.elements.get(inner.parent? as usize)?;
        }
    }

    /// The value of a top-level text attribute: decoded, trimmed, several values separated by `\`;
    /// `None` if absent or empty.
    pub fn text(&self, tag: Tag) -> Option<String> {
        self.text_of(self.element(tag)?)
    }

    /// The first value of a top-level whole-number attribute.
    pub fn integer(&self, tag: Tag) -> Option<i64> {
        self.object.get(tag)?.to_int().ok()
    }

    /// All values of a top-level number attribute.
    pub fn numbers(&self, tag: Tag) -> Vec<f64> {
        self.object.get(tag).and_then(|element| element.to_multi_float64().ok()).unwrap_or_default()
    }

    /// The transfer syntax as declared, if the standard has it.
    pub fn syntax(&self) -> Option<&'static TransferSyntax> {
        transfer_syntax(self.transfer_syntax.as_deref()?)
    }

    /// Sorts out what other methods look up.
    fn index(&mut self) {
        let count = u32::try_from(self.elements.len()).unwrap_or(u32::MAX);
        let elements = &self.elements;
        let element = |at: &u32| elements.get(*at as usize);
        let mut top: Vec<u32> =
            (0..count).filter(|at| element(at).is_some_and(|own| own.parent.is_none())).collect();
        top.sort_by_key(|at| element(at).map(|own| own.tag));
        top.dedup_by_key(|at| element(at).map(|own| own.tag));
        self.top = top;
        let mut charsets: Vec<(DataSet, Charsets)> = self
            .elements
            .iter()
            .filter(|element| element.tag == tags::SPECIFIC_CHARACTER_SET)
            .map(|own| ((own.parent, own.item), Charsets::named(self.bytes_of(own))))
            .collect();
        charsets.sort_by_key(|(data_set, _)| *data_set);
        charsets.dedup_by_key(|(data_set, _)| *data_set);
        self.charsets = charsets;
        let representation = self.element(tags::PIXEL_REPRESENTATION);
        self.signed = representation.is_some_and(|own| self.bytes_of(own).contains(&1));
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
