//! `luna profile …`: an organiser's rules, before they judge anybody.

use clap::Subcommand;
use luna_core::{Profile, Validator};

use super::exit::{Exit, Failure};
use super::{reminders, stdout};

/// Look at profiles: the rules, thresholds and limits that a data set is judged by.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna profile list                          the built-in ones
  luna profile show chest-xray > ours.toml   a full one to begin with
  luna profile check ours.toml               is it usable? names line, key and the nearest known key
  luna profile schema > profile.schema.json  for an editor")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the built-in profiles
    List,
    /// Print a profile in full: every key with the value in force
    Show {
        /// A built-in profile or a TOML file
        #[arg(value_name = "NAME|FILE", default_value = "default")]
        profile: String,
    },
    /// Check that a profile can be used
    Check {
        /// A built-in profile or a TOML file
        #[arg(value_name = "NAME|FILE")]
        profile: String,
    },
    /// Print the JSON Schema of profiles
    Schema,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        match self.action {
            Action::List => stdout::write(|out| {
                Profile::BUILTIN.iter().try_for_each(|name| writeln!(out, "{name}"))
            })?,
            Action::Show { profile } => {
                let text = load(&profile)?.to_toml();
                stdout::write(|out| out.write_all(text.as_bytes()))?;
            }
            Action::Check { profile } => {
                let profile = load(&profile)?;
                reminders::print(&profile);
                let hash = profile.hash();
                stdout::write(|out| writeln!(out, "{}: usable (hash {hash})", profile.name))?;
            }
            Action::Schema => stdout::print_json(&Profile::schema())?,
        }
        Ok(Exit::Clean)
    }
}

/// Loads a profile and checks it against the rules of this engine.
fn load(name_or_file: &str) -> Result<Profile, Failure> {
    let profile = Profile::load(name_or_file)?;
    Validator::builder().profile(profile.clone()).build()?;
    Ok(profile)
}
