//! `luna-http serve`: puts the service together.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use luna_http::{Network, Origin, Quota, Service, Settings, setup};
use luna_worker::command::service::{Catalogued, Logs, size, stop_signal};
use luna_worker::worker::{Options, Worker};
use tokio::net::TcpListener;

/// How far threads that examine pictures give way, of 19.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Where the service listens.
#[derive(Debug, clap::Args)]
pub(super) struct Address {
    /// Address and port to listen on; port 0 takes a free one, which the log names
    #[arg(long, env = "LUNA_BIND", value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub(super) bind: SocketAddr,

    /// Settings from a TOML file; flags and the environment win over it
    #[arg(long, env = "LUNA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What a service may be told.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    address: Address,

    /// How clients reach the service; the address unless given
    #[arg(long, env = "LUNA_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,

    /// Who validates
    #[arg(long, env = "LUNA_WORKER", value_enum, default_value = "embedded")]
    worker: Where,

    /// Threads of the embedded worker that examine pictures; one a core unless given
    #[arg(long, env = "LUNA_WORKER_JOBS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    worker_jobs: Option<u16>,

    /// Memory of the embedded worker for files and pictures; else seven tenths of the container's limit, at most 2GiB
    #[arg(long, env = "LUNA_WORKER_MEMORY", value_name = "SIZE", value_parser = size)]
    worker_memory: Option<u64>,

    /// Signs tokens and upload URLs, at least 32 bytes; made once and kept in the data folder unless given
    #[arg(long, env = "LUNA_JWT_SECRET", value_name = "SECRET", hide_env_values = true)]
    jwt_secret: Option<String>,

    /// Identities are hashed under it, 64 hexadecimal digits; made once and kept in the data folder unless given
    #[arg(long, env = "LUNA_IDENTITY_KEY", value_name = "KEY", hide_env_values = true)]
    identity_key: Option<String>,

    /// File with the password of the first user, `admin`; made up and printed once unless given
    #[arg(long, env = "LUNA_ADMIN_PASSWORD_FILE", value_name = "FILE")]
    admin_password_file: Option<PathBuf>,

    /// The bucket's endpoint as clients reach it, where that is another than the service's own
    #[arg(long, env = "LUNA_STORAGE_PUBLIC_URL", value_name = "URL")]
    storage_public_url: Option<String>,

    /// Address and port of /metrics, which is beside everything else unless given
    #[arg(long, env = "LUNA_METRICS_BIND", value_name = "ADDRESS")]
    metrics_bind: Option<SocketAddr>,

    /// Web pages of other origins that may call the API, separated by commas; none unless given
    #[arg(long, env = "LUNA_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    cors_origins: Vec<Origin>,

    /// Addresses of proxies in front, whose X-Forwarded-For is believed, separated by commas; none unless given
    #[arg(long, env = "LUNA_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',')]
    trusted_proxies: Vec<Network>,

    /// Calls of a team in a second, four times as many at once; 0 for no limit. Sent files do not count
    #[arg(long, env = "LUNA_RATE_PER_SECOND", value_name = "CALLS", default_value = "100")]
    rate_per_second: u32,

    /// Seconds without a byte after which whoever sends is refused
    #[arg(long, env = "LUNA_SENDER_TIMEOUT", value_name = "SECONDS", default_value = "30")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3_600))]
    sender_timeout: u64,

    #[command(flatten)]
    quota: Quota,

    #[command(flatten)]
    catalogued: Catalogued,

    #[command(flatten)]
    logs: Logs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Where {
    /// A worker inside this process
    Embedded,
    /// `luna worker` beside it
    External,
}

async fn listen(bind: SocketAddr) -> anyhow::Result<TcpListener> {
    let remedy =
        || format!("cannot listen on {bind}; --bind takes another address, e.g. 127.0.0.1:8001");
    TcpListener::bind(bind).await.with_context(remedy)
}

/// Lets whoever asks the service come before the pictures: the threads that examine them give way.
fn give_way(jobs: Option<u16>) {
    // The worker's threads are rayon's own; 0 is one a core.
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.map_or(0, usize::from))
        .thread_name(|number| format!("examine-{number}"));
    if let Err(error) = threads.start_handler(|_| lower()).build_global() {
        tracing::warn!(%error, "pictures are examined at full priority");
    }
}

/// On Linux a thread has a priority of its own.
#[cfg(target_os = "linux")]
fn lower() {
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(%error, "pictures are examined at full priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower() {}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        // Before anybody learns that it listens: a stop must never find it unprepared.
        let stop = stop_signal()?;
        // Whatever may refuse comes before anything is made, above all the password that is said once.
        let secret =
            setup::secret(self.jwt_secret.clone(), self.address.bind, self.catalogued.data_dir())?;
        let identity_key = self.catalogued.identity_key_of(self.identity_key.as_deref())?;
        self.logs.check()?;
        let listener = listen(self.address.bind).await?;
        let figures = match self.metrics_bind {
            Some(bind) => Some(listen(bind).await?),
            None => None,
        };
        let (catalogue, storage) = self.catalogued.open().await?;
        let objects = setup::objects(&storage, self.storage_public_url.as_deref()).await?;
        if let Some(password) = setup::administrator(&catalogue, self.password()?).await? {
            // A line of its own, before any log line; nobody sees it again.
            writeln!(std::io::stdout(), "admin password: {password}")?;
        }
        self.logs.begin()?;
        luna_http::metrics::begin();
        let address = listener.local_addr()?;
        let url = self.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let worker = match self.worker {
            Where::External => None,
            Where::Embedded => {
                give_way(self.worker_jobs);
                let mut options = Options::new("embedded".to_owned(), identity_key);
                options.memory = self.worker_memory;
                let worker = Worker::new(catalogue.clone(), storage.clone(), options);
                let stop = stop.clone();
                Some(tokio::spawn(async move { worker.run(stop).await }))
            }
        };
        if let Some(figures) = &figures {
            tracing::info!(address = %figures.local_addr()?, "metrics");
        }
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
        let settings = Settings {
            objects,
            secret,
            public_url: url,
            quota: self.quota,
            rate_per_second: self.rate_per_second,
            sender_timeout: Duration::from_secs(self.sender_timeout),
            cors_origins: self.cors_origins,
            trusted_proxies: self.trusted_proxies,
        };
        let service = Service::new(catalogue.clone(), storage, settings);
        luna_http::serve(listener, figures, service, stop.clone().cancelled_owned()).await;
        if let Some(worker) = worker {
            worker.await??;
        }
        catalogue.close().await;
        tracing::info!("stopped");
        Ok(())
    }

    fn password(&self) -> anyhow::Result<Option<String>> {
        let Some(place) = &self.admin_password_file else { return Ok(None) };
        let password = std::fs::read_to_string(place)
            .with_context(|| format!("{}: cannot be read", place.display()))?;
        let password = password.trim_end_matches(['\r', '\n']).to_owned();
        anyhow::ensure!(
            password.len() >= 12,
            "{}: the password of `admin` needs 12 letters at least",
            place.display()
        );
        Ok(Some(password))
    }
}
