use super::{Illustrations, Look, Picture, PictureBudget, SecondLook, Shown, illustrate};
use crate::decode::{Display, Image, OutOfBits, Samples};
use crate::finding::{Finding, Location, Severity};
use crate::probe::Geometry;
use crate::report::sample::{closed, finding, radiograph, truncated};
use crate::report::{FileEntry, Report};

const WIDTH: u32 = 400;
const HEIGHT: u32 = 200;

/// Always the same picture: a grey ramp, white in its right half.
struct Ramp {
    rows: u32,
    may_be_shown: bool,
}

impl SecondLook for Ramp {
    fn look(&self, path: &str, see: &mut dyn FnMut(&Look)) {
        assert_ne!(path, "panics.dcm");
        let row = (0..WIDTH).map(|x| if x < WIDTH / 2 { x as u8 } else { 255 });
        let values = (0..self.rows).flat_map(|_| row.clone()).collect();
        let geometry = Geometry {
            width: WIDTH,
            height: HEIGHT,
            frames: 1,
            channels: 1,
            bits_allocated: 8,
            bits_stored: 8,
            signed: false,
        };
        let image = Image {
            geometry,
            samples: Samples::U8(values),
            has_alpha: false,
            display: Display::AsStored,
            inverted: false,
            rows_decoded: self.rows,
            out_of_bits: OutOfBits::default(),
        };
        see(&Look { image, may_be_shown: self.may_be_shown });
    }
}

/// The pictures of a report of made-up files.
pub(crate) fn ramps(report: &Report) -> Illustrations {
    illustrate(report, &Ramp { rows: HEIGHT, may_be_shown: true }, &PictureBudget::default())
}

fn with(path: &str, findings: Vec<Finding>) -> FileEntry {
    FileEntry { findings, ..radiograph(path, 0) }
}

fn shown_by(look: &Ramp, file: FileEntry) -> Illustrations {
    let other = radiograph("other.dcm", 1);
    illustrate(&closed(vec![file, other], Vec::new()), look, &PictureBudget::default())
}

fn pixels(picture: &Picture) -> Vec<u8> {
    let Shown::Jpeg(bytes) = &picture.shown else { panic!("withheld") };
    let decoded = image::load_from_memory(bytes).unwrap().into_luma8();
    assert_eq!(decoded.dimensions(), (picture.width, picture.height));
    decoded.into_raw()
}

fn text_box() -> Finding {
    let mut text = finding("LI011", "burned-in-text", Severity::Warning, "Text.", "Cover it.");
    text.location = Some(Location::Box { x: 220, y: 40, width: 60, height: 20, frame: 0 });
    text
}

#[test]
fn a_picture_is_small_and_looks_like_its_original() {
    let look = Ramp { rows: HEIGHT, may_be_shown: true };
    let pictures = shown_by(&look, with("a.dcm", Vec::new()));
    let picture = pictures.get("a.dcm", 0).unwrap();
    assert_eq!((picture.width, picture.height), (240, 120));
    let pixels = pixels(picture);
    assert!(pixels[60 * 240 + 2] < 20, "{}", pixels[60 * 240 + 2]);
    assert!(pixels[60 * 240 + 200] > 240);
    assert!(picture.saturated.is_empty(), "no finding speaks of it");
}

#[test]
fn a_single_file_gets_a_large_picture() {
    let look = Ramp { rows: HEIGHT, may_be_shown: true };
    let report = closed(vec![with("a.dcm", Vec::new())], Vec::new());
    let pictures = illustrate(&report, &look, &PictureBudget::default());
    assert_eq!(pictures.get("a.dcm", 0).map(|it| (it.width, it.height)), Some((WIDTH, HEIGHT)));
}

#[test]
fn burned_in_text_keeps_a_picture_back() {
    let admits = Ramp { rows: HEIGHT, may_be_shown: false };
    assert_eq!(withheld(&admits, with("a.dcm", Vec::new())), Some(Shown::Withheld));

    let look = Ramp { rows: HEIGHT, may_be_shown: true };
    let mut said = with("a.dcm", Vec::new());
    said.facts.dicom.as_mut().unwrap().burned_in_annotation = Some("YES".into());
    assert_eq!(withheld(&look, said), Some(Shown::Withheld));

    let mut unplaced = text_box();
    unplaced.location = None;
    assert_eq!(withheld(&look, with("a.dcm", vec![unplaced])), Some(Shown::Withheld));
    let cut = vec![text_box(); crate::rules::MOST_PER_RULE];
    assert_eq!(withheld(&look, with("a.dcm", cut)), Some(Shown::Withheld));
}

fn withheld(look: &Ramp, file: FileEntry) -> Option<Shown> {
    shown_by(look, file).get("a.dcm", 0).map(|picture| picture.shown.clone())
}

#[test]
fn boxes_of_text_are_filled_in_the_pixels() {
    let look = Ramp { rows: HEIGHT, may_be_shown: true };
    let pictures = shown_by(&look, with("a.dcm", vec![text_box()]));
    let pixels = pixels(pictures.get("a.dcm", 0).unwrap());
    // 220..280 x 40..60 of the original is 132..168 x 24..36 here.
    for (x, y) in [(132, 24), (150, 30), (167, 35)] {
        assert!(pixels[y * 240 + x] < 130, "({x}, {y}): {}", pixels[y * 240 + x]);
    }
    assert!(pixels[60 * 240 + 150] > 240);
}

#[test]
fn rows_that_were_never_decoded_are_grey() {
    let look = Ramp { rows: 50, may_be_shown: true };
    let pictures = shown_by(&look, with("a.dcm", vec![truncated(50)]));
    let picture = pictures.get("a.dcm", 0).unwrap();
    assert_eq!((picture.rows_decoded, picture.source_height), (50, HEIGHT));
    let pixels = pixels(picture);
    assert!(pixels[10 * 240 + 200] > 240);
    assert!((90..=102).contains(&pixels[100 * 240 + 200]), "{}", pixels[100 * 240 + 200]);
}

#[test]
fn saturated_pixels_are_runs_where_a_finding_speaks_of_them() {
    let look = Ramp { rows: HEIGHT, may_be_shown: true };
    let saturated = finding("LP006", "saturated", Severity::Warning, "White.", "Expose again.");
    let pictures = shown_by(&look, with("a.dcm", vec![saturated]));
    let picture = pictures.get("a.dcm", 0).unwrap();
    assert!(!picture.saturated.is_empty());
    let content = picture.content.map_or((0, 240), |area| (area.x, area.x + area.width));
    assert!(picture.saturated.iter().all(|run| run.x >= 119 && run.x + run.length <= content.1));
}

#[test]
fn a_file_that_makes_the_host_panic_has_no_picture() {
    let look = Ramp { rows: HEIGHT, may_be_shown: true };
    let pictures = shown_by(&look, with("panics.dcm", Vec::new()));
    assert!(pictures.get("panics.dcm", 0).is_none());
    assert!(pictures.get("other.dcm", 0).is_some());
}
