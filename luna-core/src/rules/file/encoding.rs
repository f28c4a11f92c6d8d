//! Is it a format and an encoding that can be used?

use super::archive;
use crate::finding::Severity;
use crate::names;
use crate::probe::{Family, Flaw, Format};
use crate::record::Kind;
use crate::rules::{
    Case, Check, Draft, FileContext, NameContext, Rule, RuleOption, Scope, Sink, Stage, Status,
};
use crate::source::ItemKind;
use crate::text::{counted, shown};

pub(super) static RULES: &[&Rule] =
    &[&UNKNOWN_FORMAT, &EXTENSION_MISMATCH, &UNSUPPORTED_ENCODING, &MULTI_IMAGE_FILE];

static UNKNOWN_FORMAT: Rule = Rule {
    code: "LF002",
    name: "unknown-format",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("", Severity::Error, Stage::Name, "neither picture, table nor document"),
        Case::new("document", Severity::Info, Stage::Name, "a plain document such as a README"),
        Case::new("debris", Severity::Info, Stage::Name, "a hidden file, or what systems leave"),
    ],
    options: &[],
    summary: "The file is no picture: its bytes match no image format, or that of something else.",
    why: "A data set that holds other things than it says breaks the loaders of those who use it.",
    measured: "The first bytes against the signatures of 38 formats; the name does not count, but for \
               debris (`.DS_Store`, `Thumbs.db`, hidden files) and documents (README, LICENSE, \
               `*.md`), which are only mentioned. Readable tables are no finding.",
    how_to_fix: "Remove it from the data set, or export the picture in it as DICOM, PNG, JPEG or TIFF.",
    references: &["DICOM PS3.10, 7.1", "PNG (Third Edition), 5.2", "TIFF Revision 6.0, section 2"],
    check: Check::Name(unknown_format),
};

fn unknown_format(cx: &NameContext<'_>, out: &mut Sink<'_>) {
    let facts = &cx.record.facts;
    if cx.item.kind != ItemKind::File || facts.sha256.is_none() || facts.size_bytes == 0 {
        return;
    }
    match (facts.kind, facts.format) {
        (Kind::Debris, _) => out.fire(
            "debris",
            Draft::new("Left behind by a system or hidden; not part of the data set.")
                .help("Nothing to do; you may leave it out."),
        ),
        (Kind::Document, _) => out
            .fire("document", Draft::new("A document beside the pictures.").help("Nothing to do.")),
        (Kind::Unknown, None) => out.fire(
            "",
            Draft::new("Matches no known format.")
                .expected("an X-ray image, a table or a document"),
        ),
        (Kind::Unknown, Some(format)) if format.family() == Family::Other => out.fire(
            "",
            Draft::new(format!("This is {}, not an X-ray image.", with_article(format)))
                .found(format.title())
                .expected("an X-ray image, a table or a document"),
        ),
        _ => {}
    }
}

fn with_article(format: Format) -> String {
    match format {
        Format::Text | Format::Video => format.title().to_owned(),
        Format::Xml | Format::Html | Format::Hdf5 | Format::Sqlite => {
            let vowel = format.title().starts_with(['X', 'H', 'S']);
            format!("{} {}", if vowel { "an" } else { "a" }, format.title())
        }
        other => format!("a {}", other.title()),
    }
}

static EXTENSION_MISMATCH: Rule = Rule {
    code: "LF003",
    name: "extension-mismatch",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[Case::only(Severity::Warning, Stage::Name)],
    options: &[],
    summary: "The name ends like one format, the bytes are another.",
    why: "Loaders choose their decoder by the ending. Public sets have lost images to WebP files \
          called .png.",
    measured: "The format told by the bytes against the usual endings of all known formats. An ending \
               that belongs to no format (`IM.001`), or none, is silent.",
    how_to_fix: "Rename the file, and mend the names in manifests and label tables too.",
    references: &["ncbi-nlp/COVID-19-CT-CXR, issue 1"],
    check: Check::Name(extension_mismatch),
};

fn extension_mismatch(cx: &NameContext<'_>, out: &mut Sink<'_>) {
    let Some(format) = cx.record.facts.format else { return };
    let picture = matches!(format.family(), Family::Picture | Family::OtherPicture);
    let extension = cx.item.path.extension();
    if !picture
        || cx.record.facts.kind == Kind::Debris
        || format.extensions().contains(&&*extension)
    {
        return;
    }
    if names::format_of_extension(&extension).is_some() {
        let right = format.extensions().first().copied().unwrap_or_default();
        let message = format!(
            "Named .{}, but the bytes are {}. Rename it to .{right}.",
            shown(&extension),
            format.title()
        );
        let draft = Draft::new(message).found(format.title()).expected(format!(".{right}"));
        out.fire("", draft);
    }
}

