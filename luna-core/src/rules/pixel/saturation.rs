//! LP006: a large, connected, white region in the middle of the picture.

use super::exposure::frames_with_content;
use super::place::stored_box;
use crate::finding::Severity;
use crate::measure::{GreyPicture, Rect};
use crate::rules::{
    Case, Check, Draft, ImageContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};

pub(super) static RULES: &[&Rule] = &[&SATURATED];

/// Part of the content box, in per cent of its sides, that a saturated region must touch.
const CENTRE: u32 = 60;

static MAX_REGION: RuleOption = RuleOption::number(
    "LP006",
    "max_share",
    0.10,
    (0.0, 1.0),
    "share of the content box",
    "Largest connected white region that is tolerated. None of 1,000 good pictures exceeds it.",
);

static SATURATED: Rule = Rule {
    code: "LP006",
    name: "saturated",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MAX_REGION],
    summary: "A large part of the anatomy is clipped to white.",
    why: "Where the display reaches its maximum nothing can be read: a mediastinum clipped to white \
          hides what lies behind the heart. The cut happened at export and cannot be undone.",
    measured: "The largest 4-connected region of grey level 255 in the display picture is more than \
               `max_share` of the content box and touches the central 60 % of its sides. Judged after \
               window and polarity: the stored maximum is air in MONOCHROME1 and no saturation. No \
               false alarm on 1,000 radiographs. A large metal implant in a small field can fire.",
    how_to_fix: "Export the picture again with a window that covers the anatomy, from the original \
                 depth.",
    references: &["DICOM PS3.3 C.11.2.1.2 (window center and window width)"],
    check: Check::Image(saturated),
};

fn saturated(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let most = out.number(&MAX_REGION);
    for picture in frames_with_content(cx) {
        let content = picture.content;
        let limit = most * content.area() as f64;
        if f64::from(picture.content_histogram.counts[255]) <= limit {
            continue;
        }
        let Some((area, region)) = largest_white_region(&picture.grey, content) else { continue };
        if area as f64 > limit {
            let share = (area as f64 / content.area() as f64 * 1_000.0).round() / 10.0;
            let draft = Draft::new(format!(
                "Clipped to white: one connected region of the brightest grey level covers {share} % \
                 of the content and reaches into its middle."
            ));
            let draft = draft.found(format!("{share} %"));
            let draft = draft.expected(format!("at most {} %", most * 100.0));
            out.fire("", draft.at(stored_box(cx, picture, region)));
        }
    }
}

/// A piece of a white region: part of one row.
#[derive(Clone, Copy)]
struct Run {
    y: u32,
    start: u32,
    end: u32,
}

/// Area and bounding box of the largest 4-connected white region inside `content` that touches its
/// centre.
fn largest_white_region(picture: &GreyPicture, content: Rect) -> Option<(u64, Rect)> {
    let runs = white_runs(picture, content);
    let regions = connected(&runs);
    let centre = content.centre(CENTRE);
    let mut found: Vec<Option<(u64, Rect, bool)>> = vec![None; runs.len()];
    for (run, region) in runs.iter().zip(&regions) {
        let piece = Rect { x: run.start, y: run.y, width: run.end - run.start, height: 1 };
        let central = overlap(piece, centre);
        let all = found[*region].get_or_insert((0, piece, false));
        all.0 += piece.area();
        all.1 = around(all.1, piece);
        all.2 |= central;
    }
    let central = found.into_iter().flatten().filter(|(_, _, central)| *central);
    central.map(|(area, bounds, _)| (area, bounds)).max_by_key(|(area, _)| *area)
}

fn white_runs(picture: &GreyPicture, content: Rect) -> Vec<Run> {
    let mut runs = Vec::new();
    for y in content.y..content.y + content.height {
        let mut x = content.x;
        for same in picture.row(content, y).chunk_by(|a, b| (*a == 255) == (*b == 255)) {
            let end = x + same.len() as u32;
            if same.first() == Some(&255) {
                runs.push(Run { y, start: x, end });
            }
            x = end;
        }
    }
    runs
}

/// For each run, the lowest index of a run of its region.
fn connected(runs: &[Run]) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..runs.len()).collect();
    let mut above = 0;
    for (here, run) in runs.iter().enumerate() {
        // Runs lie in order of rows and columns: what ends before this one is done with.
        let done =
            |other: &Run| other.y + 1 < run.y || (other.y + 1 == run.y && other.end <= run.start);
        while above < here && done(&runs[above]) {
            above += 1;
        }
        let touches = |other: &Run| other.y + 1 == run.y && other.start < run.end;
        let touching = runs[above..here].iter().take_while(|other| touches(other)).count();
        for other in above..above + touching {
            let (a, b) = (root(&mut parent, other), root(&mut parent, here));
            parent[a.max(b)] = a.min(b);
        }
    }
    (0..runs.len()).map(|run| root(&mut parent, run)).collect()
}

fn root(parent: &mut [usize], mut run: usize) -> usize {
    while parent[run] != run {
        parent[run] = parent[parent[run]];
        run = parent[run];
    }
    run
}

fn overlap(a: Rect, b: Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

fn around(a: Rect, b: Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    Rect {
        x,
        y,
        width: (a.x + a.width).max(b.x + b.width) - x,
        height: (a.y + a.height).max(b.y + b.height) - y,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rows: &[&str]) -> GreyPicture {
        let values = rows.iter().flat_map(|row| row.bytes());
        GreyPicture {
            width: rows[0].len() as u32,
            height: rows.len() as u32,
            values: values.map(|c| if c == b'#' { 255 } else { 0 }).collect(),
        }
    }

    fn largest(rows: &[&str]) -> Option<(u64, Rect)> {
        let picture = picture(rows);
        largest_white_region(&picture, picture.bounds())
    }

    #[test]
    fn arms_that_meet_below_are_one_region() {
        let (area, bounds) = largest(&["#....#", "#.##.#", "#.##.#", "######", "......"]).unwrap();
        assert_eq!(area, 16);
        assert_eq!(bounds, Rect { x: 0, y: 0, width: 6, height: 4 });
    }

    #[test]
    fn corners_do_not_connect() {
        assert_eq!(largest(&["......", "..#...", "...#..", "......"]).unwrap().0, 1);
    }

    #[test]
    fn a_white_border_that_stays_outside_the_centre_is_none() {
        assert_eq!(
            largest(&["##########", "#.........", "..........", "..........", ".........."]),
            None
        );
        assert_eq!(largest(&["....", "...."]), None);
    }
}
