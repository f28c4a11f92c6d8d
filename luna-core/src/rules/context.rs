//! What a rule's function is given to look at.

use std::collections::BTreeMap;

use crate::conclude::Entry;
use crate::decode::Image;
use crate::dicom::DicomFile;
use crate::measure::Measured;
use crate::probe::{Flaw, Probe};
use crate::record::{Facts, Record};
use crate::settings::Settings;
use crate::source::{Defect, Item};
use crate::table::Matched;

/// A path that meets its record.
#[derive(Debug)]
pub struct NameContext<'a> {
    /// What is in force.
    pub settings: &'a Settings,
    /// The listed name.
    pub item: &'a Item,
    /// What is known of its bytes.
    pub record: &'a Record,
    /// All paths of the set, by their form without case and Unicode variants.
    pub folded: &'a BTreeMap<String, Vec<&'a str>>,
}

/// One file: bytes, header, flaws.
#[derive(Debug)]
pub struct FileContext<'a> {
    /// What is in force.
    pub settings: &'a Settings,
    /// The whole file.
    pub bytes: &'a [u8],
    /// What it says it is.
    pub probe: &'a Probe<'a>,
    /// What probe and decoder found wrong.
    pub flaws: &'a [Flaw],
    /// What reports will say of it.
    pub facts: &'a Facts,
}

impl<'a> FileContext<'a> {
    /// The DICOM object, if it is one.
    pub fn dicom(&self) -> Option<&'a DicomFile<'a>> {
        self.probe.dicom()
    }
}

/// A decoded picture.
#[derive(Debug)]
pub struct ImageContext<'a> {
    /// The file it comes from.
    pub file: &'a FileContext<'a>,
    /// Its samples.
    pub image: &'a Image,
    /// What was measured of it, and its display pictures.
    pub measured: &'a Measured,
}

/// All records of a set.
#[derive(Debug)]
pub struct SetContext<'a> {
    /// What is in force.
    pub settings: &'a Settings,
    /// All listed files with their records, in byte order of the path.
    pub entries: &'a [Entry],
    /// What is wrong with the source itself; with each, the name below which it stands.
    pub defects: &'a [(String, Defect)],
    /// The tables that were read, each with the files of its rows (numbers in `entries`).
    pub tables: &'a [Matched<'a>],
    /// Paths of further manifests, which were not read.
    pub left: &'a [String],
    /// Paths of files that the host was promised and never got.
    pub absent: &'a [String],
    /// True if some files of the source were not looked at.
    pub partial: bool,
}
