//! Tasks, the phases of a competition, and the profiles by which they judge. Versions never change: a data set stays
//! bound to the one it was uploaded for.

use axum::Json as Answer;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use luna_core::{Profile, Validator};
use luna_worker::catalogue::{Moment, NewTask, Profile as KeptProfile, Task};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::api::Routes;
use crate::body::{Ids, Json};
use crate::caller::Caller;
use crate::page::Page;
use crate::problem::{Problem, Result};
use crate::{Quota, State, people};

/// What the service knows of a task beside its profile and times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TaskRules {
    /// What a team may hold; the service's own limits unless given.
    pub(crate) quota: Option<Quota>,
    /// Data sets that submissions will be compared with, for leaks.
    pub(crate) reference_sets: Vec<i64>,
}

impl TaskRules {
    /// As they were kept.
    pub(crate) fn of(task: &Task) -> Result<Self> {
        if task.body.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(&task.body).map_err(|error| {
            tracing::error!(%error, task = task.id, "a task's rules are no JSON");
            Problem::internal()
        })
    }
}

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(tasks, keep_task))
        .routes(routes!(task))
        .routes(routes!(profiles, keep_profile))
        .routes(routes!(profile))
}

/// One version of a task.
#[derive(Debug, Serialize, ToSchema)]
struct TaskRow {
    task_id: i64,
    name: String,
    /// 1 for the first.
    version: i64,
    /// By which profile it judges; the default one if null.
    profile_id: Option<i64>,
    /// RFC 3339, UTC.
    opens_at: Option<String>,
    /// RFC 3339, UTC.
    closes_at: Option<String>,
    /// What a team may hold; the service's own limits if null.
    quota: Option<Quota>,
    /// Data sets that submissions will be compared with, for leaks.
    reference_sets: Vec<i64>,
}

impl TaskRow {
    fn of(task: Task) -> Result<Self> {
        let TaskRules { quota, reference_sets } = TaskRules::of(&task)?;
        Ok(Self {
            task_id: task.id,
            name: task.name,
            version: task.version,
            profile_id: task.profile_id,
            opens_at: task.opens_at.map(|it| it.to_string()),
            closes_at: task.closes_at.map(|it| it.to_string()),
            quota,
            reference_sets,
        })
    }
}

/// List the tasks, in their newest versions.
#[utoipa::path(
    get, path = "/api/v1/tasks", tag = "tasks", responses((status = 200, body = Page<TaskRow>)),
    extensions(("x-who" = json!("team")))
)]
async fn tasks(Shared(service): State, _: Caller) -> Result<Answer<Page<TaskRow>>> {
    let tasks = service.catalogue.tasks().await?;
    let rows = tasks.into_iter().map(TaskRow::of).collect::<Result<_>>()?;
    Ok(Answer(Page::whole(rows)))
}

/// A task, or its next version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTaskVersion {
    #[schema(max_length = 200)]
    name: String,
    profile_id: Option<i64>,
    /// RFC 3339.
    opens_at: Option<String>,
    /// RFC 3339.
    closes_at: Option<String>,
    quota: Option<Quota>,
    #[serde(default)]
    reference_sets: Vec<i64>,
}

/// Keep a task, or the next version of one of that name.
#[utoipa::path(
    post, path = "/api/v1/tasks", tag = "tasks", request_body = NewTaskVersion,
    responses((status = 201, body = TaskRow)), extensions(("x-who" = json!("organiser")))
)]
async fn keep_task(
    Shared(service): State,
    caller: Caller,
    Json(new): Json<NewTaskVersion>,
) -> Result<(StatusCode, Answer<TaskRow>)> {
    caller.organiser()?;
    people::name("/name", &new.name)?;
    let moment = |pointer, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => Moment::parse(text)
            .map(Some)
            .ok_or_else(|| Problem::field(pointer, "RFC 3339, such as 2026-12-01T12:00:00Z")),
    };
    let rules = TaskRules { quota: new.quota, reference_sets: new.reference_sets };
    let kept = NewTask {
        name: new.name,
        profile_id: new.profile_id,
        opens_at: moment("/opens_at", &new.opens_at)?,
        closes_at: moment("/closes_at", &new.closes_at)?,
        body: serde_json::to_string(&rules).map_err(|_| Problem::internal())?,
    };
    let task = service.catalogue.keep_task(&kept).await?;
    service.audit(&caller, "task.keep", &format!("task {}", task.id)).await?;
    Ok((StatusCode::CREATED, Answer(TaskRow::of(task)?)))
}

