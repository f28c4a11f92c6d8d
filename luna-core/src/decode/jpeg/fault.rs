//! What can be wrong with entropy-coded data.

/// Why a walk through a scan stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The data end before the last block.
    Ended,
    /// Data are left over after the last block.
    Surplus,
    /// Bits that no Huffman code begins with, or a symbol without a meaning.
    Code,
    /// More coefficients than a block holds, or a run of empty blocks past the last one.
    Overflow,
    /// A restart marker is missing, comes too early, or is out of order.
    Restart,
    /// Restart markers of a lossless scan within its rows.
    Interval,
    /// A marker that may not stand within a scan.
    Marker,
    /// A malformed Huffman table.
    Table,
    /// A Huffman table that is not defined.
    NoTable,
    /// A quantisation table that is not defined.
    NoQuantisation,
    /// A scan header that does not fit the frame or the scans before it.
    Scan,
    /// Scans without which no picture can be made are not there.
    Unfinished,
}

impl Fault {
    /// For a person, and without any text of the file.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Ended => "coded data stop before the last block",
            Self::Surplus => "coded data are left over after the last block",
            Self::Code => "bits that are no Huffman code",
            Self::Overflow => "a block with more than 64 coefficients",
            Self::Restart => "a restart marker is missing or out of order",
            Self::Interval => "restart intervals of a lossless scan that are no whole rows",
            Self::Marker => "a marker that may not stand within a scan",
            Self::Table => "malformed Huffman table",
            Self::NoTable => "a scan uses a Huffman table that is not defined",
            Self::NoQuantisation => "a component uses a quantisation table that is not defined",
            Self::Scan => "a scan that does not fit the frame or the scans before it",
            Self::Unfinished => "a component of the picture is never coded",
        }
    }
}
