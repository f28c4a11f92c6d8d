//! Answers that are kept, so that a call made twice under one key does one thing.

use std::time::Duration;

use super::engine::{Row, values};
use super::people::one;
use super::{Catalogue, Error, Result};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// Nobody has used it: do the work, then [keep](Catalogue::keep_answer) the answer, or
    /// [forget](Catalogue::forget_call) the key.
    New,
    /// The first call is under way.
    UnderWay,
    /// The same key, and another request.
    OtherRequest,
    /// The first call was answered like this.
    Answered {
        /// HTTP's status.
        status: u16,
        /// The body.
        body: String,
    },
}

/// After this a call that was never answered counts as lost with its process.
const LOST: Duration = Duration::from_mins(2);

impl Catalogue {
    /// Takes a key for a request. Of two at once, one is the first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn begin_call(&self, owner: &str, key: &str, request: &str) -> Result<Repeated> {
        let mut tx = self.db.begin().await?;
        let lost = self.now().await?.before(LOST);
        let sql = "DELETE FROM idempotency
                   WHERE owner = $1 AND call_key = $2 AND status IS NULL AND created_at < $3";
        tx.run(sql, values![owner, key, lost]).await?;
        let sql = "INSERT INTO idempotency (owner, call_key, request_hash, created_at)
                   VALUES ($1, $2, $3, (SELECT now FROM clock))
                   ON CONFLICT (owner, call_key) DO NOTHING";
        let is_first = tx.run(sql, values![owner, key, request]).await? == 1;
        let sql = "SELECT request_hash, status, body FROM idempotency
                   WHERE owner = $1 AND call_key = $2";
        let row = tx.first(sql, values![owner, key]).await?;
        tx.commit().await?;
        if is_first {
            return Ok(Repeated::New);
        }
        one("call", row, |row| repeated(row, request))
    }

    /// Keeps the answer to a call.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn keep_answer(&self, owner: &str, key: &str, status: u16, body: &str) -> Result<()> {
        let sql = "UPDATE idempotency SET status = $3, body = $4
                   WHERE owner = $1 AND call_key = $2";
        self.db.run(sql, values![owner, key, i64::from(status), body]).await.map(|_| ())
    }

    /// Gives a key back: the call failed, and may be made again.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn forget_call(&self, owner: &str, key: &str) -> Result<()> {
        let sql = "DELETE FROM idempotency WHERE owner = $1 AND call_key = $2 AND status IS NULL";
        self.db.run(sql, values![owner, key]).await.map(|_| ())
    }
}

fn repeated(row: &Row, request: &str) -> Result<Repeated> {
    if row.get::<String>("request_hash")? != request {
        return Ok(Repeated::OtherRequest);
    }
    let status: Option<i64> = row.get("status")?;
    let Some(status) = status else { return Ok(Repeated::UnderWay) };
    let status = u16::try_from(status).map_err(|_| Error::corrupt("a status is no status"))?;
    let body: Option<String> = row.get("body")?;
    Ok(Repeated::Answered { status, body: body.unwrap_or_default() })
}
