//! DICOM: pixels.

use super::Image;
use crate::dicom::DicomFile;
use crate::limits::Limits;
use crate::probe::Flaws;

pub(super) fn decode(_file: &DicomFile<'_>, _limits: &Limits, _flaws: &mut Flaws) -> Option<Image> {
    None
}
