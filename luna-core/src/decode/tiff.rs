//! Tiff: pixels.

use super::Image;
use crate::limits::Limits;
use crate::probe::{Flaws, TiffHeader};

pub(super) fn decode(
    _bytes: &[u8],
    _header: &TiffHeader,
    _limits: &Limits,
    _flaws: &mut Flaws,
) -> Option<Image> {
    None
}