/// See one version of a task.
#[utoipa::path(
    get, path = "/api/v1/tasks/{task_id}", tag = "tasks", params(("task_id" = i64, Path)),
    responses((status = 200, body = TaskRow)), extensions(("x-who" = json!("team")))
)]
async fn task(
    Shared(service): State,
    _: Caller,
    Ids(task_id): Ids<i64>,
) -> Result<Answer<TaskRow>> {
    Ok(Answer(TaskRow::of(service.catalogue.task(task_id).await?)?))
}

/// One version of a profile.
#[derive(Debug, Serialize, ToSchema)]
struct ProfileRow {
    profile_id: i64,
    name: String,
    /// 1 for the first.
    version: i64,
    /// The TOML, as it was checked.
    body: String,
    /// As in reports.
    hash: String,
    /// RFC 3339, UTC.
    created_at: String,
}

impl From<KeptProfile> for ProfileRow {
    fn from(kept: KeptProfile) -> Self {
        Self {
            profile_id: kept.id,
            name: kept.name,
            version: kept.version,
            body: kept.body,
            hash: kept.hash,
            created_at: kept.created_at.to_string(),
        }
    }
}

/// List the profiles, in their newest versions.
#[utoipa::path(
    get, path = "/api/v1/profiles", tag = "tasks",
    responses((status = 200, body = Page<ProfileRow>)), extensions(("x-who" = json!("team")))
)]
async fn profiles(Shared(service): State, _: Caller) -> Result<Answer<Page<ProfileRow>>> {
    let profiles = service.catalogue.profiles().await?;
    Ok(Answer(Page::whole(profiles.into_iter().map(ProfileRow::from).collect())))
}

/// A profile, or its next version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProfile {
    #[schema(max_length = 200)]
    name: String,
    /// TOML, as `luna profile` writes and checks it.
    body: String,
}

/// Keep a profile, or the next version of one of that name. It is checked first.
#[utoipa::path(
    post, path = "/api/v1/profiles", tag = "tasks", request_body = NewProfile,
    responses((status = 201, body = ProfileRow)), extensions(("x-who" = json!("organiser")))
)]
async fn keep_profile(
    Shared(service): State,
    caller: Caller,
    Json(new): Json<NewProfile>,
) -> Result<(StatusCode, Answer<ProfileRow>)> {
    caller.organiser()?;
    people::name("/name", &new.name)?;
    let unusable = |error: &dyn std::fmt::Display| Problem::field("/body", error.to_string());
    let profile = Profile::parse(&new.body, &new.name).map_err(|error| unusable(&error))?;
    let hash = profile.hash();
    Validator::builder().profile(profile).threads(1).build().map_err(|error| unusable(&error))?;
    let kept = service.catalogue.keep_profile(&new.name, &new.body, &hash).await?;
    service.audit(&caller, "profile.keep", &format!("profile {}", kept.id)).await?;
    Ok((StatusCode::CREATED, Answer(kept.into())))
}

/// See one version of a profile.
#[utoipa::path(
    get, path = "/api/v1/profiles/{profile_id}", tag = "tasks",
    params(("profile_id" = i64, Path)), responses((status = 200, body = ProfileRow)),
    extensions(("x-who" = json!("team")))
)]
async fn profile(
    Shared(service): State,
    _: Caller,
    Ids(profile_id): Ids<i64>,
) -> Result<Answer<ProfileRow>> {
    Ok(Answer(service.catalogue.profile(profile_id).await?.into()))
}
