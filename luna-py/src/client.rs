//! `luna_py.client`: data sets handed in to a service, and its reports read.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use luna_core::{CancelToken, Profile, text};
use luna_worker::progress::When;
use luna_worker::push::{Credential, Error, Parcel, Server, Watch, variable};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::{LunaError, ServiceError, from_engine, from_push};
use crate::interrupt::{HEARTBEAT, hear};
use crate::report::Report;

/// How long stopped work may take to end before it is left to end by itself: it may wait for the service.
const PATIENCE: Duration = Duration::from_millis(500);

/// A client of a LUNA service.
///
/// Nothing is asked before a method is called. It may be used by several threads.
///
/// Parameters
/// ----------
/// url : str, optional
///     Address of the service; the variable ``LUNA_SERVER`` unless given.
/// api_key : str, optional
///     A key of the team; the variable ``LUNA_API_KEY``, or a token in ``LUNA_TOKEN``, unless given.
/// username : str, optional
///     An account to sign in with, instead of a key.
/// password : str, optional
///     Its password; the variable ``LUNA_PASSWORD`` unless given.
/// insecure : bool, default False
///     Allow ``http://`` to another machine, where anybody on the way can read the key and the pictures.
///
/// Raises
/// ------
/// ValueError
///     If an argument makes no sense or is missing; the message names it.
///
/// Examples
/// --------
/// >>> from luna_py.client import Client
/// >>> client = Client("https://luna.example.org", api_key="a-key-of-the-team")
/// >>> report = client.push("scans")  # doctest: +SKIP
/// >>> report.verdict  # doctest: +SKIP
/// 'fail'
#[pyclass(frozen, module = "luna_py.client")]
pub(crate) struct Client {
    server: Server,
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (url=None, *, api_key=None, username=None, password=None, insecure=false))]
    fn new(
        py: Python<'_>,
        url: Option<String>,
        api_key: Option<String>,
        username: Option<String>,
        password: Option<String>,
        insecure: bool,
    ) -> PyResult<Self> {
        let url = url.or_else(|| variable("LUNA_SERVER")).ok_or_else(|| {
            PyValueError::new_err("url: which service? give its address, or set LUNA_SERVER")
        })?;
        let credential = credential(api_key, username, password)?;
        let server = py.detach(|| Server::new(&url, credential, insecure));
        server.map(|server| Self { server }).map_err(|error| from_push(py, error))
    }

    /// Hand a data set in, as ``luna push`` does.
    ///
    /// Before anything is sent, each file is looked at here, by the rules about identity (LI) and integrity (LF).
    /// A set that names a patient is refused. Damaged files are sent, and the report says what is wrong with them.
    /// Hidden files and what systems leave behind stay here. After a broken line or Ctrl-C the same call goes on
    /// where it stopped.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     A folder, or an archive, which is sent as it is.
    /// dataset_name : str, optional
    ///     Name of the data set; that of its folder or archive unless given.
    /// description : str, default ""
    ///     What others should know of it.
    /// task : str, optional
    ///     The task it is for, where there are several.
    /// team : int, optional
    ///     Number of the team it is for; only an admin may name another than the own one.
    /// replaces : int, optional
    ///     Number of an earlier data set, of which this becomes the next version: its files stay, those of the
    ///     same path are replaced, and what did not change is not sent.
    /// remove : sequence of str, optional
    ///     Paths of the earlier data set that the new version leaves out; needs ``replaces``.
    /// profile : str or os.PathLike, optional
    ///     The profile for the look at the files here, for its identity section and exceptions: name of a built-in
    ///     one, or a TOML file. What the service judges by is its own business.
    /// check : bool, default True
    ///     False sends without a look at the files. If one names a patient, it cannot be taken back.
    /// fresh : bool, default False
    ///     True begins anew, even if an earlier upload of this place could go on.
    /// wait : bool, default True
    ///     False does not wait for the validation.
    /// progress : bool, optional
    ///     False for no progress bar; else there is one on stderr if that is a terminal.
    ///
    /// Returns
    /// -------
    /// Report or int
    ///     The service's report, whatever its verdict; with ``wait=False`` the number of the data set.
    ///
    /// Raises
    /// ------
    /// VerdictError
    ///     If a file could name a person; nothing was sent then.
    /// SourceError
    ///     If the place does not exist, holds no file, cannot be read, or changes while it is sent.
    /// ProfileError
    ///     If the profile does not exist or cannot be used.
    /// ServiceError
    ///     If the service cannot be reached, refuses, or could not run the validation.
    /// ValueError
    ///     If an argument makes no sense; the message names it.
    /// KeyboardInterrupt
    ///     On Ctrl-C, within a second; the same call goes on later.
    ///
    /// Examples
    /// --------
    /// >>> report = client.push("scans", dataset_name="autumn")  # doctest: +SKIP
    /// >>> number = client.push("scans.zip", wait=False)  # doctest: +SKIP
    #[pyo3(signature = (
        path, *, dataset_name=None, description="", task=None, team=None, replaces=None,
        remove=None, profile=None, check=true, fresh=false, wait=true, progress=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn push<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        dataset_name: Option<String>,
        description: &str,
        task: Option<String>,
        team: Option<i64>,
        replaces: Option<i64>,
        remove: Option<Vec<String>>,
        profile: Option<PathBuf>,
        check: bool,
        fresh: bool,
        wait: bool,
        progress: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let remove = remove.unwrap_or_default();
        if replaces.is_none() && !remove.is_empty() {
            let said = "remove: needs replaces, the number of the data set that holds these paths";
            return Err(PyValueError::new_err(said));
        }
        let check = look(check, profile)?;
        let description = description.to_owned();
        let watch = Arc::new(watch(progress));
        let shown = Arc::clone(&watch);
        let ended = self.run(py, move |server| {
            let mut parcel = Parcel::of(&path)?;
            (parcel.dataset_name, parcel.description) = (dataset_name, description);
            (parcel.task, parcel.team_id) = (task, team);
            (parcel.replaces, parcel.remove) = (replaces, remove);
            (parcel.check, parcel.fresh, parcel.wait) = (check, fresh, wait);
            hand_in(server, parcel, &watch)
        });
        // Stopped work may still be on its way to its end.
        shown.end();
        match ended? {
            Handed::In(number) => Ok(number.into_pyobject(py)?.into_any()),
            Handed::Judged(report) => Ok(Bound::new(py, Report::stored(*report))?.into_any()),
            Handed::NotRun(said) => Err(ServiceError::new_err(said)),
        }
    }

    /// The data sets of the team, or all of them for those who run the service.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     Newest first, as the service describes them: ``dataset_id``, ``name``, ``version``, ``state``,
    ///     ``created_at``, ``validation`` (the newest one: ``status`` and ``verdict``, or None) and more.
    ///
    /// Raises
    /// ------
    /// ServiceError
    ///     If the service cannot be reached, or refuses.
    ///
    /// Examples
    /// --------
    /// >>> client.datasets()[0].get("name")  # doctest: +SKIP
    /// 'autumn'
    fn datasets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let listed = self.run(py, |server| Ok(serde_json::Value::from(server.datasets()?)))?;
        py.import("json")?.call_method1("loads", (listed.to_string(),))
    }

    /// The report of a data set that was validated.
    ///
    /// Parameters
    /// ----------
    /// dataset_id : int
    ///     Its number.
    ///
    /// Returns
    /// -------
    /// Report
    ///     The newest one. An HTML page that is saved of it has no pictures, for the files are elsewhere.
    ///
    /// Raises
    /// ------
    /// ServiceError
    ///     If the service cannot be reached, or refuses: because there is no such data set, or no report yet.
    ///
    /// Examples
    /// --------
    /// >>> client.report(41).save("report.json")  # doctest: +SKIP
    fn report(&self, py: Python<'_>, dataset_id: i64) -> PyResult<Report> {
        self.run(py, move |server| server.report(dataset_id)).map(Report::stored)
    }

    fn __repr__(&self) -> String {
        format!("<luna_py.client.Client: {}>", self.server.shown())
    }
}

