//! LP014 and LP020: colour, transparency and other traces of screens and cameras.

use crate::decode::{Image, Samples, each_sample};
use crate::finding::{Location, Severity};
use crate::measure::{Tally, spreads};
use crate::rules::{
    Case, Check, Draft, ImageContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};
use crate::text::grouped;

pub(super) static RULES: &[&Rule] = &[&COLOUR_CONTENT, &SCREENSHOT_OR_PHOTO];

static MAX_DIFFERENCE: RuleOption = RuleOption::number(
    "LP014",
    "max_difference",
    24.0,
    (0.0, 255.0),
    "grey levels (0 to 255)",
    "Difference between channels from which on a pixel is coloured; below lie tints and JPEG noise.",
);
static MAX_COLOURED: RuleOption = RuleOption::number(
    "LP014",
    "max_share",
    0.0005,
    (0.0, 1.0),
    "share of the picture",
    "Coloured pixels that are tolerated.",
);

static COLOUR_CONTENT: Rule = Rule {
    code: "LP014",
    name: "colour-content",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[
        Case::new("colour", Severity::Warning, Stage::File, "coloured pixels"),
        Case::new("transparent", Severity::Warning, Stage::File, "pixels that are not opaque"),
        Case::new("tint", Severity::Info, Stage::File, "an even tint over the whole picture"),
    ],
    options: &[&MAX_DIFFERENCE, &MAX_COLOURED],
    summary: "The picture holds colour or transparency, which a radiograph has not.",
    why: "Arrows, text and heat maps drawn in colour point at the very finding that a model should \
          learn to see. Transparent pixels look black to one loader and white to another.",
    measured: "Per pixel the largest minus the smallest channel, on a 0 to 255 scale: above \
               `max_difference` in more than `max_share` of the pixels is colour; a median above 0 \
               without colour is an even tint (info); equal channels are silent. Any alpha below \
               opaque is transparency. Palette pictures are not judged. On 40 pictures from articles: \
               one with drawn arrows and two with transparent edges, all true.",
    how_to_fix: "Go back to the picture without annotations. Store radiographs as one grey channel \
                 without alpha.",
    references: &["DICOM PS3.3 C.7.6.3.1.2 (photometric interpretation)"],
    check: Check::Image(colour_content),
};

fn colour_content(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let limit = out.number(&MAX_DIFFERENCE);
    if cx.image.colour_channels() == 3 && !cx.measured.is_grey {
        let seen = Colour::of(cx.image, limit);
        let share = seen.coloured as f64 / seen.pixels.max(1) as f64;
        if share > out.number(&MAX_COLOURED) {
            let draft = Draft::new(format!(
                "Holds colour: {} pixels ({} %) differ between channels by more than {limit} of 255.",
                grouped(seen.coloured),
                (share * 10_000.0).round() / 100.0
            ));
            let draft = draft.found(format!("{} coloured pixels", grouped(seen.coloured)));
            let draft = draft.expected("grey");
            out.fire("colour", if let Some(place) = seen.bounds { draft.at(place) } else { draft });
        } else if seen.median > 0 {
            let draft = Draft::new(format!(
                "Has an even tint: channels differ by {} of 255 in the middle of all pixels.",
                seen.median
            ));
            out.fire("tint", draft.found(format!("median difference {}", seen.median)));
        }
    }
    let clear = Transparency::of(cx.image);
    if clear.pixels > 0 {
        let draft = Draft::new(format!(
            "{} pixels are transparent{}; what they show depends on the program that opens them.",
            grouped(clear.pixels),
            if clear.at_edge { ", at the edge too" } else { "" }
        ));
        let draft = draft.found(format!("{} transparent pixels", grouped(clear.pixels)));
        out.fire("transparent", draft.expected("opaque pixels"));
    }
}

/// Differences between the channels of an RGB picture.
struct Colour {
    pixels: u64,
    coloured: u64,
    /// Median difference, rounded to grey levels.
    median: usize,
    /// What holds all coloured pixels of the first frame that has any.
    bounds: Option<Location>,
}

impl Colour {
    fn of(image: &Image, limit: f64) -> Self {
        match &image.samples {
            Samples::U8(values)
                if image.geometry.channels == 3 && image.geometry.bits_stored == 8 =>
            {
                Self::count_bytes(image, values, limit)
            }
            samples => each_sample!(samples, values => Self::count(image, values, limit)),
        }
    }

