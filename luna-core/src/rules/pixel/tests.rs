//! Every pixel rule on drawn pictures: a sound one on which all are silent, and spoilt copies.

use super::template;
use crate::decode::{Display, Image, OutOfBits, Samples};
use crate::finding::{Finding, Location, Severity};
use crate::measure::{GreyPicture, measure};
use crate::probe::{Format, Geometry, Header, JpegHeader, Probe};
use crate::profile::Profile;
use crate::record::{Facts, Kind};
use crate::rules::{Check, FileContext, ImageContext, Registry, Sink};
use crate::settings::Settings;

const WIDTH: usize = 1_000;
const HEIGHT: usize = 960;

/// A frontal chest as the template draws it, with the grain of a detector.
fn chest() -> Vec<u8> {
    let mut grain = 7_u32;
    let mut values = Vec::with_capacity(WIDTH * HEIGHT);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (grain >> 27) as f64 - 16.0;
            let value = template::mean_at(x as f64 / WIDTH as f64, y as f64 / HEIGHT as f64);
            values.push((120.0 + 42.0 * value + noise).clamp(0.0, 254.0) as u8);
        }
    }
    values
}

fn image(samples: Samples, width: usize, channels: u8, bits_stored: u8) -> Image {
    let height = (samples.len() / width / usize::from(channels)) as u32;
    let geometry = Geometry {
        width: width as u32,
        height,
        frames: 1,
        channels,
        bits_allocated: if bits_stored > 8 { 16 } else { 8 },
        bits_stored,
        signed: false,
    };
    Image {
        geometry,
        samples,
        has_alpha: false,
        display: Display::AsStored,
        inverted: false,
        rows_decoded: height,
        out_of_bits: OutOfBits::default(),
    }
}

fn grey(values: Vec<u8>) -> Image {
    image(Samples::U8(values), WIDTH, 1, 8)
}

/// The chest with every value changed.
fn toned(change: impl Fn(u8) -> u8) -> Image {
    grey(chest().into_iter().map(change).collect())
}

/// Findings of all pixel rules, previews too.
fn findings_in(image: &Image, probe: &Probe<'_>) -> Vec<Finding> {
    let mut profile = Profile::default();
    profile.rules.preview = true;
    let settings = Settings::new(profile, Registry::default()).unwrap();
    let mut facts = Facts::unknown(1);
    facts.kind = Kind::Image;
    let file = FileContext { settings: &settings, bytes: &[], probe, flaws: &[], facts: &facts };
    let measured = measure(image).unwrap();
    let context = ImageContext { file: &file, image, measured: &measured };
    let mut findings = Vec::new();
    for rule in settings.registry().rules().iter().filter(|rule| rule.code.starts_with("LP")) {
        if let Check::Image(check) = rule.check {
            check(&context, &mut Sink::new(rule, &settings, &mut findings));
        }
    }
    findings
}

fn findings(image: &Image) -> Vec<Finding> {
    findings_in(image, &Probe::named(Some(Format::Png)))
}

/// Codes, with the case where the rule has several.
fn fired(image: &Image) -> Vec<String> {
    names(&findings(image))
}

fn names(findings: &[Finding]) -> Vec<String> {
    let name = |finding: &Finding| {
        let case = finding.message.rsplit_once(&format!("({}/", finding.rule));
        match case.and_then(|(_, rest)| rest.split_once(')')) {
            Some((case, _)) => format!("{}/{case}", finding.rule),
            None => finding.rule.to_string(),
        }
    };
    findings.iter().map(name).collect()
}

#[test]
fn a_sound_chest_raises_nothing() {
    assert_eq!(fired(&grey(chest())), Vec::<String>::new());
}

#[test]
fn a_constant_picture_is_one_finding() {
    let findings = findings(&toned(|_| 90));
    assert_eq!(names(&findings), ["LP001"]);
    assert_eq!(findings[0].severity, Severity::Error);
}

