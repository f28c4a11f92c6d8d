//! Arguments that the commands around the service share: where its catalogue and its objects are.

use std::path::{Path, PathBuf};

use luna_core::{IdentityKey, text};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::exit::Failure;
pub use super::options::size;
use crate::catalogue::Catalogue;
use crate::storage::Storage;
use crate::{logs, secrets};

/// Connections to the database of one process.
const CONNECTIONS: u32 = 8;

/// Where a service keeps what it knows.
#[derive(Debug, clap::Args)]
pub struct Catalogued {
    /// Folder of a service that keeps its own database and objects
    #[arg(long, env = "LUNA_DATA_DIR", value_name = "FOLDER", default_value = "luna-data")]
    data_dir: PathBuf,

    /// The database: postgres://… or sqlite://…; else luna.db in the data folder
    #[arg(long, env = "LUNA_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,

    /// Where uploads and reports lie: a folder or a URI such as s3://bucket; else objects in the data folder
    #[arg(long, env = "LUNA_STORAGE_URL", value_name = "URI", hide_env_values = true)]
    storage_url: Option<String>,
}

impl Catalogued {
    /// Opens both; the schema is brought up to date.
    ///
    /// # Errors
    /// If either cannot be used.
    pub async fn open(&self) -> Result<(Catalogue, Storage), Failure> {
        let storage = self.storage()?;
        Ok((self.catalogue().await?, storage))
    }

    /// Opens the storage alone.
    pub(super) fn storage(&self) -> Result<Storage, Failure> {
        Ok(Storage::open(&self.storage_url())?)
    }

    /// Opens the database alone.
    pub(super) async fn catalogue(&self) -> Result<Catalogue, Failure> {
        let url = self.database_url.clone().map_or_else(|| self.own_database(), Ok)?;
        Ok(Catalogue::open(&url, CONNECTIONS).await?)
    }

    /// The folder of a service that keeps its own things.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    fn own_database(&self) -> Result<String, Failure> {
        secrets::private_folder(&self.data_dir)
            .map_err(|error| Failure::unopened(&self.data_dir, error))?;
        Ok(format!("sqlite://{}", self.data_dir.join("luna.db").display()))
    }

    fn storage_url(&self) -> String {
        let own = || self.data_dir.join("objects").to_string_lossy().into_owned();
        self.storage_url.clone().unwrap_or_else(own)
    }

    /// The key under which identities are hashed: `LUNA_IDENTITY_KEY`, else one that is made once and kept
    /// in the data folder. Workers on several machines must be given the same one.
    ///
    /// # Errors
    /// If there is none where there must be one, or it is none.
    pub fn identity_key(&self) -> Result<IdentityKey, Failure> {
        self.identity_key_of(std::env::var("LUNA_IDENTITY_KEY").ok().as_deref())
    }

    /// The same, where a host has read `LUNA_IDENTITY_KEY` by itself.
    ///
    /// # Errors
    /// If there is none where there must be one, or it is none.
    pub fn identity_key_of(&self, given: Option<&str>) -> Result<IdentityKey, Failure> {
        if let Some(digits) = given.filter(|it| !it.is_empty()) {
            return parse("LUNA_IDENTITY_KEY", digits);
        }
        if self.database_url.as_ref().is_some_and(|url| !url.starts_with("sqlite:")) {
            return Err(Failure::Usage(
                "LUNA_IDENTITY_KEY: workers that share a database need the same key: set it to 64 \
                 hexadecimal digits, for instance those of `openssl rand -hex 32`"
                    .to_owned(),
            ));
        }
        let place = self.data_dir.join("identity.key");
        let digits = secrets::kept_key(&place).map_err(|error| Failure::unopened(&place, error))?;
        parse(&text::escaped(&place.to_string_lossy()), &digits)
    }
}

/// The message must not repeat what it read: it may be almost a key.
fn parse(origin: &str, digits: &str) -> Result<IdentityKey, Failure> {
    IdentityKey::from_hex(digits.trim()).ok_or_else(|| {
        Failure::Usage(format!("{origin}: an identity key is 64 hexadecimal digits"))
    })
}

/// What is logged.
#[derive(Debug, clap::Args)]
pub struct Logs {
    /// What is logged, as JSON lines on stderr: a level or tracing directives
    #[arg(long, env = "LUNA_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

impl Logs {
    /// Whether the filter is one.
    ///
    /// # Errors
    /// If it is none.
    pub fn check(&self) -> Result<(), Failure> {
        self.filter().map(|_| ())
    }

    fn filter(&self) -> Result<EnvFilter, Failure> {
        logs::filter(&self.log)
            .map_err(|error| Failure::Usage(format!("--log {}: {error}", text::shown(&self.log))))
    }

    /// Logs from now on.
    ///
    /// # Errors
    /// If the filter is none.
    pub fn begin(&self) -> Result<(), Failure> {
        let filter = self.filter()?;
        let lines = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter);
        // Whoever embeds the command may have begun already.
        let _ = lines.with_writer(std::io::stderr).try_init();
        Ok(())
    }
}

/// Where the service's own work runs.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| Failure::service("threads", source))
}

/// Set at Ctrl-C or SIGTERM. Both are caught from this call on.
///
/// # Errors
/// If they cannot be caught.
#[cfg(unix)]
pub fn stop_signal() -> std::io::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        tracing::info!("told to stop");
        told.cancel();
    });
    Ok(stop)
}

/// Set at Ctrl-C.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn stop_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        told.cancel();
    });
    Ok(stop)
}
