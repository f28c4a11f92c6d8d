//! `luna push FOLDER --server URL`: a data set of this machine in, the service's verdict out.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use luna_core::report::ReportFormat;
use luna_core::{CancelToken, Profile, Report, text};
use serde_json::{Value, json};

use super::exit::{Exit, Failure, shown};
use super::reports::options;
use super::{TextOrJson, interrupt, stdout};
use crate::output::write_report;
use crate::push::{Credential, Error, Objection, Parcel, Pushed, Server, Status, Watch, variable};
use crate::{place, progress};

const HELP: &str = "\
Examples:
  luna push scans/ --server https://luna.example.org --username ada     asks for the password, unless
                                             LUNA_PASSWORD is set
  export LUNA_SERVER=https://luna.example.org LUNA_API_KEY=…            and then
  luna push scans/                           check here, send, wait, print what was found
  luna push scans.zip --name \"autumn, cleaned\"
  luna push fixed/ --replaces 41             a new version: data set 41 with the files of fixed/
  luna push fixed/ --replaces 41 --remove a/7.dcm    and without this one
  luna push scans/ --no-wait                 do not wait for the verdict

Before anything is sent, each file is looked at here, by the rules about identity (LI) and integrity (LF).
A set that names a patient is refused: what was sent cannot be taken back. Damaged files are named, and sent.
Hidden files and what systems leave behind (.DS_Store, Thumbs.db, DICOMDIR) stay here.

A broken line, Ctrl-C or a restart lose nothing: the same command goes on where it stopped.

Exit codes:
  0  passed (or, with --no-wait, handed in)  3  the data set could not be read, the service not be
  1  the verdict is fail or incomplete, or      reached, or it could not run the validation
     the set names a patient                 4  the result could not be printed
  2  wrong usage, key or password            130  interrupted";

/// Hand a data set in to a service: checked here first, sent, and judged there.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct Arguments {
    /// A folder or an archive (zip, tar, tar.gz, tar.zst) of this machine; an archive is sent as it is
    #[arg(value_name = "FOLDER|ARCHIVE")]
    place: PathBuf,

    /// Address of the service
    #[arg(long, visible_alias = "to", env = "LUNA_SERVER", value_name = "URL")]
    server: String,

    /// Name of the data set; that of the folder or archive unless given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// What others should know of it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,

    /// The task it is for, where there are several
    #[arg(long, value_name = "TASK")]
    task: Option<String>,

    /// Number of the team it is for; only an admin may name another than the own one
    #[arg(long, value_name = "ID")]
    team: Option<i64>,

    /// Number of an earlier data set, of which this becomes the next version: its files stay, those of
    /// the same path are replaced, and what did not change is not sent
    #[arg(long, value_name = "DATASET")]
    replaces: Option<i64>,

    /// Path inside the earlier data set that the new version leaves out; may be repeated
    #[arg(long, value_name = "PATH", requires = "replaces")]
    remove: Vec<String>,

    #[command(flatten)]
    who: Who,

    /// Files that are sent at the same time
    #[arg(long, short, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,

    /// The profile for the check here, for its [identity] and exceptions: a built-in one or a TOML file
    #[arg(long, short, value_name = "NAME|FILE", default_value = "default")]
    profile: String,

    /// Send without looking at the files first. If one names a patient, the service and all who may see
    /// the data set there get to know it, and it cannot be taken back; only for what was checked before
    #[arg(long, conflicts_with = "profile")]
    no_check: bool,

    /// End when all has been sent, without waiting for the verdict
    #[arg(long)]
    no_wait: bool,

    /// Begin anew, even if an earlier upload of this place could go on
    #[arg(long)]
    fresh: bool,

    /// Send over http:// to another machine, where anybody on the way can read the key and the pictures
    #[arg(long)]
    insecure: bool,

    /// Format of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TextOrJson,

    /// Show progress on stderr
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    progress: progress::When,
}

