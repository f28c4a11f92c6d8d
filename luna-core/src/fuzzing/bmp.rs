//! BMP, header and pixels.

use crate::probe::Format;

pub(super) fn check(bytes: &[u8]) {
    super::picture::check(bytes, Format::Bmp);
}
