//! The queue, and second chances.

use luna_core::text;

use super::{ACTOR, table};
use crate::catalogue::Catalogue;
use crate::command::exit::{Exit, Failure};
use crate::command::{TextOrJson, stdout};
use crate::queue::DeadLetter;

/// Dead letters that are read at once.
const PAGE: u32 = 500;

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// For people or for programs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TextOrJson,
}

impl Show {
    pub(super) async fn run(self, catalogue: &Catalogue) -> Result<Exit, Failure> {
        let stats = catalogue.queue_stats().await?;
        let dead = dead_letters(catalogue).await?;
        let oldest = stats.oldest_job.map(|age| age.as_secs());
        if let TextOrJson::Json = self.format {
            let letters: Vec<_> = dead.iter().map(as_json).collect();
            stdout::print_json(&serde_json::json!({
                "queued": stats.queued,
                "leased": stats.leased,
                "unfinished_jobs": stats.unfinished_jobs,
                "oldest_job_seconds": oldest,
                "workers_alive": stats.workers_alive,
                "dead_letters": letters,
            }))?;
            return Ok(Exit::Clean);
        }
        let oldest = oldest.map_or(String::new(), |age| format!(", the oldest {age} s old"));
        stdout::line(&format!("jobs under way   {}{oldest}", stats.unfinished_jobs))?;
        stdout::line(&format!("items waiting    {}", stats.queued))?;
        stdout::line(&format!("items in work    {}", stats.leased))?;
        stdout::line(&format!("workers alive    {}", stats.workers_alive))?;
        stdout::line(&format!("items given up   {}", dead.len()))?;
        if stats.queued > 0 && stats.workers_alive == 0 {
            stdout::line("\nNo worker is alive: start one with `luna worker`.")?;
        }
        if !dead.is_empty() {
            stdout::line("")?;
            let rows: Vec<Vec<String>> = dead.iter().map(as_row).collect();
            table(&["item", "kind", "job", "attempts", "given up", "reason"], &rows)?;
            stdout::line(
                "\n`luna admin retry ITEM` gives one another chance, `--all` all of them.",
            )?;
        }
        Ok(Exit::Clean)
    }
}

fn as_json(letter: &DeadLetter) -> serde_json::Value {
    serde_json::json!({
        "item": letter.item_id,
        "kind": letter.kind.as_str(),
        "job": letter.job_id,
        "attempts": letter.attempts,
        "at": letter.at.to_string(),
        "reason": letter.reason,
    })
}

fn as_row(letter: &DeadLetter) -> Vec<String> {
    vec![
        letter.item_id.to_string(),
        letter.kind.as_str().to_owned(),
        letter.job_id.map_or(String::new(), |id| id.to_string()),
        letter.attempts.to_string(),
        letter.at.to_string(),
        text::escaped(&letter.reason),
    ]
}

async fn dead_letters(catalogue: &Catalogue) -> Result<Vec<DeadLetter>, Failure> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let mut page = catalogue.dead_letters(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.item_id;
        all.append(&mut page);
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Retry {
    /// Numbers of items, as `luna admin queue` lists them
    #[arg(required_unless_present = "all", value_name = "ITEM")]
    items: Vec<i64>,

    /// All that were given up
    #[arg(long, conflicts_with = "items")]
    all: bool,
}

impl Retry {
    pub(super) async fn run(self, catalogue: &Catalogue) -> Result<Exit, Failure> {
        let items = if self.all {
            dead_letters(catalogue).await?.iter().map(|letter| letter.item_id).collect()
        } else {
            self.items
        };
        for item in &items {
            catalogue.retry(*item).await?;
            let object = format!("item {item}");
            catalogue.audit(ACTOR, None, "queue.retry", &object, "{}").await?;
        }
        stdout::line(&format!("{} queued again.", text::counted(items.len() as u64, "item")))?;
        Ok(Exit::Clean)
    }
}