/// Who hands in. No secret is an argument: other users of a machine can see those.
#[derive(Debug, clap::Args)]
struct Who {
    /// File with an API key of the team; else LUNA_API_KEY, else LUNA_TOKEN (a token of a login)
    #[arg(long, value_name = "FILE", conflicts_with = "username")]
    api_key_file: Option<PathBuf>,

    /// Sign in with this account; the password comes from --password-file or LUNA_PASSWORD, or is
    /// asked for
    #[arg(long, value_name = "NAME")]
    username: Option<String>,

    /// File with the password
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let cancel = interrupt::token();
        let parcel = self.parcel()?;
        let server = Server::new(&self.server, self.who.credential()?, self.insecure)?;
        let server = server.stopped_by(cancel);
        let watch = Arc::new(Watch::new(self.progress));
        match server.push(parcel, &watch) {
            Ok(pushed) => self.tell(&pushed, &server, &watch),
            Err(Error::Objection(objection)) => refuse(&objection, &watch, cancel),
            Err(error) => Err(error.into()),
        }
    }

    fn parcel(&self) -> Result<Parcel, Failure> {
        let mut parcel = Parcel::of(&self.place)?;
        parcel.dataset_name.clone_from(&self.name);
        parcel.description.clone_from(&self.description);
        parcel.task.clone_from(&self.task);
        parcel.team_id = self.team;
        parcel.replaces = self.replaces;
        parcel.remove.clone_from(&self.remove);
        parcel.check = if self.no_check { None } else { Some(Profile::load(&self.profile)?) };
        parcel.jobs = self.jobs.into();
        parcel.fresh = self.fresh;
        parcel.wait = !self.no_wait;
        Ok(parcel)
    }

    fn tell(&self, pushed: &Pushed, server: &Server, watch: &Watch) -> Result<Exit, Failure> {
        let (dataset_id, status) = (pushed.dataset_id, pushed.status.as_ref());
        let page = server.report_page(dataset_id);
        match self.format {
            TextOrJson::Json => stdout::print_json(&document(dataset_id, status, &page))?,
            TextOrJson::Text => match findings(dataset_id, status, server, watch) {
                Some(report) => {
                    stdout::write(|out| {
                        write_report(&report, ReportFormat::Text, &options(), None, out)?;
                        writeln!(out, "{page}")
                    })?;
                }
                None => stdout::print_styled(&verdict(dataset_id, status, &page))?,
            },
        }
        let Some(status) = status else { return Ok(Exit::Clean) };
        Ok(match (status.status.as_str(), status.verdict.as_deref()) {
            ("completed", Some("pass")) => Exit::Clean,
            ("completed", _) => Exit::Findings,
            _ => Exit::SourceUnreadable,
        })
    }
}

impl Who {
    fn credential(&self) -> Result<Credential, Failure> {
        if let Some(username) = &self.username {
            let password = self.password(username)?;
            return Ok(Credential::Account { username: username.clone(), password });
        }
        if let Some(file) = &self.api_key_file {
            return Ok(Credential::ApiKey(secret(file)?));
        }
        Credential::of_environment().ok_or_else(|| {
            Failure::Usage(
                "who hands in? set LUNA_API_KEY to a key of your team, or name one with --api-key-file, or sign \
                 in with --username"
                    .to_owned(),
            )
        })
    }

    fn password(&self, username: &str) -> Result<String, Failure> {
        if let Some(file) = &self.password_file {
            return secret(file);
        }
        if let Some(password) = variable("LUNA_PASSWORD") {
            return Ok(password);
        }
        let terminal = console::Term::stderr();
        if !(terminal.is_term() && std::io::stdin().is_terminal()) {
            let what = "--username: no terminal to ask for the password; set LUNA_PASSWORD or give --password-file";
            return Err(Failure::Usage(what.to_owned()));
        }
        stdout::complain(&format!("password of {}:", text::shown(username)));
        let typed = terminal.read_secure_line();
        typed.map_err(|source| Failure::unopened(Path::new("the terminal"), source))
    }
}

