//! `luna admin`: what the people who run a service do by hand.

mod doctor;
mod people;
mod queue;
mod rerun;
mod upkeep;

use clap::Subcommand;

use super::exit::{Exit, Failure};
use super::service::{Catalogued, runtime};
use super::stdout;

/// Who is named in the audit log.
const ACTOR: &str = "luna admin";

/// Run a service: teams, users, keys, the queue, clean-up, and what is wrong with it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna admin doctor                          does everything that the service needs work?
  luna admin team create radiant             a team, and then
  luna admin user create ada --team radiant  a user of it; the password is printed once
  luna admin queue                           what waits, what runs, what was given up
  luna admin cleanup --older-than 30d --dry-run

All of them find the service as `luna worker` does: LUNA_DATABASE_URL and LUNA_STORAGE_URL, or the data
folder of a service on this machine.")]
pub(super) struct Arguments {
    #[command(flatten)]
    catalogued: Catalogued,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Teams: create, list, delete
    #[command(subcommand)]
    Team(people::Team),
    /// Users: create, list, give a new password, sign out, delete
    #[command(subcommand)]
    User(people::User),
    /// Keys for scripts: create, list, revoke
    #[command(subcommand)]
    Key(people::Key),
    /// Show the queue: what waits, what runs, what was given up and why
    Queue(queue::Show),
    /// Give items that were given up another chance
    Retry(queue::Retry),
    /// Validate data sets again, behind everything else; --dry-run says which verdicts would change
    Rerun(rerun::Rerun),
    /// Remove old data sets with their objects, and uploads that nobody finished
    Cleanup(upkeep::Cleanup),
    /// Compare stored objects with what was received, and find objects that nothing needs
    Scrub(upkeep::Scrub),
    /// Bring the database's schema up to date
    Migrate,
    /// Try everything for real, and say what to do about what fails
    Doctor(doctor::Doctor),
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let Self { catalogued, action } = self;
        runtime()?.block_on(async {
            if let Action::Doctor(doctor) = action {
                return doctor.run(&catalogued).await;
            }
            let catalogue = catalogued.catalogue().await?;
            let done = match action {
                Action::Team(action) => action.run(&catalogue, &catalogued).await,
                Action::User(action) => action.run(&catalogue).await,
                Action::Key(action) => action.run(&catalogue).await,
                Action::Queue(action) => action.run(&catalogue).await,
                Action::Retry(action) => action.run(&catalogue).await,
                Action::Rerun(action) => action.run(&catalogue, &catalogued).await,
                Action::Cleanup(action) => action.run(&catalogue, &catalogued).await,
                Action::Scrub(action) => action.run(&catalogue, &catalogued).await,
                // Opening it was the migration.
                Action::Migrate | Action::Doctor(_) => {
                    stdout::line("The schema is up to date.").map(|()| Exit::Clean)
                }
            };
            catalogue.close().await;
            done
        })
    }
}

/// Rows as columns that line up; the last one is left as it is.
fn table(head: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths) {
            let gap = width.saturating_sub(cell.chars().count()) + 2;
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', gap));
        }
        line.trim_end().to_owned()
    };
    stdout::line(&line(&mut head.iter().copied()))?;
    for row in rows {
        stdout::line(&line(&mut row.iter().map(String::as_str)))?;
    }
    Ok(())
}
