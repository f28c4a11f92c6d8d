//! LP001 to LP005: pictures that hold nothing, or are exposed so that little can be seen.

use super::place::{in_frame, share_of_commonest};
use crate::finding::Severity;
use crate::measure::FramePicture;
use crate::rules::{
    Case, Check, Draft, ImageContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};
use crate::text::six_digits;

pub(super) static RULES: &[&Rule] =
    &[&CONSTANT_IMAGE, &LOW_INFORMATION, &TOO_DARK, &TOO_BRIGHT, &LOW_CONTRAST];

const GREYS: &str = "grey levels (0 to 255)";

static MAX_COMMONEST: RuleOption = RuleOption::number(
    "LP001",
    "max_share",
    0.995,
    (0.5, 1.0),
    "share of the content box",
    "From this share of pixels within one grey value and its neighbours on, a picture is constant. \
     None of 1,248 radiographs reaches it.",
);
static MASK_VALUES: RuleOption = RuleOption::number(
    "LP001",
    "max_mask_values",
    2.0,
    (1.0, 16.0),
    "distinct values",
    "A picture of at most this many values is a mask.",
);

pub(super) static CONSTANT_IMAGE: Rule = Rule {
    code: "LP001",
    name: "constant-image",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Error, Stage::File)],
    options: &[&MAX_COMMONEST, &MASK_VALUES],
    summary: "The picture is one grey value, nearly one, or a mask of two.",
    why: "A blank frame carries a label without a finding behind it, and a mask in the image folder \
          hands a model the answer. Both come from failed exports and mixed-up folders.",
    measured: "Fires if the lowest stored value equals the highest; if there are at most \
               `max_mask_values` distinct stored values; or if in a display picture at least \
               `max_share` of the content box lies within one grey value and its two neighbours. No \
               false alarm on 1,248 radiographs. What fires here is not judged by LP002 to LP006, \
               LP015 and LP018.",
    how_to_fix: "Export the picture again from its source, or remove it together with its label. \
                 Keep masks in a folder of their own.",
    references: &[
        "BIMCV-COVID-19 issue 29: fully white and fully black pictures in a public set",
        "DICOM PS3.3 C.7.6.3.1 (pixel data attributes)",
    ],
    check: Check::Image(constant_image),
};

fn constant_image(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let numbers = &cx.measured.measurements;
    if numbers.distinct_values == 1 {
        let value = six_digits(numbers.min);
        let draft = Draft::new(format!("Every pixel has the stored value {value}."));
        return out.fire("", draft.found("1 value").expected("a picture"));
    }
    if numbers.distinct_values as f64 <= out.number(&MASK_VALUES) {
        let (low, high) = (six_digits(numbers.min), six_digits(numbers.max));
        let count = numbers.distinct_values;
        let draft = Draft::new(format!(
            "Holds only {count} different values, from {low} to {high}: a mask, no radiograph."
        ));
        return out.fire("", draft.found(format!("{count} values")).expected("a picture"));
    }
    let most = out.number(&MAX_COMMONEST);
    for picture in &cx.measured.pictures {
        let share = share_of_commonest(&picture.content_histogram);
        if share >= most {
            let draft = Draft::new(format!(
                "Nearly one grey value: {} % of the picture differ by at most one grey level.",
                percent(share)
            ));
            let draft = draft.found(format!("{} %", percent(share)));
            let draft = draft.expected(format!("less than {} %", percent(most)));
            out.fire("", in_frame(draft, cx, picture));
        }
    }
}

/// Frames that LP001 does not claim for itself under its own thresholds.
pub(super) fn frames_with_content<'a>(
    cx: &'a ImageContext<'_>,
) -> impl Iterator<Item = &'a FramePicture> {
    let settings = cx.file.settings;
    let most = settings.number(&MAX_COMMONEST);
    let mask =
        cx.measured.measurements.distinct_values as f64 <= settings.number(&MASK_VALUES).max(1.0);
    let pictures = cx.measured.pictures.iter().filter(move |_| !mask);
    pictures.filter(move |picture| share_of_commonest(&picture.content_histogram) < most)
}

