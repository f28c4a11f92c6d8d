//! The `luna-http` command.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// LUNA's service.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C
    Serve {
        /// Address and port to listen on; port 0 takes a free one, which the log names
        #[arg(long, env = "LUNA_BIND", value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
        bind: SocketAddr,

        /// What is logged: a level or tracing directives
        #[arg(long, env = "LUNA_LOG", value_name = "FILTER", default_value = "info")]
        log: String,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Command::Serve { bind, log } = Cli::parse().command;
    let filter = EnvFilter::try_new(&log).with_context(|| format!("--log {log}"))?;
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();

    // Before anybody learns that it listens: a stop must never find it unprepared.
    let shutdown = shutdown()?;
    let listener =
        TcpListener::bind(bind).await.with_context(|| format!("cannot listen on {bind}"))?;
    let address = listener.local_addr()?;
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
    luna_http::serve(listener, shutdown).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Resolves at Ctrl-C or SIGTERM. Both are caught from this call on, not only once it is polled.
#[cfg(unix)]
fn shutdown() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    })
}

/// Resolves at Ctrl-C.
#[cfg(not(unix))]
fn shutdown() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
