//! What a rule is: data, and one function.

use std::fmt;
use std::sync::Arc;

use super::context::{FileContext, ImageContext, NameContext, SetContext};
use super::sink::Sink;
use crate::finding::Severity;
use crate::probe::Format;
use crate::record::{Facts, Kind};

/// A rule, declared once. Its page in `docs/rules/`, `luna rules`, `luna explain`, the profile's
/// schema and the check itself all come from this value.
///
/// An embedding program declares its own and passes it to
/// [`ValidatorBuilder::rule`](crate::ValidatorBuilder::rule):
///
/// ```
/// use luna_core::rules::{Case, Check, Draft, Rule, Scope, Stage, Status};
/// use luna_core::{Severity, Validator, source::Memory};
///
/// static CASES: &[Case] = &[Case::only(Severity::Error, Stage::File)];
/// let portrait_only = Rule {
///     code: "ORG001",
///     name: "not-portrait",
///     status: Status::Stable { since: "0.1.0" },
///     scope: Scope::Image,
///     cases: CASES,
///     options: &[],
///     summary: "The picture is wider than high.",
///     why: "This challenge shows portraits.",
///     measured: "",
///     how_to_fix: "Turn the picture.",
///     references: &[],
///     check: Check::image(|cx, out| {
///         if cx.image.geometry.width > cx.image.geometry.height {
///             out.fire("", Draft::new("Wider than high."));
///         }
///     }),
/// };
/// let validator = Validator::builder().rule(portrait_only).build()?;
/// let report = validator.validate(&Memory::single("a.png", vec![0]))?;
/// assert!(report.files[0].findings.iter().all(|finding| finding.rule != "ORG001"));
/// # Ok::<(), luna_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rule {
    /// Two letters of the family and three digits, never used again for another rule.
    pub code: &'static str,
    /// The defect in a few words, with dashes.
    pub name: &'static str,
    /// Whether it runs by itself, and since when.
    pub status: Status,
    /// Which files it looks at.
    pub scope: Scope,
    /// Its cases with severity and stage; at least one.
    pub cases: &'static [Case],
    /// What a profile may set.
    pub options: &'static [&'static RuleOption],
    /// What it finds, in a sentence or two.
    pub summary: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// How it is measured (formula, unit), where the thresholds come from, known false alarms.
    pub measured: &'static str,
    /// What to do; the `help` of its findings unless a finding brings its own.
    pub how_to_fix: &'static str,
    /// Sections of standards, papers, issues.
    pub references: &'static [&'static str],
    /// The function.
    pub check: Check,
}

/// One way in which a rule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Short name (`eoi` in `LF004/eoi`); empty for the rule's main case.
    pub name: &'static str,
    /// Severity, unless a profile replaces it.
    pub severity: Severity,
    /// Where in a run it is decided.
    pub stage: Stage,
    /// What sets it apart, in a few words; empty for a rule with a single case.
    pub about: &'static str,
}

impl Case {
    /// The single case of a rule.
    pub const fn only(severity: Severity, stage: Stage) -> Self {
        Self { name: "", severity, stage, about: "" }
    }

    /// One of several cases.
    pub const fn new(
        name: &'static str,
        severity: Severity,
        stage: Stage,
        about: &'static str,
    ) -> Self {
        Self { name, severity, stage, about }
    }
}

/// Where in a run a case is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// When a record meets its path.
    Name,
    /// In `examine`, from the bytes of one file.
    File,
    /// In `conclude`, from all records.
    Set,
}

/// Whether a rule runs by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Runs when its family is selected.
    Stable {
        /// Version that brought it.
        since: &'static str,
    },
    /// Runs only when selected by its full code, or with `preview = true`.
    Preview {
        /// Version that brought it.
        since: &'static str,
    },
    /// Still runs, will go.
    Deprecated {
        /// Version that deprecated it.
        since: &'static str,
    },
}

/// Which files a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything listed.
    Any,
    /// Every file of one format, whatever is inside.
    Format(Format),
    /// DICOM objects of an image class.
    DicomImage,
    /// Decoded pictures (not companions).
    Image,
    /// Pictures that are not DICOM: PNG, JPEG, TIFF, BMP.
    PlainPicture,
    /// The set as a whole, with at least two images.
    Set,
    /// Manifests and label tables.
    Table,
}

