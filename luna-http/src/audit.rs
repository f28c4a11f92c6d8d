//! Who did what.

use axum::Json as Answer;
use axum::extract::State as Shared;
use luna_worker::catalogue::AuditEntry;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::api::Routes;
use crate::caller::Caller;
use crate::page::{Asked, Page};
use crate::problem::Result;
use crate::{Service, State};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(audit))
}

impl Service {
    /// Notes who did what. No secret, nothing out of a picture.
    pub(crate) async fn audit(&self, caller: &Caller, action: &str, object: &str) -> Result<()> {
        let team = Some(caller.team_id);
        Ok(self.catalogue.audit(&caller.actor(), team, action, object, "{}").await.map(|_| ())?)
    }
}

/// A line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
struct AuditRow {
    id: i64,
    /// RFC 3339, UTC.
    at: String,
    #[schema(example = "user 3")]
    actor: String,
    team_id: Option<i64>,
    #[schema(example = "dataset.delete")]
    action: String,
    #[schema(example = "dataset 12")]
    object: String,
}

impl From<AuditEntry> for AuditRow {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at.to_string(),
            actor: entry.actor,
            team_id: entry.team_id,
            action: entry.action,
            object: entry.object,
        }
    }
}

/// Read who did what, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "people", params(Asked),
    responses((status = 200, body = Page<AuditRow>)), extensions(("x-who" = json!("organiser")))
)]
async fn audit(
    Shared(service): State,
    caller: Caller,
    asked: Asked,
) -> Result<Answer<Page<AuditRow>>> {
    caller.organiser()?;
    let found = service.catalogue.audit_log(None, asked.number()?, asked.fetch()).await?;
    Ok(Answer(Page::of(found, &asked, |entry| entry.id.to_string(), AuditRow::from)))
}
