//! PAX extended headers, and where they contradict the header that they extend.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::header::Header;
use crate::source::Defect;
use crate::text::{escaped, grouped};

/// The largest size that the octal field of a ustar header holds.
const MOST_USTAR: u64 = (1 << 33) - 1;

/// What a PAX header says, as far as it matters here.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a record that was met")]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) link: bool,
    pub(super) sparse: bool,
    /// True if a record cannot be read.
    broken: bool,
    /// True if path or size stand twice.
    repeated: bool,
}

impl Pax {
    /// Reads records `LENGTH KEY=VALUE\n`.
    pub(super) fn read(text: &[u8]) -> Self {
        let mut pax = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let Some((key, value, after)) = record(rest) else {
                pax.broken = true;
                break;
            };
            rest = after;
            match key {
                b"path" => pax.repeated |= pax.path.replace(value.to_vec()).is_some(),
                b"size" => match std::str::from_utf8(value).ok().and_then(|it| it.parse().ok()) {
                    Some(size) => pax.repeated |= pax.size.replace(size).is_some(),
                    None => pax.broken = true,
                },
                b"linkpath" => pax.link = true,
                key if key.starts_with(b"GNU.sparse.") => pax.sparse = true,
                _ => {}
            }
        }
        pax
    }

    /// Where it cannot be read, or contradicts other headers.
    pub(super) fn defects(&self, header: &Header, gnu_name: Option<&[u8]>) -> Vec<Defect> {
        let mut defects = Vec::new();
        if self.broken {
            defects.push(Defect::ambiguous("Its PAX header breaks the rules of its format"));
        }
        if self.repeated {
            defects.push(Defect::ambiguous("Its PAX header gives a name or a size twice"));
        }
        // A size beyond 8 GiB fits no ustar header; writers put a zero there.
        if let Some(size) = self.size
            && size != header.size
            && !(size > MOST_USTAR && header.size == 0)
        {
            defects.push(Defect::ambiguous(format!(
                "Its PAX header gives {} bytes, its ustar header {}",
                grouped(size),
                grouped(header.size)
            )));
        }
        if let (Some(path), Some(name)) = (self.path.as_deref(), gnu_name)
            && path != name
        {
            let name = escaped(&String::from_utf8_lossy(name));
            let reason = format!("Its PAX header gives another name than GNU's, `{name}`");
            defects.push(Defect::ambiguous(reason));
        }
        defects
    }
}

/// The first record: key, value, what follows it.
fn record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = text.iter().take(20).position(|byte| *byte == b' ')?;
    let (digits, _) = text.split_at_checked(space)?;
    let len: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let (record, after) = text.split_at_checked(len)?;
    let body = record.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    let (key, value) = body.split_at_checked(equals)?;
    Some((key, value.get(1..)?, after))
}