impl Scope {
    /// True if a file with these facts is looked at.
    pub fn covers(self, facts: &Facts) -> bool {
        match self {
            Self::Any => true,
            Self::Format(format) => facts.format == Some(format),
            Self::DicomImage => facts.format == Some(Format::Dicom) && facts.kind == Kind::Image,
            Self::Image | Self::Set => facts.is_decoded_image(),
            Self::Table => false,
            Self::PlainPicture => facts.kind == Kind::Image && facts.format != Some(Format::Dicom),
        }
    }
}

/// The function of a rule, by what it looks at.
#[derive(Clone)]
#[non_exhaustive]
pub enum Check {
    /// A path and the facts of its file.
    Name(fn(&NameContext<'_>, &mut Sink<'_>)),
    /// A file's bytes and header.
    File(fn(&FileContext<'_>, &mut Sink<'_>)),
    /// A decoded picture; not called for companions.
    Image(fn(&ImageContext<'_>, &mut Sink<'_>)),
    /// All records.
    Set(fn(&SetContext<'_>, &mut Sink<'_>)),
    /// A file's bytes and header, by a closure of the embedding program.
    CustomFile(Arc<FileCheck>),
    /// A decoded picture, by a closure of the embedding program.
    CustomImage(Arc<ImageCheck>),
    /// Several of the above, for a rule whose cases are decided at several stages.
    All(&'static [Check]),
}

/// A closure that looks at a file's bytes, header and facts.
pub type FileCheck = dyn Fn(&FileContext<'_>, &mut Sink<'_>) + Send + Sync;

/// A closure that looks at a decoded picture.
pub type ImageCheck = dyn Fn(&ImageContext<'_>, &mut Sink<'_>) + Send + Sync;

impl Check {
    /// A check of a file's bytes, header and facts, by a closure.
    ///
    /// ```
    /// use luna_core::rules::{Check, Draft};
    /// let small = Check::file(|cx, out| {
    ///     if cx.facts.size_bytes < 1_000 {
    ///         out.fire("", Draft::new("Smaller than any radiograph."));
    ///     }
    /// });
    /// assert_eq!(format!("{small:?}"), "CustomFile");
    /// ```
    pub fn file(check: impl Fn(&FileContext<'_>, &mut Sink<'_>) + Send + Sync + 'static) -> Self {
        Self::CustomFile(Arc::new(check))
    }

    /// A check of a decoded picture, by a closure; not called for companions.
    pub fn image(check: impl Fn(&ImageContext<'_>, &mut Sink<'_>) + Send + Sync + 'static) -> Self {
        Self::CustomImage(Arc::new(check))
    }

    /// The functions one by one.
    pub(crate) fn each(&self) -> &[Self] {
        match self {
            Self::All(checks) => checks,
            single => std::slice::from_ref(single),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name(_) => "Name",
            Self::File(_) => "File",
            Self::Image(_) => "Image",
            Self::Set(_) => "Set",
            Self::CustomFile(_) => "CustomFile",
            Self::CustomImage(_) => "CustomImage",
            Self::All(_) => "All",
        })
    }
}

/// Something a profile may set for a rule: `[rules.LP003] max_p99 = 110`.
#[derive(Debug)]
pub struct RuleOption {
    /// Code of the rule it belongs to.
    pub rule: &'static str,
    /// The key in the profile.
    pub key: &'static str,
    /// Its value unless a profile says otherwise.
    pub default: DefaultValue,
    /// Unit, such as `grey levels (0 to 255)`; empty for none.
    pub unit: &'static str,
    /// What it does, and where the default comes from.
    pub about: &'static str,
}

/// Type, default and range of an option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// A number from `least` to `most`.
    Number {
        /// The default.
        value: f64,
        /// Lowest value that makes sense.
        least: f64,
        /// Highest value that makes sense.
        most: f64,
    },
    /// A list of texts.
    Texts(&'static [&'static str]),
}

impl RuleOption {
    /// A number with its range.
    pub const fn number(
        rule: &'static str,
        key: &'static str,
        value: f64,
        (least, most): (f64, f64),
        unit: &'static str,
        about: &'static str,
    ) -> Self {
        Self { rule, key, default: DefaultValue::Number { value, least, most }, unit, about }
    }

    /// A list of texts.
    pub const fn texts(
        rule: &'static str,
        key: &'static str,
        value: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { rule, key, default: DefaultValue::Texts(value), unit: "", about }
    }
}
