//! LP010, LP011, LP018: bits and grey levels that are not what they seem.

use super::exposure::frames_with_content;
use super::place::in_frame;
use crate::finding::Severity;
use crate::measure::GreyHistogram;
use crate::rules::{
    Case, Check, Draft, ImageContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};
use crate::text::{counted, grouped};

pub(super) static RULES: &[&Rule] = &[&VALUE_OUT_OF_BITS, &DEPTH_NOT_USED, &EQUALISED_IMAGE];

static VALUE_OUT_OF_BITS: Rule = Rule {
    code: "LP010",
    name: "value-out-of-bits",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[
        Case::new("above", Severity::Error, Stage::File, "a codestream sample above BitsStored"),
        Case::new(
            "unused-bits",
            Severity::Info,
            Stage::File,
            "bits above BitsStored in native data",
        ),
    ],
    options: &[],
    summary: "Samples carry bits where the header says there are none.",
    why: "A value above 2^BitsStored - 1 means that header and pixels do not belong together: one \
          reader clips it, one wraps it, one shows it. Bits above the stored ones in native data are \
          usually overlays of old devices; readers that do not mask them see huge values.",
    measured: "Counted while decoding: samples of a codestream above the highest value of BitsStored \
               (error); samples of native data with a bit set above HighBit (info; the engine masks \
               them, as the standard lets it, and extends the sign).",
    how_to_fix: "Correct BitsStored and HighBit if the values are right; else export again. Clear \
                 unused bits, and move an overlay to a 60xx group or leave it out.",
    references: &["DICOM PS3.5 8.1.1 (pixel data encoding of related data elements)"],
    check: Check::Image(value_out_of_bits),
};

fn value_out_of_bits(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let bits = cx.image.geometry.bits_stored;
    let strays = cx.image.out_of_bits;
    if strays.above_bits_stored > 0 {
        let samples = counted(strays.above_bits_stored, "sample");
        let draft =
            Draft::new(format!("{samples} exceed what the declared {bits} stored bits can hold."));
        out.fire("above", draft.found(samples).expected(format!("values of {bits} bits")));
    }
    if strays.unused_bits_set > 0 {
        let samples = counted(strays.unused_bits_set, "sample");
        let draft = Draft::new(format!(
            "Bits above the {bits} stored ones are set in {samples}; they were masked."
        ));
        out.fire("unused-bits", draft.found(samples).expected("unused bits at 0"));
    }
}

static MAX_LEVELS: RuleOption = RuleOption::number(
    "LP011",
    "max_levels",
    256.0,
    (1.0, 65_536.0),
    "distinct values",
    "A picture of at most this many has 8 bits in a larger coat. Good DX has 823 of 4,096.",
);
static MIN_PIXELS: RuleOption = RuleOption::number(
    "LP011",
    "min_pixels",
    65_536.0,
    (1.0, 1e9),
    "pixels",
    "Smaller pictures are not judged: they cannot have many levels.",
);

static DEPTH_NOT_USED: Rule = Rule {
    code: "LP011",
    name: "depth-not-used",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MAX_LEVELS, &MIN_PIXELS],
    summary: "The file declares more than 8 bits, but holds no more than 256 grey levels.",
    why: "It was 8-bit on its way and was put into 16 bits afterwards: the depth that the format \
          promises is gone, and half of the bytes are ballast.",
    measured: "Bits stored above 8, at most `max_levels` distinct stored values, at least `min_pixels` \
               pixels; floating point is not judged. A very uniform exposure at a low dose comes \
               nearest to a false alarm (lowest good: 823 levels).",
    how_to_fix: "Export again from the source at its own depth. If 8 bits are all there is, say so: \
                 store 8 bits.",
    references: &["DICOM PS3.3 C.7.6.3 (bits stored)"],
    check: Check::Image(depth_not_used),
};

fn depth_not_used(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    use crate::decode::{Display, Samples};

    let shape = &cx.image.geometry;
    let pixels = u64::from(shape.width) * u64::from(shape.height) * u64::from(shape.frames);
    let levels = cx.measured.measurements.distinct_values;
    let indexed = matches!(cx.image.display, Display::Palette(_));
    let floating = matches!(cx.image.samples, Samples::F32(_) | Samples::F64(_));
    let judged = shape.bits_stored > 8 && !indexed && !floating && levels > 2;
    if judged
        && levels as f64 <= out.number(&MAX_LEVELS)
        && pixels as f64 >= out.number(&MIN_PIXELS)
    {
        let bits = shape.bits_stored;
        let draft = Draft::new(format!(
            "Declares {bits} bits, but holds only {levels} different values on {} pixels.",
            grouped(pixels)
        ));
        let expected = format!("more than {} values", out.number(&MAX_LEVELS));
        out.fire("", draft.found(format!("{levels} values")).expected(expected));
    }
}

static MAX_DISTANCE: RuleOption = RuleOption::number(
    "LP018",
    "max_distance",
    0.03,
    (0.0, 1.0),
    "Kolmogorov distance (0 to 1)",
    "Below this distance from a uniform distribution a picture counts as equalised. The lowest of \
     604 good radiographs is 0.051.",
);

static EQUALISED_IMAGE: Rule = Rule {
    code: "LP018",
    name: "equalised-image",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Info, Stage::File)],
    options: &[&MAX_DISTANCE],
    summary: "The histogram of the picture was equalised.",
    why: "Equalised copies mixed with plain ones differ in look by source, and grey values no longer \
          follow attenuation. Whole public sets came equalised without saying so.",
    measured: "Kolmogorov distance between the histogram of the display picture and the uniform one, \
               max |F(v) - (v + 1) / 256|, below `max_distance`. Global equalisation is found, CLAHE \
               is not. No alarm on 604 radiographs.",
    how_to_fix: "Use the pictures before equalisation, and equalise while training if at all.",
    references: &["Pizer 1987, Adaptive histogram equalization and its variations"],
    check: Check::Image(equalised_image),
};

fn equalised_image(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let limit = out.number(&MAX_DISTANCE);
    for picture in frames_with_content(cx) {
        let distance = distance_from_uniform(&picture.histogram);
        if distance < limit {
            let distance = (distance * 1_000.0).round() / 1_000.0;
            let draft =
                Draft::new("Looks histogram-equalised: all grey levels are equally frequent.");
            let draft = draft.found(format!("distance {distance} from uniform"));
            let draft = draft.expected(format!("at least {limit}"));
            out.fire("", in_frame(draft, cx, picture));
        }
    }
}

fn distance_from_uniform(histogram: &GreyHistogram) -> f64 {
    let total = histogram.total().max(1) as f64;
    let mut below = 0.0;
    let mut distance = 0.0_f64;
    for (value, count) in histogram.counts.iter().enumerate() {
        below += f64::from(*count);
        distance = distance.max((below / total - (value + 1) as f64 / 256.0).abs());
    }
    distance
}