/// A share of 1 in per cent, to three digits.
fn percent(share: f64) -> f64 {
    (share * 100_000.0).round() / 1_000.0
}

/// A number with one decimal.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

static MIN_ENTROPY: RuleOption = RuleOption::number(
    "LP002",
    "min_entropy",
    5.0,
    (0.0, 8.0),
    "bits",
    "Warning below. The lowest of 1,248 good radiographs has 6.2.",
);
static ERROR_ENTROPY: RuleOption = RuleOption::number(
    "LP002",
    "error_entropy",
    2.0,
    (0.0, 8.0),
    "bits",
    "Error below: four grey values, evenly used, have 2 bits.",
);

static LOW_INFORMATION: Rule = Rule {
    code: "LP002",
    name: "low-information",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[
        Case::new("low", Severity::Warning, Stage::File, "entropy below `min_entropy`"),
        Case::new("very-low", Severity::Error, Stage::File, "entropy below `error_entropy`"),
    ],
    options: &[&MIN_ENTROPY, &ERROR_ENTROPY],
    summary: "The grey values of the picture carry almost no information.",
    why: "Posterised exports, line drawings and empty exposures look like radiographs to a loader. A \
          model learns their look, not their content.",
    measured: "Shannon entropy, in bits, of the 256-bin histogram of the content box of the display \
               picture: H = -sum p log2 p. No false alarm on 1,248 radiographs (lowest 6.2).",
    how_to_fix: "Look at the picture. Export it again at its full depth, without thresholding or a \
                 reduced palette; remove what is no radiograph.",
    references: &["Shannon 1948, A Mathematical Theory of Communication"],
    check: Check::Image(low_information),
};

fn low_information(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let (least, error) = (out.number(&MIN_ENTROPY), out.number(&ERROR_ENTROPY));
    for picture in frames_with_content(cx) {
        let entropy = picture.content_histogram.entropy_bits();
        let (case, limit) = if entropy < error { ("very-low", error) } else { ("low", least) };
        if entropy < limit {
            let found = format!("{} bits", (entropy * 100.0).round() / 100.0);
            let draft = Draft::new(format!(
                "Carries almost no information: the entropy of its grey values is {found} of 8."
            ));
            let draft = draft.found(found).expected(format!("at least {limit} bits"));
            out.fire(case, in_frame(draft, cx, picture));
        }
    }
}

static MIN_P99: RuleOption = RuleOption::number(
    "LP003",
    "min_p99",
    110.0,
    (0.0, 255.0),
    GREYS,
    "The 99th percentile of a picture must reach this. The lowest of 1,248 good radiographs is 147.",
);

static TOO_DARK: Rule = Rule {
    code: "LP003",
    name: "too-dark",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MIN_P99],
    summary: "Even the brightest parts of the displayed picture are dark.",
    why: "A picture exported with a wrong window, or 12 bits stretched into 16, is nearly black where \
          the others show lungs. A model sees its export path instead of its content.",
    measured: "99th percentile (nearest rank) of the display picture below `min_p99`. 8-bit PNG and \
               JPEG are never stretched; 16-bit pictures without a window are. No false alarm on \
               1,248 radiographs. Of 112,120 NIH pictures 61 have a mean below 50.",
    how_to_fix: "Apply the VOI window of the source (or percentiles 0.5 to 99.5) when exporting to 8 \
                 bits. In a DICOM object, correct WindowCenter and WindowWidth.",
    references: &["DICOM PS3.3 C.11.2.1.2 (window center and window width)"],
    check: Check::Image(too_dark),
};

fn too_dark(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let least = out.number(&MIN_P99);
    for picture in frames_with_content(cx) {
        let p99 = picture.histogram.percentile(99);
        if f64::from(p99) < least {
            let draft = Draft::new(format!(
                "Too dark: 99 % of the displayed picture are at or below grey level {p99} of 255."
            ));
            let draft = draft.found(format!("p99 {p99}")).expected(format!("p99 at least {least}"));
            out.fire("", in_frame(draft, cx, picture));
        }
    }
}

