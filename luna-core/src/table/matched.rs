//! A table that met the names of the set: which row is which file.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::{HashMap, HashSet};

use super::{Column, Listed, Table};
use crate::names::folded;

/// Files beyond which no likeness is searched for: every name would be held against every other.
const MOST_FOR_HINTS: usize = 50_000;

/// Files of a set by the ways in which a table may call them. Numbers are those of the set's order.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    paths: Vec<&'a str>,
    by_path: HashMap<&'a str, usize>,
    /// By file name, and by file name without ending; `None` where several share one.
    by_name: HashMap<&'a str, Option<usize>>,
    by_form: HashMap<String, usize>,
}

impl<'a> Names<'a> {
    /// Of these paths, in the order of the set.
    pub(crate) fn new(paths: Vec<&'a str>) -> Self {
        let by_path = paths.iter().enumerate().map(|(at, path)| (*path, at)).collect();
        let by_form = paths.iter().enumerate().map(|(at, path)| (folded(path), at)).collect();
        let mut by_name: HashMap<&str, Option<usize>> = HashMap::new();
        for (at, path) in paths.iter().enumerate() {
            let name = path.rsplit('/').next().unwrap_or(path);
            let stem = name.rsplit_once('.').map(|(stem, _)| stem).filter(|stem| !stem.is_empty());
            for called in std::iter::once(name).chain(stem) {
                by_name.entry(called).and_modify(|it| *it = None).or_insert(Some(at));
            }
        }
        Self { paths, by_path, by_name, by_form }
    }

    /// The file that a reference means: its path, or (without a folder) its name or the name without
    /// ending, if only one file has it.
    fn file(&self, reference: &str) -> Option<usize> {
        if let Some(at) = self.by_path.get(reference) {
            return Some(*at);
        }
        if reference.contains('/') {
            return None;
        }
        self.by_name.get(reference).copied().flatten()
    }

    /// A path that may have been meant: not one of a file that is taken.
    fn near(&self, reference: &str, taken: &HashSet<usize>) -> Option<&'a str> {
        let by_form = self.by_form.get(&folded(reference)).copied();
        let name = reference.rsplit('/').next().unwrap_or(reference);
        let by_name = || self.by_name.get(name).copied().flatten();
        let free = |at: &usize| !taken.contains(at);
        let exact =
            by_form.or_else(by_name).filter(free).and_then(|at| self.paths.get(at).copied());
        exact.or_else(|| {
            let few = self.paths.len() <= MOST_FOR_HINTS;
            let alike = |path: &str| path.len().abs_diff(reference.len()) <= 4;
            let others = self.paths.iter().copied().enumerate();
            let near = others.filter(|(at, path)| free(at) && alike(path)).map(|(_, path)| path);
            if few { crate::text::nearest(reference, near) } else { None }
        })
    }
}

/// A table with the file of each of its rows.
#[derive(Debug)]
pub struct Matched<'a> {
    table: &'a Table,
    files: Vec<Option<usize>>,
    taken: HashSet<usize>,
    names: &'a Names<'a>,
}

impl<'a> Matched<'a> {
    pub(crate) fn new(table: &'a Table, names: &'a Names<'a>) -> Self {
        let file = |row: &Listed| names.file(row.get(Column::File)?);
        let files: Vec<Option<usize>> = table.rows().iter().map(file).collect();
        let taken = files.iter().flatten().copied().collect();
        Self { table, files, taken, names }
    }

    /// The table.
    pub fn table(&self) -> &'a Table {
        self.table
    }

    /// Its rows, each with the number of its file in the set, if there is one.
    pub fn rows(&self) -> impl Iterator<Item = (&'a Listed, Option<usize>)> {
        self.table.rows().iter().zip(self.files.iter().copied())
    }

    /// A path of the set that a reference may have meant: of a file that has no row of its own.
    pub fn near(&self, reference: &str) -> Option<&'a str> {
        self.names.near(reference, &self.taken)
    }
}
