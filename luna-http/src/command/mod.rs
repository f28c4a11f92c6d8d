//! The `luna-http` command: settings in, a service or an answer out.

mod config;
mod serve;

use std::io::Write as _;

use anyhow::bail;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use luna_worker::command::healthcheck;

use self::serve::Serve;

/// LUNA's service: teams upload data sets, and read what is wrong with them.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  luna-http serve                        everything in ./luna-data, nothing else to start
  luna admin team create radiant         a team, and then
  luna admin user create ada --team radiant
  luna-http serve --worker external      beside one or more `luna worker`
  luna-http serve --config luna.toml     settings from a file: a flag's name with underscores is its key
  luna-http config                       which settings are in force, and where each comes from"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C
    Serve(Box<Serve>),
    /// Print the settings that `serve` would have, as a TOML file; secrets are masked
    Config(Box<Serve>),
    /// Ask the service on this machine whether it is ready; exit code 0 or 1
    Healthcheck(Healthcheck),
    /// Print the description of the API (OpenAPI 3.1, JSON)
    Openapi,
}

#[derive(Debug, clap::Args)]
struct Healthcheck {
    #[command(flatten)]
    address: serve::Address,
}

/// Does what the command line says.
pub(crate) async fn run() -> anyhow::Result<()> {
    let command = Cli::command();
    let matches = config::parsed(&command)?;
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.command {
        Command::Serve(serve) => serve.run().await,
        Command::Config(_) => print(&settings(&command, &matches)?),
        Command::Healthcheck(Healthcheck { address }) => check(&address),
        Command::Openapi => print(&(luna_http::openapi().to_pretty_json()? + "\n")),
    }
}

fn settings(command: &clap::Command, matches: &ArgMatches) -> anyhow::Result<String> {
    let given = matches.subcommand().map_or(matches, |(_, given)| given);
    config::shown_as_file(command, given)
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(write!(std::io::stdout(), "{text}")?)
}

fn check(address: &serve::Address) -> anyhow::Result<()> {
    match healthcheck::status(address.bind, "/readiness") {
        Ok(200) => Ok(()),
        Ok(503) => bail!("the service at {} cannot reach its database or storage", address.bind),
        Ok(status) => bail!("the service at {} answers with status {status}", address.bind),
        Err(error) => bail!("no service answers at {}: {error}", address.bind),
    }
}