static MAX_MEAN: RuleOption = RuleOption::number(
    "LP004",
    "max_mean",
    215.0,
    (0.0, 255.0),
    GREYS,
    "The mean of a picture must not exceed this. (195 alone fires on 24 of 1,000 good pictures.)",
);
static MAX_P1: RuleOption = RuleOption::number(
    "LP004",
    "max_p1",
    150.0,
    (0.0, 255.0),
    GREYS,
    "The 1st percentile must not exceed this. The highest of 1,248 good radiographs is 94.",
);

static TOO_BRIGHT: Rule = Rule {
    code: "LP004",
    name: "too-bright",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MAX_MEAN, &MAX_P1],
    summary: "The displayed picture is bright throughout.",
    why: "A washed-out picture lost its bright structures to the end of the scale, and what is lost \
          at export no later processing brings back.",
    measured: "Mean of the display picture above `max_mean`, or its 1st percentile (nearest rank) \
               above `max_p1`. 8-bit PNG and JPEG are never stretched. No false alarm on 1,248 \
               radiographs. A mammogram exported inverted fires, and so it should.",
    how_to_fix: "Export the picture again with the VOI window of its source; check the polarity \
                 (MONOCHROME1 shown as MONOCHROME2 is bright around the patient).",
    references: &["DICOM PS3.3 C.11.2.1.2 (window center and window width)"],
    check: Check::Image(too_bright),
};

fn too_bright(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let (max_mean, max_p1) = (out.number(&MAX_MEAN), out.number(&MAX_P1));
    for picture in frames_with_content(cx) {
        let mean = picture.histogram.mean();
        let p1 = picture.histogram.percentile(1);
        if mean > max_mean || f64::from(p1) > max_p1 {
            let mean = tenths(mean);
            let draft = Draft::new(format!(
                "Too bright: the mean of the displayed picture is {mean} of 255, and 99 % of it are \
                 at or above grey level {p1}."
            ));
            let draft = draft.found(format!("mean {mean}, p1 {p1}"));
            let draft = draft.expected(format!("mean at most {max_mean}, p1 at most {max_p1}"));
            out.fire("", in_frame(draft, cx, picture));
        }
    }
}

static MIN_STD: RuleOption = RuleOption::number(
    "LP005",
    "min_std",
    20.0,
    (0.0, 128.0),
    GREYS,
    "Standard deviation that a picture must reach. The lowest of 1,248 good radiographs is 27.6.",
);
static MIN_RANGE: RuleOption = RuleOption::number(
    "LP005",
    "min_range",
    60.0,
    (0.0, 255.0),
    GREYS,
    "p99 - p1 that a picture must reach. The lowest of 1,248 good radiographs is 119.",
);

static LOW_CONTRAST: Rule = Rule {
    code: "LP005",
    name: "low-contrast",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MIN_STD, &MIN_RANGE],
    summary: "The displayed picture uses a small part of the grey scale.",
    why: "Two hundred grey levels squeezed into forty are quantised away; structures of low contrast \
          (nodules, interstitial markings) go first.",
    measured: "Standard deviation of the display picture below `min_std`, or p99 - p1 (nearest rank) \
               below `min_range`. 8-bit PNG and JPEG are never stretched. No false alarm on 1,248 \
               radiographs.",
    how_to_fix: "Export the picture again with the VOI window of its source, so that the anatomy \
                 fills the grey scale. Stretching the exported copy brings no detail back.",
    references: &["DICOM PS3.3 C.11.2.1.2 (window center and window width)"],
    check: Check::Image(low_contrast),
};

fn low_contrast(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let (min_std, min_range) = (out.number(&MIN_STD), out.number(&MIN_RANGE));
    for picture in frames_with_content(cx) {
        let std = picture.histogram.std();
        let range = picture.histogram.percentile(99) - picture.histogram.percentile(1);
        if std < min_std || f64::from(range) < min_range {
            let std = tenths(std);
            let draft = Draft::new(format!(
                "Low contrast: 98 % of the displayed picture lie within {range} of 255 grey levels \
                 (standard deviation {std})."
            ));
            let draft = draft.found(format!("p99 - p1 = {range}, std {std}"));
            let expected = format!("p99 - p1 at least {min_range}, std at least {min_std}");
            out.fire("", in_frame(draft.expected(expected), cx, picture));
        }
    }
}
