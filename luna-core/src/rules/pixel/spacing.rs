//! LP017: pixel spacings that cannot be.

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

use crate::dicom::DicomFile;
use crate::finding::Severity;
use crate::rules::{Case, Check, Draft, FileContext, Rule, RuleOption, Scope, Sink, Stage, Status};
use crate::text::six_digits;

pub(super) static RULES: &[&Rule] = &[&SPACING_IMPLAUSIBLE];

/// Attributes that give the size of a pixel; of the first that is there the field of view is taken.
const SPACINGS: [(Tag, &str); 3] = [
    (tags::PIXEL_SPACING, "PixelSpacing"),
    (tags::IMAGER_PIXEL_SPACING, "ImagerPixelSpacing"),
    (tags::NOMINAL_SCANNED_PIXEL_SPACING, "NominalScannedPixelSpacing"),
];

/// Row and column spacing may differ by this share before pixels count as not square.
const SQUARE: f64 = 0.01;

/// Classes in which the spacing is optional and missed by users; elsewhere LD011 asks for it.
const OPTIONAL_IN: [&str; 3] = [
    uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
    uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
    uids::MULTI_FRAME_GRAYSCALE_WORD_SECONDARY_CAPTURE_IMAGE_STORAGE,
];

static MIN_FIELD: RuleOption = RuleOption::number(
    "LP017",
    "min_field_mm",
    0.0,
    (0.0, 10_000.0),
    "mm",
    "Least longer side of the picture; 0 checks nothing. Adult chest: 250.",
);
static MAX_FIELD: RuleOption = RuleOption::number(
    "LP017",
    "max_field_mm",
    0.0,
    (0.0, 10_000.0),
    "mm",
    "Greatest longer side of the picture; 0 checks nothing. Adult chest: 520.",
);

static SPACING_IMPLAUSIBLE: Rule = Rule {
    code: "LP017",
    name: "spacing-implausible",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::DicomImage,
    cases: &[
        Case::new("not-positive", Severity::Warning, Stage::File, "a spacing of 0 or less"),
        Case::new("not-square", Severity::Warning, Stage::File, "row and column spacing differ"),
        Case::new(
            "field-of-view",
            Severity::Warning,
            Stage::File,
            "the picture would be too small or large",
        ),
        Case::new("missing", Severity::Info, Stage::File, "no spacing in a CR or SC object"),
    ],
    options: &[&MIN_FIELD, &MAX_FIELD],
    summary: "The size of a pixel is missing, zero, not square, or gives a field of view that no \
              detector has.",
    why: "Sizes in millimetres (cardiothoracic ratio aside) hang on it. A picture that was resized \
          without its spacing measures every nodule wrong.",
    measured: "PixelSpacing, ImagerPixelSpacing and NominalScannedPixelSpacing: each value above 0; \
               row and column spacing equal within 1 %; longer side, rows or columns times spacing, \
               from `min_field_mm` to `max_field_mm` (0 checks nothing; the chest profile sets 250 \
               and 520). The RSNA pneumonia set kept the spacing while resizing: a chest of 172 mm. \
               Children are smaller than 250 mm: widen the range for them.",
    how_to_fix: "Take the spacing from the source, and scale it whenever the picture is resized. \
                 Where it is unknown leave the attribute out.",
    references: &[
        "DICOM PS3.3 10.7.1.3 (pixel spacing value order and valid values)",
        "DICOM PS3.3 10.7.1.1 (imager pixel spacing and calibration)",
    ],
    check: Check::File(spacing_implausible),
};

fn spacing_implausible(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let mut field = None;
    let mut seen = false;
    for (tag, keyword) in SPACINGS {
        let [row, column] = file.numbers(tag)[..] else { continue };
        seen = true;
        let found = format!("{}\\{} mm", six_digits(row), six_digits(column));
        if !(row > 0.0 && column > 0.0) {
            let draft = Draft::new(format!("{keyword} is not above 0: {found}."));
            out.fire("not-positive", at(file, tag, draft.found(found).expected("above 0")));
            continue;
        }
        if (row - column).abs() > SQUARE * row.max(column) {
            let draft = Draft::new(format!("Pixels are not square: {keyword} is {found}."));
            let draft = draft.found(found).expected("equal row and column spacing");
            out.fire("not-square", at(file, tag, draft));
        }
        field = field.or(Some((tag, keyword, row, column)));
    }
    if let Some((tag, keyword, row, column)) = field {
        field_of_view(cx, file, (tag, keyword), [row, column], out);
    }
    let class = file.text(tags::SOP_CLASS_UID).unwrap_or_default();
    if !seen && OPTIONAL_IN.contains(&class.as_str()) {
        let draft = Draft::new("Does not say how large a pixel is.");
        out.fire("missing", draft.expected("PixelSpacing or ImagerPixelSpacing"));
    }
}

fn field_of_view(
    cx: &FileContext<'_>,
    file: &DicomFile<'_>,
    (tag, keyword): (Tag, &str),
    [row, column]: [f64; 2],
    out: &mut Sink<'_>,
) {
    let (Some(width), Some(height)) = (cx.facts.width, cx.facts.height) else { return };
    let field = (f64::from(height) * row).max(f64::from(width) * column);
    let (least, most) = (out.number(&MIN_FIELD), out.number(&MAX_FIELD));
    if (least > 0.0 && field < least) || (most > 0.0 && field > most) {
        let field = field.round();
        let draft = Draft::new(format!(
            "By its {keyword} the picture would be {field} mm long; resized without its spacing?"
        ));
        let draft = draft.found(format!("{field} mm")).expected(format!("{least} to {most} mm"));
        out.fire("field-of-view", at(file, tag, draft));
    }
}

fn at(file: &DicomFile<'_>, tag: Tag, draft: Draft) -> Draft {
    match file.element(tag) {
        Some(element) => draft.at(file.location(element)),
        None => draft,
    }
}
