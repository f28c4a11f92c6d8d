mod fairness;
mod leases;
mod live;
mod measure;
mod model;

use super::*;
use crate::catalogue::tests::{Bench, on_both, records};
use crate::catalogue::{Error, JobState};

/// An item of a team and no job.
fn item(team_id: i64, key: &str) -> NewItem {
    NewItem {
        team_id,
        job_id: None,
        kind: ItemKind::Chore,
        key: key.to_owned(),
        payload: String::new(),
        priority: 0,
        turn: 0,
    }
}

/// Many items of a team.
async fn fill(bench: &Bench, team: i64, items: usize) {
    let items: Vec<NewItem> = (0..items).map(|n| item(team, &format!("{team}:{n}"))).collect();
    let mut tx = bench.catalogue.db.begin().await.unwrap();
    add(&mut tx, &items).await.unwrap();
    tx.commit().await.unwrap();
}
