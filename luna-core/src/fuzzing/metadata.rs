//! Metadata blocks: a byte that says which kind, then the block.

use super::{choice, limits};
use crate::probe::Metadata;
use crate::probe::jpeg::{BlockKind, MetadataBlock};

pub(super) fn check(bytes: &[u8]) {
    let Some((first, block)) = choice(bytes) else { return };
    let read = || read(first, bytes, block);
    let found = read();
    assert!(found.fields.len() <= 256);
    for field in &found.fields {
        assert!(!field.value.is_empty() && !field.name.is_empty(), "{field:?}");
        // At most 4,096 bytes of the file; a byte becomes one character of 4 bytes at most.
        assert!(field.value.len() <= 4 * 4_096, "{} bytes", field.value.len());
        assert!(field.offset <= bytes.len() as u64);
    }
    assert_eq!(found, read(), "two runs, two answers");
}

fn read(kind: u8, bytes: &[u8], block: &[u8]) -> Metadata {
    let of_jpeg = |kind| {
        let block = MetadataBlock { kind, offset: 0, range: 1..bytes.len() };
        Metadata::of_jpeg(bytes, &[block])
    };
    let of_png = |kind: &[u8; 4]| {
        let mut found = Metadata::default();
        let most = usize::try_from(limits().text_bytes).unwrap_or(usize::MAX);
        found.take_png_chunk(*kind, block, 0, most);
        found
    };
    match kind % 9 {
        0 => of_jpeg(BlockKind::Exif),
        1 => of_jpeg(BlockKind::Xmp),
        2 => of_jpeg(BlockKind::Iptc),
        3 => of_jpeg(BlockKind::Comment),
        4 => of_png(b"tEXt"),
        5 => of_png(b"iTXt"),
        6 => of_png(b"zTXt"),
        7 => of_png(b"eXIf"),
        _ => Metadata::of_tiff(block),
    }
}
