//! Lists, a page at a time.

use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// Items of a page unless asked otherwise.
const USUAL: u32 = 100;
/// Items of a page at most.
const MOST: u32 = 1_000;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// For the next page; none on the last.
    pub(crate) next_cursor: Option<String>,
}

/// Which page is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// Items a page, 1 to 1,000; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<u32>,
}

impl Asked {
    pub(crate) fn checked(self) -> Result<Self, Problem> {
        if self.limit.is_some_and(|limit| limit == 0 || limit > MOST) {
            return Err(Problem::query("limit"));
        }
        Ok(self)
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.unwrap_or(USUAL).clamp(1, MOST) as usize
    }

    /// Rows to ask the catalogue for: one more than the page shows whether another follows.
    pub(crate) fn fetch(&self) -> u32 {
        self.limit() as u32 + 1
    }

    /// The cursor as a number.
    pub(crate) fn number(&self) -> Result<Option<i64>, Problem> {
        let number = |cursor: &String| cursor.parse().map_err(|_| Problem::query("cursor"));
        self.cursor.as_ref().map(number).transpose()
    }
}

impl<T> Page<T> {
    /// A page of rows that were fetched as [`Asked::fetch`] says.
    pub(crate) fn of<R>(
        mut rows: Vec<R>,
        asked: &Asked,
        cursor: impl Fn(&R) -> String,
        show: impl FnMut(R) -> T,
    ) -> Self {
        let more = rows.len() > asked.limit();
        rows.truncate(asked.limit());
        let next_cursor = rows.last().filter(|_| more).map(cursor);
        Self { items: rows.into_iter().map(show).collect(), next_cursor }
    }

    /// A list that has only one page.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}

/// A query string, refused in one form.
#[derive(Debug)]
pub(crate) struct Question<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Question<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        read.map(|Query(asked)| Self(asked)).map_err(|error| {
            let detail = format!("The query string cannot be read: {}.", error.body_text());
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-query", detail)
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Question(asked) = Question::<Self>::from_request_parts(parts, state).await?;
        asked.checked()
    }
}
