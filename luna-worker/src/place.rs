//! Places as people name them, turned into sources: folders, archives and files of this machine.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::{fs, io};

use luna_core::source::{
    Archive, Defect, Files, Folder, Item, ItemPath, Joined, ReadError, Reading, Visit,
};
use luna_core::{Limits, Source, SourceError, text};

/// A place that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// A URI of a storage that this version does not reach: copy the data set to a local folder.
    #[error(
        "{place}: storage `{scheme}://` is not supported in this version; name local folders and files"
    )]
    Scheme {
        /// The place, as it was named.
        place: String,
        /// The scheme of its URI.
        scheme: String,
    },
    /// There is nothing that could be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Opens places as one data set.
///
/// Paths are relative to a single folder or archive (zip, tar, tar.gz, tar.zst; told by its bytes).
/// With several places each path begins with the last part of its place; a second `b` is `b-2`.
/// Archives are listed within these limits.
///
/// # Errors
/// If a place does not exist, cannot be looked at, or is a URI.
pub fn open(places: &[PathBuf], limits: &Limits) -> Result<Box<dyn Source>, PlaceError> {
    let mut files = Vec::new();
    let mut trees: Vec<(&Path, Box<dyn Source>)> = Vec::new();
    for place in places {
        if is_folder(place)? {
            trees.push((place, Box::new(Folder::new(place))));
        } else if let Some(archive) = archive(place, limits)? {
            trees.push((place, Box::new(archive)));
        } else {
            files.push(place.clone());
        }
    }
    if trees.is_empty() {
        return Ok(Box::new(Files::new(files)));
    }
    match trees.pop() {
        Some((_, tree)) if trees.is_empty() && files.is_empty() => Ok(tree),
        last => {
            trees.extend(last);
            Ok(Box::new(Mixed { trees: joined(trees), files: Files::new(files) }))
        }
    }
}

/// The archive at this place, if it is one; a link is not followed.
fn archive(place: &Path, limits: &Limits) -> Result<Option<Archive>, PlaceError> {
    if place.is_symlink() {
        return Ok(None);
    }
    Ok(Archive::open(place, limits)?)
}

/// True if a folder is at this place, false if anything else is.
pub(crate) fn is_folder(place: &Path) -> Result<bool, PlaceError> {
    let shown = || text::escaped(&place.to_string_lossy());
    if let Some(scheme) = scheme(place) {
        return Err(PlaceError::Scheme { place: shown(), scheme: scheme.to_owned() });
    }
    match fs::metadata(place) {
        Ok(found) => Ok(found.is_dir()),
        // A link that leads nowhere is still a name that the engine has something to say about.
        Err(_) if place.is_symlink() => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(SourceError::NotFound { place: shown() }.into())
        }
        Err(source) => Err(SourceError::Unreadable { place: shown(), source }.into()),
    }
}

/// The scheme of `s3://bucket/prefix` and the like (RFC 3986 3.1).
fn scheme(place: &Path) -> Option<&str> {
    let (scheme, _) = place.to_str()?.split_once("://")?;
    let mut letters = scheme.chars();
    let begins_well = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let goes_on_well = letters.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (begins_well && goes_on_well).then_some(scheme)
}

fn joined(trees: Vec<(&Path, Box<dyn Source>)>) -> Joined {
    let mut joined = Joined::default();
    for (place, tree) in trees {
        // `.` and `..` have no last part of their own.
        let named = fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        let name = named.file_name().map_or("root".into(), |name| name.to_string_lossy());
        joined.push_boxed(&name, tree);
    }
    joined
}

/// Folders, archives and single files side by side. Files have no `/` in their path, all else has.
#[derive(Debug)]
struct Mixed {
    trees: Joined,
    files: Files,
}

impl Source for Mixed {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        let mut flow = ControlFlow::Continue(());
        self.trees.list(&mut |item| {
            flow = visit(item);
            flow
        })?;
        if flow.is_break() { Ok(()) } else { self.files.list(visit) }
    }

    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError> {
        if path.as_bytes().contains(&b'/') {
            self.trees.read(path, max_bytes)
        } else {
            self.files.read(path, max_bytes)
        }
    }

    fn each(&self, items: &[Item], reading: &Reading<'_>, visit: &Visit<'_>) {
        // The trees take what is below one of them, and leave the rest alone.
        self.trees.each(items, reading, visit);
        let (numbers, files): (Vec<usize>, Vec<Item>) = items
            .iter()
            .enumerate()
            .filter(|(_, item)| !item.path.as_bytes().contains(&b'/'))
            .map(|(number, item)| (number, item.clone()))
            .unzip();
        self.files.each(&files, reading, &|number, bytes| {
            if let Some(number) = numbers.get(number) {
                visit(*number, bytes);
            }
        });
    }

    fn defects(&self) -> Vec<(String, Defect)> {
        self.trees.defects()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(places: &[PathBuf]) -> Vec<String> {
        let items = open(places, &Limits::default()).unwrap().items().unwrap();
        items.iter().map(|item| item.path.to_string()).collect()
    }

    #[test]
    fn folders_and_files_stand_side_by_side() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let place = root.path().join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, path).unwrap();
            place
        };
        let (one, two) = (put("x/a/1.png"), put("y/a/2.png"));
        let folder = |file: &Path| file.parent().unwrap().to_owned();

        assert_eq!(paths(&[folder(&one)]), ["1.png"]);
        assert_eq!(paths(&[one.clone(), two.clone()]), ["1.png", "2.png"]);
        assert_eq!(paths(&[folder(&one), folder(&two)]), ["a-2/2.png", "a/1.png"]);
        assert_eq!(paths(&[folder(&one), two.clone()]), ["2.png", "a/1.png"]);

        let mixed = open(&[folder(&one), two], &Limits::default()).unwrap();
        assert_eq!(&*mixed.read(&"a/1.png".into(), 99).unwrap(), b"x/a/1.png");
        assert_eq!(&*mixed.read(&"2.png".into(), 99).unwrap(), b"y/a/2.png");
    }

    #[test]
    fn a_uri_is_refused_by_its_scheme() {
        let error = |place: &str| open(&[place.into()], &Limits::default()).err().unwrap();
        assert!(
            matches!(error("s3://bucket/x"), PlaceError::Scheme { scheme, .. } if scheme == "s3")
        );
        assert!(matches!(
            error("no/such:/place"),
            PlaceError::Source(SourceError::NotFound { .. })
        ));
        assert!(matches!(error("://x"), PlaceError::Source(SourceError::NotFound { .. })));
    }
}