impl Client {
    /// Runs on a thread of its own, while this one listens for signals.
    fn run<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Server) -> Result<T, Error> + Send + 'static,
    ) -> PyResult<T> {
        let cancel = CancelToken::default();
        let server = self.server.stopped_by(&cancel);
        let ended = py.detach(|| {
            let (done, finished) = mpsc::channel();
            let thread = thread::Builder::new().name("luna-client".to_owned());
            let thread = thread.spawn(move || {
                // Nobody listens any more after an interrupt.
                let _ = done.send(work(&server));
            })?;
            loop {
                match finished.recv_timeout(HEARTBEAT) {
                    Ok(ended) => return Ok(ended),
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(interrupt) = hear(&|_| Ok(())) {
                            cancel.cancel();
                            let _ = finished.recv_timeout(PATIENCE);
                            return Err(interrupt);
                        }
                    }
                    Err(RecvTimeoutError::Disconnected) => match thread.join() {
                        Ok(()) => return Err(LunaError::new_err("the work ended without a word")),
                        Err(panic) => std::panic::resume_unwind(panic),
                    },
                }
            }
        })?;
        ended.map_err(|error| from_push(py, error))
    }
}

/// The profile of the look at the files, if there is to be one.
fn look(check: bool, profile: Option<PathBuf>) -> PyResult<Option<Profile>> {
    match (check, profile) {
        (false, None) => Ok(None),
        (false, Some(_)) => Err(PyValueError::new_err(
            "profile: is for the look at the files, which check=False leaves out",
        )),
        (true, None) => Ok(Some(Profile::default())),
        (true, Some(profile)) => {
            let profile = Profile::load(&profile.to_string_lossy());
            profile.map(Some).map_err(|error| from_engine(&error.into()))
        }
    }
}

