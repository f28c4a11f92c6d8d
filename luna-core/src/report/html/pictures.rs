//! Small pictures: each stands in the page once, and is shown by reference with its marks drawn over.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::{MARKS, Page, shown};
use crate::digest::Digest;
use crate::finding::{Finding, Location};
use crate::illustrate::{Illustrations, Picture, Shown, frame_of};
use crate::report::facts::in_words;
use crate::text::grouped;

/// The rule whose border is marked.
const BORDER: &str = "LP009";
/// The rule whose saturated pixels are marked.
const SATURATED: &str = "LP006";

/// The pictures of a page, numbered.
pub(super) struct Pictures<'a> {
    numbered: BTreeMap<(&'a str, u32), (String, &'a Picture)>,
}

impl<'a> Pictures<'a> {
    /// A `prefix` tells their ids from others in one document; with none they are short.
    pub(super) fn new(illustrations: Option<&'a Illustrations>, prefix: &str) -> Self {
        let all = illustrations.into_iter().flat_map(Illustrations::iter).enumerate();
        let key = |picture: &'a Picture| (picture.path.as_str(), picture.frame);
        // Of several parts of one document each finds its own picture, or the same one in another part.
        let id = |number: usize, picture: &Picture| match &picture.shown {
            Shown::Jpeg(bytes) if !prefix.is_empty() => {
                let digest = Digest::from(<[u8; 32]>::from(Sha256::digest(bytes))).to_string();
                format!("{prefix}{}", digest.get(..20).unwrap_or(&digest))
            }
            _ => format!("{prefix}p{number}"),
        };
        let numbered = |(at, picture)| (key(picture), (id(at, picture), picture));
        Self { numbered: all.map(numbered).collect() }
    }

    /// Everything that pictures refer to, itself not seen.
    pub(super) fn definitions(&self) -> Markup {
        html! {
            @if !self.numbered.is_empty() {
                svg.definitions width="0" height="0" aria-hidden="true" focusable="false" {
                    defs {
                        (hatch())
                        @for (id, picture) in self.numbered.values() {
                            @if let Shown::Jpeg(bytes) = &picture.shown {
                                (image(Some(id), picture, bytes))
                            }
                        }
                    }
                }
            }
        }
    }

    /// A file's picture without a finding's marks; the first frame.
    pub(super) fn plain(&self, path: &str) -> Option<Markup> {
        self.numbered.get(&(path, 0)).map(|(id, picture)| by_reference(id, picture, &[]))
    }

    /// A file's picture with what these findings speak of, and its caption.
    pub(super) fn marked(&self, path: &str, findings: &[&Finding]) -> Option<(Markup, String)> {
        let frame = findings.first().map_or(0, |finding| frame_of(finding));
        let (id, picture) = self.numbered.get(&(path, frame))?;
        Some((by_reference(id, picture, findings), caption(picture)))
    }
}

/// Size, frame and tone of a picture.
fn caption(picture: &Picture) -> String {
    let (width, height) =
        (grouped(picture.source_width.into()), grouped(picture.source_height.into()));
    let frame =
        if picture.frame > 0 { format!(", frame {}", picture.frame) } else { String::new() };
    let tone = match picture.shown {
        Shown::Jpeg(_) => picture.tone.as_str(),
        Shown::Withheld => "not shown",
    };
    let rows = match picture.rows_decoded {
        rows if rows < picture.source_height => format!(", {} rows decoded", grouped(rows.into())),
        _ => String::new(),
    };
    format!("{width} x {height}{frame}, {tone}{rows}")
}

/// A small picture as an SVG document of its own, with what these findings speak of marked in it.
///
/// ```
/// # use luna_core::{Finding, Picture};
/// fn beside_the_finding(picture: &Picture, finding: &Finding) -> String {
///     luna_core::report::picture_svg(picture, &[finding])
/// }
/// ```
pub fn picture_svg(picture: &Picture, findings: &[&Finding]) -> String {
    let (width, height) = (picture.width, picture.height);
    let document = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) }
            width=(width) height=(height) role="img" {
            title { (described(picture, findings)) }
            style { (PreEscaped(MARKS)) }
            defs { (hatch()) }
            @match &picture.shown {
                Shown::Jpeg(bytes) => { (image(None, picture, bytes)) (marks(picture, findings)) }
                Shown::Withheld => (withheld(width, height)),
            }
        }
    };
    document.into_string()
}

