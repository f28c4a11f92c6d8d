//! The behaviour that every source shows, whatever lies behind it. Also run by `luna-worker`, against
//! storages.

use std::ops::ControlFlow;

use luna_core::Source;
use luna_core::source::{ItemKind, ItemPath, ReadError};

/// What every source under test holds.
pub(crate) const TREE: [(&str, &[u8]); 4] =
    [("B.png", b"upper"), ("a.png", b"12345"), ("empty", b""), ("sub/deep/z.dcm", b"zz")];

/// Files of [`TREE`] that a source without folders can hold.
pub(crate) const FLAT: [(&str, &[u8]); 3] = [TREE[0], TREE[1], TREE[2]];

/// Holds a source against the tree that it is to give.
pub(crate) fn behaves(source: &dyn Source, tree: &[(&str, &[u8])]) {
    let items = source.items().unwrap();
    let listed: Vec<_> = items.iter().map(|item| item.path.as_str()).collect();
    let expected: Vec<_> = tree.iter().map(|(path, _)| *path).collect();
    assert_eq!(listed, expected, "everything is listed, in byte order of the path");

    for (item, (_, bytes)) in items.iter().zip(tree) {
        assert_eq!(item.kind, ItemKind::File);
        assert_eq!(item.size_bytes, bytes.len() as u64);
        assert_eq!(&*source.read(&item.path, 1 << 20).unwrap(), *bytes);
        assert_eq!(&*source.read(&item.path, item.size_bytes).unwrap(), *bytes, "the n-th passes");
        if let Some(less) = item.size_bytes.checked_sub(1) {
            let refused = source.read(&item.path, less);
            assert!(
                matches!(refused, Err(ReadError::TooLarge { max_bytes, .. }) if max_bytes == less)
            );
        }
    }

    let mut visited = 0;
    source
        .list(&mut |_| {
            visited += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(visited, 1, "listing stops when told to");

    for outside in ["no-such-file", "../a.png", "/etc/hostname", "sub/../a.png", "a.png/", ""] {
        assert!(
            source.read(&ItemPath::from(outside), 1 << 20).is_err(),
            "{outside:?} is no name of it"
        );
    }
    assert_eq!(source.items().unwrap(), items, "listing again gives the same");
}
