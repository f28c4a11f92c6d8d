//! LP015: blurred pictures, told by how few of their grey steps are fine ones.

use super::exposure::frames_with_content;
use super::place::in_frame;
use crate::finding::Severity;
use crate::measure::{GreyPicture, Rect, differences};
use crate::rules::{
    Case, Check, Draft, ImageContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};

pub(super) static RULES: &[&Rule] = &[&BLURRY];

/// Pixels from one end of a stretch to the other: one step more than the box of 9 pixels by which
/// the picture is thought to be blurred again.
const STRETCH: usize = 9;

static MAX_SCORE: RuleOption = RuleOption::number(
    "LP015",
    "max_score",
    0.93,
    (0.0, 1.0),
    "smoothness (0 to 1)",
    "Fires above. The highest of 160 good radiographs is 0.69.",
);
static MIN_NATIVE: RuleOption = RuleOption::number(
    "LP015",
    "min_native_side",
    900.0,
    (1.0, 65_535.0),
    "pixels",
    "Pictures with a shorter long side are not judged.",
);

static BLURRY: Rule = Rule {
    code: "LP015",
    name: "blurry",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MAX_SCORE, &MIN_NATIVE],
    summary: "The picture is blurred.",
    why: "Enlarged thumbnails, photographs out of focus and moving patients lose the fine lines by \
          which interstitial disease and small nodules are seen.",
    measured: "How much of the grey steps from pixel to pixel survives a blur by a box of 9 pixels: \
               sum |f(x + 9) - f(x)| / (9 sum |f(x + 1) - f(x)|), along rows and along columns, the \
               larger of both. Noise and fine structure rise and fall again within 9 pixels and lower \
               it; a smooth ramp has 1. Taken in the content box of the display picture, if the long \
               side is `min_native_side` or more. (The re-blur idea of Crete et al.; their own score \
               falls again for strong blur in 8 bits, where single grey steps look like edges.) \
               Highest of 160 good radiographs: 0.69. Blurred by a Gaussian of sigma 3 or more pixels \
               of the display picture all are found (lowest 0.94), by sigma 2 few.",
    how_to_fix: "Use the original instead of an enlarged copy; repeat a blurred exposure or leave it \
                 out.",
    references: &["Crete 2007, The blur effect, Proc. SPIE 6492, doi 10.1117/12.702790"],
    check: Check::Image(blurry),
};

fn blurry(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let long_side = cx.image.geometry.width.max(cx.image.geometry.height);
    if f64::from(long_side) < out.number(&MIN_NATIVE) {
        return;
    }
    let most = out.number(&MAX_SCORE);
    for picture in frames_with_content(cx) {
        let Some(score) = smoothness(&picture.grey, picture.content) else { continue };
        if score > most {
            let score = (score * 100.0).round() / 100.0;
            let draft = Draft::new(format!(
                "Blurred: {} % of its grey steps would survive another blur.",
                (score * 100.0).round()
            ));
            let draft = draft.found(format!("score {score}")).expected(format!("at most {most}"));
            out.fire("", in_frame(draft, cx, picture));
        }
    }
}

/// The larger score of both axes, 0 to 1; `None` where the box is too small or flat.
fn smoothness(picture: &GreyPicture, rect: Rect) -> Option<f64> {
    let rows: Vec<&[u8]> = picture.rows(rect).collect();
    let mut along = Steps::default();
    for row in &rows {
        let shifted = [4, 5, STRETCH].map(|by| row.get(by..).unwrap_or_default());
        along.add([shifted[0], shifted[1]], [row, shifted[2]]);
    }
    let mut down = Steps::default();
    for window in rows.windows(STRETCH + 1) {
        down.add([window[4], window[5]], [window[0], window[STRETCH]]);
    }
    match (along.score(), down.score()) {
        (Some(along), Some(down)) => Some(along.max(down)),
        (along, down) => along.or(down),
    }
}

/// Sums of grey steps: between neighbours, and over the stretch around each pair of them.
#[derive(Default)]
struct Steps {
    fine: u64,
    coarse: u64,
}

impl Steps {
    fn add(&mut self, neighbours: [&[u8]; 2], ends: [&[u8]; 2]) {
        let length = ends[0].len().min(ends[1].len());
        self.fine += differences(&neighbours[0][..length], &neighbours[1][..length]);
        self.coarse += differences(ends[0], ends[1]);
    }

    fn score(&self) -> Option<f64> {
        let fine = self.fine * STRETCH as u64;
        (fine > 0).then(|| f64::min(self.coarse as f64 / fine as f64, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(grey: impl Fn(u32, u32) -> u8) -> GreyPicture {
        let values = (0..64 * 64).map(|i| grey(i % 64, i / 64)).collect();
        GreyPicture { width: 64, height: 64, values }
    }

    fn score(picture: &GreyPicture) -> f64 {
        smoothness(picture, picture.bounds()).unwrap()
    }

    fn grain(x: u32, y: u32) -> u8 {
        (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519))
            .wrapping_mul(2_654_435_761)
            .to_be_bytes()[0]
    }

    #[test]
    fn grain_is_sharp_and_ramps_are_smooth_however_flat() {
        assert!(score(&picture(grain)) < 0.3);
        assert!(score(&picture(|x, y| (x * 2 + y) as u8)) > 0.99);
        assert!(score(&picture(|x, y| (x / 7 + y / 5) as u8)) > 0.99);
    }

    #[test]
    fn motion_along_one_axis_is_enough() {
        let streaks = picture(|x, y| (x * 3) as u8 / 2 + grain(0, y) / 4);
        assert!(score(&streaks) > 0.99);
    }

    #[test]
    fn a_flat_or_tiny_picture_has_no_score() {
        let flat = picture(|_, _| 9);
        assert_eq!(smoothness(&flat, flat.bounds()), None);
        let tiny = Rect { x: 0, y: 0, width: 5, height: 5 };
        assert_eq!(smoothness(&picture(grain), tiny), None);
    }
}
