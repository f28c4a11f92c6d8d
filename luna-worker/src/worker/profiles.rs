//! Validators by profile, built once and kept.

use std::sync::{Arc, Mutex, PoisonError};

use luna_core::{IdentityKey, Profile, Validator};

use super::trouble::Trouble;
use crate::catalogue::Catalogue;

/// Validators that are kept; the longest unused goes.
const KEPT: usize = 4;

/// Validators of the profiles that jobs asked for.
#[derive(Debug)]
pub(super) struct Profiles {
    threads: Option<usize>,
    memory: u64,
    key: IdentityKey,
    kept: Mutex<Vec<(Option<i64>, Arc<Validator>)>>,
}

impl Profiles {
    pub(super) fn new(threads: Option<usize>, memory: u64, key: IdentityKey) -> Self {
        Self { threads, memory, key, kept: Mutex::default() }
    }

    /// The validator for a version of a profile; the profile `default` if there is none.
    pub(super) async fn validator(
        &self,
        catalogue: &Catalogue,
        id: Option<i64>,
    ) -> Result<Arc<Validator>, Trouble> {
        if let Some(validator) = self.known(id) {
            return Ok(validator);
        }
        let profile = match id {
            None => Profile::default(),
            Some(id) => {
                let kept = catalogue.profile(id).await?;
                Profile::parse(&kept.body, &kept.name).map_err(unusable)?
            }
        };
        let mut builder = Validator::builder()
            .profile(profile)
            .memory(self.memory)
            .identity_key(self.key.clone());
        if let Some(threads) = self.threads {
            builder = builder.threads(threads);
        }
        let validator = Arc::new(builder.build().map_err(unusable)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((id, Arc::clone(&validator)));
        if kept.len() > KEPT {
            kept.remove(0);
        }
        Ok(validator)
    }

    fn known(&self, id: Option<i64>) -> Option<Arc<Validator>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(own, _)| *own == id)?;
        let found = kept.remove(at);
        let validator = Arc::clone(&found.1);
        kept.push(found);
        Some(validator)
    }
}

fn unusable(error: impl std::fmt::Display) -> Trouble {
    Trouble::lasting(format!("the organiser's profile cannot be used: {error}"))
}
