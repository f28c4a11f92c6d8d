//! Tables of a set, found by their names at its root.

use super::complaint::{About, Complaint};
use super::{Column, Role, Table, delimited};
use crate::settings::Settings;
use crate::source::{Item, ItemKind, ReadError, Source};

/// The tables that go with a data set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Those that were read; at most one of them is a manifest.
    pub read: Vec<Table>,
    /// Paths of manifests of the set that were not, since another one counts.
    pub left: Vec<String>,
}

impl Tables {
    /// Reads the tables of a set, found by their names at its root. A manifest from outside stands
    /// in for those of the set.
    ///
    /// ```
    /// use luna_core::{Settings, Source, source::Memory, table::Tables};
    /// let source = Memory::single("manifest.csv", b"file\na.png\n".to_vec());
    /// let tables = Tables::of(&source, &source.items()?, None, &Settings::default());
    /// assert_eq!(tables.read[0].name(), "manifest.csv");
    /// # Ok::<(), luna_core::SourceError>(())
    /// ```
    pub fn of(
        source: &dyn Source,
        items: &[Item],
        outside: Option<Table>,
        settings: &Settings,
    ) -> Self {
        let mut tables = Self::default();
        let given = outside.is_some();
        tables.read.extend(outside);
        for found in find(items) {
            match (found.role, found.second) {
                (Role::Manifest, second) if given || second => tables.left.push(found.path),
                (role, _) => tables.read.push(read(source, &found.path, role, settings)),
            }
        }
        tables
    }

    /// The manifest.
    pub fn manifest(&self) -> Option<&Table> {
        self.read.iter().find(|table| table.role() == Role::Manifest)
    }

    /// True if files are to be held against an MD5.
    pub fn want_md5(&self) -> bool {
        self.manifest().is_some_and(|table| table.has(Column::Md5))
    }
}

fn read(source: &dyn Source, path: &str, role: Role, settings: &Settings) -> Table {
    let allowed = settings.limits().table_bytes;
    match source.read(&path.into(), allowed) {
        Ok(bytes) => Table::of_set(path, role, &bytes, settings),
        Err(ReadError::TooLarge { found, .. }) => {
            Table::unreadable(path, role, delimited::over("table_bytes", allowed, found))
        }
        Err(_) => {
            let complaint = Complaint::new(About::Broken, "Cannot be read.");
            Table::unreadable(path, role, complaint)
        }
    }
}

/// A table's path and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    path: String,
    role: Role,
    /// True for a manifest beside another that goes before it.
    second: bool,
}

/// The tables among these names; the first manifest is the one that counts.
fn find(items: &[Item]) -> Vec<Found> {
    let at_root = |item: &&Item| {
        item.kind == ItemKind::File && item.path.is_utf8() && !item.path.as_str().contains('/')
    };
    let mut manifests: Vec<(usize, &str)> = Vec::new();
    let mut found = Vec::new();
    for item in items.iter().filter(at_root) {
        let path = item.path.as_str();
        if let Some(rank) = rank(&path.to_ascii_lowercase()) {
            manifests.push((rank, path));
        } else if is_labels(&path.to_ascii_lowercase()) {
            found.push(Found { path: path.to_owned(), role: Role::Labels, second: false });
        }
    }
    manifests.sort_unstable();
    let manifests = manifests.into_iter().enumerate().map(|(at, (_, path))| Found {
        path: path.to_owned(),
        role: Role::Manifest,
        second: at > 0,
    });
    manifests.chain(found).collect()
}

/// Which of several manifests counts: the lower, the better.
fn rank(name: &str) -> Option<usize> {
    const NAMES: [&str; 4] = ["manifest.json", "manifest.csv", "manifest.tsv", "manifest.parquet"];
    NAMES.iter().position(|known| *known == name).or_else(|| {
        // A list of SHA-256 says more than one of MD5.
        digits_of(name).map(|digits| if digits == 64 { 4 } else { 5 })
    })
}

/// Digits of a checksum in a list of this name (in lower case), if it is one.
pub(super) fn digits_of(name: &str) -> Option<usize> {
    let ends = |ending: &str| name.strip_suffix(ending).is_some_and(|stem| !stem.is_empty());
    if matches!(name, "sha256sums" | "sha256sums.txt") || ends(".sha256") {
        Some(64)
    } else if matches!(name, "md5sums" | "md5sums.txt") || ends(".md5") {
        Some(32)
    } else {
        None
    }
}

fn is_labels(name: &str) -> bool {
    let ends = [".csv", ".tsv", ".parquet"].iter().any(|ending| name.ends_with(ending));
    name.starts_with("labels") && ends
}
