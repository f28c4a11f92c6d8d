//! LP015: blurred pictures, told by how little a second blur changes them.

use super::exposure::frames_with_content;
use super::place::in_frame;
use crate::finding::Severity;
use crate::measure::{GreyPicture, Rect};
use crate::rules::{
    Case, Check, Draft, ImageContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};

pub(super) static RULES: &[&Rule] = &[&BLURRY];

/// Width of the box by which a picture is blurred again.
const BOX: usize = 9;

static MAX_SCORE: RuleOption = RuleOption::number(
    "LP015",
    "max_score",
    0.75,
    (0.0, 1.0),
    "re-blur score (0 sharp to 1)",
    "Fires above. The highest of 621 good radiographs is 0.70.",
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
    measured: "Re-blur score of Crete et al.: the picture is blurred again by a box of 9 pixels along \
               one axis; the score is the share of neighbour differences that survives, 1 - sum \
               max(0, D - B) / sum D, the larger of both axes. Taken in the content box of the \
               display picture, if the long side is `min_native_side` or more. No false alarm on 621 \
               radiographs; a Gaussian of sigma 4 is always found, sigma 2 in over half.",
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
        let Some(score) = reblur_score(&picture.grey, picture.content) else { continue };
        if score > most {
            let score = (score * 100.0).round() / 100.0;
            let draft = Draft::new(format!(
                "Blurred: {} % of its edges survive a second blur.",
                (score * 100.0).round()
            ));
            let draft = draft.found(format!("score {score}")).expected(format!("at most {most}"));
            out.fire("", in_frame(draft, cx, picture));
        }
    }
}

/// The larger score of both axes, 0 to 1; `None` where the box is too small or flat.
fn reblur_score(picture: &GreyPicture, rect: Rect) -> Option<f64> {
    let rows: Vec<&[u8]> = picture.rows(rect).collect();
    let mut along = Edges::default();
    for row in &rows {
        // Differences along a row: each array is the row, shifted.
        along.add(row.get(4..), row.get(5..), Some(row), row.get(BOX..));
    }
    let mut down = Edges::default();
    for window in rows.windows(BOX + 1) {
        down.add(Some(window[4]), Some(window[5]), Some(window[0]), Some(window[BOX]));
    }
    match (along.score(), down.score()) {
        (Some(a), Some(b)) => Some(f64::max(a, b)),
        (a, b) => a.or(b),
    }
}

/// Sums of neighbour differences, times the width of the box.
#[derive(Default)]
struct Edges {
    all: u64,
    lost: u64,
}

impl Edges {
    /// Neighbours `a` and `b` of the picture; after blurring they differ by what enters the box
    /// (`b_end`) less what leaves it (`a_end`), over its width.
    fn add(
        &mut self,
        a: Option<&[u8]>,
        b: Option<&[u8]>,
        a_end: Option<&[u8]>,
        b_end: Option<&[u8]>,
    ) {
        let (Some(a), Some(b), Some(a_end), Some(b_end)) = (a, b, a_end, b_end) else { return };
        let (mut all, mut lost) = (0_u32, 0_u32);
        for ((a, b), (a_end, b_end)) in a.iter().zip(b).zip(a_end.iter().zip(b_end)) {
            let difference = u32::from(a.abs_diff(*b)) * BOX as u32;
            all += difference;
            lost += difference.saturating_sub(u32::from(a_end.abs_diff(*b_end)));
        }
        self.all += u64::from(all);
        self.lost += u64::from(lost);
    }

    fn score(&self) -> Option<f64> {
        (self.all > 0).then(|| 1.0 - self.lost as f64 / self.all as f64)
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
        reblur_score(picture, picture.bounds()).unwrap()
    }

    #[test]
    fn noise_is_sharp_and_a_slow_wave_is_not() {
        let noise =
            picture(|x, y| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503) >> 3) as u8);
        let wave = picture(|x, y| ((x * 2 + y * 2) % 256) as u8);
        assert!(score(&noise) < 0.4, "{}", score(&noise));
        assert!(score(&wave) > 0.9, "{}", score(&wave));
    }

    #[test]
    fn the_blurred_axis_decides() {
        let streaks = picture(|x, y| (x * 3) as u8 / 2 + (y % 2) as u8);
        let along = picture(|x, _| (x * 3) as u8);
        assert!(score(&streaks) >= score(&along) - 0.2);
        assert_eq!(
            reblur_score(&picture(|_, _| 9), Rect { x: 0, y: 0, width: 64, height: 64 }),
            None
        );
    }
}
