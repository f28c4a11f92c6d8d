//! A DICOM file: elements, values, pixels; whatever the bytes, since the reader takes them at their
//! word.

use super::{limits, picture, walker};
use crate::decode::decode;
use crate::dicom::{DicomFile, facts, kind};
use crate::probe::{Flaws, Format, probe};

pub(super) fn check(bytes: &[u8]) {
    let limits = limits();
    let mut flaws = Flaws::new();
    let file = DicomFile::read(bytes, &limits, &mut flaws);
    assert!(file.data.len() as u64 <= limits.decoded_bytes + bytes.len() as u64 + (1 << 20));
    picture::flaws_make_sense(&flaws, (!file.inflated).then_some(bytes.len()));
    walker::elements_make_sense(&file.elements, file.data.len(), &limits);
    for element in &file.elements {
        let within = element.parent.and_then(|at| file.elements.get(at as usize));
        assert!(within.is_none_or(|outer| outer.offset < element.offset), "{element:?}");
        let path = file.path(element);
        assert!(path.len() < 100 * limits.dicom_nesting as usize, "{path}");
        let text = file.text_of(element).unwrap_or_default();
        // A byte becomes one character at most, of 4 bytes at most.
        assert!(text.len() as u64 <= 4 * limits.text_bytes, "{path}: {} bytes", text.len());
    }
    for element in file.top_level() {
        assert!(element.parent.is_none());
        assert_eq!(file.element(element.tag), Some(element));
    }
    for element in file.elements.iter().filter(|element| element.items > 0).take(20) {
        assert!(file.inside(element).all(|inner| inner.offset >= element.value));
    }
    let _ = (facts(&file), kind(&file));
    let mut found = probe(bytes, &limits);
    if found.format != Some(Format::Dicom) {
        return;
    }
    // Pixels are decoded again, and compared, by this.
    picture::check(bytes, Format::Dicom);
    let mut flaws = std::mem::take(&mut found.flaws);
    if let Some(image) = decode(bytes, &found, &limits, &mut flaws) {
        let described = found.geometry.map(|shape| (shape.width, shape.height, shape.frames));
        let shape = &image.geometry;
        assert_eq!(described, Some((shape.width, shape.height, shape.frames)));
    }
}