/// The first line of a file that holds a secret.
fn secret(file: &Path) -> Result<String, Failure> {
    let bytes =
        place::read_beside(file, 1 << 16).map_err(|error| Failure::unopened(file, error))?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::Usage(format!("{}: its first line is empty", shown(file))));
    }
    Ok(line.to_owned())
}

/// The report of a set that did not pass, if the service lets it be read.
fn findings(
    dataset_id: i64,
    status: Option<&Status>,
    server: &Server,
    watch: &Watch,
) -> Option<Report> {
    let status = status.filter(|it| it.status == "completed")?;
    if status.verdict.as_deref() == Some("pass") {
        return None;
    }
    match server.report(dataset_id) {
        Ok(report) => Some(report),
        Err(error) => {
            watch.say(&format!("note: what was found is on the page alone: {error}"));
            None
        }
    }
}

/// What was found, and what to do about it.
fn refuse(objection: &Objection, watch: &Watch, cancel: &CancelToken) -> Result<Exit, Failure> {
    let report = objection.report();
    stdout::write(|out| write_report(report, ReportFormat::Text, &options(), None, out))?;
    if cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    watch.say(&format!(
        "nothing was sent: {objection}; do what stands above and repeat the command (--no-check sends all the same; \
         what was sent cannot be taken back)"
    ));
    Ok(Exit::Findings)
}

fn document(dataset_id: i64, status: Option<&Status>, page: &str) -> Value {
    json!({
        "dataset_id": dataset_id,
        "status": status.map_or("queued", |it| it.status.as_str()),
        "verdict": status.and_then(|it| it.verdict.as_deref()),
        "validation_results": status.and_then(|it| it.validation_results.as_ref()),
        "error_message": status.and_then(|it| it.error_message.as_deref()),
        "report": page,
    })
}

/// The verdict in a line, and where the report is.
fn verdict(dataset_id: i64, status: Option<&Status>, page: &str) -> String {
    let Some(status) = status else {
        return format!("data set {dataset_id} is handed in; its verdict will be at\n{page}\n");
    };
    let word = match status.status.as_str() {
        "completed" => status.verdict.as_deref().unwrap_or("no verdict"),
        other => other,
    };
    let colour = if word == "pass" { anstyle::AnsiColor::Green } else { anstyle::AnsiColor::Red };
    let style = colour.on_default().bold();
    let word = text::shown(word).to_uppercase();
    let said = match &status.error_message {
        Some(message) => text::escaped(message),
        None => counts(status.validation_results.as_ref()),
    };
    format!("{style}{word}{style:#}  {said}\n{page}\n")
}

fn counts(results: Option<&Value>) -> String {
    let Some(results) = results else { return "no counts".to_owned() };
    let count =
        |pointer: &str| results.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    format!(
        "{}, {}; {} checked, {} with errors",
        text::counted(count("/counts/error"), "error"),
        text::counted(count("/counts/warning"), "warning"),
        text::counted(count("/files_checked"), "file"),
        text::grouped(count("/files_failed")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_a_line_and_an_address() {
        let status: Status = serde_json::from_value(json!({
            "status": "completed", "verdict": "fail", "error_message": null,
            "validation_results": { "counts": { "error": 2, "warning": 1 }, "files_checked": 4100, "files_failed": 2 },
        }))
        .unwrap();
        let told = verdict(7, Some(&status), "https://host/datasets/7");
        let told = anstream::adapter::strip_str(&told).to_string();
        assert_eq!(
            told,
            "FAIL  2 errors, 1 warning; 4,100 files checked, 2 with errors\nhttps://host/datasets/7\n"
        );
    }

    #[test]
    fn a_validation_that_could_not_run_says_why() {
        let status: Status = serde_json::from_value(json!({
            "status": "failed", "verdict": null, "error_message": "the storage\u{1b} is away", "validation_results": null,
        }))
        .unwrap();
        let told = verdict(7, Some(&status), "https://host/datasets/7");
        let told = anstream::adapter::strip_str(&told).to_string();
        assert!(told.starts_with("FAILED  the storage\\u{1b} is away\n"), "{told}");
    }
}
