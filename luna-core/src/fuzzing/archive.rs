//! An archive: what is listed can be read, as often as one likes, has the size that it says, and what
//! is wrong with it can be printed.

use std::collections::BTreeSet;

use super::limits;
use crate::source::{Archive, ItemKind, ReadError, Source as _};

pub(super) fn check(bytes: &[u8]) {
    let limits = limits();
    let Some(archive) = Archive::from_bytes(bytes.to_vec(), &limits) else { return };
    let Ok(items) = archive.items() else { return };
    let paths: BTreeSet<_> = items.iter().map(|item| &item.path).collect();
    assert_eq!(paths.len(), items.len(), "one path, two members");
    for item in &items {
        let read = archive.read(&item.path, limits.file_bytes);
        match &read {
            Ok(member) => {
                assert_eq!(item.kind, ItemKind::File, "what is no file was read");
                assert_eq!(member.len() as u64, item.size_bytes, "{}", item.path.as_str());
            }
            Err(ReadError::TooLarge { max_bytes, found }) => assert!(found > max_bytes),
            Err(_) => {}
        }
        let again = archive.read(&item.path, limits.file_bytes);
        assert_eq!(read.ok(), again.ok(), "two readings, two members");
    }
    for (_, defect) in archive.defects() {
        assert!(format!("{defect:?}").len() < 100_000, "a defect that says too much");
    }
}
