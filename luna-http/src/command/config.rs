//! Settings from a TOML file, below the flags and the environment. All are declared once, as the arguments of
//! `serve`: a key is a flag's name with underscores.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::builder::OsStr;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use luna_core::text::{nearest, shown};
use luna_worker::storage::Address;
use toml::Value;
use url::Url;

/// The argument that names the file.
const FILE: &str = "config";
/// What stands for a secret.
const MASK: &str = "***";
/// Options of a database URL that are no secrets.
const OPEN: [&str; 2] = ["mode", "sslmode"];

/// What a file says: values by the argument's id.
type Settings = BTreeMap<String, Vec<OsStr>>;

/// Parses the command line. What neither it nor the environment says comes from the file that they name.
pub(crate) fn parsed(command: &Command) -> anyhow::Result<ArgMatches> {
    let parse = |command: Command| command.try_get_matches().unwrap_or_else(|error| error.exit());
    let matches = parse(command.clone());
    let Some((name, given)) = matches.subcommand() else { return Ok(matches) };
    let Ok(Some(place)) = given.try_get_one::<PathBuf>(FILE) else { return Ok(matches) };
    let settings = read(place, serve(command)?)?;
    let with_file = command.clone().mut_subcommand(name, |subcommand| {
        let has = |id: &str| subcommand.get_arguments().any(|arg| arg.get_id() == id);
        let (here, _): (Settings, Settings) = settings.into_iter().partition(|(id, _)| has(id));
        // A default is what is left when flag and environment are silent.
        here.into_iter().fold(subcommand, |subcommand, (id, values)| {
            subcommand.mut_arg(id, |arg| arg.default_values(values))
        })
    });
    Ok(parse(with_file))
}

fn serve(command: &Command) -> anyhow::Result<&Command> {
    command.find_subcommand("serve").context("there is no `serve`")
}

/// A flag's name as a key.
fn key(arg: &Arg) -> Option<String> {
    let name = arg.get_long().filter(|name| ![FILE, "help", "version"].contains(name))?;
    Some(name.replace('-', "_"))
}

fn read(place: &Path, serve: &Command) -> anyhow::Result<Settings> {
    let name = shown(&place.to_string_lossy());
    let text = std::fs::read_to_string(place).with_context(|| format!("{name}: cannot be read"))?;
    // The library's message quotes the line, which may hold a secret.
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = text.get(..at).unwrap_or(&text).matches('\n').count() + 1;
        anyhow::anyhow!("{name}: line {line}: {}", error.message())
    })?;
    let mut settings = Settings::new();
    for (written, value) in table {
        let arg = serve.get_arguments().find(|arg| key(arg).as_deref() == Some(&written));
        let Some(arg) = arg else {
            let keys: Vec<String> = serve.get_arguments().filter_map(key).collect();
            let hint = match nearest(&written, keys.iter().map(String::as_str)) {
                Some(near) => format!("; is `{near}` meant?"),
                None => "; `luna-http config` shows all".to_owned(),
            };
            bail!("{name}: there is no setting `{}`{hint}", shown(&written));
        };
        let values = texts(&value, arg).with_context(|| format!("{name}: {written}"))?;
        check(arg, &values).with_context(|| format!("{name}: {written}"))?;
        settings.insert(arg.get_id().to_string(), values);
    }
    Ok(settings)
}

/// A value as it would be written behind the flag.
fn texts(value: &Value, arg: &Arg) -> anyhow::Result<Vec<OsStr>> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(OsStr::from(text.clone())),
        Value::Integer(number) => Ok(OsStr::from(number.to_string())),
        _ => bail!("a text or a number is meant"),
    };
    match value {
        Value::Array(values) if matches!(arg.get_action(), ArgAction::Append) => {
            values.iter().map(text).collect()
        }
        value => Ok(vec![text(value)?]),
    }
}

/// Refuses, in the file's name, what the flag would refuse.
fn check(arg: &Arg, values: &[OsStr]) -> anyhow::Result<()> {
    let flag = arg.get_long().unwrap_or_default();
    let written = values.iter().map(|value| {
        let mut written = OsString::from(format!("--{flag}="));
        written.push(value);
        written
    });
    let alone = Command::new("luna-http").no_binary_name(true).arg(arg.clone());
    let Err(error) = alone.try_get_matches_from(written) else { return Ok(()) };
    let message = error.to_string();
    let message = message.split("\n\n").next().unwrap_or(&message);
    let words = message.trim_start_matches("error: ").split_whitespace();
    bail!("{}", words.collect::<Vec<_>>().join(" "))
}

