//! The walk over DICOM elements, in each of the encodings.

use super::{choice, limits, picture};
use crate::dicom::walker::Walker;
use crate::dicom::{Element, Encoding};
use crate::limits::Limits;

pub(super) fn check(bytes: &[u8]) {
    let Some((first, data)) = choice(bytes) else { return };
    let encoding = Encoding { explicit: first & 1 == 0, big_endian: first & 2 != 0 };
    let limits = limits();
    let mut walker = Walker::new(data, &limits);
    let at = if first & 4 == 0 { 0 } else { walker.file_meta(0, encoding) };
    assert!(at <= data.len(), "file meta ends at {at} of {}", data.len());
    walker.data_set(at, encoding);
    let found = walker.found;
    elements_make_sense(&found.elements, data.len(), &limits);
    picture::flaws_make_sense(&found.flaws, Some(data.len()));
    assert!(found.anomalies.len() <= 1_000);
    for anomaly in &found.anomalies {
        assert!(anomaly.offset <= data.len(), "{anomaly:?}");
        let element = anomaly.element.map(|at| found.elements.get(at as usize));
        assert!(element.is_none_or(|element| element.is_some()), "{anomaly:?}");
    }
    for item in found.encapsulated.iter().flat_map(|pixels| &pixels.items) {
        assert!(item.start <= item.end && item.end <= data.len(), "{item:?} of {}", data.len());
    }
}

/// In file order, within the data, within their parents, as many and as deep as allowed.
pub(super) fn elements_make_sense(elements: &[Element], data: usize, limits: &Limits) {
    assert!(elements.len() <= limits.dicom_elements as usize, "{} elements", elements.len());
    assert!(elements.is_sorted_by(|one, next| one.offset < next.offset), "not in file order");
    for (at, element) in elements.iter().enumerate() {
        assert!(element.offset < element.value, "{element:?}");
        let end = element.value.checked_add(element.length);
        assert!(end.is_some_and(|end| end <= data), "{element:?} in {data} bytes");
        let mut depth = 0;
        let mut inner = element;
        while let Some(outer) = inner.parent {
            assert!((outer as usize) < at, "{element:?} lies in {outer}, which comes later");
            let outer = &elements[outer as usize];
            assert!(inner.item < outer.items, "item {} of {}", inner.item, outer.items);
            let end = outer.value + outer.length;
            assert!(inner.value + inner.length <= end, "{inner:?} leaves {outer:?}");
            inner = outer;
            depth += 1;
        }
        assert!(depth <= limits.dicom_nesting, "{depth} sequences around {element:?}");
    }
}
