//! Looking at a file of a source again.

use dicom_dictionary_std::tags;

use super::{Look, SecondLook};
use crate::decode::decode;
use crate::guard;
use crate::limits::Limits;
use crate::probe::probe;
use crate::source::{ItemPath, Source};

/// Reads and decodes files of a [`Source`] once more, within the same budgets.
///
/// A name that is not UTF-8 is not found again: a report writes it with `\xNN`.
#[derive(Clone, Copy)]
pub struct SourceLook<'a> {
    source: &'a dyn Source,
    limits: &'a Limits,
}

impl<'a> SourceLook<'a> {
    /// Looks at the files of this source.
    pub fn new(source: &'a dyn Source, limits: &'a Limits) -> Self {
        Self { source, limits }
    }
}

impl SecondLook for SourceLook<'_> {
    fn look(&self, path: &str) -> Option<Look> {
        let bytes = self.source.read(&ItemPath::from(path), self.limits.file_bytes).ok()?;
        guard::quiet(|| {
            let found = probe(&bytes, self.limits);
            let image = decode(&bytes, &found, self.limits, &mut Vec::new())?;
            let said = found.dicom().and_then(|dicom| dicom.text(tags::BURNED_IN_ANNOTATION));
            let may_be_shown = !said.is_some_and(|said| said.eq_ignore_ascii_case("yes"));
            Some(Look { image, may_be_shown })
        })?
    }
}

impl std::fmt::Debug for SourceLook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceLook").finish_non_exhaustive()
    }
}
