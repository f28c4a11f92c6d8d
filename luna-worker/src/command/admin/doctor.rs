//! `luna admin doctor`: tries everything for real, and says what to do.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::catalogue::{Catalogue, Moment};
use crate::command::exit::{Exit, Failure};
use crate::command::service::Catalogued;
use crate::command::stdout;
use crate::storage::{Storage, origin};

/// Clocks further apart than this make signatures and leases hard to trust.
const APART: Duration = Duration::from_secs(5);

/// What came of trying something.
struct Tried {
    what: &'static str,
    /// How it went, or what failed and what to do.
    outcome: Result<String, (String, &'static str)>,
}

/// How browsers reach things.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// How clients reach the service; a bucket must let its pages send files
    #[arg(
        long,
        env = "LUNA_PUBLIC_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8000"
    )]
    public_url: String,

    /// The bucket's endpoint as clients reach it, where that is another than the service's own
    #[arg(long, env = "LUNA_STORAGE_PUBLIC_URL", value_name = "URL")]
    storage_public_url: Option<String>,
}

impl Doctor {
    pub(super) async fn run(&self, catalogued: &Catalogued) -> Result<Exit, Failure> {
        let mut tried = Vec::new();
        let catalogue = database(catalogued, &mut tried).await;
        if let Some(catalogue) = &catalogue {
            tried.push(clock(catalogue).await);
            tried.push(workers(catalogue).await);
        }
        if let Some(storage) = storage(catalogued, &mut tried).await {
            tried.extend(self.browsers(&storage).await);
        }
        tried.push(key(catalogued));
        said(tried)
    }

    /// Whether browsers can send to a bucket; a folder is behind the service itself.
    async fn browsers(&self, storage: &Storage) -> Option<Tried> {
        if storage.folder().is_some() {
            return None;
        }
        let remedy = "Let the bucket's CORS rules allow PUT with any header from LUNA_PUBLIC_URL's origin and \
                      expose ETag; LUNA_STORAGE_PUBLIC_URL says where browsers reach it.";
        let outcome = match storage.signer(self.storage_public_url.as_deref()).await {
            Err(error) => Err((error.to_string(), remedy)),
            Ok(signer) => {
                let key = format!("doctor/browser-{}", std::process::id());
                let sent = match origin(&self.public_url) {
                    Some(origin) => signer.send_as_browser(&key, &origin).await,
                    None => Err("LUNA_PUBLIC_URL is no URL".to_owned()),
                };
                // It may have arrived although the answer was no use; what is not there need not go.
                let removed = storage.delete(&key).await.map_err(|error| error.to_string());
                match sent.and(removed) {
                    Ok(()) => Ok(format!("can send to {}", signer.public_origin())),
                    Err(why) => Err((why, remedy)),
                }
            }
        };
        Some(Tried { what: "browsers", outcome })
    }
}

fn said(tried: Vec<Tried>) -> Result<Exit, Failure> {
    let mut is_well = true;
    for Tried { what, outcome } in tried {
        match outcome {
            Ok(how) => stdout::line(&format!("ok    {what}: {how}"))?,
            Err((why, remedy)) => {
                is_well = false;
                stdout::line(&format!("FAIL  {what}: {why}"))?;
                stdout::line(&format!("      {remedy}"))?;
            }
        }
    }
    Ok(if is_well { Exit::Clean } else { Exit::Findings })
}

async fn database(catalogued: &Catalogued, tried: &mut Vec<Tried>) -> Option<Catalogue> {
    let started = Instant::now();
    let opened = catalogued.catalogue().await;
    let (catalogue, outcome) = match opened {
        Ok(catalogue) => {
            let millis = started.elapsed().as_millis();
            (Some(catalogue), Ok(format!("answers, schema up to date ({millis} ms)")))
        }
        Err(failure) => {
            let remedy =
                "Check LUNA_DATABASE_URL, that the server runs, and that its user may make tables.";
            (None, Err((failure.in_full(), remedy)))
        }
    };
    tried.push(Tried { what: "database", outcome });
    catalogue
}

async fn clock(catalogue: &Catalogue) -> Tried {
    let outcome = match catalogue.now().await {
        Err(error) => Err((error.to_string(), "Check that the database stays up.")),
        Ok(theirs) => {
            let ours = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let ours = Moment(i64::try_from(ours.as_micros()).unwrap_or(i64::MAX));
            let apart = ours.since(theirs).max(theirs.since(ours));
            if apart > APART {
                let why = format!("{} s apart from the database's", apart.as_secs());
                Err((why, "Let both machines follow a time server (NTP)."))
            } else {
                Ok(format!("{} ms apart from the database's", apart.as_millis()))
            }
        }
    };
    Tried { what: "clock", outcome }
}

async fn workers(catalogue: &Catalogue) -> Tried {
    let outcome = match catalogue.queue_stats().await {
        Err(error) => Err((error.to_string(), "Check that the database stays up.")),
        Ok(stats) if stats.dead > 0 => {
            let why = format!("{} items were given up", stats.dead);
            Err((why, "`luna admin queue` says why; `luna admin retry` gives them another chance."))
        }
        Ok(stats) if stats.queued > 0 && stats.workers_alive == 0 => {
            let why = format!("{} items wait and no worker is alive", stats.queued);
            Err((why, "Start a worker: `luna worker`."))
        }
        Ok(stats) => Ok(format!("{} items wait, {} workers", stats.queued, stats.workers_alive)),
    };
    Tried { what: "queue", outcome }
}

async fn storage(catalogued: &Catalogued, tried: &mut Vec<Tried>) -> Option<Storage> {
    let remedy = "Check LUNA_STORAGE_URL, that the bucket exists, and that the credentials may read, \
                  write, list and delete in it.";
    let (storage, outcome) = match catalogued.storage() {
        Err(failure) => (None, Err((failure.in_full(), remedy))),
        Ok(storage) => match round(&storage).await {
            Ok(millis) => {
                let how = format!("written, read, listed and deleted an object ({millis} ms)");
                (Some(storage), Ok(how))
            }
            Err(why) => (None, Err((why, remedy))),
        },
    };
    tried.push(Tried { what: "storage", outcome });
    storage
}

/// Writes an object, reads it, finds it in the list, deletes it.
async fn round(storage: &Storage) -> Result<u128, String> {
    let started = Instant::now();
    let words = |error: crate::storage::Error| error.to_string();
    let key = format!("doctor/{}-{}", std::process::id(), started.elapsed().as_nanos());
    let bytes = b"luna admin doctor".to_vec();
    storage.write(&key, bytes.clone()).await.map_err(words)?;
    let read = storage.read(&key, 1 << 10).await;
    let mut listing = storage.list().await.map_err(words)?;
    let mut is_listed = false;
    while let Some(stored) = listing.next().await.map_err(words)? {
        is_listed |= stored.key == key;
        if is_listed {
            break;
        }
    }
    storage.delete(&key).await.map_err(words)?;
    if read.map_err(words)? != bytes {
        return Err("what was read is not what was written".to_owned());
    }
    if !is_listed {
        return Err("what was written is not listed".to_owned());
    }
    Ok(started.elapsed().as_millis())
}

fn key(catalogued: &Catalogued) -> Tried {
    let outcome = match catalogued.identity_key() {
        Ok(_) => Ok("there".to_owned()),
        Err(failure) => {
            Err((failure.in_full(), "Set it to the same value for every worker and the service."))
        }
    };
    Tried { what: "identity key", outcome }
}