    /// What nearly all colour pictures are: bytes without alpha, many pixels at a time.
    fn count_bytes(image: &Image, values: &[u8], limit: f64) -> Self {
        let width = (image.geometry.width as usize).max(1);
        let (mut tally, mut bounds) = (Tally::default(), None);
        let mut row_spreads = vec![0; width];
        for (row, pixels) in values.chunks_exact(width * 3).enumerate() {
            spreads(pixels, &mut row_spreads);
            tally.add(&row_spreads);
            let is_coloured = |spread: &u8| f64::from(*spread) > limit;
            let first = row_spreads.iter().position(is_coloured);
            let last = row_spreads.iter().rposition(is_coloured);
            for x in first.into_iter().chain(last) {
                bounds = Some(grown(bounds.take(), x as u32, row, image.geometry.height));
            }
        }
        let differences = tally.finish().counts.map(u64::from);
        let above = (0_u32..).zip(&differences).filter(|(spread, _)| f64::from(*spread) > limit);
        Self::new(&differences, above.map(|(_, count)| count).sum(), bounds)
    }

    fn count<T: Copy + PartialOrd + Into<f64>>(image: &Image, values: &[T], limit: f64) -> Self {
        let shape = &image.geometry;
        let scale = 255.0 / full_scale(image);
        let width = (shape.width as usize).max(1);
        let mut differences = [0_u64; 256];
        let (mut equal, mut coloured, mut bounds) = (0, 0, None);
        for (row, pixels) in values.chunks_exact(width * usize::from(shape.channels)).enumerate() {
            for (x, pixel) in pixels.chunks_exact(usize::from(shape.channels)).enumerate() {
                let [r, g, b] = [pixel[0], pixel[1], pixel[2]];
                if r == g && g == b {
                    equal += 1;
                    continue;
                }
                let [r, g, b]: [f64; 3] = [r.into(), g.into(), b.into()];
                let difference = (r.max(g).max(b) - r.min(g).min(b)) * scale;
                differences[(difference.round().clamp(0.0, 255.0)) as usize] += 1;
                if difference > limit {
                    coloured += 1;
                    bounds = Some(grown(bounds.take(), x as u32, row, shape.height));
                }
            }
        }
        differences[0] += equal;
        Self::new(&differences, coloured, bounds)
    }

    fn new(differences: &[u64; 256], coloured: u64, bounds: Option<Location>) -> Self {
        let pixels = differences.iter().sum();
        let mut below = 0;
        let is_half = |count: &u64| {
            below += count;
            2 * below >= pixels
        };
        let median = differences.iter().position(is_half).unwrap_or(0);
        Self { pixels, coloured, median, bounds }
    }
}

/// The box with one more pixel in it; pixels of later frames change nothing.
fn grown(bounds: Option<Location>, px: u32, row: usize, rows: u32) -> Location {
    let rows = (rows as usize).max(1);
    let (py, frame) = ((row % rows) as u32, (row / rows) as u32);
    match bounds {
        Some(Location::Box { x, y, width, height, frame: first }) if first == frame => {
            let (left, top) = (x.min(px), y.min(py));
            Location::Box {
                x: left,
                y: top,
                width: (x + width).max(px + 1) - left,
                height: (y + height).max(py + 1) - top,
                frame,
            }
        }
        Some(other) => other,
        None => Location::Box { x: px, y: py, width: 1, height: 1, frame },
    }
}

/// Highest value of the stored bits; 1 for floating point.
fn full_scale(image: &Image) -> f64 {
    match image.samples {
        Samples::F32(_) | Samples::F64(_) => 1.0,
        _ => libm::ldexp(1.0, i32::from(image.geometry.bits_stored.clamp(1, 32))) - 1.0,
    }
}

/// Pixels whose alpha is below opaque.
struct Transparency {
    pixels: u64,
    /// Some lie in the first or last row or column of a frame.
    at_edge: bool,
}

impl Transparency {
    fn of(image: &Image) -> Self {
        if !image.has_alpha {
            return Self { pixels: 0, at_edge: false };
        }
        each_sample!(&image.samples, values => Self::count(image, values))
    }

