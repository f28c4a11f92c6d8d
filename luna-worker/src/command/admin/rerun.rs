//! Validating data sets again: after a new version of LUNA, or of a task's profile.

use luna_core::text;

use super::{ACTOR, table};
use crate::catalogue::{Catalogue, Dataset, DatasetState, Error, JobState};
use crate::command::exit::{Exit, Failure};
use crate::command::service::Catalogued;
use crate::command::stdout;
use crate::worker::Preview;

/// Rows that are read at once.
const PAGE: u32 = 200;
/// Behind everything that teams wait for.
const PRIORITY: i64 = -10;

#[derive(Debug, clap::Args)]
pub(super) struct Rerun {
    /// Data sets of this task, by the profile that it has now
    #[arg(long)]
    task: String,

    /// Validate here and now, keep nothing, and say which verdicts would change
    #[arg(long)]
    dry_run: bool,
}

impl Rerun {
    pub(super) async fn run(
        self,
        catalogue: &Catalogue,
        catalogued: &Catalogued,
    ) -> Result<Exit, Failure> {
        let task = catalogue.task_named(&self.task).await?;
        let datasets = self.datasets(catalogue).await?;
        if self.dry_run {
            return preview(catalogue, catalogued, &datasets, task.profile_id).await;
        }
        let (mut queued, mut busy) = (0_u64, 0_u64);
        for dataset in datasets {
            match catalogue.rerun(dataset.id, task.profile_id, PRIORITY).await {
                Ok(_) => queued += 1,
                Err(Error::Conflict { .. }) => busy += 1,
                Err(error) => return Err(error.into()),
            }
        }
        let detail = serde_json::json!({ "queued": queued, "busy": busy });
        let object = format!("task {}", task.id);
        catalogue.audit(ACTOR, None, "task.rerun", &object, &detail.to_string()).await?;
        let busy = match busy {
            0 => String::new(),
            n => format!(" {} being validated already.", text::counted(n, "data set")),
        };
        stdout::line(&format!("{} queued.{busy}", text::counted(queued, "data set")))?;
        Ok(Exit::Clean)
    }

    /// Complete data sets of any version of the task, oldest first.
    async fn datasets(&self, catalogue: &Catalogue) -> Result<Vec<Dataset>, Failure> {
        let tasks = catalogue.tasks().await?;
        let versions: Vec<i64> =
            tasks.iter().filter(|task| task.name == self.task).map(|task| task.id).collect();
        let mut datasets = Vec::new();
        let mut before = None;
        loop {
            let page = catalogue.datasets(None, before, PAGE).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            datasets.extend(page.into_iter().filter(|dataset| {
                dataset.state == DatasetState::Complete
                    && dataset.task_id.is_some_and(|id| versions.contains(&id))
            }));
        }
        datasets.reverse();
        Ok(datasets)
    }
}

async fn preview(
    catalogue: &Catalogue,
    catalogued: &Catalogued,
    datasets: &[Dataset],
    profile_id: Option<i64>,
) -> Result<Exit, Failure> {
    let preview =
        Preview::new(catalogue.clone(), catalogued.storage()?, catalogued.identity_key()?);
    let mut changes = Vec::new();
    for dataset in datasets {
        let is = match catalogue.latest_job(dataset.id).await {
            Ok(job) if job.state == JobState::Completed => job.verdict.unwrap_or_default(),
            Ok(job) => job.state.as_str().to_owned(),
            Err(error) => return Err(error.into()),
        };
        let would_be = match preview.verdict(dataset.id, profile_id).await {
            Ok(verdict) => verdict.as_str().to_owned(),
            Err(reason) => format!("failed: {reason}"),
        };
        if is != would_be {
            let name = text::escaped(&dataset.name);
            changes.push(vec![dataset.id.to_string(), name, is, would_be]);
        }
    }
    let all = text::counted(datasets.len() as u64, "data set");
    stdout::line(&format!("{all} looked at; {} would have another verdict.", changes.len()))?;
    if !changes.is_empty() {
        table(&["number", "data set", "verdict", "would be"], &changes)?;
    }
    Ok(Exit::Clean)
}