static UNSUPPORTED_ENCODING: Rule = Rule {
    code: "LF010",
    name: "unsupported-encoding",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("", Severity::Error, Stage::File, "known and legal, but not decoded here"),
        Case::new("archive", Severity::Error, Stage::File, "an archive inside a data set"),
        Case::new("not-accepted", Severity::Error, Stage::File, "the profile does not accept it"),
        Case::new(
            "member",
            Severity::Error,
            Stage::Name,
            "a method of an archive that is not read here",
        ),
        Case::new(
            "source",
            Severity::Error,
            Stage::Set,
            "an archive in parts, or with a dictionary",
        ),
    ],
    options: &[],
    summary: "The file is intact as far as can be seen, but written in an encoding that is not decoded \
              here or that the profile does not accept.",
    why: "What cannot be decoded cannot be checked, and few training pipelines will read it either.",
    measured: "DICOM transfer syntax, TIFF compression, JPEG process or container, by name. Never \
               called corrupt: nothing is said of the pixels. Not decoded are, in DICOM, video (MPEG, \
               H.264, H.265, SMPTE), pixels behind a URL (JPIP), retired JPEG processes and private \
               transfer syntaxes; JPEG with arithmetic coding, pyramids of frames, CMYK, two components or \
               a height that comes after the first scan; JPEG 2000 with subsampled or unlike components, \
               more than 16 bits or extensions of part 2; JPEG-LS with mapping tables or a point \
               transform; JPEG XL with more than 16 bits; in TIFF, CCITT, old JPEG, JPEG 2000 and other \
               rare compressions; JPEG-LS, JPEG XL, GIF, WebP and the like as files of their own; \
               archives inside a data set.",
    how_to_fix: "Convert it without loss, for example to explicit VR little endian or PNG.",
    references: &[
        "DICOM PS3.5, section 10",
        "DICOM PS3.6, table A-1",
        "TIFF Revision 6.0, section 8",
    ],
    check: Check::All(&[
        Check::File(unsupported),
        Check::Name(archive::member),
        Check::Set(archive::source),
    ]),
};

fn unsupported(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    for flaw in cx.flaws {
        if let Flaw::Unsupported { encoding } = flaw {
            let message =
                format!("Its encoding, {}, is not decoded by this version.", shown(encoding));
            out.fire("", Draft::new(message).found(shown(encoding)));
        }
    }
    let Some(format) = cx.facts.format else { return };
    match format.family() {
        Family::Archive => out.fire(
            "archive",
            Draft::new(format!("A {} inside a data set is not opened.", format.title()))
                .found(format.title())
                .help(
                    "Unpack it into the data set; zip, tar, tar.gz and tar.zst can also be validated \
                     by themselves.",
                ),
        ),
        Family::OtherPicture => out.fire(
            "",
            Draft::new(format!("{} is known, but not decoded by this version.", format.title()))
                .found(format.title())
                .expected("DICOM, PNG, JPEG, JPEG 2000, TIFF or BMP"),
        ),
        Family::Picture | Family::Table | Family::Other => {}
    }
    not_accepted(cx, format, out);
}

/// What the profile's `[accept]` leaves out. An empty list accepts everything.
fn not_accepted(cx: &FileContext<'_>, format: Format, out: &mut Sink<'_>) {
    if cx.facts.kind != Kind::Image {
        return;
    }
    let accept = &cx.settings.profile().accept;
    let formats: Vec<String> = accept.formats.iter().map(|one| one.id().to_owned()).collect();
    let facts = cx.facts;
    for (what, found, accepted) in [
        ("formats", Some(format.id()), &formats),
        ("transfer syntaxes", facts.transfer_syntax.as_deref(), &accept.transfer_syntaxes),
        (
            "photometric interpretations",
            facts.photometric_interpretation.as_deref(),
            &accept.photometric_interpretations,
        ),
    ] {
        let Some(found) = found else { continue };
        if !accepted.is_empty() && !accepted.iter().any(|one| one == found) {
            let found = shown(found);
            let message = format!("{found} is not among the {what} that this profile accepts.");
            let draft = Draft::new(message).found(found).expected(accepted.join(", "));
            out.fire("not-accepted", draft);
        }
    }
}

static MULTI_IMAGE_FILE: Rule = Rule {
    code: "LF012",
    name: "multi-image-file",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[Case::only(Severity::Warning, Stage::File)],
    options: &[&MAX_IMAGES],
    summary: "One file holds several pictures: TIFF pages, an animated PNG, DICOM frames.",
    why: "Most loaders take the first and drop the rest without a word.",
    measured: "TIFF pages without the reduced-resolution ones, APNG frames, NumberOfFrames.",
    how_to_fix: "Split it into one file a picture, or raise `max_images` where series are meant.",
    references: &["TIFF Revision 6.0 (NewSubfileType)", "DICOM PS3.3, C.7.6.6 Multi-frame"],
    check: Check::File(many_images),
};

static MAX_IMAGES: RuleOption = RuleOption::number(
    "LF012",
    "max_images",
    1.0,
    (1.0, 4_096.0),
    "pictures",
    "Pictures that one file may hold. A radiograph is one.",
);

fn many_images(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let allowed = out.number(&MAX_IMAGES);
    for flaw in cx.flaws {
        if let Flaw::ManyImages { count, what } = flaw
            && f64::from(*count) > allowed
        {
            let message = format!("Holds {count} {what}; the profile allows {allowed}.");
            let draft = Draft::new(message).found(format!("{count} {what}"));
            out.fire("", draft.expected(format!("at most {}", counted(allowed as u64, "picture"))));
        }
    }
}