fn hatch() -> Markup {
    html! {
        pattern #hatch width="6" height="6" patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)" {
            rect width="6" height="6" fill="#000" fill-opacity=".25" {}
            rect width="2" height="6" fill="#ffb454" fill-opacity=".6" {}
        }
    }
}

fn image(id: Option<&str>, picture: &Picture, jpeg: &[u8]) -> Markup {
    html! {
        image id=[id] width=(picture.width) height=(picture.height)
            href={ "data:image/jpeg;base64," (BASE64_STANDARD.encode(jpeg)) } {}
    }
}

fn by_reference(id: &str, picture: &Picture, findings: &[&Finding]) -> Markup {
    let (width, height) = (picture.width, picture.height);
    html! {
        svg.picture viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) role="img"
            aria-label=(described(picture, findings)) {
            @match picture.shown {
                Shown::Jpeg(_) => {
                    use href={ "#" (id) } {}
                    (marks(picture, findings))
                },
                Shown::Withheld => (withheld(width, height)),
            }
        }
    }
}

/// A grey tile that says why.
fn withheld(width: u32, height: u32) -> Markup {
    let (x, y) = (width / 2, height / 2);
    html! {
        rect.withheld width=(width) height=(height) {}
        text.withheld x=(x) y=(y.saturating_sub(8)) { "not shown:" }
        text.withheld x=(x) y=(y + 10) { "text is burned in" }
    }
}

fn described(picture: &Picture, findings: &[&Finding]) -> String {
    let mut said = shown(&picture.path);
    if picture.shown == Shown::Withheld {
        said.push_str("; not shown, text is burned in");
    } else if picture.rows_decoded < picture.source_height {
        said.push_str("; the hatched rows were never decoded");
    }
    let boxes = findings.iter().filter(|it| matches!(it.location, Some(Location::Box { .. })));
    if boxes.count() > 0 {
        said.push_str("; the place is framed");
    }
    said
}

fn marks(picture: &Picture, findings: &[&Finding]) -> Markup {
    let speaks = |rule: &str| findings.iter().any(|finding| finding.rule == rule);
    let across = |x: u32| f64::from(x) * f64::from(picture.width) / f64::from(picture.source_width);
    let down = |y: u32| f64::from(y) * f64::from(picture.height) / f64::from(picture.source_height);
    let px = |value: f64| format!("{value:.1}");
    let missing = picture.source_height - picture.rows_decoded.min(picture.source_height);
    html! {
        @if missing > 0 {
            rect.undecoded x="0" y=(px(down(picture.rows_decoded))) width=(picture.width)
                height=(px(down(missing))) fill="url(#hatch)" {}
        }
        @if speaks(SATURATED) {
            path.saturated d=(saturated(picture)) {}
        }
        @if let Some(content) = picture.content.filter(|_| speaks(BORDER)) {
            path.border fill-rule="evenodd" d=(format!(
                "M0 0h{}v{}h-{}zM{} {}h{}v{}h-{}z",
                picture.width, picture.height, picture.width, content.x, content.y,
                content.width, content.height, content.width
            )) {}
        }
        @for finding in findings {
            @if let Some(Location::Box { x, y, width, height, frame }) = finding.location {
                @if frame == picture.frame {
                    rect.place x=(px(across(x) - 1.0)) y=(px(down(y) - 1.0))
                        width=(px(across(width) + 2.0)) height=(px(down(height) + 2.0)) {}
                }
            }
        }
    }
}

fn saturated(picture: &Picture) -> String {
    let run = |run: &crate::illustrate::Run| {
        format!("M{} {}h{}v1h-{}z", run.x, run.y, run.length, run.length)
    };
    picture.saturated.iter().map(run).collect()
}

impl Page<'_> {
    /// Where the set is one file: its picture, large, with all marks, and what is known of it.
    pub(super) fn single_file(&self) -> Markup {
        let [only] = self.report.files.as_slice() else { return html! {} };
        let findings: Vec<&Finding> = only.findings.iter().collect();
        html! {
            section.single aria-label="The file" {
                @if let Some((drawing, caption)) = self.pictures.marked(&only.path, &findings) {
                    figure.large {
                        (drawing)
                        figcaption { (self.file_link(&only.path)) span.quiet { " " (caption) } }
                    }
                }
                dl.facts {
                    @for (name, value) in in_words(&only.facts) {
                        dt { (name) } dd { (shown(&value)) }
                    }
                }
            }
        }
    }
}
