//! DICOM: header and geometry.

use super::{Format, Probe};
use crate::limits::Limits;

pub(super) fn probe<'a>(_bytes: &'a [u8], _limits: &Limits) -> Probe<'a> {
    Probe::named(Some(Format::Dicom))
}
