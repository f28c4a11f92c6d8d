//! LP009, LP012, LP013: borders, size and shape of the picture.

use super::place::stored_box;
use crate::finding::Severity;
use crate::rules::{
    Case, Check, Draft, ImageContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};
use crate::text::grouped;

pub(super) static RULES: &[&Rule] = &[&BORDER_PADDING, &SIZE_OUT_OF_RANGE, &ODD_ASPECT];

static MAX_BORDER: RuleOption = RuleOption::number(
    "LP009",
    "max_share",
    0.40,
    (0.0, 1.0),
    "share of the picture",
    "Border that is tolerated. None of 1,248 good radiographs exceeds it.",
);

static BORDER_PADDING: Rule = Rule {
    code: "LP009",
    name: "border-padding",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Info, Stage::File)],
    options: &[&MAX_BORDER],
    summary: "A large part of the picture is an empty border.",
    why: "Pictures padded to a square, or scanned with the lid around the film, waste resolution, and \
          the width of the border tells a model which site a picture comes from.",
    measured: "Share of the display picture outside the content box (rows and columns whose 1st to \
               99th percentile spans at most 6 of 255, trimmed from outside) above `max_share`. No \
               alarm on 1,248 radiographs.",
    how_to_fix: "Crop the border, with boxes and masks moved along; pad while training instead.",
    references: &["DeGrave 2021, doi 10.1038/s42256-021-00338-7 (borders as a shortcut)"],
    check: Check::Image(border_padding),
};

fn border_padding(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let most = out.number(&MAX_BORDER);
    for picture in &cx.measured.pictures {
        let whole = picture.grey.bounds().area();
        let share = 1.0 - picture.content.area() as f64 / whole.max(1) as f64;
        if share > most {
            let found = format!("{} %", (share * 1_000.0).round() / 10.0);
            let draft = Draft::new(format!(
                "An empty border takes {found} of the picture; the box is what it leaves."
            ));
            let draft = draft.found(found).expected(format!("at most {} %", most * 100.0));
            out.fire("", draft.at(stored_box(cx, picture, picture.content)));
        }
    }
}

static MIN_SIDE: RuleOption = RuleOption::number(
    "LP012",
    "min_side",
    256.0,
    (1.0, 65_535.0),
    "pixels",
    "Warning if the shorter side is below. No picture of 1,000 of the NIH set is.",
);
static ERROR_SIDE: RuleOption = RuleOption::number(
    "LP012",
    "error_side",
    64.0,
    (0.0, 65_535.0),
    "pixels",
    "Error if the shorter side is below: an icon.",
);
static MAX_SIDE: RuleOption = RuleOption::number(
    "LP012",
    "max_side",
    0.0,
    (0.0, 65_535.0),
    "pixels",
    "Warning if the longer side is above; 0 allows every size.",
);

static SIZE_OUT_OF_RANGE: Rule = Rule {
    code: "LP012",
    name: "size-out-of-range",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[
        Case::new("small", Severity::Warning, Stage::File, "shorter side below `min_side`"),
        Case::new("tiny", Severity::Error, Stage::File, "shorter side below `error_side`"),
        Case::new("large", Severity::Warning, Stage::File, "longer side above `max_side`"),
    ],
    options: &[&MIN_SIDE, &ERROR_SIDE, &MAX_SIDE],
    summary: "The picture is smaller or larger than it may be.",
    why: "Thumbnails and icons among full-size radiographs hold no small findings, and resolution \
          itself becomes a hint of where a picture comes from.",
    measured: "Shorter and longer side of the stored picture, in pixels, against `min_side`, \
               `error_side` and `max_side`.",
    how_to_fix: "Export the picture at the resolution of its source. Enlarging a thumbnail brings no \
                 detail back.",
    references: &["DICOM PS3.3 C.7.6.3 (rows and columns)"],
    check: Check::Image(size_out_of_range),
};

fn size_out_of_range(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let (width, height) = (cx.image.geometry.width, cx.image.geometry.height);
    let (shorter, longer) = (f64::from(width.min(height)), f64::from(width.max(height)));
    let size = format!("{} x {} pixels", grouped(width.into()), grouped(height.into()));
    let (min, error, max) = (out.number(&MIN_SIDE), out.number(&ERROR_SIDE), out.number(&MAX_SIDE));
    let (case, limit) = if shorter < error { ("tiny", error) } else { ("small", min) };
    if shorter < limit {
        let draft = Draft::new(format!("Too small: {size}.")).found(size.clone());
        out.fire(case, draft.expected(format!("at least {} a side", grouped(limit as u64))));
    }
    if max > 0.0 && longer > max {
        let draft = Draft::new(format!("Too large: {size}.")).found(size);
        let draft = draft.expected(format!("at most {} a side", grouped(max as u64)));
        out.fire(
            "large",
            draft.help("Reduce the picture by area averaging, and its boxes and masks with it."),
        );
    }
}

static MIN_RATIO: RuleOption = RuleOption::number(
    "LP013",
    "min_ratio",
    0.5,
    (0.0, 1.0),
    "shorter side / longer side",
    "A radiograph is rarely more than twice as long as wide.",
);

static ODD_ASPECT: Rule = Rule {
    code: "LP013",
    name: "odd-aspect",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MIN_RATIO],
    summary: "The picture is far longer than wide, or far wider than long.",
    why: "Figures with several panels, strips and squashed copies have such a shape; a loader that \
          resizes to a square distorts them beyond use.",
    measured: "Shorter side divided by longer side, in stored pixels, below `min_ratio`. On 1,248 \
               radiographs it fired once, on a true figure of two panels. Long-leg and whole-spine \
               radiographs are longer: set `min_ratio` for them.",
    how_to_fix: "Look at the picture: cut a figure into its panels; undo a distortion by exporting \
                 again; lower `min_ratio` if such radiographs belong here.",
    references: &["DICOM PS3.3 C.7.6.3.1.7 (pixel aspect ratio)"],
    check: Check::Image(odd_aspect),
};

fn odd_aspect(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let (width, height) = (cx.image.geometry.width, cx.image.geometry.height);
    let ratio = f64::from(width.min(height)) / f64::from(width.max(height).max(1));
    let least = out.number(&MIN_RATIO);
    if ratio < least {
        let size = format!("{} x {}", grouped(width.into()), grouped(height.into()));
        let ratio = (ratio * 100.0).round() / 100.0;
        let draft = Draft::new(format!("Odd shape: {size} pixels, sides {ratio} to 1."));
        out.fire("", draft.found(ratio.to_string()).expected(format!("at least {least}")));
    }
}
