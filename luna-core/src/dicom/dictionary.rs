//! The standard's data dictionary: VR and keyword of a tag.

use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry, VirtualVr};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

/// The keyword of a standard attribute.
///
/// ```
/// use luna_core::dicom::keyword;
/// assert_eq!(keyword(dicom_core::Tag(0x0010, 0x0010)), Some("PatientName"));
/// assert_eq!(keyword(dicom_core::Tag(0x0009, 0x1001)), None);
/// ```
pub fn keyword(tag: Tag) -> Option<&'static str> {
    if tag.group() % 2 == 1 {
        return None;
    }
    StandardDataDictionary.by_tag(tag).map(|entry| entry.alias)
}

/// The VR or VRs that the dictionary gives a tag.
pub(super) fn virtual_vr(tag: Tag) -> Option<VirtualVr> {
    StandardDataDictionary.by_tag(tag).map(DataDictionaryEntry::vr)
}

/// The VR as which an element of implicit VR (or of VR UN) is read; UN if the dictionary does not
/// know the tag.
pub(super) fn implicit_vr(tag: Tag, signed: bool) -> VR {
    match virtual_vr(tag) {
        Some(VirtualVr::Exact(vr)) => vr,
        Some(VirtualVr::Xs) if signed => VR::SS,
        Some(VirtualVr::Xs) => VR::US,
        Some(VirtualVr::Ox | VirtualVr::Px | VirtualVr::Lt) => VR::OW,
        _ => VR::UN,
    }
}
