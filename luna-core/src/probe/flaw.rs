//! What a probe or decoder finds wrong with the bytes: plain data that rules turn into findings.

/// How far a decoder came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The first row, from 0, that could not be decoded.
    pub stopped: u32,
    /// Rows of the image.
    pub of: u32,
}

/// One thing that is wrong with the bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Bytes are missing at the end.
    Truncated {
        /// What was cut: `chunk IDAT`, `scan`, `strip 3`, `element (7FE0,0010)`, …
        what: String,
        /// Offset at which bytes are missing.
        offset: u64,
        /// Bytes that should be there (from `offset`, or of `what`), if the file says so.
        expected: Option<u64>,
        /// Bytes that are there.
        found: u64,
        /// The row at which the picture stops, if known.
        rows: Option<Rows>,
    },
    /// Only the end marker is missing (JPEG EOI): all picture data are there.
    NoEndMarker {
        /// The marker: `EOI`.
        what: &'static str,
        /// Where it should stand.
        offset: u64,
    },
    /// A checksum does not fit.
    Checksum {
        /// What it covers: `chunk IDAT`, `the zlib stream`, …
        what: String,
        /// Offset of what it covers.
        offset: u64,
        /// The checksum that stands in the file.
        stored: u32,
        /// The checksum of the bytes, if it could be computed.
        computed: Option<u32>,
        /// True if what it covers is not needed to draw the picture.
        ancillary: bool,
    },
    /// Bytes after the end of the picture, not all of them zero.
    Trailing {
        /// Offset of the first byte after the end.
        offset: u64,
        /// How many bytes.
        bytes: u64,
    },
    /// The decoder gave up.
    Decode {
        /// Why, in the decoder's words; holds no text from the file.
        reason: String,
        /// Where in the file, if known.
        offset: Option<u64>,
        /// The row at which the picture stops, if known.
        rows: Option<Rows>,
    },
    /// The decoder panicked; the panic was caught.
    Panic,
    /// The wall-clock guard tripped.
    Timeout {
        /// Allowed seconds.
        seconds: u32,
    },
    /// Processes that examined it died; nobody looks at it again.
    Killed {
        /// How many.
        workers: u64,
    },
    /// A budget is exceeded; nothing was allocated.
    OverBudget {
        /// Name of the limit, as in the profile: `decoded_bytes`, `side`, …
        limit: &'static str,
        /// What is allowed.
        allowed: u64,
        /// What the file asks for.
        seen: u64,
    },
    /// The encoding is known, but not decoded here.
    Unsupported {
        /// Its name: `TIFF compression 6 (old JPEG)`, `JPEG 2000 lossless`, …
        encoding: String,
    },
    /// More than one picture in the file.
    ManyImages {
        /// How many.
        count: u32,
        /// What they are: `pages`, `APNG frames`, `frames`.
        what: &'static str,
    },
}

/// Flaws of one file, collected in the order in which they are met.
pub type Flaws = Vec<Flaw>;
