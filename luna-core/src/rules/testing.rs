//! For tests of rules: small DICOM objects in explicit little endian, and a rule run on them alone.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{Check, FileContext, Rule, Sink};
use crate::dicom::DicomFile;
use crate::finding::Finding;
use crate::probe::{Flaws, Format, Header, Probe};
use crate::profile::Profile;
use crate::record::Facts;
use crate::rules::Registry;
use crate::settings::Settings;

/// A data set in the making; elements are written in the order in which they are given.
#[derive(Clone, Debug, Default)]
pub(crate) struct DataSet(Vec<u8>);

impl DataSet {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// An element with text, padded to even length.
    pub(crate) fn text(self, tag: Tag, vr: VR, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(if vr == VR::UI { 0 } else { b' ' });
        }
        self.element(tag, vr, &bytes)
    }

    /// An element of VR US.
    pub(crate) fn number(self, tag: Tag, value: u16) -> Self {
        self.element(tag, VR::US, &value.to_le_bytes())
    }

    /// A sequence of these items.
    pub(crate) fn sequence(self, tag: Tag, items: &[Self]) -> Self {
        let mut bytes = Vec::new();
        for Self(item) in items {
            bytes.extend([0xFE, 0xFF, 0x00, 0xE0]);
            bytes.extend((item.len() as u32).to_le_bytes());
            bytes.extend(item);
        }
        self.element(tag, VR::SQ, &bytes)
    }

    fn element(mut self, tag: Tag, vr: VR, value: &[u8]) -> Self {
        let out = &mut self.0;
        out.extend(tag.group().to_le_bytes());
        out.extend(tag.element().to_le_bytes());
        out.extend(vr.to_bytes());
        if matches!(vr, VR::SQ | VR::UN | VR::UT | VR::UC | VR::UR | VR::OB | VR::OW) {
            out.extend([0, 0]);
            out.extend((value.len() as u32).to_le_bytes());
        } else {
            out.extend((value.len() as u16).to_le_bytes());
        }
        out.extend(value);
        self
    }

    /// The file: preamble, file meta with this transfer syntax, data set.
    pub(crate) fn file(&self, transfer_syntax: &str) -> Vec<u8> {
        let meta = Self::new().text(tags::TRANSFER_SYNTAX_UID, VR::UI, transfer_syntax).0;
        let length = (meta.len() as u32).to_le_bytes();
        let group =
            Self::new().element(tags::FILE_META_INFORMATION_GROUP_LENGTH, VR::UL, &length).0;
        [&[0; 128], b"DICM".as_slice(), &group, &meta, &self.0].concat()
    }
}

/// Settings of a profile given as TOML.
pub(crate) fn settings(profile: &str) -> Settings {
    Settings::new(Profile::parse(profile, "test").unwrap(), Registry::default()).unwrap()
}

/// What a rule's file check says of a DICOM file.
pub(crate) fn findings_in(rule: &Rule, bytes: &[u8], settings: &Settings) -> Vec<Finding> {
    let mut flaws = Flaws::new();
    let file = DicomFile::read(bytes, settings.limits(), &mut flaws);
    let mut probe = Probe::named(Some(Format::Dicom));
    probe.header = Header::Dicom(Box::new(file));
    let facts = Facts::unknown(bytes.len() as u64);
    let context = FileContext { settings, bytes, probe: &probe, flaws: &flaws, facts: &facts };
    let mut findings = Vec::new();
    for check in rule.check.each() {
        let Check::File(check) = check else { continue };
        check(&context, &mut Sink::new(rule, settings, &mut findings));
    }
    findings
}

/// What a rule says of a data set in explicit little endian, under the default profile.
pub(crate) fn findings(rule: &Rule, data_set: &DataSet) -> Vec<Finding> {
    findings_in(rule, &data_set.file("1.2.840.10008.1.2.1"), &Settings::default())
}
