//! Files that were named one by one, wherever they lie.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use luna_core::source::{Files, Item, ItemPath, ReadError, Reading, Visit, free_name, read_ahead};
use luna_core::{Source, SourceError};

/// Files that are read at the same time, if some of them lie far away.
const READERS: usize = 32;

/// Files, each listed by its own name; a second `a.png` is `a-2.png`.
#[derive(Default)]
pub(super) struct Singles {
    parts: BTreeMap<ItemPath, Part>,
    /// All of them, if none lies in a storage.
    local: Vec<PathBuf>,
}

/// One file.
struct Part {
    source: Box<dyn Source>,
    /// Its name in its own source.
    name: ItemPath,
}

impl Singles {
    pub(super) fn push_local(&mut self, place: PathBuf) {
        let name = place.file_name().unwrap_or(place.as_os_str());
        let name = ItemPath::from_bytes(name.as_encoded_bytes().to_vec());
        self.push(&name, Box::new(Files::new([&place])));
        self.local.push(place);
    }

    /// Adds the file that is all of a source.
    pub(super) fn push(&mut self, name: &ItemPath, source: Box<dyn Source>) {
        let free = free_name(name, &self.parts);
        self.parts.insert(free, Part { source, name: name.clone() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn into_source(self) -> Box<dyn Source> {
        if self.local.len() == self.parts.len() {
            return Box::new(Files::new(self.local));
        }
        Box::new(self)
    }
}

impl Source for Singles {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        let mut flow = ControlFlow::Continue(());
        for (path, part) in &self.parts {
            part.source.list(&mut |item| {
                flow = visit(Item { path: path.clone(), ..item });
                flow
            })?;
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError> {
        let part = self.parts.get(path).ok_or(ReadError::NotAFile)?;
        part.source.read(&part.name, max_bytes)
    }

    fn each(&self, items: &[Item], reading: &Reading<'_>, visit: &Visit<'_>) {
        read_ahead(self, items, reading, visit, READERS);
    }
}
