//! What the service does by itself, hour by hour: uploads that were given up go, and what nobody reads any more.
//! Several services on one catalogue may do so at once.

use std::sync::Arc;
use std::time::Duration;

use luna_worker::catalogue::{self, ABANDONED};

use crate::Service;
use crate::problem::Result;

/// From the end of one round to the next.
const EVERY: Duration = Duration::from_hours(1);
/// Uploads that are removed at once.
const BATCH: u32 = 100;
/// As whom it is noted.
const ACTOR: &str = "luna-http";

/// Rounds after which what teams hold is counted anew: a day. It takes a second for a quarter of a million files, and
/// is for what an older version did meanwhile.
const RECOUNT: u32 = 24;

/// Keeps house until the service stops.
pub(crate) async fn keep(service: Arc<Service>) {
    for round in 0_u32.. {
        if let Err(problem) = service.tidy(ABANDONED, round.is_multiple_of(RECOUNT)).await {
            // What was behind it is in the log already.
            tracing::warn!(
                ?problem,
                "old uploads and records were not all removed; once more in an hour"
            );
        }
        tokio::select! {
            () = service.closing.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

impl Service {
    /// Removes what is to go: uploads for which nothing came for so long among it.
    async fn tidy(&self, given_up: Duration, recounts: bool) -> Result<()> {
        self.remove_abandoned(given_up).await?;
        let spent = self.catalogue.remove_spent().await?;
        let mended = if recounts { self.catalogue.recount_usage().await? } else { 0 };
        tracing::debug!(spent.records, spent.findings, mended, "kept house");
        Ok(())
    }

    async fn remove_abandoned(&self, given_up: Duration) -> Result<()> {
        let since = self.catalogue.now().await?.before(given_up);
        loop {
            let found = self.catalogue.abandoned_uploads(since, BATCH).await?;
            for id in &found {
                match self.catalogue.dataset(*id, None).await {
                    // What went past us to a bucket has come all the same.
                    Ok(dataset) => self.look_for_missing(&dataset).await?,
                    Err(catalogue::Error::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            let gone = self.catalogue.remove_if_untouched(&found, since).await?;
            if gone.datasets.is_empty() {
                return Ok(());
            }
            for key in &gone.object_keys {
                self.storage.delete(key).await?;
            }
            for id in &gone.datasets {
                let object = format!("dataset {id}");
                self.catalogue.audit(ACTOR, None, "dataset.abandoned", &object, "{}").await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use luna_worker::catalogue::{Catalogue, NewDataset, NewFile};
    use luna_worker::storage::Storage;

    use super::*;
    use crate::{Quota, Settings, setup};

    async fn service(folder: &std::path::Path) -> Service {
        let url = format!("sqlite://{}", folder.join("luna.db").display());
        let catalogue = Catalogue::open(&url, 2).await.unwrap();
        let storage = Storage::open(folder.join("objects").to_str().unwrap()).unwrap();
        let settings = Settings {
            objects: setup::objects(&storage, None).await.unwrap(),
            secret: "0123456789abcdef0123456789abcdef".to_owned(),
            public_url: "http://127.0.0.1:8000".to_owned(),
            quota: Quota::default(),
            rate_per_second: 0,
            sender_timeout: Duration::from_secs(1),
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
        };
        Service::new(catalogue, storage, settings)
    }

    #[tokio::test]
    async fn an_upload_that_was_given_up_goes_with_its_objects_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let service = service(folder.path()).await;
        let catalogue = &service.catalogue;
        let team_id = catalogue.create_team("radiant").await.unwrap().id;
        let new = NewDataset { team_id, ..NewDataset::default() };
        let open = catalogue.start_dataset(&new).await.unwrap().id;
        let whole = catalogue.start_dataset(&new).await.unwrap().id;
        for (set, key) in [(open, "uploads/open"), (whole, "uploads/whole")] {
            let file = NewFile {
                path: "scan.png".to_owned(),
                object_key: key.to_owned(),
                content_type: "image/png".to_owned(),
                size_bytes: 3,
                sha256: None,
            };
            catalogue.add_files(set, &[file]).await.unwrap();
            service.storage.write(key, vec![1, 2, 3]).await.unwrap();
        }
        catalogue.complete(whole).await.unwrap();

        service.tidy(ABANDONED, true).await.unwrap();
        assert!(catalogue.dataset(open, None).await.is_ok(), "it was begun just now");
        service.tidy(Duration::ZERO, false).await.unwrap();
        let gone = catalogue.dataset(open, None).await;
        assert!(matches!(gone, Err(luna_worker::catalogue::Error::NotFound { .. })), "{gone:?}");
        assert!(service.storage.stat("uploads/open").await.is_err());
        assert!(service.storage.stat("uploads/whole").await.is_ok());
        assert_eq!(catalogue.usage(team_id).await.unwrap().files, 1);
        let noted = &catalogue.audit_log(None, None, 9).await.unwrap()[0];
        assert_eq!(noted.action, "dataset.abandoned");
        assert_eq!(noted.object, format!("dataset {open}"));
    }
}
