//! A whole DICOM object, header and pixels, in whatever encoding it says.

use crate::probe::Format;

pub(super) fn check(bytes: &[u8]) {
    super::picture::check(bytes, Format::Dicom);
}
