//! Arguments that several subcommands share.

use std::path::PathBuf;

use luna_core::rules::Registry;
use luna_core::{IdentityKey, Profile, Validator, ValidatorBuilder, limits, text};

use super::exit::Failure;
use super::reminders;

/// Which rules run, and how.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Judgement {
    /// The profile: a built-in one (luna profile list) or a TOML file
    #[arg(long, short, value_name = "NAME|FILE", default_value = "default")]
    pub(super) profile: String,

    /// Run only these rules, whatever the profile selects and ignores: codes or their beginnings
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    select: Vec<String>,

    /// Leave these rules out, also of what --select or the profile selects
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    ignore: Vec<String>,

    /// Let findings repeat values that may name a person; they are masked otherwise
    #[arg(long)]
    show_values: bool,
}

impl Judgement {
    /// A validator in the making, under the profile as these arguments change it.
    pub(super) fn builder(&self) -> Result<ValidatorBuilder, Failure> {
        let mut profile = Profile::load(&self.profile)?;
        reminders::print(&profile);
        let registry = Registry::default();
        for (option, codes) in [("--select", &self.select), ("--ignore", &self.ignore)] {
            check_codes(option, codes, &registry)?;
        }
        if !self.select.is_empty() {
            profile.rules.select = upper(&self.select);
            profile.rules.ignore.clear();
        }
        profile.rules.ignore.extend(upper(&self.ignore));
        Ok(Validator::builder().profile(profile).show_values(self.show_values))
    }
}

fn upper(codes: &[String]) -> Vec<String> {
    codes.iter().map(|code| code.trim().to_ascii_uppercase()).collect()
}

fn check_codes(option: &str, codes: &[String], registry: &Registry) -> Result<(), Failure> {
    let Some(unknown) = upper(codes).into_iter().find(|code| !registry.knows(code)) else {
        return Ok(());
    };
    let hint = match registry.nearest(&unknown) {
        Some(near) => format!("did you mean {near}?"),
        None => "`luna rules` lists them all".to_owned(),
    };
    let unknown = text::shown(&unknown);
    Err(Failure::Usage(format!("{option} {unknown}: no rule's code begins so; {hint}")))
}

/// What a run may use of the machine, and the key under which it hashes identities.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Resources {
    /// File with the key (64 hexadecimal digits) under which patients' identities are hashed, where
    /// sets are compared with each other; else LUNA_IDENTITY_KEY, else a new random one
    #[arg(long, value_name = "FILE")]
    identity_key: Option<PathBuf>,

    /// Threads; one a core unless given
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Memory for files and pictures of all threads together
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = size)]
    memory: u64,
}

impl Resources {
    pub(super) fn apply(&self, mut builder: ValidatorBuilder) -> Result<ValidatorBuilder, Failure> {
        if let Some(key) = self.key()? {
            builder = builder.identity_key(key);
        }
        if let Some(jobs) = self.jobs {
            builder = builder.threads(usize::from(jobs));
        }
        Ok(builder.memory(self.memory))
    }

    fn key(&self) -> Result<Option<IdentityKey>, Failure> {
        let (origin, digits) = match &self.identity_key {
            Some(file) => {
                let digits = std::fs::read_to_string(file)
                    .map_err(|error| Failure::unopened(file, error))?;
                (text::escaped(&file.to_string_lossy()), digits)
            }
            None => match std::env::var("LUNA_IDENTITY_KEY") {
                Ok(digits) if !digits.is_empty() => ("LUNA_IDENTITY_KEY".to_owned(), digits),
                _ => return Ok(None),
            },
        };
        // The message must not repeat what it read: it may be almost a key.
        let key = IdentityKey::from_hex(&digits).ok_or_else(|| {
            Failure::Usage(format!("{origin}: an identity key is 64 hexadecimal digits"))
        })?;
        Ok(Some(key))
    }
}

/// A size in bytes as people write it: `512MiB`, `4GiB`.
///
/// # Errors
/// What a size is.
pub fn size(text: &str) -> Result<u64, String> {
    limits::size::parse(text)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "a size is a number and a unit, such as 4GiB".to_owned())
}
