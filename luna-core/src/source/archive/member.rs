//! The members of an archive, whatever its form: names made comparable, duplicates put together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::source::{Defect, Item, ItemKind, ItemPath};
use crate::text::counted;

/// Where the bytes of a member stand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// As they are, from this offset on; in the unpacked stream where the archive is compressed.
    Plain { offset: u64 },
    /// A zip member: data of `packed` bytes by this method, with the CRC-32 of the unpacked ones.
    Zip { offset: u64, packed: u64, method: u16, crc: u32 },
    /// Nowhere that could be read.
    None,
}

/// A member: what is listed, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) item: Item,
    pub(super) place: Place,
}

/// What was found in an archive.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// In the order of the archive, each name once.
    pub(super) members: Vec<Member>,
    /// What is wrong with the archive itself.
    pub(super) defects: Vec<Defect>,
    /// Number in `members` of each name, and how often it occurred.
    names: HashMap<ItemPath, (usize, u64)>,
}

impl Index {
    pub(super) fn get(&self, path: &ItemPath) -> Option<&Member> {
        self.members.get(self.names.get(path)?.0)
    }

    pub(super) fn get_mut(&mut self, path: &ItemPath) -> Option<&mut Member> {
        self.members.get_mut(self.names.get(path)?.0)
    }

    pub(super) fn push_defect(&mut self, defect: Defect) {
        if !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
    }

    /// Adds a member. Of several of one name the last stands for all, as most programs unpack it.
    pub(super) fn push(&mut self, mut member: Member) {
        if member.item.path.as_bytes().contains(&b'\\') {
            let reason = "The name holds a backslash, which some programs take for a folder";
            member.item.defects.push(Defect::ambiguous(reason));
        }
        match self.names.entry(member.item.path.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert((self.members.len(), 1));
                self.members.push(member);
            }
            Entry::Occupied(mut occupied) => {
                let (at, count) = occupied.get_mut();
                *count = count.saturating_add(1);
                let Some(first) = self.members.get_mut(*at) else { return };
                let mut defects = std::mem::take(&mut first.item.defects);
                defects.retain(|defect| !is_duplicate(defect));
                let reason = format!("{DUPLICATE} {} of this name", counted(*count, "member"));
                defects.push(Defect::ambiguous(reason));
                defects.append(&mut member.item.defects);
                defects.dedup();
                member.item.defects = defects;
                *first = member;
            }
        }
    }

    /// Says of each name that is a file and a folder at once that it cannot be unpacked.
    pub(super) fn check_folders(&mut self) {
        let clashing: Vec<usize> = self
            .members
            .iter()
            .flat_map(|member| {
                let bytes = member.item.path.as_bytes();
                bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/').filter_map(|(at, _)| {
                    let parent = ItemPath::from_bytes(bytes.get(..at)?.to_vec());
                    self.names.get(&parent).map(|(at, _)| *at)
                })
            })
            .collect();
        for at in clashing {
            let Some(member) = self.members.get_mut(at) else { continue };
            let reason = "Is a file and, for other members, a folder";
            let defect = Defect::ambiguous(reason);
            if !member.item.defects.contains(&defect) {
                member.item.defects.push(defect);
            }
        }
    }
}

const DUPLICATE: &str = "The archive holds";

fn is_duplicate(defect: &Defect) -> bool {
    matches!(defect, Defect::Ambiguous { reason } if reason.starts_with(DUPLICATE))
}

/// A member's name as it is listed: without `./` at its front, which means nothing.
pub(super) fn listed_name(raw: &[u8]) -> ItemPath {
    let mut name = raw;
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
        while let Some(rest) = name.strip_prefix(b"/") {
            name = rest;
        }
    }
    ItemPath::from_bytes(name.to_vec())
}

/// What is listed of a member.
pub(super) fn item(path: ItemPath, kind: ItemKind, size: u64, defects: Vec<Defect>) -> Item {
    let size_bytes = if kind == ItemKind::File { size } else { 0 };
    Item { path, kind, size_bytes, defects }
}
