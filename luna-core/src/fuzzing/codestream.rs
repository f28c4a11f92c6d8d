//! JPEG 2000 (and HTJ2K) as a file, JPEG XL as the frame of an object of 48 x 40 pixels, as its seeds are.

use super::{limits, picture};
use crate::decode::jpegxl;
use crate::probe::{Flaws, Format};

pub(super) fn jpeg2000(bytes: &[u8]) {
    picture::check(bytes, Format::Jpeg2000);
}

pub(super) fn jpeg_xl(bytes: &[u8]) {
    for channels in [1, 3] {
        let mut flaws = Flaws::new();
        let frame = jpegxl::decode_frame(bytes, (48, 40, channels), &mut flaws);
        picture::flaws_make_sense(&flaws, Some(bytes.len()));
        assert_eq!(frame.is_none(), !flaws.is_empty(), "pixels and flaws, or neither: {flaws:?}");
        if let Some(frame) = frame {
            assert_eq!(frame.samples.len(), 48 * 40 * usize::from(channels));
            assert!(limits().decoded_bytes >= frame.samples.len() as u64);
        }
    }
}
