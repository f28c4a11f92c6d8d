//! Several sources as one: each path begins with the name of its source.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use super::{Defect, Item, ItemPath, ReadError, Reading, Source, Visit};
use crate::error::SourceError;

/// Sources side by side, each below its own name; a second `a` is `a-2`.
///
/// ```
/// use luna_core::{Source, source::{Joined, Memory}};
/// let mut joined = Joined::default();
/// joined.push("a", Memory::single("x.png", vec![]));
/// joined.push("a", Memory::single("x.png", vec![]));
/// let paths: Vec<_> = joined.items()?.iter().map(|item| item.path.to_string()).collect();
/// assert_eq!(paths, ["a-2/x.png", "a/x.png"]);
/// # Ok::<(), luna_core::SourceError>(())
/// ```
#[derive(Default)]
pub struct Joined {
    parts: Vec<(String, Box<dyn Source>)>,
}

impl Joined {
    /// Adds a source below `name`, or below `name-2` and so on if that is taken.
    pub fn push(&mut self, name: &str, source: impl Source + 'static) {
        self.push_boxed(name, Box::new(source));
    }

    /// The same for a source whose type is not known.
    pub fn push_boxed(&mut self, name: &str, source: Box<dyn Source>) {
        let taken = |name: &str| self.parts.iter().any(|(other, _)| other == name);
        let free = if taken(name) {
            (2..self.parts.len() + 3).map(|n| format!("{name}-{n}")).find(|name| !taken(name))
        } else {
            None
        };
        self.parts.push((free.unwrap_or_else(|| name.to_owned()), source));
    }
}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|(name, _)| name)).finish()
    }
}

impl Source for Joined {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        let mut flow = ControlFlow::Continue(());
        for (name, source) in &self.parts {
            source.list(&mut |mut item| {
                item.path = item.path.below(name);
                flow = visit(item);
                flow
            })?;
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError> {
        for (name, source) in &self.parts {
            if let Some(inner) = path.as_bytes().strip_prefix(format!("{name}/").as_bytes()) {
                return source.read(&ItemPath::from_bytes(inner.to_vec()), max_bytes);
            }
        }
        Err(ReadError::NotAFile)
    }

    fn each(&self, items: &[Item], reading: &Reading<'_>, visit: &Visit<'_>) {
        for (name, source) in &self.parts {
            let prefix = format!("{name}/").into_bytes();
            let (numbers, inner): (Vec<usize>, Vec<Item>) = items
                .iter()
                .enumerate()
                .filter_map(|(number, item)| {
                    let path = item.path.as_bytes().strip_prefix(&prefix[..])?.to_vec();
                    Some((number, Item { path: ItemPath::from_bytes(path), ..item.clone() }))
                })
                .unzip();
            source.each(&inner, reading, &|number, bytes| {
                if let Some(number) = numbers.get(number) {
                    visit(*number, bytes);
                }
            });
        }
    }

    fn defects(&self) -> Vec<(String, Defect)> {
        let below = |(name, source): &(String, Box<dyn Source>)| {
            source.defects().into_iter().map(|(_, defect)| (name.clone(), defect)).collect()
        };
        self.parts.iter().flat_map(|part| -> Vec<_> { below(part) }).collect()
    }
}