#[test]
fn a_mask_is_no_picture() {
    assert_eq!(fired(&toned(|v| if v > 120 { 255 } else { 0 })), ["LP001"]);
}

#[test]
fn a_picture_with_a_few_specks_is_constant() {
    let mut values = vec![100; WIDTH * HEIGHT];
    for (i, value) in values.iter_mut().step_by(331).enumerate() {
        *value = (i * 37 % 256) as u8;
    }
    assert_eq!(fired(&grey(values)), ["LP001"]);
}

#[test]
fn a_posterised_picture_has_low_information() {
    assert_eq!(fired(&toned(|v| v / 16 * 16)), ["LP002/low"]);
    assert_eq!(
        fired(&toned(|v| if v < 90 {
            20
        } else if v < 140 {
            110
        } else {
            220
        })),
        ["LP002/very-low"]
    );
}

#[test]
fn exposure_is_judged_on_the_displayed_picture() {
    assert!(fired(&toned(|v| v / 3)).contains(&"LP003".to_owned()));
    assert!(fired(&toned(|v| 160 + v / 3)).contains(&"LP004".to_owned()));
    assert!(fired(&toned(|v| 90 + v / 6)).contains(&"LP005".to_owned()));
}

#[test]
fn a_dark_sixteen_bit_picture_is_stretched_first() {
    let deep = |(i, v): (usize, u8)| u16::from(v) * 13 + (i % 13) as u16;
    let values = chest().into_iter().enumerate().map(deep).collect();
    let mut picture = image(Samples::U16(values), WIDTH, 1, 16);
    picture.display = Display::Percentiles;
    assert_eq!(fired(&picture), Vec::<String>::new());
}

#[test]
fn a_white_heart_is_saturated_and_a_white_corner_is_not() {
    let white = |left: usize, top: usize| {
        let mut values = chest();
        for y in top..top + 380 {
            values[y * WIDTH + left..][..400].fill(255);
        }
        findings(&grey(values))
    };
    let heart = white(300, 300);
    assert_eq!(names(&heart), ["LP006"]);
    let place = Location::Box { x: 300, y: 300, width: 400, height: 380, frame: 0 };
    assert_eq!(heart[0].location, Some(place));
    let mut corner = chest();
    for y in 0..150 {
        corner[y * WIDTH..(y + 1) * WIDTH].fill(255);
    }
    assert!(!fired(&grey(corner)).contains(&"LP006".to_owned()));
}

#[test]
fn a_negative_is_suspected_and_a_declared_one_is_not() {
    let negative = toned(|v| 255 - v);
    assert_eq!(fired(&negative), ["LP007"]);
    assert_eq!(fired(&Image { inverted: true, ..negative }), Vec::<String>::new());
}

#[test]
fn a_turned_chest_is_suspected() {
    let mut values = chest();
    values.reverse();
    let upside_down = findings(&grey(values));
    assert_eq!(names(&upside_down), ["LP008"]);
    assert!(upside_down[0].message.contains("180"));
    let upright = GreyPicture { width: WIDTH as u32, height: HEIGHT as u32, values: chest() };
    let turned = (0..WIDTH).flat_map(|x| {
        let upright = &upright;
        (0..HEIGHT).rev().map(move |y| upright.values[y * WIDTH + x])
    });
    let lying = findings(&image(Samples::U8(turned.collect()), HEIGHT, 1, 8));
    assert_eq!(names(&lying), ["LP008"]);
    assert!(lying[0].message.contains("anticlockwise"), "{}", lying[0].message);
}

