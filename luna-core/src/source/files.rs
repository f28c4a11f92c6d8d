//! Files of this machine, named one by one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::folder::{native_bytes, open_error, read_file};
use super::{Item, ItemKind, ItemPath, ReadError, Source};
use crate::error::SourceError;

/// A list of files. Each is listed by its file name; a second `a.png` is `a-2.png`.
///
/// ```
/// use luna_core::{Source, SourceError, source::Files};
/// let missing = Files::new(["no/such/file.dcm"]);
/// assert!(matches!(missing.items(), Err(SourceError::NotFound { .. })));
/// ```
#[derive(Clone, Debug)]
pub struct Files {
    places: BTreeMap<ItemPath, PathBuf>,
}

impl Files {
    /// The files at these places; looked at only when listed.
    pub fn new<P: Into<PathBuf>>(places: impl IntoIterator<Item = P>) -> Self {
        let mut by_name = BTreeMap::new();
        for place in places {
            let place: PathBuf = place.into();
            let name = native_bytes(place.file_name().unwrap_or(place.as_os_str()));
            by_name.insert(free_name(&ItemPath::from_bytes(name), &by_name), place);
        }
        Self { places: by_name }
    }
}

/// The name itself, or the first of `stem-2.ext`, `stem-3.ext`, … that is not taken.
///
/// ```
/// use std::collections::BTreeMap;
/// use luna_core::source::free_name;
/// let taken = BTreeMap::from([("a.png".into(), ())]);
/// assert_eq!(free_name(&"a.png".into(), &taken).as_str(), "a-2.png");
/// ```
pub fn free_name<T>(name: &ItemPath, taken: &BTreeMap<ItemPath, T>) -> ItemPath {
    if !taken.contains_key(name) {
        return name.clone();
    }
    let (stem, extension) = match name.as_bytes().iter().rposition(|byte| *byte == b'.') {
        Some(dot) if dot > 0 => name.as_bytes().split_at(dot),
        _ => (name.as_bytes(), &b""[..]),
    };
    // One more candidate than there are names: one of them is free.
    (2..taken.len() + 3)
        .map(|n| ItemPath::from_bytes([stem, format!("-{n}").as_bytes(), extension].concat()))
        .find(|candidate| !taken.contains_key(candidate))
        .unwrap_or_else(|| name.clone())
}

impl Source for Files {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        for (path, place) in &self.places {
            let found = fs::symlink_metadata(place).map_err(|error| open_error(place, error))?;
            let kind = match found.file_type() {
                kind if kind.is_file() => ItemKind::File,
                kind if kind.is_symlink() => ItemKind::Link,
                _ => ItemKind::Special,
            };
            let size_bytes = if kind == ItemKind::File { found.len() } else { 0 };
            let item = Item { size_bytes, ..Item::of_kind(path.clone(), kind) };
            if visit(item).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError> {
        let place = self.places.get(path).ok_or(ReadError::NotAFile)?;
        read_file(place, max_bytes).map(Cow::Owned)
    }
}
