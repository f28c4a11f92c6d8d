//! How much a team may hold.

use axum::http::StatusCode;
use luna_worker::catalogue::Usage;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Service;
use crate::problem::{Problem, Result};

/// Seconds after which a team at its limit may look again.
const LATER: u64 = 60;

/// What a team may hold, over all its data sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct Quota {
    /// Files that a team may hold
    #[arg(long = "quota-files", env = "LUNA_QUOTA_FILES", value_name = "NUMBER")]
    #[arg(default_value_t = Quota::default().files)]
    pub files: u64,
    /// Bytes that a team may hold
    #[arg(long = "quota-bytes", env = "LUNA_QUOTA_BYTES", value_name = "BYTES")]
    #[arg(default_value_t = Quota::default().bytes)]
    pub bytes: u64,
    /// Uploads that a team may have open at once
    #[arg(long = "quota-open-uploads", env = "LUNA_QUOTA_OPEN_UPLOADS", value_name = "NUMBER")]
    #[arg(default_value_t = Quota::default().open_uploads)]
    pub open_uploads: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self { files: 1_000_000, bytes: 1 << 40, open_uploads: 20 }
    }
}

impl Quota {
    /// Whether a team that holds this much may announce so many files and bytes more, and open an upload.
    fn check(&self, held: Usage, files: u64, bytes: u64, opens: bool) -> Result<()> {
        if opens && held.open_uploads >= self.open_uploads {
            let detail = format!(
                "{} uploads of the team are open, which is all it may have; complete or delete one.",
                held.open_uploads
            );
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "open-uploads", detail);
            return Err(problem.retry_after(LATER));
        }
        let kinds =
            [("files", held.files, files, self.files), ("bytes", held.bytes, bytes, self.bytes)];
        for (kind, held, more, most) in kinds {
            if more > most.saturating_sub(held) {
                let detail = format!(
                    "The team may hold {most} {kind} and holds {held}; {more} more do not fit. \
                     Delete old data sets, or ask the organisers."
                );
                let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "quota", detail);
                return Err(problem.retry_after(LATER));
            }
        }
        Ok(())
    }
}

impl Service {
    /// What a team holds, and what it may hold where no task says otherwise.
    pub(crate) async fn held(&self, team_id: i64) -> Result<(Usage, Quota)> {
        Ok((self.catalogue.usage(team_id).await?, self.quota))
    }

    /// That a team's quota leaves room.
    pub(super) async fn check_quota(
        &self,
        quota: &Quota,
        team_id: i64,
        sizes: impl ExactSizeIterator<Item = u64>,
        opens: bool,
    ) -> Result<()> {
        let (files, bytes) = (sizes.len() as u64, sizes.fold(0_u64, u64::saturating_add));
        quota.check(self.catalogue.usage(team_id).await?, files, bytes, opens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_exactly_fits_and_no_more() {
        let quota = Quota { files: 10, bytes: 100, open_uploads: 2 };
        let held = Usage { files: 8, bytes: 90, open_uploads: 1 };
        assert!(quota.check(held, 2, 10, true).is_ok());
        assert!(quota.check(held, 3, 0, false).is_err());
        assert!(quota.check(held, 0, 11, false).is_err());
        let full = Usage { open_uploads: 2, ..held };
        assert!(quota.check(full, 1, 1, true).is_err());
        assert!(quota.check(full, 1, 1, false).is_ok());
        let over = Usage { files: 11, ..held };
        assert!(quota.check(over, 1, 1, false).is_err());
        assert!(quota.check(over, 0, 1, false).is_ok());
    }
}
