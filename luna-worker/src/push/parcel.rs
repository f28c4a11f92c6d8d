//! A data set on its whole way: looked at here, sent, waited for.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use luna_core::{Profile, text};

use super::check::check;
use super::client::Server;
use super::error::{Error, Result};
use super::files::Local;
use super::tell::Status;
use super::watch::Watch;
use super::{Intent, Push};
use crate::place::{self, Location};

/// A data set of this machine, and how it is to be handed in.
#[derive(Debug)]
pub struct Parcel {
    place: PathBuf,
    local: Local,
    /// Its name at the service; that of its folder or archive unless given.
    pub dataset_name: Option<String>,
    /// What others should know of it.
    pub description: String,
    /// The task it is for, where there are several.
    pub task: Option<String>,
    /// The team it is for; the own one unless given.
    pub team_id: Option<i64>,
    /// An earlier data set, of which this becomes the next version.
    pub replaces: Option<i64>,
    /// Paths of the earlier data set that the new version leaves out.
    pub remove: Vec<String>,
    /// The profile of the look at the files before anything is sent. With `None` they are sent unseen, and a
    /// patient's name that is among them cannot be taken back.
    pub check: Option<Profile>,
    /// Files that are sent at the same time.
    pub jobs: usize,
    /// Whether to begin anew where an earlier upload of this place could go on.
    pub fresh: bool,
    /// Whether to wait for the verdict.
    pub wait: bool,
}

/// A data set that the service has.
#[derive(Debug)]
pub struct Pushed {
    /// Its number.
    pub dataset_id: i64,
    /// How its validation ended, if that was waited for.
    pub status: Option<Status>,
}

impl Parcel {
    /// The files of a folder, or an archive as the one file that it is.
    ///
    /// ```
    /// use luna_worker::push::{Error, Parcel};
    /// let folder = tempfile::tempdir()?;
    /// assert!(matches!(Parcel::of(folder.path()), Err(Error::Unfit(_))), "it is empty");
    /// std::fs::write(folder.path().join("a.png"), b"")?;
    /// assert!(Parcel::of(folder.path()).is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such place on this machine, or no file in it.
    pub fn of(place: &Path) -> Result<Self> {
        let place = match Location::of(place)? {
            Location::Local(place) => place,
            #[cfg(feature = "storage")]
            Location::Stored(_) => {
                let shown = crate::uri::without_secrets(&place.to_string_lossy());
                let what = "only files of this machine are sent; copy them here first";
                return Err(Error::Unfit(format!("{shown}: {what}")));
            }
        };
        // What does not exist is said as `luna validate` says it.
        place::open_file(&place)?;
        let local = Local::list(&place).map_err(luna_core::Error::from)?;
        if local.files.is_empty() {
            let shown = text::escaped(&place.to_string_lossy());
            return Err(Error::Unfit(format!("{shown}: there is no file to hand in")));
        }
        Ok(Self {
            place,
            local,
            dataset_name: None,
            description: String::new(),
            task: None,
            team_id: None,
            replaces: None,
            remove: Vec::new(),
            check: Some(Profile::default()),
            jobs: 4,
            fresh: false,
            wait: true,
        })
    }

    fn intent(&self) -> Intent {
        let named = std::fs::canonicalize(&self.place).unwrap_or_else(|_| self.place.clone());
        let own =
            || named.file_name().map_or("data set".into(), |it| it.to_string_lossy().into_owned());
        Intent {
            dataset_name: self.dataset_name.clone().unwrap_or_else(own),
            description: self.description.clone(),
            team_id: self.team_id,
            task: self.task.clone(),
            replaces: self.replaces,
            remove: self.remove.clone(),
        }
    }
}

impl Server {
    /// Hands a data set in: looks at the files, sends what the service does not have, and waits for the verdict
    /// if that is asked for. Goes on with an earlier upload of the same place that was not finished.
    ///
    /// # Errors
    /// [`Error::Objection`] before anything is sent; else what stands in the way. What arrived stays there, and
    /// the same call goes on with the rest.
    pub fn push(&self, parcel: Parcel, watch: &Arc<Watch>) -> Result<Pushed> {
        let ended = self.hand_in(parcel, watch);
        watch.end();
        ended
    }

    fn hand_in(&self, mut parcel: Parcel, watch: &Arc<Watch>) -> Result<Pushed> {
        self.greet()?;
        if let Some(profile) = parcel.check.take() {
            check(&parcel.place, profile, &mut parcel.local, watch, self.cancel())?;
        }
        parcel.local.hash(self.cancel())?;
        watch.say(&what_goes(&parcel.local, self));
        let intent = parcel.intent();
        let push =
            Push::new(self, watch, &parcel.local, &intent, parcel.jobs.max(1), &parcel.place);
        if parcel.fresh {
            push.forget();
        }
        let dataset_id = push.send()?;
        let status = if parcel.wait { Some(self.wait_for(dataset_id, watch)?) } else { None };
        push.forget();
        Ok(Pushed { dataset_id, status })
    }
}

fn what_goes(local: &Local, server: &Server) -> String {
    let files = text::counted(local.files.len() as u64, "file");
    let mut line = format!("{files}, {}, to {}", text::bytes(local.bytes()), server.shown());
    for (count, what) in
        [(local.debris, "hidden or left by systems"), (local.unopened, "no plain files")]
    {
        if count > 0 {
            let _ = write!(line, "; {} {what} stay here", text::grouped(count));
        }
    }
    line
}
