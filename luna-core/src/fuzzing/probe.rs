//! Whatever the bytes: what a file says it is.

use super::{limits, picture};
use crate::probe::{Header, probe, sniff};

pub(super) fn check(bytes: &[u8]) {
    let limits = limits();
    let found = probe(bytes, &limits);
    assert_eq!(found.format, sniff(bytes), "two ways to tell a format");
    assert!(matches!(found.header, Header::None) || found.format.is_some());
    let inflated = found.dicom().is_some_and(|file| file.inflated);
    picture::flaws_make_sense(&found.flaws, (!inflated).then_some(bytes.len()));
    if let Some(shape) = &found.geometry {
        assert!(shape.width > 0 && shape.height > 0 && shape.frames > 0, "{shape:?}");
        assert!(shape.channels > 0 && shape.channels <= 5, "{shape:?}");
        assert!(shape.bits_stored > 0 && shape.bits_stored <= shape.bits_allocated, "{shape:?}");
    }
    let again = probe(bytes, &limits);
    assert_eq!((&again.geometry, &again.flaws), (&found.geometry, &found.flaws));
    assert_eq!(again.metadata, found.metadata);
}
