//! Bmp: pixels.

use super::Image;
use crate::limits::Limits;
use crate::probe::{BmpHeader, Flaws};

pub(super) fn decode(
    _bytes: &[u8],
    _header: &BmpHeader,
    _limits: &Limits,
    _flaws: &mut Flaws,
) -> Option<Image> {
    None
}
