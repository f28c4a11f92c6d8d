//! What a data set's verdict would be, without a job and without a trace.

use std::sync::Arc;

use luna_core::IdentityKey;
use luna_core::report::Verdict;

use super::dataset::Dataset;
use super::trouble::Trouble;
use super::{Options, Shared, Worker};
use crate::catalogue::Catalogue;
use crate::storage::Storage;

/// Validates data sets here and now, and keeps nothing.
#[derive(Debug)]
pub struct Preview {
    shared: Arc<Shared>,
}

impl Preview {
    /// Over the data sets of this catalogue.
    pub fn new(catalogue: Catalogue, storage: Storage, identity_key: IdentityKey) -> Self {
        let options = Options::new("preview".to_owned(), identity_key);
        Self { shared: Worker::new(catalogue, storage, options).shared }
    }

    /// The verdict by a version of a profile; by the profile `default` for none.
    ///
    /// # Errors
    /// Why it could not be validated, in words for the team.
    pub async fn verdict(
        &self,
        dataset_id: i64,
        profile_id: Option<i64>,
    ) -> Result<Verdict, String> {
        self.judge(dataset_id, profile_id).await.map_err(|trouble| match trouble {
            Trouble::Passing(reason) | Trouble::Lasting(reason) => reason,
            Trouble::Lost | Trouble::Stopped => "it was stopped".to_owned(),
        })
    }

    async fn judge(&self, dataset_id: i64, profile_id: Option<i64>) -> Result<Verdict, Trouble> {
        let shared = &self.shared;
        let validator = shared.profiles.validator(&shared.catalogue, profile_id).await?;
        let dataset = Dataset::open(shared, dataset_id, &validator).await?;
        super::blocking(move || {
            let report = validator.validate(dataset.source());
            dataset.is_sound()?;
            report.map(|report| report.verdict).map_err(|error| Trouble::lasting(error.to_string()))
        })
        .await
    }
}