/// Where a data set is after a push.
enum Handed {
    In(i64),
    Judged(Box<luna_core::Report>),
    /// Why there is no report.
    NotRun(String),
}

fn hand_in(server: &Server, parcel: Parcel, watch: &Arc<Watch>) -> Result<Handed, Error> {
    let pushed = server.push(parcel, watch)?;
    let number = pushed.dataset_id;
    Ok(match pushed.status {
        None => Handed::In(number),
        Some(status) if status.status == "completed" => {
            Handed::Judged(Box::new(server.report(number)?))
        }
        Some(status) => {
            let why = status.error_message.unwrap_or_else(|| "no reason was given".to_owned());
            let (how, why) = (text::shown(&status.status), text::escaped(&why));
            Handed::NotRun(format!("the validation of data set {number} is {how}: {why}"))
        }
    })
}

fn watch(progress: Option<bool>) -> Watch {
    if progress != Some(false) && io::stderr().is_terminal() {
        Watch::new(When::Auto)
    } else {
        Watch::silent()
    }
}

fn credential(
    api_key: Option<String>,
    username: Option<String>,
    password: Option<String>,
) -> PyResult<Credential> {
    match (api_key, username) {
        (Some(_), Some(_)) => Err(PyValueError::new_err(
            "api_key and username: give one of them, a key or an account to sign in with",
        )),
        (Some(_) | None, None) if password.is_some() => {
            Err(PyValueError::new_err("password: needs username, the account that it is of"))
        }
        (Some(key), None) => Ok(Credential::ApiKey(key.trim().to_owned())),
        (None, Some(username)) => {
            let password = password.or_else(|| variable("LUNA_PASSWORD")).ok_or_else(|| {
                PyValueError::new_err("password: give that of username, or set LUNA_PASSWORD")
            })?;
            Ok(Credential::Account { username, password })
        }
        (None, None) => Credential::of_environment().ok_or_else(|| {
            PyValueError::new_err(
                "api_key: who asks? give a key of your team, set LUNA_API_KEY, or sign in with username and password",
            )
        }),
    }
}
