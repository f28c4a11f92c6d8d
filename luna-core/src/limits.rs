//! Budgets: how much work and memory one file, and the engine as a whole, may cost.
//!
//! Every budget counts work, never seconds, so that verdicts do not depend on the machine.

use std::sync::{Condvar, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Budgets of one file. The n-th unit passes, the n+1st is a finding (LF008, LF009).
///
/// ```
/// assert_eq!(luna_core::Limits::default().decoded_bytes, 256 << 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest file that is read, in bytes.
    #[serde(with = "size")]
    #[schemars(with = "size::Text")]
    pub file_bytes: u64,
    /// Largest image, decoded, over all frames and channels, in bytes.
    #[serde(with = "size")]
    #[schemars(with = "size::Text")]
    pub decoded_bytes: u64,
    /// Longest side of an image, in pixels.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub side: u32,
    /// Scans of a progressive JPEG.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub scans: u32,
    /// Frames of a multi-frame image, pages of a TIFF.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub frames: u32,
    /// Nesting of DICOM sequences.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub dicom_nesting: u32,
    /// Elements of a DICOM data set, at all depths.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub dicom_elements: u32,
    /// Longest header text that is looked at, in bytes.
    #[serde(with = "size")]
    #[schemars(with = "size::Text")]
    pub text_bytes: u64,
    /// Decoded bytes for one byte of file; counts only above 256 MiB decoded.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub ratio: u32,
    /// Members of an archive.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub archive_entries: u32,
    /// Unpacked bytes for one byte of an archive; counts only above 100 MiB unpacked.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub archive_ratio: u32,
    /// Largest manifest or label table that is read, in bytes.
    #[serde(with = "size")]
    #[schemars(with = "size::Text")]
    pub table_bytes: u64,
    /// Rows of a manifest or label table.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub table_rows: u32,
    /// Columns of a manifest or label table.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub table_columns: u32,
    /// Nesting of a JSON manifest.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub json_nesting: u32,
    /// Wall-clock guard a file, in seconds; when it trips, the report is partial.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 1 << 30,
            decoded_bytes: 256 << 20,
            side: 65_535,
            scans: 64,
            frames: 4_096,
            dicom_nesting: 64,
            dicom_elements: 100_000,
            text_bytes: 64 << 10,
            ratio: 1_000,
            archive_entries: 1_000_000,
            archive_ratio: 200,
            table_bytes: 64 << 20,
            table_rows: 1_000_000,
            table_columns: 4_096,
            json_nesting: 128,
            seconds: 60,
        }
    }
}

/// Sizes in profiles: a number of bytes, or text such as `"1GiB"`, `"64 MB"`.
pub mod size {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    /// How a size is written.
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(untagged)]
    pub enum Text {
        /// Bytes.
        Bytes(#[schemars(range(min = 1))] u64),
        /// A number and a unit: B, kB, MB, GB, KiB, MiB, GiB.
        WithUnit(
            #[schemars(regex(pattern = r"^ *[0-9]+(\.[0-9]+)? *([kKmMgG]([iI]?[bB])?|[bB])? *$"))]
            String,
        ),
    }

    /// Reads `1GiB`, `64 MB`, `500`; `None` for anything else.
    ///
    /// ```
    /// assert_eq!(luna_core::limits::size::parse("1.5 KiB"), Some(1_536));
    /// assert_eq!(luna_core::limits::size::parse("many"), None);
    /// ```
    pub fn parse(text: &str) -> Option<u64> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "kib" | "k" => 1 << 10,
            "mib" | "m" => 1 << 20,
            "gib" | "g" => 1 << 30,
            _ => return None,
        };
        let value = number.parse::<f64>().ok()? * factor as f64;
        (value.is_finite() && value <= u64::MAX as f64).then_some(value as u64)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) fn serialize<S: Serializer>(bytes: &u64, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u64(*bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
        match Text::deserialize(input)? {
            Text::Bytes(bytes) => Ok(bytes),
            // A number of no bytes is refused like any other that is too low.
            Text::WithUnit(text) => parse(&text).filter(|bytes| *bytes > 0).ok_or_else(|| {
                D::Error::custom(
                    "a size is a number and a unit, such as \"1GiB\", and at least 1 byte",
                )
            }),
        }
    }
}

/// One memory budget for all threads: work waits until there is room for it.
///
/// What is larger than the whole budget is admitted alone, so nothing waits for ever.
///
/// ```
/// let budget = luna_core::limits::MemoryBudget::new(1 << 30);
/// let claim = budget.claim(10 << 20);
/// assert_eq!(budget.in_use(), 10 << 20);
/// drop(claim);
/// assert_eq!(budget.in_use(), 0);
/// ```
#[derive(Debug)]
pub struct MemoryBudget {
    total: u64,
    used: Mutex<u64>,
    freed: Condvar,
}

impl MemoryBudget {
    /// A budget of `total` bytes.
    pub fn new(total: u64) -> Self {
        Self { total: total.max(1), used: Mutex::new(0), freed: Condvar::new() }
    }

    /// Waits for `bytes` of room (at most the whole budget) and holds them until the claim is
    /// dropped.
    pub fn claim(&self, bytes: u64) -> Claim<'_> {
        let bytes = bytes.min(self.total);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while *used + bytes > self.total {
            used = self.freed.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
        *used += bytes;
        Claim { budget: self, bytes }
    }

    /// Bytes held at this moment.
    pub fn in_use(&self) -> u64 {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room in a [`MemoryBudget`], given back on drop.
#[derive(Debug)]
pub struct Claim<'a> {
    budget: &'a MemoryBudget,
    bytes: u64,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        *self.budget.used.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.budget.freed.notify_all();
    }
}
