//! Places as people name them, turned into sources: folders, archives and files of this machine, or in
//! a storage.

mod single;
#[cfg(feature = "storage")]
mod stored;

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use luna_core::source::{
    Archive, Defect, Files, Folder, Item, ItemPath, Joined, ReadError, Reading, Visit,
};
use luna_core::{Limits, Source, SourceError, text};

use self::single::Singles;
#[cfg(feature = "storage")]
use self::stored::Stores;
#[cfg(feature = "storage")]
use crate::storage::{self, Address, Scheme};
use crate::uri;

/// A place that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// A URI, which this build does not reach: copy the data set to a local folder.
    #[error(
        "{place}: storage `{scheme}://` is not supported by this build; name local folders and files"
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
    /// The storage does not give it, in its own words.
    #[cfg(feature = "storage")]
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

impl PlaceError {
    /// The same as an error of input and output.
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            #[cfg(feature = "storage")]
            Self::Storage(error) => error.into_io(),
            other => io::Error::other(other),
        }
    }
}

/// Where a place lies.
pub(crate) enum Location {
    /// On this machine.
    Local(PathBuf),
    /// In a storage.
    #[cfg(feature = "storage")]
    Stored(Address),
}

impl Location {
    /// Tells a URI from a path.
    pub(crate) fn of(place: &Path) -> Result<Self, PlaceError> {
        let Some((text, scheme)) = place.to_str().and_then(|text| Some((text, uri::scheme(text)?)))
        else {
            return Ok(Self::Local(place.to_owned()));
        };
        #[cfg(feature = "storage")]
        if let Some(address) = Address::parse(text) {
            let address = address.map_err(storage::Error::from)?;
            return Ok(match address.scheme() {
                // The core reads this machine better than any library for storages: links, devices.
                Scheme::Local => Self::Local(address.path().into()),
                _ => Self::Stored(address),
            });
        }
        Err(PlaceError::Scheme { place: uri::without_secrets(text), scheme: scheme.to_owned() })
    }
}

/// What stands at a place.
enum Standing {
    /// A folder or an archive.
    Tree(Box<dyn Source>),
    /// A file, by itself.
    File(Box<dyn Source>),
}

/// Opens places as one data set.
///
/// Paths are relative to a single folder or archive (zip, tar, tar.gz, tar.zst; told by its bytes).
/// With several places each path begins with the last part of its place; a second `b` is `b-2`.
/// Archives are listed within these limits.
///
/// # Errors
/// If a place does not exist, cannot be looked at, or is a URI that cannot be used.
pub fn open(places: &[PathBuf], limits: &Limits) -> Result<Box<dyn Source>, PlaceError> {
    #[cfg(feature = "storage")]
    let mut stores = Stores::default();
    let mut files = Singles::default();
    let mut trees: Vec<(String, Box<dyn Source>)> = Vec::new();
    for place in places {
        let (name, standing) = match Location::of(place)? {
            Location::Local(place) => {
                let Some(tree) = tree(&place, limits)? else {
                    files.push_local(place);
                    continue;
                };
                (tree_name(&place), Standing::Tree(tree))
            }
            #[cfg(feature = "storage")]
            Location::Stored(address) => {
                let standing = stores.open(&address, Some(limits))?;
                (address.last_part().to_owned(), standing)
            }
        };
        match standing {
            Standing::Tree(tree) => trees.push((name, tree)),
            Standing::File(file) => files.push(&ItemPath::from(name), file),
        }
    }
    if trees.is_empty() {
        return Ok(files.into_source());
    }
    match trees.pop() {
        Some((_, tree)) if trees.is_empty() && files.is_empty() => Ok(tree),
        last => {
            let mut joined = Joined::default();
            for (name, tree) in trees.into_iter().chain(last) {
                joined.push_boxed(&name, tree);
            }
            Ok(Box::new(Mixed { trees: joined, files: files.into_source() }))
        }
    }
}

/// A URI with options that were given apart from it: `?name=value`, percent-encoded.
///
/// ```
/// let uri = luna_worker::place::with_options("s3://bucket/x", [("region", "eu west")]);
/// assert_eq!(uri, "s3://bucket/x?region=eu+west");
/// ```
#[cfg(feature = "storage")]
pub fn with_options<'a>(
    uri: &str,
    options: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut more = url::form_urlencoded::Serializer::new(String::new());
    more.extend_pairs(options);
    let more = more.finish();
    match (more.is_empty(), uri.contains('?')) {
        (true, _) => uri.to_owned(),
        (false, true) => format!("{uri}&{more}"),
        (false, false) => format!("{uri}?{more}"),
    }
}