#[test]
fn a_wide_border_is_named_with_what_it_leaves() {
    let (wide, high) = (1_400, 1_300);
    let mut values = vec![0; wide * high];
    for (y, row) in chest().chunks_exact(WIDTH).enumerate() {
        values[(y + 200) * wide + 200..][..WIDTH].copy_from_slice(row);
    }
    let framed = findings(&image(Samples::U8(values), wide, 1, 8));
    assert_eq!(names(&framed), ["LP009"]);
    assert_eq!(framed[0].severity, Severity::Info);
    let Some(Location::Box { x, y, width, height, .. }) = framed[0].location else { panic!() };
    assert!(x.abs_diff(200) <= 2 && y.abs_diff(200) <= 2);
    assert!(width.abs_diff(1_000) <= 4 && height.abs_diff(960) <= 4);
}

#[test]
fn bits_outside_the_stored_ones_are_counted() {
    let mut picture = grey(chest());
    picture.out_of_bits = OutOfBits { unused_bits_set: 3, above_bits_stored: 1 };
    assert_eq!(fired(&picture), ["LP010/above", "LP010/unused-bits"]);
}

#[test]
fn eight_bits_in_sixteen_are_named() {
    let mut picture = image(
        Samples::U16(chest().into_iter().map(|v| u16::from(v) * 257).collect()),
        WIDTH,
        1,
        16,
    );
    picture.display = Display::Percentiles;
    assert_eq!(fired(&picture), ["LP011"]);
}

#[test]
fn size_and_shape_have_their_limits() {
    let part = |width: usize, height: usize| {
        let rows = chest();
        let rows = rows.chunks_exact(WIDTH).take(height);
        let values = rows.flat_map(|row| row[..width].to_vec()).collect();
        let fired = fired(&image(Samples::U8(values), width, 1, 8));
        fired.into_iter().filter(|it| it.starts_with("LP012") || it == "LP013").collect::<Vec<_>>()
    };
    assert_eq!(part(256, 256), Vec::<String>::new());
    assert_eq!(part(255, 300), ["LP012/small"]);
    assert_eq!(part(63, 120), ["LP012/tiny"]);
    assert_eq!(part(959, 470), ["LP013"]);
}

#[test]
fn colour_is_drawn_on_grey_and_tints_cover_all_of_it() {
    let rgb = |pixel: &dyn Fn(usize, u8) -> [u8; 3]| {
        let values = chest().into_iter().enumerate().flat_map(|(i, v)| pixel(i, v)).collect();
        image(Samples::U8(values), WIDTH, 3, 8)
    };
    assert_eq!(fired(&rgb(&|_, v| [v; 3])), Vec::<String>::new());
    assert_eq!(fired(&rgb(&|_, v| [v, v, v.saturating_add(4)])), ["LP014/tint"]);
    let arrow = |i: usize, v: u8| {
        let (x, y) = (i % WIDTH, i / WIDTH);
        let inside = (100..150).contains(&x) && (200..260).contains(&y);
        if inside { [255, 30, 30] } else { [v; 3] }
    };
    let drawn = findings(&rgb(&arrow));
    assert_eq!(names(&drawn), ["LP014/colour"]);
    let place = Location::Box { x: 100, y: 200, width: 50, height: 60, frame: 0 };
    assert_eq!(drawn[0].location, Some(place));
}

#[test]
fn transparent_corners_are_those_of_a_window() {
    let with_alpha = |alpha: &dyn Fn(usize) -> u8| {
        let values = chest().into_iter().enumerate().flat_map(|(i, v)| [v, alpha(i)]).collect();
        Image { has_alpha: true, ..image(Samples::U8(values), WIDTH, 2, 8) }
    };
    assert_eq!(fired(&with_alpha(&|_| 255)), Vec::<String>::new());
    let corners = with_alpha(&|i| if i < 4 { 0 } else { 255 });
    assert_eq!(fired(&corners), ["LP014/transparent", "LP020/transparent-edges"]);
    let hole = with_alpha(&|i| if i == 500 * WIDTH + 500 { 254 } else { 255 });
    assert_eq!(fired(&hole), ["LP014/transparent"]);
}

