//! Jpeg: pixels.

use super::Image;
use crate::limits::Limits;
use crate::probe::{Flaws, JpegHeader};

pub(super) fn decode(
    _bytes: &[u8],
    _header: &JpegHeader,
    _limits: &Limits,
    _flaws: &mut Flaws,
) -> Option<Image> {
    None
}
