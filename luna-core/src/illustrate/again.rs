//! Looking at a file of a source again.

use dicom_dictionary_std::tags;

use super::{Look, SecondLook};
use crate::decode::decode;
use crate::examine::decoding_bytes;
use crate::guard;
use crate::limits::{Limits, MemoryBudget};
use crate::probe::probe;
use crate::source::{ItemPath, Source};

/// Reads and decodes files of a [`Source`] once more, within the same budgets.
///
/// A name that is not UTF-8 is not found again: a report writes it with `\xNN`.
#[derive(Clone, Copy)]
pub struct SourceLook<'a> {
    source: &'a dyn Source,
    limits: &'a Limits,
    memory: Option<&'a MemoryBudget>,
}

impl<'a> SourceLook<'a> {
    /// Looks at the files of this source.
    pub fn new(source: &'a dyn Source, limits: &'a Limits) -> Self {
        Self { source, limits, memory: None }
    }

    /// Waits for room in this budget before a picture is decoded.
    #[must_use]
    pub fn within(self, memory: &'a MemoryBudget) -> Self {
        Self { memory: Some(memory), ..self }
    }
}

impl SecondLook for SourceLook<'_> {
    fn look(&self, path: &str, see: &mut dyn FnMut(&Look)) {
        let Ok(bytes) = self.source.read(&ItemPath::from(path), self.limits.file_bytes) else {
            return;
        };
        let Some(found) = guard::quiet(|| probe(&bytes, self.limits)) else { return };
        let needed = decoding_bytes(&found);
        let _room = self.memory.map(|memory| memory.claim(needed));
        let image = guard::quiet(|| decode(&bytes, &found, self.limits, &mut Vec::new()));
        if let Some(image) = image.flatten() {
            let said = found.dicom().and_then(|dicom| dicom.text(tags::BURNED_IN_ANNOTATION));
            let may_be_shown = !said.is_some_and(|said| said.eq_ignore_ascii_case("yes"));
            see(&Look { image, may_be_shown });
        }
    }
}

impl std::fmt::Debug for SourceLook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceLook").finish_non_exhaustive()
    }
}
