//! The `luna-http` command.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use luna_http::{Quota, Service, Settings, setup};
use luna_worker::command::service::{Catalogued, Logs, stop_signal};
use luna_worker::worker::{Options, Worker};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// As in `luna`: the system's allocator gives the pages of every picture back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// LUNA's service: teams upload data sets, and read what is wrong with them.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  luna-http serve                        everything in ./luna-data, nothing else to start
  luna admin team create radiant         a team, and then
  luna admin user create ada --team radiant
  luna-http serve --worker external      beside one or more `luna worker`"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C
    Serve(Box<Serve>),
    /// Print the description of the API (OpenAPI 3.1, JSON)
    Openapi,
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Address and port to listen on; port 0 takes a free one, which the log names
    #[arg(long, env = "LUNA_BIND", value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    bind: SocketAddr,

    /// How clients reach the service; the address unless given
    #[arg(long, env = "LUNA_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,

    /// Who validates
    #[arg(long, env = "LUNA_WORKER", value_enum, default_value = "embedded")]
    worker: Where,

    /// Signs tokens and upload URLs, at least 32 bytes; made once and kept in the data folder unless given
    #[arg(long, env = "LUNA_JWT_SECRET", value_name = "SECRET", hide_env_values = true)]
    jwt_secret: Option<String>,

    /// File with the password of the first user, `admin`; made up and printed once unless given
    #[arg(long, env = "LUNA_ADMIN_PASSWORD_FILE", value_name = "FILE")]
    admin_password_file: Option<PathBuf>,

    /// The bucket's endpoint as clients reach it, where that is another than the service's own
    #[arg(long, env = "LUNA_STORAGE_PUBLIC_URL", value_name = "URL")]
    storage_public_url: Option<String>,

    /// Address and port of /metrics, which is beside everything else unless given
    #[arg(long, env = "LUNA_METRICS_BIND", value_name = "ADDRESS")]
    metrics_bind: Option<SocketAddr>,

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

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(serve) => serve.run().await,
        Command::Openapi => openapi(),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    // With its causes on one line, and never a backtrace: it is for operators.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}

fn openapi() -> anyhow::Result<()> {
    let document = luna_http::openapi().to_pretty_json()?;
    Ok(writeln!(std::io::stdout(), "{document}")?)
}

async fn listen(bind: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(bind).await.with_context(|| format!("cannot listen on {bind}"))
}

impl Serve {
    async fn run(self) -> anyhow::Result<()> {
        // Before anybody learns that it listens: a stop must never find it unprepared.
        let stop = stop_signal()?;
        // Whatever may refuse comes before anything is made, above all the password that is said once.
        let secret = setup::secret(self.jwt_secret.clone(), self.bind, self.catalogued.data_dir())?;
        let identity_key = self.catalogued.identity_key()?;
        self.logs.check()?;
        let listener = listen(self.bind).await?;
        let figures = match self.metrics_bind {
            Some(bind) => Some(listen(bind).await?),
            None => None,
        };
        let (catalogue, storage) = self.catalogued.open().await?;
        let objects = setup::objects(&storage, self.storage_public_url.as_deref())?;
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
                let options = Options::new("embedded".to_owned(), identity_key);
                let worker = Worker::new(catalogue.clone(), storage.clone(), options);
                let stop = stop.clone();
                Some(tokio::spawn(async move { worker.run(stop).await }))
            }
        };
        if let Some(figures) = &figures {
            tracing::info!(address = %figures.local_addr()?, "metrics");
        }
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
        let settings = Settings { objects, secret, public_url: url, quota: self.quota };
        let service = Service::new(catalogue.clone(), storage, settings);
        let served =
            luna_http::serve(listener, figures, service, stop.clone().cancelled_owned()).await;
        // If the listener failed, the worker is not told by anybody else.
        CancellationToken::cancel(&stop);
        if let Some(worker) = worker {
            worker.await??;
        }
        catalogue.close().await;
        served?;
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
