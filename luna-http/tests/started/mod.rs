//! The service, started as its users start it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_luna-http");

/// A service that listens.
pub(crate) struct Started {
    pub(crate) process: Child,
    /// What it logs from now on.
    pub(crate) log: BufReader<ChildStderr>,
    pub(crate) address: SocketAddr,
}

impl Started {
    /// On a free port, with this data folder and whatever else is `set`.
    pub(crate) fn within(folder: &Path, set: impl FnOnce(&mut Command)) -> Self {
        Self::of(Path::new(BINARY), folder, set)
    }

    /// The same of another program.
    pub(crate) fn of(program: &Path, folder: &Path, set: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(program);
        command.args(["serve", "--bind", "127.0.0.1:0"]).env("LUNA_DATA_DIR", folder);
        command.env_remove("LUNA_LOG").stdout(Stdio::piped()).stderr(Stdio::piped());
        set(&mut command);
        let mut process = command.spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "ended before it listened");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "listening" {
                break line["address"].as_str().unwrap().parse().unwrap();
            }
        };
        Self { process, log, address }
    }

    /// The password that a first start says.
    pub(crate) fn password(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line.trim().strip_prefix("admin password: ").unwrap().to_owned()
    }
}
