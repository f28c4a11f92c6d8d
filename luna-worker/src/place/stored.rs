//! Places in storages: what stands there, and which source reads it.

use std::collections::HashMap;

use luna_core::source::Archive;
use luna_core::table::{Column, Table};
use luna_core::{Limits, Settings, Source};

use super::{PlaceError, Standing};
use crate::storage::{
    Address, Bridge, Error, ObjectBytes, Result, Scheme, Storage, Stored, StoredSource,
};

/// Manifests that are looked for in a folder of a web server, in the order in which they count.
const MANIFESTS: [&str; 7] = [
    "manifest.json",
    "manifest.csv",
    "manifest.tsv",
    "SHA256SUMS",
    "SHA256SUMS.txt",
    "MD5SUMS",
    "MD5SUMS.txt",
];

/// Storages that are open: several places of one bucket share their connections.
#[derive(Default)]
pub(super) struct Stores {
    by_bucket: HashMap<Address, Storage>,
}

impl Stores {
    /// What stands at an address. An archive is one only where there are limits for it.
    pub(super) fn open(
        &mut self,
        address: &Address,
        limits: Option<&Limits>,
    ) -> Result<Standing, PlaceError> {
        let (storage, bridge) = (self.storage(address)?, Bridge::own()?);
        let path = address.path();
        if path.is_empty() || path.ends_with('/') {
            return Ok(Standing::Tree(folder(storage.moved_to(path), bridge)?));
        }
        let (parent, key) = split(path);
        let beside = storage.moved_to(parent);
        let looked = {
            let (beside, key) = (beside.clone(), key.to_owned());
            bridge.run(async move { beside.stat(&key).await })
        };
        match looked {
            Ok(object) => standing(beside, object, bridge, limits),
            // A prefix is no object; and who may not list is told of objects only that they are denied.
            Err(error) if error.may_say_more() && address.scheme() != Scheme::Web => {
                let below = storage.moved_to(path);
                match folder(below, bridge) {
                    Ok(tree) => Ok(Standing::Tree(tree)),
                    // The answer about a single object has no words, only a number.
                    Err(other) if !matches!(other, Error::NotFound { .. }) => Err(other.into()),
                    Err(_) => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads an object, up to `most` bytes of it.
    pub(super) fn read(&mut self, address: &Address, most: u64) -> Result<Vec<u8>> {
        let (parent, key) = split(address.path());
        let (storage, key) = (self.storage(address)?.moved_to(parent), key.to_owned());
        Bridge::own()?.run(async move { storage.read(&key, most).await })
    }

    /// The storage at the root of an address's bucket.
    fn storage(&mut self, address: &Address) -> Result<Storage> {
        let root = address.at("");
        if let Some(storage) = self.by_bucket.get(&root) {
            return Ok(storage.clone());
        }
        let storage = Storage::at(&root)?;
        self.by_bucket.insert(root, storage.clone());
        Ok(storage)
    }
}

/// `a/b/c` as `a/b` and `c`.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// An object as what it is.
fn standing(
    storage: Storage,
    object: Stored,
    bridge: Bridge,
    limits: Option<&Limits>,
) -> Result<Standing, PlaceError> {
    if let Some(limits) = limits {
        let bytes = ObjectBytes::new(storage.clone(), object.clone(), bridge.clone());
        if let Some(archive) = Archive::from_remote(bytes, limits)? {
            return Ok(Standing::Tree(Box::new(archive)));
        }
    }
    Ok(Standing::File(Box::new(StoredSource::single(storage, bridge, object.key))))
}

/// All that lies below, if anything does.
fn folder(storage: Storage, bridge: Bridge) -> Result<Box<dyn Source>> {
    if storage.address().scheme() == Scheme::Web {
        return web_folder(storage, bridge);
    }
    let listed = storage.clone();
    let first = bridge.run(async move { listed.list().await?.next().await })?;
    if first.is_none() && !storage.address().path().is_empty() {
        return Err(Error::NotFound { place: storage.shown("") });
    }
    Ok(Box::new(StoredSource::new(storage, bridge)))
}

/// The files that a manifest in a folder of a web server names, beside it and below.
fn web_folder(storage: Storage, bridge: Bridge) -> Result<Box<dyn Source>> {
    let settings = Settings::default();
    let most = settings.limits().table_bytes;
    for name in MANIFESTS {
        let asked = storage.clone();
        let bytes = match bridge.run(async move { asked.read(name, most).await }) {
            Ok(bytes) => bytes,
            Err(Error::NotFound { .. }) => continue,
            Err(error) => return Err(error),
        };
        let Some(table) = Table::manifest(name, &bytes, &settings) else { continue };
        let named = table.rows().iter().filter_map(|row| row.get(Column::File));
        // A name that leads elsewhere is never opened; what is wrong with it is said by the rules.
        let named = named.filter(|path| crate::storage::is_plain(path)).map(str::to_owned);
        let mut keys: Vec<String> = named.chain([name.to_owned()]).collect();
        keys.sort_unstable();
        keys.dedup();
        return Ok(Box::new(StoredSource::named(storage, bridge, keys)));
    }
    let what =
        "a web server lists nothing; name a file, an archive, or a folder with a manifest in it";
    Err(Error::Unsupported { place: storage.shown(""), what })
}
