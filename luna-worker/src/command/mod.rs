//! The `luna` command: arguments in, results on stdout, messages on stderr, an [`Exit`] out.
//!
//! One file a subcommand. The Python package runs the same function.

#[cfg(feature = "service")]
mod admin;
mod completions;
mod demo;
#[cfg(not(feature = "service"))]
mod elsewhere;
mod exit;
mod explain;
#[cfg(feature = "service")]
pub mod healthcheck;
mod inspect;
mod interrupt;
mod man;
mod options;
mod profile;
mod prose;
#[cfg(feature = "push")]
mod push;
mod reminders;
mod report;
mod reports;
mod rules;
mod schema;
#[cfg(feature = "service")]
pub mod service;
mod stdout;
mod validate;
#[cfg(feature = "service")]
mod worker;

use std::ffi::OsString;
use std::io::Write as _;

use clap::{Parser, Subcommand, ValueEnum};

pub use self::exit::{Exit, Failure};
pub use self::explain::explain;
pub use self::rules::rules;

const EXAMPLES: &str = "\
Examples:
  luna demo                                  make a small broken data set and see it judged
  luna validate scans/                       what is wrong with this folder?
  luna validate scans/ -o report.html        the same, with pictures, for a browser
  luna explain LF004                         what a rule finds, why, and what to do
  luna report report.json --group-by folder  a stored report, shown in another way

Exit codes:
  0  nothing at or above --fail-on           3  the data set could not be read
  1  findings, or the work was cut short     4  a report could not be written
  2  wrong usage or profile                  130  interrupted";

/// Says exactly what is wrong with a set of X-ray images, before anybody trains on it.
#[derive(Debug, Parser)]
#[command(name = "luna", bin_name = "luna", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Use colours: auto (in a terminal, unless NO_COLOR is set), always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        hide_default_value = true
    )]
    color: ColorWhen,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Validate(validate::Arguments),
    Inspect(inspect::Arguments),
    Report(report::Arguments),
    Rules(rules::Arguments),
    Explain(explain::Arguments),
    Profile(profile::Arguments),
    Schema(schema::Arguments),
    Demo(demo::Arguments),
    #[cfg(feature = "push")]
    Push(Box<push::Arguments>),
    #[cfg(feature = "service")]
    Worker(worker::Arguments),
    #[cfg(feature = "service")]
    Admin(admin::Arguments),
    #[cfg(not(feature = "service"))]
    Worker(elsewhere::Arguments),
    #[cfg(not(feature = "service"))]
    Admin(elsewhere::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Runs the command with these arguments; the first is the program's name.
///
/// ```
/// use luna_worker::command::{Exit, run};
/// assert_eq!(run(["luna", "validate", "no/such/folder"]), Exit::SourceUnreadable);
/// ```
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(problem) => {
            // Nothing is left to tell if even this cannot be printed.
            let _ = problem.print();
            return if problem.use_stderr() { Exit::Usage } else { Exit::Clean };
        }
    };
    match cli.color {
        ColorWhen::Auto => anstream::ColorChoice::Auto,
        ColorWhen::Always => anstream::ColorChoice::Always,
        ColorWhen::Never => anstream::ColorChoice::Never,
    }
    .write_global();

    cli.command.run().unwrap_or_else(|failure| {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let _ = writeln!(anstream::stderr(), "{red}error:{red:#} {}", failure.in_full());
        failure.exit()
    })
}

impl Command {
    fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Validate(arguments) => arguments.run(),
            Self::Inspect(arguments) => arguments.run(),
            Self::Report(arguments) => arguments.run(),
            Self::Rules(arguments) => arguments.run(),
            Self::Explain(arguments) => arguments.run(),
            Self::Profile(arguments) => arguments.run(),
            Self::Schema(arguments) => arguments.run(),
            Self::Demo(arguments) => arguments.run(),
            #[cfg(feature = "push")]
            Self::Push(arguments) => arguments.run(),
            #[cfg(feature = "service")]
            Self::Worker(arguments) => arguments.run(),
            #[cfg(feature = "service")]
            Self::Admin(arguments) => arguments.run(),
            #[cfg(not(feature = "service"))]
            Self::Worker(arguments) => arguments.run("worker"),
            #[cfg(not(feature = "service"))]
            Self::Admin(arguments) => arguments.run("admin"),
            Self::Completions(arguments) => arguments.run(),
            Self::Man(arguments) => arguments.run(),
        }
    }
}

/// The shape of a result that is a text for people or a document for machines.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum TextOrJson {
    Text,
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn arguments_are_declared_without_contradiction() {
        super::Cli::command().debug_assert();
    }
}