/// The settings in force as such a file, with secrets masked and, behind each, where it came from.
pub(crate) fn shown_as_file(command: &Command, matches: &ArgMatches) -> anyhow::Result<String> {
    let file = matches.get_one::<PathBuf>(FILE).map(|place| shown(&place.to_string_lossy()));
    let mut text = String::new();
    for arg in serve(command)?.get_arguments() {
        let Some(key) = key(arg) else { continue };
        let Some(values) = matches.get_raw(arg.get_id().as_str()) else {
            writeln!(text, "# {key} is not set")?;
            continue;
        };
        let values: Vec<String> = values.map(|it| masked(arg, &it.to_string_lossy())).collect();
        let value = match (values.as_slice(), arg.get_action()) {
            (values, ArgAction::Append) => Value::from(values.to_vec()),
            ([value], _) => number(value).unwrap_or_else(|| Value::from(value.clone())),
            _ => continue,
        };
        let from = match (matches.value_source(arg.get_id().as_str()), arg.get_env()) {
            (Some(ValueSource::CommandLine), _) => "the command line".to_owned(),
            (Some(ValueSource::EnvVariable), Some(name)) => name.to_string_lossy().into_owned(),
            _ if is_default(arg, &values) => "default".to_owned(),
            _ => file.clone().unwrap_or_default(),
        };
        writeln!(text, "{key} = {value}  # {from}")?;
    }
    Ok(text)
}

fn number(text: &str) -> Option<Value> {
    text.parse::<i64>().ok().map(Value::from)
}

fn is_default(arg: &Arg, values: &[String]) -> bool {
    let defaults = arg.get_default_values().iter().map(|it| it.to_string_lossy().into_owned());
    defaults.eq(values.iter().cloned())
}

/// What may be shown of a value.
fn masked(arg: &Arg, value: &str) -> String {
    let is_address = arg
        .get_value_names()
        .is_some_and(|names| names.iter().any(|name| ["URL", "URI"].contains(&name.as_str())));
    match (is_address, arg.is_hide_env_values_set()) {
        (true, _) => masked_address(value),
        (false, true) => MASK.to_owned(),
        (false, false) => value.to_owned(),
    }
}

/// An address without passwords, keys and signatures.
fn masked_address(text: &str) -> String {
    if let Some(Ok(address)) = Address::parse(text) {
        return address.to_string();
    }
    let Ok(mut url) = Url::parse(text) else {
        // A folder is no address, and no secret.
        let is_folder = !text.contains("://") && !text.contains('@');
        return if is_folder { text.to_owned() } else { MASK.to_owned() };
    };
    let is_masked = url.password().is_none() || url.set_password(Some(MASK)).is_ok();
    if url.cannot_be_a_base() || !is_masked {
        return MASK.to_owned();
    }
    if url.query().is_some() {
        let masked = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
            let is_open = OPEN.contains(&&*name);
            (name.into_owned(), if is_open { value.into_owned() } else { MASK.to_owned() })
        };
        let pairs: Vec<(String, String)> = url.query_pairs().map(masked).collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_what_opens_them() {
        for (address, seen) in [
            ("postgres://luna:s3cret@db:5432/luna", "postgres://luna:***@db:5432/luna"),
            (
                "postgres://db/luna?password=s3cret&sslmode=require",
                "postgres://db/luna?password=***&sslmode=require",
            ),
            (
                "s3://xrays?region=eu&secret_access_key=s3cret",
                "s3://xrays?region=eu&secret_access_key=***",
            ),
            ("sqlite://luna-data/luna.db", "sqlite://luna-data/luna.db"),
            ("luna-data/objects", "luna-data/objects"),
            ("postgres://luna:s3cret@db:port/luna", "***"),
            ("postgres:luna:s3cret@db", "***"),
        ] {
            assert_eq!(masked_address(address), seen);
        }
    }
}
