//! The third of the three functions: the bounded set of pictures that an HTML report shows.
//!
//! A report and a way to look at its files again in, [`Illustrations`] out. Which pictures are made
//! follows from the report alone, in a fixed order. No finding is changed; only renderers see this.

mod again;
pub(crate) mod choose;
mod picture;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use self::again::SourceLook;
use self::picture::{Subject, picture};
use crate::decode::Image;
use crate::finding::{Finding, Location};
use crate::record::DicomFacts;
use crate::report::{FileEntry, Report};

/// A file, opened and decoded once more.
#[derive(Clone, Debug)]
pub struct Look {
    /// The picture, or the part of it that could be decoded.
    pub image: Image,
    /// False if its header admits burned-in text: compared, but never shown.
    pub may_be_shown: bool,
}

/// How `conclude` and [`illustrate`] ask for pixels again. A host that has none passes none.
///
/// The same path gives the same answer every time, from any thread.
pub trait SecondLook: Sync {
    /// Opens the file of this report path and shows it to `see`, once; not at all if there is no
    /// picture, or none can be decoded. The picture goes when `see` returns, so that a host can
    /// bound how many are held at a time.
    fn look(&self, path: &str, see: &mut dyn FnMut(&Look));
}

/// How many pictures are made, and how large.
///
/// ```
/// let budget = luna_core::PictureBudget::default();
/// assert_eq!((budget.a_rule, budget.in_all), (12, 300));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureBudget {
    /// Most pictures of one rule.
    pub a_rule: usize,
    /// Most rules that have pictures, the gravest first.
    pub rules: usize,
    /// A set of at most this many files shows all of them.
    pub small_set: usize,
    /// Most pictures in all.
    pub in_all: usize,
    /// Long side of a picture, in pixels.
    pub side: u32,
    /// Long side where the set is a single file.
    pub single_side: u32,
}

impl Default for PictureBudget {
    fn default() -> Self {
        Self {
            a_rule: 12,
            rules: usize::MAX,
            small_set: 100,
            in_all: 300,
            side: 240,
            single_side: 1_024,
        }
    }
}

/// The pictures of one report, by path and frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Illustrations {
    pictures: BTreeMap<(String, u32), Picture>,
}

impl Illustrations {
    /// The picture of this frame of a file, if one was made.
    pub fn get(&self, path: &str, frame: u32) -> Option<&Picture> {
        self.pictures.get(&(path.to_owned(), frame))
    }

    /// All pictures, by path and frame.
    pub fn iter(&self) -> impl Iterator<Item = &Picture> {
        self.pictures.values()
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }
}

/// A small picture of one frame, with what may be marked in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Path of the file.
    pub path: String,
    /// Frame number, from 0.
    pub frame: u32,
    /// Width of the small picture, in pixels.
    pub width: u32,
    /// Height of the small picture, in pixels.
    pub height: u32,
    /// Width of the original, in pixels.
    pub source_width: u32,
    /// Height of the original, in pixels.
    pub source_height: u32,
    /// The picture itself, or why it is not shown.
    pub shown: Shown,
    /// How stored values became grey, for the caption: `window 2,048 / 4,096`.
    pub tone: String,
    /// Rows of the original that were decoded; the rest of the small picture is grey.
    pub rows_decoded: u32,
    /// The content box in the small picture, where something was trimmed round it.
    pub content: Option<Area>,
    /// Runs of pixels at the display maximum, where a finding speaks of them.
    pub saturated: Vec<Run>,
}

impl Picture {
    /// Draws a frame of one file again, with all that was `found` in that file; `None` if there is
    /// nothing to show.
    ///
    /// ```
    /// # use luna_core::{Limits, Picture, SourceLook, source::Memory};
    /// let source = Memory::single("a.png", Vec::new());
    /// let limits = Limits::default();
    /// let look = SourceLook::new(&source, &limits);
    /// assert_eq!(Picture::of("a.png", 0, &[], &look, 240), None);
    /// ```
    pub fn of(
        path: &str,
        frame: u32,
        found: &[Finding],
        second_look: &dyn SecondLook,
        side: u32,
    ) -> Option<Self> {
        let subject = Subject { path, findings: found, frame, admits_text: false };
        let drawn = crate::guard::quiet(|| {
            let mut made = None;
            second_look.look(path, &mut |look| made = picture(subject, look, side));
            made
        });
        drawn.flatten()
    }
}

/// What is seen of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A grey JPEG. Boxes found to hold text are filled in its pixels.
    Jpeg(Vec<u8>),
    /// Nothing: its header, or a finding, says that text is burned into it.
    Withheld,
}

/// A rectangle of a small picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Left.
    pub x: u32,
    /// Top.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// Pixels side by side in one row of a small picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Row.
    pub y: u32,
    /// First column.
    pub x: u32,
    /// Number of pixels.
    pub length: u32,
}

/// Makes the pictures that an HTML report shows: at most `budget.a_rule` of each rule, the gravest
/// rules first, then all others of a small set, `budget.in_all` together.
///
/// ```
/// # use luna_core::{Limits, PictureBudget, SourceLook, Validator, illustrate, source::Memory};
/// let source = Memory::single("a.png", Vec::new());
/// let report = Validator::default().validate(&source)?;
/// let limits = Limits::default();
/// let pictures = illustrate(&report, &SourceLook::new(&source, &limits), &PictureBudget::default());
/// assert!(pictures.is_empty());
/// # Ok::<(), luna_core::Error>(())
/// ```
pub fn illustrate(
    report: &Report,
    second_look: &dyn SecondLook,
    budget: &PictureBudget,
) -> Illustrations {
    let side = if report.files.len() == 1 { budget.single_side } else { budget.side };
    let wanted = choose::wanted(report, budget);
    let made: Vec<Picture> = wanted
        .into_par_iter()
        .filter_map(|(entry, frame)| {
            crate::guard::quiet(|| {
                let mut made = None;
                let (path, findings) = (entry.path.as_str(), entry.findings.as_slice());
                second_look.look(path, &mut |look| {
                    let admits_text = admits_text(entry);
                    let subject = Subject { path, findings, frame, admits_text };
                    made = picture(subject, look, side);
                });
                made
            })
            .flatten()
        })
        .collect();
    let keyed = made.into_iter().map(|picture| ((picture.path.clone(), picture.frame), picture));
    Illustrations { pictures: keyed.collect() }
}

/// The frame that a finding speaks of; the first if it names none.
pub(crate) fn frame_of(finding: &Finding) -> u32 {
    finding.location.as_ref().and_then(Location::frame).unwrap_or_default()
}

/// True if the report knows that its header says so.
fn admits_text(entry: &FileEntry) -> bool {
    entry.facts.dicom.as_deref().is_some_and(|dicom: &DicomFacts| {
        dicom.burned_in_annotation.as_deref().is_some_and(|said| said.eq_ignore_ascii_case("yes"))
    })
}

/// True if text was found, and not every place of it is known.
fn texts_lie_anywhere(findings: &[Finding]) -> bool {
    let mut texts = findings.iter().filter(|finding| finding.rule == BURNED_IN_TEXT);
    let unplaced = |finding: &Finding| !matches!(finding.location, Some(Location::Box { .. }));
    texts.clone().any(unplaced)
        // More than a report lists.
        || texts.nth(crate::rules::MOST_PER_RULE - 1).is_some()
}

#[cfg(test)]
pub(crate) mod tests;

/// The rule whose boxes are filled in every picture.
const BURNED_IN_TEXT: &str = "LI011";
