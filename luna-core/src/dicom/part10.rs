//! Opens a DICOM file: preamble, file meta, transfer syntax, inflated data set (PS3.10 section 7).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;
use std::ops::Range;

use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use flate2::{Decompress, FlushDecompress, Status};

use super::encoding::Encoding;
use super::transfer_syntax::{TransferSyntax, transfer_syntax};
use super::walker::{Found, Walker};
use super::{DicomFile, Opening, values};
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws};

/// Longest piece that is inflated at once.
const PIECE: usize = 256 << 10;

/// Bytes of a transfer syntax UID that are looked at; more than 64 are wrong.
const LONGEST_UID: usize = 128;

/// Decoded bytes below which a ratio counts for nothing, as for every other format.
const RATIO_FROM: u64 = 256 << 20;

impl<'a> DicomFile<'a> {
    /// Reads the structure of a DICOM file; what is wrong with the bytes is added to `flaws`.
    ///
    /// Never fails: a file that makes no sense has no elements.
    pub fn read(bytes: &'a [u8], limits: &Limits, flaws: &mut Flaws) -> Self {
        let (opening, start) = opening(bytes);
        let mut walker = Walker::new(bytes, limits);
        let meta = file_meta(&mut walker, bytes, start);
        let data_set = meta.as_ref().map_or(start, |meta| meta.range.end);
        let declared = declared_syntax(&walker, bytes);
        let syntax = declared.as_deref().and_then(transfer_syntax);
        let (data, inflated) = inflated(bytes, data_set, syntax, limits, flaws);
        let declared_encoding = syntax.map(TransferSyntax::encoding);
        let encoding = Encoding::guess(&data, data_set, declared_encoding);
        let misdeclared = (encoding.is_some() && encoding != declared_encoding && syntax.is_some())
            || (syntax.is_some_and(TransferSyntax::is_deflated) && !inflated);
        let encoding = encoding.or(declared_encoding).unwrap_or(Encoding::EXPLICIT);

        let mut walker = walker.over(&data);
        walker.data_set(data_set, encoding);
        let Found { elements, anomalies, flaws: own_flaws, encapsulated } = walker.found;
        flaws.extend(own_flaws);
        let mut file = Self {
            data,
            opening,
            meta,
            data_set,
            encoding,
            inflated,
            misdeclared,
            transfer_syntax: declared,
            elements,
            anomalies,
            encapsulated,
            object: InMemDicomObject::new_empty(),
            top: Vec::new(),
            charsets: Vec::new(),
            signed: false,
            longest_text: usize::try_from(limits.text_bytes).unwrap_or(usize::MAX),
        };
        file.index();
        file.object = values::read(&file, limits);
        file
    }
}

/// How the file begins, and where its first element stands.
fn opening(bytes: &[u8]) -> (Opening, usize) {
    if bytes.get(128..132) == Some(b"DICM") {
        (Opening::Preamble, 132)
    } else if bytes.starts_with(b"DICM") {
        (Opening::NoPreamble, 4)
    } else {
        (Opening::DataSet, 0)
    }
}

/// File meta information, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMeta {
    /// Where its elements lie.
    pub range: Range<usize>,
    /// How they are encoded; anything but explicit little endian is wrong.
    pub encoding: Encoding,
    /// Value of (0002,0000): bytes from the end of that element to the end of the group.
    pub group_length: Option<u32>,
    /// What it should be.
    pub actual_length: u32,
}