    fn count<T: Copy + Into<f64>>(image: &Image, values: &[T]) -> Self {
        let shape = &image.geometry;
        let opaque = full_scale(image);
        let channels = usize::from(shape.channels).max(1);
        let (width, height) = (shape.width as usize, shape.height as usize);
        let mut seen = Self { pixels: 0, at_edge: false };
        for (at, alpha) in values.iter().skip(channels - 1).step_by(channels).enumerate() {
            if (*alpha).into() < opaque {
                let (x, y) = (at % width, at / width % height);
                seen.pixels += 1;
                seen.at_edge |= x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            }
        }
        seen
    }
}

static SCREENSHOT_OR_PHOTO: Rule = Rule {
    code: "LP020",
    name: "screenshot-or-photo",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[
        Case::new("screenshot", Severity::Warning, Stage::File, "EXIF says so"),
        Case::new("camera", Severity::Warning, Stage::File, "EXIF names a camera and its optics"),
        Case::new(
            "transparent-edges",
            Severity::Warning,
            Stage::File,
            "as windows on a screen have",
        ),
    ],
    options: &[],
    summary: "The picture was taken from a screen or with a camera.",
    why: "Screenshots and photographs of a monitor lose depth, resolution and geometry, and often \
          hold names, menus and reflections. Where one class was photographed and the other was not, \
          a model learns cameras.",
    measured: "EXIF UserComment `Screenshot`; EXIF Make together with FNumber or ExposureTime; or \
               transparent pixels in the outermost rows or columns, which captured windows have. On \
               40 pictures from articles it fires on true ones only.",
    how_to_fix: "Export the picture from the archive instead of the screen.",
    references: &[
        "EXIF 2.32 (CIPA DC-008): UserComment, FNumber, ExposureTime",
        "covid-chestxray-dataset: screenshots of articles and portals",
    ],
    check: Check::Image(screenshot_or_photo),
};

fn screenshot_or_photo(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let metadata = &cx.file.probe.metadata;
    if metadata.screenshot {
        let draft = Draft::new("Is a screenshot: the EXIF UserComment says so.");
        out.fire("screenshot", draft.found("UserComment Screenshot"));
    }
    if metadata.camera {
        let draft = Draft::new("Is a photograph: EXIF names a camera and its exposure.");
        out.fire("camera", draft.found("Make with FNumber or ExposureTime"));
    }
    if Transparency::of(cx.image).at_edge {
        let draft = Draft::new("Looks like a captured window: pixels at its edge are transparent.");
        out.fire("transparent-edges", draft.found("transparent edges").expected("opaque pixels"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_like_any_other_samples() {
        let mut values: Vec<u8> = (0..7 * 5 * 3_u32).map(|i| (i * i % 251) as u8).collect();
        values[30..60].fill(9);
        let image = |samples, bits| Image {
            geometry: crate::probe::Geometry {
                width: 7,
                height: 5,
                frames: 1,
                channels: 3,
                bits_allocated: bits,
                bits_stored: 8,
                signed: false,
            },
            samples,
            has_alpha: false,
            display: crate::decode::Display::AsStored,
            inverted: false,
            rows_decoded: 5,
            out_of_bits: crate::decode::OutOfBits::default(),
        };
        let wide = values.iter().map(|value| u16::from(*value)).collect();
        for limit in [0.0, 24.0, 100.5, 255.0] {
            let fast = Colour::of(&image(Samples::U8(values.clone()), 8), limit);
            let plain = Colour::of(&image(Samples::U16(Vec::clone(&wide)), 16), limit);
            assert_eq!(
                (fast.pixels, fast.coloured, fast.median),
                (35, plain.coloured, plain.median)
            );
            assert_eq!(fast.bounds, plain.bounds);
        }
    }

    #[test]
    fn the_box_holds_all_coloured_pixels_of_the_first_frame() {
        let first = grown(None, 5, 7, 10);
        let second = grown(Some(first), 2, 9, 10);
        let other_frame = grown(Some(second.clone()), 0, 10, 10);
        assert_eq!(second, Location::Box { x: 2, y: 7, width: 4, height: 3, frame: 0 });
        assert_eq!(other_frame, second);
    }
}
