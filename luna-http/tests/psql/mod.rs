//! Statements to PostgreSQL past the service, as whoever owns the server types them.

use std::process::Command;

/// Runs it, or all of it if it is several.
pub(crate) fn sql(database: &str, statement: &str) {
    let mut command = Command::new("psql");
    command.args([database, "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]);
    let done = command.args(["--command", statement]).status().unwrap();
    assert!(done.success(), "{statement}");
}
