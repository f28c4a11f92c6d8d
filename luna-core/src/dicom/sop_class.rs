//! SOP classes: what a storage class holds, and whether it belongs into a set of X-ray images.
//!
//! The table is `data/sop_classes.csv`: PS3.4 table B.5-1 (2026a), retired and trial classes of
//! PS3.6, and private classes seen in open-source toolkits. What is X-ray and what a companion is
//! this project's judgement.

use std::sync::LazyLock;

/// A storage class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SopClass {
    /// Its UID.
    pub uid: &'static str,
    /// Keyword, such as `DigitalXRayImageStorageForPresentation`.
    pub keyword: &'static str,
    /// Name, such as `Digital X-Ray Image Storage - For Presentation`.
    pub name: &'static str,
    /// Its IOD (`CR`, `DX`, `MG`, …), where the tables of this engine know it; else empty.
    pub iod: &'static str,
    /// What its objects are to a set of X-ray images.
    pub kind: SopKind,
}

/// What the objects of a storage class are to a set of X-ray images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SopKind {
    /// X-ray pictures; secondary captures too, where Modality decides.
    XRay,
    /// Pictures of another kind: CT, MR, ultrasound, photographs, …
    OtherImage,
    /// No pictures, or made from them: reports, presentation states, segmentations, plans, …
    Companion,
}

static CLASSES: LazyLock<Vec<SopClass>> = LazyLock::new(|| {
    let table = include_str!("../../data/sop_classes.csv");
    let mut classes: Vec<SopClass> = table.lines().skip(1).filter_map(read).collect();
    classes.sort_by_key(|class| class.uid);
    classes
});

/// A line of the table; its cells hold no commas.
fn read(line: &'static str) -> Option<SopClass> {
    let cells: Vec<&str> = line.split(',').collect();
    let &[uid, keyword, name, iod, _, kind] = cells.as_slice() else { return None };
    let kind = match kind {
        "xray-image" => SopKind::XRay,
        "other-image" => SopKind::OtherImage,
        "companion" => SopKind::Companion,
        _ => return None,
    };
    Some(SopClass { uid, keyword, name, iod, kind })
}

/// The storage class of a UID; `None` if it is not known here.
///
/// ```
/// use luna_core::dicom::{SopKind, sop_class};
/// let class = sop_class("1.2.840.10008.5.1.4.1.1.1.1").unwrap();
/// assert_eq!((class.iod, class.kind), ("DX", SopKind::XRay));
/// assert!(sop_class("1.2.3").is_none());
/// ```
pub fn sop_class(uid: &str) -> Option<&'static SopClass> {
    let at = CLASSES.binary_search_by_key(&uid, |class| class.uid).ok()?;
    CLASSES.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("../../data/sop_classes.csv").lines().count() - 1;
        assert_eq!(CLASSES.len(), lines);
        assert!(CLASSES.windows(2).all(|pair| pair[0].uid < pair[1].uid));
    }
}
