//! Values as the library models them, for the top level of a data set; sequences and pixel data
//! excepted. Every value is built from bytes that the walker has bounded, one by one.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_core::value::C;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::encoding::Encoding;
use super::{DicomFile, Element};
use crate::limits::Limits;

/// Longest value of a binary VR that is kept: lookup tables have at most 65,536 entries of 2 bytes.
const LONGEST_BINARY: usize = 256 << 10;

/// The top-level values of a file.
pub(super) fn read(file: &DicomFile<'_>, limits: &Limits) -> InMemDicomObject {
    let mut object = InMemDicomObject::new_empty();
    let longest_text = usize::try_from(limits.text_bytes).unwrap_or(usize::MAX);
    for element in file.top_level() {
        let vr = file.vr(element);
        let longest = if is_text(vr) { longest_text } else { LONGEST_BINARY };
        let skipped = vr == VR::SQ
            || element.undefined_length
            || element.length > longest
            || element.tag == tags::PIXEL_DATA;
        if !skipped {
            object.put(DataElement::new(element.tag, vr, value(file, element, vr)));
        }
    }
    object
}

/// True for VRs whose values are text.
pub(super) fn is_text(vr: VR) -> bool {
    is_single_text(vr)
        || matches!(
            vr,
            VR::AE
                | VR::AS
                | VR::CS
                | VR::DA
                | VR::DS
                | VR::DT
                | VR::IS
                | VR::LO
                | VR::PN
                | VR::SH
                | VR::TM
                | VR::UC
                | VR::UI
        )
}

/// Text VRs in which a backslash is a character (PS3.5, table 6.2-1).
fn is_single_text(vr: VR) -> bool {
    matches!(vr, VR::LT | VR::ST | VR::UR | VR::UT)
}

fn value(file: &DicomFile<'_>, element: &Element, vr: VR) -> PrimitiveValue {
    let bytes = file.bytes_of(element);
    if bytes.is_empty() {
        return PrimitiveValue::Empty;
    }
    if is_text(vr) {
        let text = file.decode_text(element, vr);
        return if is_single_text(vr) {
            PrimitiveValue::Str(text)
        } else {
            PrimitiveValue::Strs(text.split('\\').map(str::to_owned).collect())
        };
    }
    binary(bytes, vr, Encoding { explicit: true, big_endian: element.big_endian })
}

fn binary(bytes: &[u8], vr: VR, order: Encoding) -> PrimitiveValue {
    match vr {
        VR::US | VR::OW => PrimitiveValue::U16(each(bytes, |b| order.u16(b))),
        VR::SS => PrimitiveValue::I16(each(bytes, |b| order.u16(b) as i16)),
        VR::UL | VR::OL => PrimitiveValue::U32(each(bytes, |b| order.u32(b))),
        VR::SL => PrimitiveValue::I32(each(bytes, |b| order.u32(b) as i32)),
        VR::FL | VR::OF => PrimitiveValue::F32(each(bytes, |b| f32::from_bits(order.u32(b)))),
        VR::FD | VR::OD => PrimitiveValue::F64(each(bytes, |b| f64::from_bits(order.u64(b)))),
        VR::UV | VR::OV => PrimitiveValue::U64(each(bytes, |b| order.u64(b))),
        VR::SV => PrimitiveValue::I64(each(bytes, |b| order.u64(b) as i64)),
        VR::AT => PrimitiveValue::Tags(each(bytes, |[a, b, c, d]: [u8; 4]| {
            Tag(order.u16([a, b]), order.u16([c, d]))
        })),
        _ => PrimitiveValue::U8(C::from_slice(bytes)),
    }
}

/// Whole groups of `N` bytes; a rest is left out.
fn each<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> C<T> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
}
