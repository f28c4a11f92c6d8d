//! Png: pixels.

use super::Image;
use crate::limits::Limits;
use crate::probe::{Flaws, PngHeader};

pub(super) fn decode(
    _bytes: &[u8],
    _header: &PngHeader,
    _limits: &Limits,
    _flaws: &mut Flaws,
) -> Option<Image> {
    None
}
