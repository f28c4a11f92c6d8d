//! `luna worker`: takes validation jobs until it is told to stop.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Subcommand;

use super::exit::{Exit, Failure};
use super::healthcheck::status;
use super::options::size;
use super::service::{Catalogued, Logs, runtime, stop_signal};
use super::stdout;
use crate::metrics;
use crate::worker::{Options, Worker, health};

/// Work validation jobs until told to stop (SIGTERM or Ctrl-C)
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  luna worker                                jobs of the service in ./luna-data
  LUNA_DATABASE_URL=postgres://luna@db/luna LUNA_STORAGE_URL=s3://xrays luna worker
  luna worker healthcheck                    0 if the worker on this machine does its work

Told to stop, it takes nothing new, finishes or hands back what it has within --grace, and ends with 0.
Killed, it loses nothing: another worker goes on from the records that are stored."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,

    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Ask the worker on this machine whether it does its work; exit code 0 or 1
    Healthcheck {
        /// Address and port of its health endpoints
        #[arg(long, env = "LUNA_METRICS_BIND", value_name = "ADDRESS", default_value = BIND)]
        bind: SocketAddr,
    },
}

const BIND: &str = "127.0.0.1:8001";

#[derive(Debug, clap::Args)]
struct Run {
    #[command(flatten)]
    catalogued: Catalogued,

    /// Identities are hashed under it, 64 hexadecimal digits; made once and kept in the data folder unless given
    #[arg(long, env = "LUNA_IDENTITY_KEY", value_name = "KEY", hide_env_values = true)]
    identity_key: Option<String>,

    /// Threads that examine pictures; one a core unless given
    #[arg(long, short, env = "LUNA_WORKER_JOBS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Parts of data sets that are worked side by side
    #[arg(long, env = "LUNA_WORKER_ITEMS", value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..))]
    items: u16,

    /// Memory for files and pictures; else seven tenths of the container's limit, at most 2GiB
    #[arg(long, env = "LUNA_WORKER_MEMORY", value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,

    /// How long it may finish what it has in hand once it is told to stop, in seconds
    #[arg(long, env = "LUNA_WORKER_GRACE", value_name = "SECONDS", default_value = "25")]
    grace: u64,

    /// Name in lists and logs; the machine's unless given
    #[arg(long, env = "LUNA_WORKER_NAME", value_name = "NAME")]
    name: Option<String>,

    /// Address and port of /health, /liveness, /readiness and /metrics; port 0 takes a free one
    #[arg(long, env = "LUNA_METRICS_BIND", value_name = "ADDRESS", default_value = BIND)]
    bind: SocketAddr,

    #[command(flatten)]
    logs: Logs,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        match self.action {
            Some(Action::Healthcheck { bind }) => Ok(healthcheck(bind)),
            None => self.run.run(),
        }
    }
}

impl Run {
    fn run(self) -> Result<Exit, Failure> {
        self.logs.begin()?;
        metrics::begin(&[]);
        runtime()?.block_on(async {
            // Before anybody learns that it works: a stop must never find it unprepared.
            let stop = stop_signal().map_err(|source| Failure::service("signals", source))?;
            let (catalogue, storage) = self.catalogued.open().await?;
            let options = Options {
                name: self.name.unwrap_or_else(machine),
                items: self.items.into(),
                threads: self.jobs.map(usize::from),
                memory: self.memory,
                identity_key: self.catalogued.identity_key_of(self.identity_key.as_deref())?,
                grace: Duration::from_secs(self.grace),
            };
            let port = health::listen(self.bind, catalogue.clone(), stop.clone())
                .await
                .map_err(|source| Failure::service(&self.bind.to_string(), source))?;
            let worked = Worker::new(catalogue.clone(), storage, options).run(stop).await;
            port.await;
            catalogue.close().await;
            worked?;
            Ok(Exit::Clean)
        })
    }
}

/// The name of this machine, or the number of the process.
fn machine() -> String {
    let name = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
    let name = name.or_else(|| Some(std::fs::read_to_string("/etc/hostname").ok()?.trim().into()));
    name.unwrap_or_else(|| format!("process {}", std::process::id()))
}

fn healthcheck(bind: SocketAddr) -> Exit {
    match status(bind, "/health") {
        Ok(200) => Exit::Clean,
        Ok(status) => {
            stdout::complain(&format!("the worker at {bind} answers with status {status}"));
            Exit::Findings
        }
        Err(error) => {
            stdout::complain(&format!("no worker answers at {bind}: {error}"));
            Exit::Findings
        }
    }
}
