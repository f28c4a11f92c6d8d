//! Bmp: header.

use super::{Format, Probe};
use crate::limits::Limits;

/// What a Bmp header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BmpHeader {}

pub(super) fn probe<'a>(_bytes: &'a [u8], _limits: &Limits) -> Probe<'a> {
    Probe::named(Some(Format::Bmp))
}
