//! What is remembered of an upload that is not finished, so that the same command goes on with it.
//!
//! A small file in the user's own state folder: no key, no token, no file name.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::files::Local;

/// Digits of a hash that tell files of one data set apart: 64 bits.
const DIGITS: usize = 16;

/// An upload that was begun and of which no verdict was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unfinished {
    pub(super) dataset_id: i64,
    /// What was asked for: name, team, task and so on.
    pub(super) intent: Value,
    /// Fingerprint of paths and contents.
    contents: String,
    /// The paths, hashed: a name may tell more than a disk should keep.
    paths: BTreeSet<String>,
}

impl Unfinished {
    pub(super) fn new(dataset_id: i64, intent: Value, local: &Local) -> Self {
        Self { dataset_id, intent, contents: local.fingerprint(), paths: paths(local) }
    }

    /// True if nothing that was announced then is missing here now: a data set forgets no path.
    pub(super) fn is_part_of(&self, local: &Local) -> bool {
        self.paths.is_subset(&paths(local))
    }

    /// True if it holds just these files.
    pub(super) fn is_of(&self, local: &Local) -> bool {
        self.contents == local.fingerprint()
    }
}

fn paths(local: &Local) -> BTreeSet<String> {
    local.files.iter().map(|file| digits(&[&file.path])).collect()
}

fn digits(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
        hasher.update([0]);
    }
    let mut digits = hex::encode(hasher.finalize());
    digits.truncate(DIGITS);
    digits
}

/// Where an upload is remembered.
#[derive(Debug)]
pub(super) struct Memory {
    place: PathBuf,
}

impl Memory {
    /// For a place of this machine and the service it goes to; `None` if the user has no folder for such things.
    pub(super) fn of(server: &str, place: &Path) -> Option<Self> {
        let folders = etcetera::choose_base_strategy().ok()?;
        let folder = folders.state_dir().unwrap_or_else(|| folders.cache_dir());
        let place = fs::canonicalize(place).ok()?;
        let name = digits(&[server, &place.to_string_lossy()]);
        Some(Self { place: folder.join("luna").join("push").join(format!("{name}.json")) })
    }

    #[cfg(all(test, feature = "service"))]
    pub(super) fn at(place: PathBuf) -> Self {
        Self { place }
    }

    /// What is remembered; a file that cannot be understood remembers nothing.
    pub(super) fn read(&self) -> Option<Unfinished> {
        serde_json::from_slice(&fs::read(&self.place).ok()?).ok()
    }

    /// Remembers, whole or not at all; readable by its owner only.
    pub(super) fn write(&self, unfinished: &Unfinished) -> io::Result<()> {
        let folder = self.place.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(unfinished)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.place)?;
        Ok(())
    }

    pub(super) fn forget(&self) {
        // One that stays is asked about, and found finished.
        let _ = fs::remove_file(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn local(files: &[(&str, &str)]) -> Local {
        let root = tempfile::tempdir().unwrap();
        for (path, contents) in files {
            fs::write(root.path().join(path), contents).unwrap();
        }
        let mut local = Local::list(root.path()).unwrap();
        local.hash(&luna_core::CancelToken::default()).unwrap();
        local
    }

    #[test]
    fn an_upload_goes_on_while_nothing_was_taken_away() {
        let begun = Unfinished::new(7, json!({}), &local(&[("a.png", "1"), ("b.png", "2")]));
        let more = local(&[("a.png", "other"), ("b.png", "2"), ("c.png", "3")]);
        assert!(begun.is_part_of(&more) && !begun.is_of(&more));
        assert!(!begun.is_part_of(&local(&[("a.png", "1")])));
        assert!(begun.is_of(&local(&[("a.png", "1"), ("b.png", "2")])));
    }

    #[test]
    fn what_is_remembered_comes_back_and_names_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory { place: folder.path().join("luna/push/x.json") };
        assert_eq!(memory.read(), None);
        let begun = Unfinished::new(7, json!({ "name": "set" }), &local(&[("DOE^JANE.png", "1")]));
        memory.write(&begun).unwrap();
        assert_eq!(memory.read(), Some(begun));
        assert!(!fs::read_to_string(&memory.place).unwrap().contains("DOE"));
        fs::write(&memory.place, "no json").unwrap();
        assert_eq!(memory.read(), None);
        memory.forget();
        assert!(!memory.place.exists());
    }
}
