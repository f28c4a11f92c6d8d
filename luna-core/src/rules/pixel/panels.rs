//! LP019: figures of two chest radiographs beside or above each other.

use super::place::stored_box;
use super::template::{Turn, likeness};
use crate::finding::Severity;
use crate::measure::{DESCRIPTOR_SIDE, GreyPicture, Rect};
use crate::rules::{
    Case, Check, Draft, ImageContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};

pub(super) static RULES: &[&Rule] = &[&MULTI_PANEL];

/// Separators are looked for in this part of the content box, in per cent of its sides.
const MIDDLE: u32 = 60;

static MIN_LIKENESS: RuleOption = RuleOption::number(
    "LP019",
    "min_likeness",
    0.5,
    (0.0, 1.0),
    "correlation (-1 to 1)",
    "Likeness to a frontal chest radiograph that both halves must reach.",
);

static MULTI_PANEL: Rule = Rule {
    code: "LP019",
    name: "multi-panel",
    status: Status::Preview { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MIN_LIKENESS],
    summary: "The picture is a figure of two chest radiographs.",
    why: "Sets gathered from articles hold figures with several panels. One label then stands for \
          two patients or two days, and every panel is squeezed to half its size.",
    measured: "A run of near-constant columns (or rows) through the whole content box, in the middle \
               60 % of it, with a half on either side that correlates with the mean of 120 frontal \
               chest radiographs (as in LP007) at `min_likeness` or more. Preview: found on a real \
               1,148 x 2,563 figure; panels without a separator are not found.",
    how_to_fix: "Cut the figure into its panels and label each, or leave it out.",
    references: &["covid-chestxray-dataset and its derivatives: figures of articles as pictures"],
    check: Check::Image(multi_panel),
};

/// How a separator runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Columns,
    Rows,
}

fn multi_panel(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let least = out.number(&MIN_LIKENESS);
    for picture in &cx.measured.pictures {
        for separator in [Separator::Columns, Separator::Rows] {
            let found = halves(&picture.grey, picture.content, separator).find_map(|halves| {
                let likeness = halves.map(|half| panel_likeness(&picture.grey, half));
                (likeness[0].min(likeness[1]) >= least).then_some((halves, likeness))
            });
            let Some(([first, second], likeness)) = found else { continue };
            let gap = match separator {
                Separator::Columns => Rect {
                    x: first.x + first.width,
                    width: second.x - first.x - first.width,
                    ..first
                },
                Separator::Rows => Rect {
                    y: first.y + first.height,
                    height: second.y - first.y - first.height,
                    ..first
                },
            };
            let where_ = if separator == Separator::Columns {
                "side by side"
            } else {
                "one above the other"
            };
            let draft = Draft::new(format!("Looks like a figure: two chest radiographs {where_}."));
            let [a, b] = likeness.map(|value| (value * 100.0).round() / 100.0);
            let draft = draft.found(format!("two panels (correlation {a} and {b})"));
            out.fire("", draft.expected("one radiograph").at(stored_box(cx, picture, gap)));
        }
    }
}

/// The parts of `content` before and after each separator.
fn halves(
    picture: &GreyPicture,
    content: Rect,
    separator: Separator,
) -> impl Iterator<Item = [Rect; 2]> {
    let middle = content.centre(MIDDLE);
    let (from, to) = match separator {
        Separator::Columns => (middle.x, middle.x + middle.width),
        Separator::Rows => (middle.y, middle.y + middle.height),
    };
    let flat: Vec<bool> = (from..to)
        .map(|at| {
            picture.is_near_constant(match separator {
                Separator::Columns => Rect { x: at, width: 1, ..content },
                Separator::Rows => Rect { y: at, height: 1, ..content },
            })
        })
        .collect();
    let mut runs = Vec::new();
    let mut at = from;
    for run in flat.chunk_by(|a, b| a == b) {
        let end = at + run.len() as u32;
        if run.first() == Some(&true) {
            runs.push((at, end));
        }
        at = end;
    }
    runs.into_iter().map(move |(start, end)| match separator {
        Separator::Columns => [
            Rect { width: start - content.x, ..content },
            Rect { x: end, width: content.x + content.width - end, ..content },
        ],
        Separator::Rows => [
            Rect { height: start - content.y, ..content },
            Rect { y: end, height: content.y + content.height - end, ..content },
        ],
    })
}

fn panel_likeness(picture: &GreyPicture, panel: Rect) -> f64 {
    let content = picture.content_box(panel);
    let small = picture.resized(content, DESCRIPTOR_SIDE, DESCRIPTOR_SIDE);
    likeness(&small.values, Turn::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_white_bar_parts_a_picture() {
        let row: Vec<u8> =
            (0..30).map(|x| if (14..16).contains(&x) { 255 } else { x * 7 }).collect();
        let values: Vec<u8> = (0..20_u8)
            .flat_map(|y| row.iter().map(move |v| if *v == 255 { 255 } else { v / 2 + y * 4 }))
            .collect();
        let picture = GreyPicture { width: 30, height: 20, values };
        let found: Vec<_> = halves(&picture, picture.bounds(), Separator::Columns).collect();
        let left = Rect { x: 0, y: 0, width: 14, height: 20 };
        assert_eq!(found, [[left, Rect { x: 16, ..left }]]);
        assert_eq!(halves(&picture, picture.bounds(), Separator::Rows).count(), 0);
    }
}
