//! What is in a shard, as it stands in the queue.

use serde::{Deserialize, Serialize};

/// Files of a shard at most, …
pub(super) const FILES: usize = 256;
/// … and their bytes, unless one file alone has more.
pub(super) const BYTES: u64 = 256 << 20;

/// A part of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shard {
    /// The files behind `after` up to `last`, in byte order of their paths.
    Files {
        after: Option<String>,
        last: String,
        /// True if files are held against an MD5.
        md5: bool,
    },
    /// The names of an archive from one place in the sorted list to another.
    Members { begin: usize, end: usize, md5: bool },
}

impl Shard {
    pub(super) fn md5(&self) -> bool {
        match self {
            Self::Files { md5, .. } | Self::Members { md5, .. } => *md5,
        }
    }
}

/// Cuts files of these sizes into parts of bounded number and bytes; where each begins and ends.
pub(super) fn cut(sizes: impl IntoIterator<Item = u64>) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let (mut begin, mut bytes) = (0, 0_u64);
    let mut end = 0;
    for size in sizes {
        let full = end - begin == FILES || (end > begin && bytes.saturating_add(size) > BYTES);
        if full {
            parts.push((begin, end));
            (begin, bytes) = (end, 0);
        }
        bytes = bytes.saturating_add(size);
        end += 1;
    }
    if end > begin {
        parts.push((begin, end));
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_that_is_too_large_stands_alone() {
        assert_eq!(cut([]), []);
        assert_eq!(cut([1, BYTES + 1, 1, 1]), [(0, 1), (1, 2), (2, 4)]);
    }

    proptest! {
        #[test]
        fn every_file_is_in_one_part_and_parts_are_bounded(
            sizes in prop::collection::vec(0..BYTES / 3, 0..2_000)
        ) {
            let parts = cut(sizes.iter().copied());
            let mut at = 0;
            for (begin, end) in parts {
                prop_assert_eq!(begin, at);
                prop_assert!(end > begin && end - begin <= FILES);
                prop_assert!(sizes[begin..end].iter().sum::<u64>() <= BYTES);
                at = end;
            }
            prop_assert_eq!(at, sizes.len());
        }
    }
}
