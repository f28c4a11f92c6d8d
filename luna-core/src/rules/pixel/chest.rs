//! LP007 and LP008: frontal chest radiographs that look inverted or turned.

use super::place::in_frame;
use super::template::{Turn, likeness};
use crate::finding::Severity;
use crate::measure::{DESCRIPTOR_SIDE, FramePicture};
use crate::rules::{
    Case, Check, Draft, ImageContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};

pub(super) static RULES: &[&Rule] = &[&INVERTED_SUSPECT, &ORIENTATION_SUSPECT];

const CORRELATION: &str = "correlation (-1 to 1)";

static MAX_CORRELATION: RuleOption = RuleOption::number(
    "LP007",
    "max_correlation",
    -0.30,
    (-1.0, 0.0),
    CORRELATION,
    "Fires at or below. The lowest of 1,248 good radiographs is -0.23.",
);

static INVERTED_SUSPECT: Rule = Rule {
    code: "LP007",
    name: "inverted-suspect",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MAX_CORRELATION],
    summary: "A chest radiograph looks inverted: air bright, bone dark.",
    why: "A MONOCHROME1 picture exported as it is stored is a negative. Mixed with positives it \
          teaches a model polarity instead of pathology, most of all where one hospital exports \
          negatives only.",
    measured: "The content box of the display picture, area-averaged to 32 x 32, its values replaced \
               by their ranks (ties averaged) and correlated with the mean of 120 frontal chest \
               radiographs. Fires at or below `max_correlation`. No false alarm on 1,248 radiographs; \
               92 to 100 % of their inverted copies are found, by set. For chest radiographs only: \
               other body parts, and lateral views turned by a quarter, may fire without cause.",
    how_to_fix: "Look at the picture. If it is a negative, set PhotometricInterpretation to \
                 MONOCHROME1, or export it again with inverted values.",
    references: &["DICOM PS3.3 C.7.6.3.1.2 (photometric interpretation)"],
    check: Check::Image(inverted_suspect),
};

fn inverted_suspect(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let most = out.number(&MAX_CORRELATION);
    for picture in &cx.measured.pictures {
        let own = likeness(&descriptor(picture), Turn::None);
        if own > most {
            continue;
        }
        let declared = match cx.file.facts.photometric_interpretation.as_deref() {
            Some(declared) => {
                format!(" although the header says {}", crate::text::shown(declared))
            }
            None => String::new(),
        };
        let draft = Draft::new(format!(
            "Looks inverted: air is bright{declared}. A suspicion; please look."
        ));
        let draft = draft.found(format!("correlation {}", hundredths(own)));
        let draft = draft.expected(format!("above {most} for a frontal chest radiograph"));
        out.fire("", in_frame(draft, cx, picture));
    }
}

static MAX_UPRIGHT: RuleOption = RuleOption::number(
    "LP008",
    "max_upright",
    0.15,
    (-1.0, 1.0),
    CORRELATION,
    "Only a picture that resembles an upright chest this little is called turned. 1 in 100 good \
     frontal radiographs lies below 0.20.",
);
static MIN_TURNED: RuleOption = RuleOption::number(
    "LP008",
    "min_turned",
    0.6,
    (0.0, 1.0),
    CORRELATION,
    "Likeness to an upright chest that one of its three quarter turns must reach. The highest of \
     160 upright radiographs is 0.53.",
);

static ORIENTATION_SUSPECT: Rule = Rule {
    code: "LP008",
    name: "orientation-suspect",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Image,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MAX_UPRIGHT, &MIN_TURNED],
    summary: "A chest radiograph looks turned by a quarter or upside down.",
    why: "Phone pictures, scanned films and exports that drop the orientation arrive on their side. \
          Boxes and masks drawn on the upright copy then point at nothing.",
    measured: "Rank correlation with the mean of 120 frontal chest radiographs (as in LP007), upright \
               and for the three quarter turns. Fires if upright it is at most `max_upright` and one \
               turn reaches `min_turned`. None of 160 upright radiographs fires; of their turned \
               copies about 88 % (upside down) and 70 % (on a side) are found. A mirror image cannot \
               be told and is not claimed. For chest radiographs only; lateral views resemble the \
               template little either way.",
    how_to_fix: "Turn the picture upright, and its boxes and masks with it.",
    references: &["DICOM PS3.3 C.7.6.1.1.1 (patient orientation)"],
    check: Check::Image(orientation_suspect),
};

fn orientation_suspect(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let (most, least) = (out.number(&MAX_UPRIGHT), out.number(&MIN_TURNED));
    for picture in &cx.measured.pictures {
        let descriptor = descriptor(picture);
        let upright = likeness(&descriptor, Turn::None);
        if upright > most {
            continue;
        }
        let turned = Turn::TURNED.map(|turn| (turn, likeness(&descriptor, turn)));
        let best = turned.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((turn, likeness)) = best.filter(|(_, likeness)| *likeness >= least) else {
            continue;
        };
        let remedy = match turn {
            Turn::None | Turn::Half => "by 180 degrees",
            Turn::Left => "by 90 degrees anticlockwise",
            Turn::Right => "by 90 degrees clockwise",
        };
        let draft = Draft::new(format!(
            "Looks turned: {remedy} it would be an upright chest. A suspicion; please look."
        ));
        let found = format!(
            "correlation {} as it is, {} after turning",
            hundredths(upright),
            hundredths(likeness)
        );
        let draft = draft.found(found).expected(format!("above {most} as it is"));
        out.fire("", in_frame(draft, cx, picture));
    }
}

fn descriptor(picture: &FramePicture) -> Vec<u8> {
    picture.grey.resized(picture.content, DESCRIPTOR_SIDE, DESCRIPTOR_SIDE).values
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
