//! Png: header.

use super::{Format, Probe};
use crate::limits::Limits;

/// What a Png header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PngHeader {}

pub(super) fn probe<'a>(_bytes: &'a [u8], _limits: &Limits) -> Probe<'a> {
    Probe::named(Some(Format::Png))
}