/// True if a text is a URI of a storage that is read here; a path of this machine is none, and so is a URI
/// whose scheme has no name here.
///
/// ```
/// use luna_worker::place::is_stored;
/// assert!(is_stored("s3://bucket/x") && !is_stored("/data/x") && !is_stored("hf://datasets/x"));
/// ```
#[cfg(feature = "storage")]
pub fn is_stored(text: &str) -> bool {
    use storage::AddressError::UnknownScheme;
    Address::parse(text).is_some_and(|address| !matches!(address, Err(UnknownScheme { .. })))
}

/// Opens a single file, whatever it holds; `None` if a folder is at this place.
///
/// # Errors
/// If it does not exist, cannot be looked at, or is a URI that cannot be used.
pub fn open_file(place: &Path) -> Result<Option<Box<dyn Source>>, PlaceError> {
    match Location::of(place)? {
        Location::Local(place) if is_folder(&place)? => Ok(None),
        Location::Local(place) => Ok(Some(Box::new(Files::new([place])))),
        #[cfg(feature = "storage")]
        Location::Stored(address) => Ok(match Stores::default().open(&address, None)? {
            Standing::Tree(_) => None,
            Standing::File(file) => Some(file),
        }),
    }
}

/// Reads a file that belongs to no data set, up to `most` bytes of it.
///
/// # Errors
/// What the system or the storage said.
pub fn read_beside(place: &Path, most: u64) -> io::Result<Vec<u8>> {
    let local = match Location::of(place).map_err(PlaceError::into_io)? {
        Location::Local(local) => local,
        #[cfg(feature = "storage")]
        Location::Stored(address) => {
            return Stores::default().read(&address, most).map_err(storage::Error::into_io);
        }
    };
    let mut bytes = Vec::new();
    fs::File::open(local)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The name of a file at this place, for what is told by its ending: without options.
pub fn file_name(place: &Path) -> String {
    match Location::of(place) {
        #[cfg(feature = "storage")]
        Ok(Location::Stored(address)) => address.last_part().to_owned(),
        Err(_) => {
            let shown = uri::without_secrets(&place.to_string_lossy());
            shown.rsplit('/').next().unwrap_or_default().to_owned()
        }
        _ => place.file_name().unwrap_or(place.as_os_str()).to_string_lossy().into_owned(),
    }
}

/// A place as it may be shown, secrets masked.
pub fn shown(place: &Path) -> String {
    match Location::of(place) {
        #[cfg(feature = "storage")]
        Ok(Location::Stored(address)) => address.bare(),
        Err(_) => uri::without_secrets(&place.to_string_lossy()),
        _ => place.to_string_lossy().into_owned(),
    }
}

/// The folder or archive at a place of this machine; `None` for any other file.
fn tree(place: &Path, limits: &Limits) -> Result<Option<Box<dyn Source>>, PlaceError> {
    if is_folder(place)? {
        return Ok(Some(Box::new(Folder::new(place))));
    }
    // A link is not followed.
    if place.is_symlink() {
        return Ok(None);
    }
    let archive = Archive::open(place, limits)?;
    Ok(archive.map(|archive| -> Box<dyn Source> { Box::new(archive) }))
}

/// True if a folder is at this place, false if anything else is.
fn is_folder(place: &Path) -> Result<bool, PlaceError> {
    let shown = || text::escaped(&place.to_string_lossy());
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

/// What paths below a folder or archive begin with, beside others.
fn tree_name(place: &Path) -> String {
    // `.` and `..` have no last part of their own.
    let named = fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
    named.file_name().map_or("root".into(), |name| name.to_string_lossy().into_owned())
}

/// Folders, archives and single files side by side. Files have no `/` in their path, all else has.
struct Mixed {
    trees: Joined,
    files: Box<dyn Source>,
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
    fn a_uri_that_cannot_be_used_says_why() {
        let error = |place: &str| open(&[place.into()], &Limits::default()).err().unwrap();
        let says = error("s4://bucket/x").to_string();
        assert!(says.contains("s4://"), "{says}");
        let not_found =
            |place| matches!(error(place), PlaceError::Source(SourceError::NotFound { .. }));
        assert!(not_found("no/such:/place") && not_found("://x"));
    }

    #[cfg(feature = "storage")]
    #[test]
    fn a_file_uri_is_a_path_of_this_machine() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a b.png"), "1").unwrap();
        let uri = format!("file://{}/", root.path().display());
        assert_eq!(paths(&[uri.clone().into()]), ["a b.png"]);
        assert_eq!(paths(&[format!("{uri}a%20b.png").into()]), ["a b.png"]);
    }
}