#[test]
fn a_smoothed_picture_is_blurry() {
    let smooth: Vec<u8> = (0..WIDTH * HEIGHT)
        .map(|i| {
            let (x, y) = ((i % WIDTH) as f64 / WIDTH as f64, (i / WIDTH) as f64 / HEIGHT as f64);
            (120.0 + 42.0 * template::mean_at(x, y)) as u8
        })
        .collect();
    assert!(fired(&grey(smooth)).contains(&"LP015".to_owned()));
}

#[test]
fn a_grey_tail_begins_at_a_block() {
    let cut = |row: usize, fill: u8| {
        let mut values = chest();
        values[row * WIDTH..].fill(fill);
        findings(&grey(values))
    };
    let tail = cut(800, 128);
    assert_eq!(names(&tail), ["LP016/grey-tail"]);
    let place = Location::Box { x: 0, y: 800, width: 1_000, height: 160, frame: 0 };
    assert_eq!(tail[0].location, Some(place));
    for (row, fill) in [(801, 128), (800, 0), (952, 128)] {
        assert!(!names(&cut(row, fill)).contains(&"LP016/grey-tail".to_owned()), "{row} {fill}");
    }
}

#[test]
fn jpeg_quality_is_graded() {
    let at = |quality| {
        let mut probe = Probe::named(Some(Format::Jpeg));
        probe.header = Header::Jpeg(JpegHeader { quality: Some(quality), ..JpegHeader::default() });
        names(&findings_in(&grey(chest()), &probe))
    };
    assert_eq!(at(49), ["LP016/quality"]);
    assert_eq!(at(50), ["LP016/fair-quality"]);
    assert_eq!(at(75), Vec::<String>::new());
}

#[test]
fn an_equalised_histogram_is_flat() {
    let mut counts = [0_usize; 256];
    let plain = chest();
    for value in &plain {
        counts[usize::from(*value)] += 1;
    }
    let mut below = 0;
    let equalised = counts.map(|count| {
        below += count;
        ((below - count / 2) * 255 / plain.len()) as u8
    });
    assert_eq!(fired(&toned(|v| equalised[usize::from(v)])), ["LP018"]);
}

#[test]
fn two_chests_side_by_side_are_a_figure() {
    let (one, gap) = (chest(), 40);
    let rows = one.chunks_exact(WIDTH);
    let values: Vec<u8> = rows.flat_map(|row| [row, &[255; 40], row].concat()).collect();
    let figure = findings(&image(Samples::U8(values), 2 * WIDTH + gap, 1, 8));
    assert!(names(&figure).contains(&"LP019".to_owned()));
    let panel = figure.iter().find(|finding| finding.rule == "LP019").unwrap();
    let Some(Location::Box { x, width, .. }) = panel.location else { panic!() };
    assert!(x.abs_diff(1_000) <= 2 && width.abs_diff(40) <= 4);
}

#[test]
fn screens_and_cameras_are_told_by_exif() {
    let mut probe = Probe::named(Some(Format::Jpeg));
    probe.metadata.screenshot = true;
    probe.metadata.camera = true;
    let found = findings_in(&grey(chest()), &probe);
    assert_eq!(names(&found), ["LP020/screenshot", "LP020/camera"]);
}

#[test]
fn findings_in_many_frames_name_the_frame() {
    let mut values = chest();
    values.extend(std::iter::repeat_n(90, WIDTH * HEIGHT));
    let mut picture = grey(values);
    picture.geometry.height = HEIGHT as u32;
    picture.geometry.frames = 2;
    picture.rows_decoded = HEIGHT as u32;
    let found = findings(&picture);
    assert_eq!(names(&found), ["LP001"]);
    assert_eq!(found[0].location, Some(Location::Frame { frame: 1 }));
}

#[test]
fn a_floating_point_picture_is_judged_by_its_display() {
    let values = chest().into_iter().map(|v| f32::from(v) / 255.0).collect();
    let mut picture = image(Samples::F32(values), WIDTH, 1, 32);
    picture.display = Display::Percentiles;
    assert_eq!(fired(&picture), Vec::<String>::new());
}