fn file_meta(walker: &mut Walker<'_>, bytes: &[u8], start: usize) -> Option<FileMeta> {
    let encoding =
        [Encoding::EXPLICIT, Encoding::IMPLICIT, Encoding::BIG].into_iter().find(|encoding| {
            let head = encoding.head(bytes, start);
            head.is_some_and(|head| {
                head.tag.group() == 0x0002
                    && (head.vr.is_some() || !encoding.explicit)
                    && encoding.plausible_end(bytes, &head).is_some()
            })
        })?;
    let end = walker.file_meta(start, encoding);
    let length = walker.found.elements.first().filter(|first| first.tag.element() == 0);
    let group_length = length.and_then(|element| {
        let value = bytes.get(element.value..element.value.checked_add(4)?)?;
        Some(encoding.u32(value.first_chunk().copied()?))
    });
    let from = length.map_or(start, |element| element.value.saturating_add(element.length));
    let actual_length = u32::try_from(end.saturating_sub(from)).unwrap_or(u32::MAX);
    Some(FileMeta { range: start..end, encoding, group_length, actual_length })
}

/// The transfer syntax UID of the file meta, without padding.
fn declared_syntax(walker: &Walker<'_>, bytes: &[u8]) -> Option<String> {
    let element =
        walker.found.elements.iter().find(|element| element.tag == tags::TRANSFER_SYNTAX_UID)?;
    let value = bytes.get(element.value..element.value.checked_add(element.length)?)?;
    let text = String::from_utf8_lossy(value.get(..value.len().min(LONGEST_UID))?);
    let text = text.trim_matches(['\0', ' ']);
    (!text.is_empty()).then(|| text.to_owned())
}

/// The file, with its data set inflated if the transfer syntax says so; true if it was.
fn inflated<'a>(
    bytes: &'a [u8],
    at: usize,
    syntax: Option<&TransferSyntax>,
    limits: &Limits,
    flaws: &mut Flaws,
) -> (Cow<'a, [u8]>, bool) {
    let is_deflated = syntax.is_some_and(TransferSyntax::is_deflated);
    if !is_deflated || Encoding::reads_well(bytes, at) {
        return (Cow::Borrowed(bytes), false);
    }
    let (header, deflated) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let mut data = header.to_vec();
    inflate(deflated, at, limits, &mut data, flaws);
    (Cow::Owned(data), true)
}

/// Inflates a raw deflate stream behind what `out` holds, up to the budget.
fn inflate(deflated: &[u8], at: usize, limits: &Limits, out: &mut Vec<u8>, flaws: &mut Flaws) {
    let by_ratio = (deflated.len() as u64).saturating_mul(u64::from(limits.ratio)).max(RATIO_FROM);
    let allowed = limits.decoded_bytes.min(by_ratio);
    let limit = if by_ratio < limits.decoded_bytes { "ratio" } else { "decoded_bytes" };
    let mut stream = Decompress::new(false);
    loop {
        let read = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
        let offset = Some((at as u64).saturating_add(stream.total_in()));
        let rest = deflated.get(read..).unwrap_or_default();
        if stream.total_out() > allowed {
            flaws.push(Flaw::OverBudget { limit, allowed, seen: stream.total_out() });
            return;
        }
        let (before_in, before_out) = (stream.total_in(), stream.total_out());
        out.reserve(PIECE);
        match stream.decompress_vec(rest, out, FlushDecompress::None) {
            Ok(Status::StreamEnd) => break,
            Ok(_) if (before_in, before_out) != (stream.total_in(), stream.total_out()) => {}
            Ok(_) => {
                flaws.push(Flaw::Truncated {
                    what: "deflated data set".to_owned(),
                    offset: (at as u64).saturating_add(deflated.len() as u64),
                    expected: None,
                    found: deflated.len() as u64,
                    rows: None,
                });
                return;
            }
            Err(_) => {
                let reason = "the deflate stream of the data set is damaged".to_owned();
                flaws.push(Flaw::Decode { reason, offset, rows: None });
                return;
            }
        }
    }
    let read = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
    let rest = deflated.get(read..).unwrap_or_default();
    if rest.iter().any(|byte| *byte != 0) {
        let offset = (at as u64).saturating_add(stream.total_in());
        flaws.push(Flaw::Trailing { offset, bytes: rest.len() as u64 });
    }
}
