//! LP016: damage by lossy compression.

use crate::decode::{Image, Samples};
use crate::finding::{Location, Severity};
use crate::probe::Header;
use crate::rules::{
    Case, Check, Draft, ImageContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};
use crate::text::grouped;

pub(super) static RULES: &[&Rule] = &[&LOSSY_DAMAGE];

/// Rows of a grey tail span at most this much, on a 0 to 255 scale.
const TAIL_RANGE: f64 = 2.0;
/// Their mean is 128 within this: what a decoder fills in for blocks that never came.
const TAIL_MEAN: (f64, f64) = (128.0, 3.0);

static MIN_QUALITY: RuleOption = RuleOption::number(
    "LP016",
    "min_quality",
    50.0,
    (0.0, 100.0),
    "JPEG quality (1 to 100)",
    "Warning below.",
);
static GOOD_QUALITY: RuleOption = RuleOption::number(
    "LP016",
    "good_quality",
    75.0,
    (0.0, 100.0),
    "JPEG quality (1 to 100)",
    "Info below.",
);
static MIN_TAIL: RuleOption = RuleOption::number(
    "LP016",
    "min_tail_rows",
    16.0,
    (1.0, 65_535.0),
    "rows",
    "Least height of a grey tail; 1 % of the picture if that is more.",
);

static LOSSY_DAMAGE: Rule = Rule {
    code: "LP016",
    name: "lossy-damage",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[
        Case::new("quality", Severity::Warning, Stage::File, "JPEG quality below `min_quality`"),
        Case::new("fair-quality", Severity::Info, Stage::File, "JPEG quality below `good_quality`"),
        Case::new(
            "grey-tail",
            Severity::Warning,
            Stage::File,
            "the picture ends in flat middle grey",
        ),
    ],
    options: &[&MIN_QUALITY, &GOOD_QUALITY, &MIN_TAIL],
    summary: "Lossy compression has damaged the picture.",
    why: "Strong JPEG compression removes fine texture and draws block borders, differently from \
          site to site. A flat grey tail is what a tolerant reader leaves of a file that was cut and \
          then saved again: the lower lungs are gone, and no decoder will ever complain.",
    measured: "Quality: the factor of the IJG scale whose luminance table comes nearest to the first \
               quantisation table of the file. Grey tail: the last n >= max(`min_tail_rows`, 1 % of \
               the height) rows each span at most 2 of 255 with a mean of 128 +- 3, and begin at a \
               multiple of 8. Tail: no false alarm on 1,284 pictures, all of 25 cut at 70 % found.",
    how_to_fix: "Export again from the source, without loss or at quality 90 or more. A picture with \
                 a grey tail is lost: fetch the file again.",
    references: &[
        "ITU-T T.81 Annex K.1 (quantisation tables)",
        "torchxrayvision: 21 broken or truncated files of PadChest",
    ],
    check: Check::Image(lossy_damage),
};

fn lossy_damage(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    if let Some(quality) = jpeg_quality(cx) {
        let quality = f64::from(quality);
        let (least, good) = (out.number(&MIN_QUALITY), out.number(&GOOD_QUALITY));
        let (case, limit) =
            if quality < least { ("quality", least) } else { ("fair-quality", good) };
        if quality < limit {
            let draft = Draft::new(format!("Compressed with loss at JPEG quality {quality}."));
            out.fire(case, draft.found(quality.to_string()).expected(format!("at least {limit}")));
        }
    }
    let Some(tail) = grey_tail(cx.image) else { return };
    let height = cx.image.geometry.height;
    let rows = height - tail;
    if f64::from(rows) < out.number(&MIN_TAIL).max(f64::from(height) / 100.0) {
        return;
    }
    let draft = Draft::new(format!(
        "Ends in flat grey: the last {} of {} rows hold no picture, as after a cut JPEG was saved \
         again.",
        grouped(rows.into()),
        grouped(height.into())
    ));
    let frame = cx.image.geometry.frames - 1;
    let width = cx.image.geometry.width;
    let place = Location::Box { x: 0, y: tail, width, height: rows, frame };
    out.fire("grey-tail", draft.found(format!("{} grey rows", grouped(rows.into()))).at(place));
}

/// The first row of a flat middle-grey end of the last frame, if it falls on a block border and is
/// not the whole picture. Only depths that JPEG has are looked at.
fn grey_tail(image: &Image) -> Option<u32> {
    let flat = match &image.samples {
        Samples::U8(values) => flat_rows(image, values),
        Samples::U16(values) => flat_rows(image, values),
        _ => 0,
    };
    let first = image.geometry.height - flat;
    (flat > 0 && first > 0 && first.is_multiple_of(8)).then_some(first)
}

/// How many rows at the end of the last frame are flat middle grey.
fn flat_rows<T: Copy + Into<f64>>(image: &Image, values: &[T]) -> u32 {
    let shape = &image.geometry;
    let channels = usize::from(shape.channels).max(1);
    let scale = 255.0 / (libm::ldexp(1.0, i32::from(shape.bits_stored.clamp(1, 16))) - 1.0);
    let rows = values.rchunks_exact((shape.width as usize * channels).max(1));
    let last_frame = rows.take(shape.height as usize);
    let is_flat = |row: &&[T]| {
        let pixels = row.chunks_exact(channels);
        let colours = pixels.flat_map(|pixel| &pixel[..image.colour_channels()]);
        is_tail(colours.map(|value| (*value).into() * scale))
    };
    last_frame.take_while(is_flat).count() as u32
}

fn is_tail(values: impl Iterator<Item = f64>) -> bool {
    let (mut low, mut high, mut sum, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0);
    for value in values {
        low = low.min(value);
        high = high.max(value);
        sum += value;
        count += 1.0;
        if high - low > TAIL_RANGE {
            return false;
        }
    }
    count > 0.0 && (sum / count - TAIL_MEAN.0).abs() <= TAIL_MEAN.1
}

fn jpeg_quality(cx: &ImageContext<'_>) -> Option<u8> {
    match &cx.file.probe.header {
        Header::Jpeg(header) => header.quality,
        _ => None,
    }
}
