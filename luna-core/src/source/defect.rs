//! What a source finds wrong with itself or with one of its names: plain data that rules turn into
//! findings.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One thing that is wrong with an archive, or with a member of one, whatever the member's bytes are.
///
/// Offsets count from the start of the archive, or of the unpacked stream where it is compressed as
/// a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Defect {
    /// Bytes are missing at the end.
    Truncated {
        /// What was cut: `the central directory`, `the data of the member`, …
        what: String,
        /// Offset at which bytes are missing.
        offset: u64,
        /// Bytes of it that are missing, if that is known.
        missing: Option<u64>,
    },
    /// A checksum does not fit.
    Checksum {
        /// What it covers.
        what: String,
        /// Offset of what it covers.
        offset: u64,
        /// The checksum that stands in the archive.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// A budget is exceeded; what comes after it was not looked at.
    OverBudget {
        /// Name of the limit, as in the profile: `archive_entries`, `archive_ratio`.
        limit: Cow<'static, str>,
        /// What is allowed.
        allowed: u64,
        /// What was seen when the work stopped.
        seen: u64,
    },
    /// The encoding is known, but not read here.
    Unsupported {
        /// Its name: `zip method 9 (Deflate64)`, …
        encoding: String,
    },
    /// The bytes break the rules of their format.
    Undecodable {
        /// Why; holds no text of the archive.
        reason: String,
        /// Where.
        offset: u64,
    },
    /// The member is encrypted.
    Encrypted,
    /// Two programs may read different things.
    Ambiguous {
        /// Why, as a sentence without its full stop; holds no text of the archive but escaped names.
        reason: String,
    },
    /// Bytes, not all of them zero, that belong to nothing.
    Stray {
        /// Where they stand: `before the first member`, …
        place: Cow<'static, str>,
        /// Offset of the first one.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// The name has characters beyond ASCII, and nothing says in which encoding.
    UnmarkedName,
}

impl Defect {
    /// A sentence about what two programs may read differently.
    pub(crate) fn ambiguous(reason: impl Into<String>) -> Self {
        Self::Ambiguous { reason: reason.into() }
    }
}
