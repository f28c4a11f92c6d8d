//! One small picture: what a person would see, at a few hundred pixels.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use super::{Area, BURNED_IN_TEXT, Look, Picture, Run, Shown, texts_lie_anywhere};
use crate::decode::{Display, Image};
use crate::finding::{Finding, Location};
use crate::measure::{GreyPicture, Rect, display_picture};
use crate::report::facts::number;

const QUALITY: u8 = 82;
/// Grey of what is not there, or not to be seen.
const NOTHING: u8 = 96;
/// Most runs of saturated pixels that are kept; the longest are.
const MOST_RUNS: usize = 600;
/// The rule that speaks of saturated pixels.
const SATURATED: &str = "LP006";

/// What is to be drawn: a frame of a file, with all that was found in the file.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) path: &'a str,
    pub(super) findings: &'a [Finding],
    pub(super) frame: u32,
    /// Its header says that text is burned in.
    pub(super) admits_text: bool,
}

/// `None` if there is nothing to show of this frame.
pub(super) fn picture(subject: Subject<'_>, look: &Look, side: u32) -> Option<Picture> {
    let Subject { path, findings, frame, admits_text } = subject;
    let image = &look.image;
    let (source_width, source_height) = (image.geometry.width, image.geometry.height);
    if source_width == 0 || source_height == 0 || frame >= image.geometry.frames {
        return None;
    }
    let scale = Scale::fitting(source_width, source_height, side);
    let last = frame + 1 == image.geometry.frames;
    let rows_decoded = if last { image.rows_decoded.min(source_height) } else { source_height };
    let mut made = Picture {
        path: path.to_owned(),
        frame,
        width: scale.to.0,
        height: scale.to.1,
        source_width,
        source_height,
        shown: Shown::Withheld,
        tone: tone(image),
        rows_decoded,
        content: None,
        saturated: Vec::new(),
    };
    if admits_text || !look.may_be_shown || texts_lie_anywhere(findings) {
        return Some(made);
    }
    let shown = display_picture(image, frame)?;
    let (mut grey, content) = (shown.grey, shown.content);
    let height = scale.y(rows_decoded).max(1);
    if rows_decoded == source_height && content != grey.bounds() {
        made.content = Some(area(content, &grey, (made.width, made.height)));
    }
    if findings.iter().any(|finding| finding.rule == SATURATED) {
        made.saturated = saturated(&grey, content, (made.width, height));
    }
    fill_texts(&mut grey, findings, (source_width, rows_decoded));
    let mut values = grey.resized(grey.bounds(), made.width, height).values;
    values.resize(made.width as usize * made.height as usize, NOTHING);
    made.shown = Shown::Jpeg(jpeg(&values, made.width, made.height)?);
    Some(made)
}

/// From the original to the small picture.
struct Scale {
    from: (u32, u32),
    to: (u32, u32),
}

impl Scale {
    /// A picture is never enlarged, and never less than a pixel wide.
    fn fitting(width: u32, height: u32, side: u32) -> Self {
        let long = u64::from(width.max(height));
        let to = |length: u32| {
            let scaled = (u64::from(length) * u64::from(side) + long / 2) / long;
            if long <= u64::from(side) { length } else { (scaled as u32).max(1) }
        };
        Self { from: (width, height), to: (to(width), to(height)) }
    }

    fn y(&self, row: u32) -> u32 {
        (u64::from(row) * u64::from(self.to.1) / u64::from(self.from.1)) as u32
    }
}

/// How stored values become grey, in words.
fn tone(image: &Image) -> String {
    let said = match &image.display {
        Display::AsStored => "as stored".to_owned(),
        Display::Percentiles => "0.5 % to 99.5 % of the values".to_owned(),
        Display::Window { center, width, .. } => {
            format!("window {} / {}", number(*center), number(*width))
        }
        Display::Palette(_) => "palette".to_owned(),
    };
    if image.inverted { format!("{said}, low values bright") } else { said }
}

/// A rectangle of the display picture, in pixels of the small one.
fn area(rect: Rect, of: &GreyPicture, to: (u32, u32)) -> Area {
    let scaled = |at: u32, from: u32, to: u32| {
        let at = u64::from(at) * u64::from(to);
        ((at + u64::from(from) / 2) / u64::from(from.max(1))) as u32
    };
    let (x, y) = (scaled(rect.x, of.width, to.0), scaled(rect.y, of.height, to.1));
    let right = scaled(rect.x + rect.width, of.width, to.0);
    let bottom = scaled(rect.y + rect.height, of.height, to.1);
    Area { x, y, width: right.saturating_sub(x), height: bottom.saturating_sub(y) }
}

/// Runs of small pixels at least half of which are white inside the content box.
fn saturated(grey: &GreyPicture, content: Rect, (width, height): (u32, u32)) -> Vec<Run> {
    let mut white = GreyPicture { values: vec![0; grey.values.len()], ..grey.clone() };
    for y in content.y..content.y + content.height {
        let start = y as usize * grey.width as usize + content.x as usize;
        let places = start..start + content.width as usize;
        let pairs = white.values.get_mut(places.clone()).into_iter().flatten();
        for (place, value) in pairs.zip(grey.values.get(places).into_iter().flatten()) {
            *place = if *value == u8::MAX { u8::MAX } else { 0 };
        }
    }
    let white = white.resized(white.bounds(), width, height);
    let mut runs: Vec<Run> = white.rows(white.bounds()).zip(0..).flat_map(runs_of_row).collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.length));
    runs.truncate(MOST_RUNS);
    runs.sort_by_key(|run| (run.y, run.x));
    runs
}

fn runs_of_row((row, y): (&[u8], u32)) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (value, x) in row.iter().zip(0..) {
        if *value < 128 {
            continue;
        }
        match runs.last_mut().filter(|run| run.x + run.length == x) {
            Some(run) => run.length += 1,
            None => runs.push(Run { y, x, length: 1 }),
        }
    }
    runs
}

/// Fills boxes found to hold text, in every frame, with a pixel to spare on each side.
fn fill_texts(grey: &mut GreyPicture, findings: &[Finding], source: (u32, u32)) {
    let texts = findings.iter().filter(|finding| finding.rule == BURNED_IN_TEXT);
    for location in texts.filter_map(|finding| finding.location.as_ref()) {
        let &Location::Box { x, y, width, height, .. } = location else { continue };
        let columns = covered(x, width, source.0, grey.width);
        let rows = covered(y, height, source.1, grey.height);
        for row in rows {
            let start = row * grey.width as usize;
            let places = start + columns.start..start + columns.end;
            grey.values.get_mut(places).into_iter().for_each(|values| values.fill(NOTHING));
        }
    }
}

/// Pixels of the display picture that a stretch of the original touches, one more on each side.
fn covered(start: u32, length: u32, from: u32, to: u32) -> std::ops::Range<usize> {
    let (start, end) = (u64::from(start), u64::from(start) + u64::from(length));
    let (from, to) = (u64::from(from.max(1)), u64::from(to));
    let first = (start * to / from).saturating_sub(1).min(to);
    let last = ((end * to).div_ceil(from) + 1).min(to);
    first as usize..last.max(first) as usize
}

fn jpeg(values: &[u8], width: u32, height: u32) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    encoder.encode(values, width, height, ExtendedColorType::L8).ok()?;
    Some(bytes)
}
