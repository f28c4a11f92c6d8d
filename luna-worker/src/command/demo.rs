//! `luna demo [DIR]`: a small data set with planted defects, and what LUNA says about it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use luna_core::report::{RenderOptions, ReportFormat};
use luna_core::source::Folder;
use luna_core::{Profile, Source as _, Validator, text};
use luna_fixtures::Recipe;

use super::exit::{Exit, Failure};
use super::reports::options;
use super::{interrupt, stdout};
use crate::output::{OutputFile, Pixels, write_report};
use crate::progress;

/// The profile that the demo set is judged by.
const PROFILE: &str = "chest-xray";

/// Write a small data set with planted defects, validate it, and say what to try next.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna demo                                  in luna-demo, with luna-demo-report.html beside it
  luna demo /tmp/set                         in another folder

The pictures are synthetic: nobody was X-rayed. The exit code is 0 although the verdict is FAIL.")]
pub(super) struct Arguments {
    /// A folder that is new, empty, or holds a demo set
    #[arg(value_name = "DIR", default_value = "luna-demo")]
    dir: PathBuf,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let recipe = luna_fixtures::demo();
        self.refuse_other_folders(&recipe)?;
        let page_place = self.page_place();
        let page = OutputFile::prepare(&page_place)
            .map_err(|error| Failure::not_written(&page_place, error))?;
        recipe
            .write_to(&self.dir)
            .map_err(|error| Failure::not_written(&self.dir, io::Error::other(error)))?;

        let source = Folder::new(&self.dir);
        let validator = Validator::builder().profile(Profile::load(PROFILE)?).build()?;
        let observer = progress::observer(progress::When::Auto);
        let cancel = interrupt::token();
        let report = validator.validate_with(&source, &*observer, cancel)?;
        let look = validator.second_look(&source);
        let pixels: Option<Pixels<'_>> = Some(&look);
        let to_file = RenderOptions { colour: false, ..options() };
        page.write(|out| write_report(&report, ReportFormat::Html, &to_file, pixels, out))
            .map_err(|error| Failure::not_written(&page_place, error))?;
        stdout::write(|out| {
            write_report(&report, ReportFormat::Text, &options(), pixels, out)?;
            out.write_all(self.next_steps().as_bytes())
        })?;
        Ok(if report.partial && cancel.is_cancelled() { Exit::Interrupted } else { Exit::Clean })
    }

    /// `luna-demo-report.html` beside `luna-demo`: inside, it would be a part of the set.
    fn page_place(&self) -> PathBuf {
        let mut name = self.dir.file_name().map_or(OsString::from("luna-demo"), OsString::from);
        name.push("-report.html");
        self.dir.with_file_name(name)
    }

    /// What is there must be a demo set, or parts of one: nobody's own files get company.
    fn refuse_other_folders(&self, recipe: &Recipe) -> Result<(), Failure> {
        if !self.dir.exists() {
            return Ok(());
        }
        let files = recipe.paths().collect::<BTreeSet<_>>();
        let found = Folder::new(&self.dir).items()?;
        let Some(other) = found.iter().find(|item| !files.contains(item.path.as_str())) else {
            return Ok(());
        };
        Err(Failure::Usage(format!(
            "{} holds {}, which is no part of the demo set; name a new or an empty folder",
            shown(&self.dir),
            text::shown(other.path.as_str())
        )))
    }

    fn next_steps(&self) -> String {
        let dir = shown(&self.dir);
        let steps = [
            ("luna explain LF004".to_owned(), "what a rule finds, why, and what to do"),
            (format!("luna inspect {dir}/train/P0110.png"), "everything about one file"),
            (format!("luna validate {dir} --select LI"), "only what may identify a person"),
            ("luna validate YOUR-FOLDER -o report.html".to_owned(), "your own pictures"),
        ];
        let widest = steps.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
        let page = shown(&self.page_place());
        let lines = steps.iter().map(|(command, about)| format!("  {command:widest$}  {about}\n"));
        let lines = lines.collect::<String>();
        format!("\nThe set lies in {dir}, the report with pictures in {page}. Next:\n{lines}")
    }
}

fn shown(place: &Path) -> String {
    text::escaped(&place.to_string_lossy())
}
