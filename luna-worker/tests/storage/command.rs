//! The real `luna` binary with places in storages.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use luna_fixtures::write::archive::{Form, Member, write};
use luna_worker::storage::Storage;
use tempfile::TempDir;

use crate::{on_server, put, put_folder, wait};

pub(crate) fn luna(arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("luna"));
    command.args(arguments).stdin(Stdio::null());
    // The same patients have the same numbers; nothing of the machine's own is looked at.
    command.env_remove("NO_COLOR").env_remove("LUNA_IDENTITY_KEY");
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    luna(arguments).output().unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A few pictures with planted defects, a manifest that is wrong, names with blanks.
fn set() -> TempDir {
    let set = tempfile::tempdir().unwrap();
    let picture = |path: &str| {
        format!(
            "[[file]]\npath = \"{path}\"\npicture = \"chest\"\nwidth = 320\nheight = 320\nformat = \"png\"\n"
        )
    };
    let recipe = [picture("a b/chest.png"), picture("c.png"), picture("d/e/ü.png")].concat();
    luna_fixtures::Recipe::parse(&recipe).unwrap().write_to(set.path()).unwrap();
    fs::write(set.path().join("empty.png"), "").unwrap();
    fs::write(set.path().join("cut.png"), &fs::read(set.path().join("c.png")).unwrap()[..900])
        .unwrap();
    fs::write(set.path().join("manifest.csv"), "file,size\nc.png,1\nmissing.png,2\n").unwrap();
    set
}

fn at(uri: &str, key: &str) -> String {
    let (place, options) = uri.split_once('?').unwrap();
    format!("{place}/{key}?{options}")
}

#[test]
fn a_storage_gives_the_report_of_the_folder() {
    let set = set();
    let folder = run(&["validate", set.path().to_str().unwrap(), "--format", "json"]);
    assert_eq!(folder.status.code(), Some(1));
    for server in ["LUNA_TEST_S3", "LUNA_TEST_AZBLOB"] {
        let Some(uri) = on_server(server, "command") else { continue };
        put_folder(&at(&uri, "set"), set.path());
        let stored = run(&["validate", &at(&uri, "set"), "--format", "json"]);
        assert_eq!(stderr(&stored), "");
        assert!(stored.stdout == folder.stdout, "{server}");
        assert_eq!(stored.status.code(), folder.status.code());

        let inspected = |place: &str| run(&["inspect", place, "--format", "json"]).stdout;
        let local = inspected(set.path().join("a b/chest.png").to_str().unwrap());
        assert!(inspected(&at(&uri, "set/a%20b/chest.png")) == local && !local.is_empty());
        assert_eq!(run(&["inspect", &at(&uri, "set")]).status.code(), Some(2), "a folder");
        // Files by themselves, here and there.
        let mixed =
            run(&["validate", &at(&uri, "set/c.png"), set.path().join("c.png").to_str().unwrap()]);
        assert_eq!(stderr(&mixed), "");
        let places = [set.path().join("c.png"), set.path().join("c.png")];
        let twice = run(&["validate", places[0].to_str().unwrap(), places[1].to_str().unwrap()]);
        assert!(mixed.stdout == twice.stdout && mixed.status == twice.status);
    }
}

#[test]
fn an_archive_in_a_storage_gives_the_report_of_the_folder() {
    let Some(uri) = on_server("LUNA_TEST_S3", "command-archives") else { return };
    let set = set();
    let folder = run(&["validate", set.path().to_str().unwrap(), "--format", "json"]);
    let files: Vec<(String, Vec<u8>)> = {
        use luna_core::Source as _;
        let items = luna_core::source::Folder::new(set.path()).items().unwrap();
        let read = |path: &str| fs::read(set.path().join(path)).unwrap();
        items.iter().map(|item| (item.path.to_string(), read(item.path.as_str()))).collect()
    };
    let members: Vec<Member> =
        files.iter().map(|(path, bytes)| Member::file(path, bytes)).collect();
    for form in Form::ALL {
        let key = format!("set.{}", form.ending());
        put(&uri, [(&*key, &write(form, &members)[..])]);
        let stored = run(&["validate", &at(&uri, &key), "--format", "json"]);
        assert_eq!(stderr(&stored), "", "{form:?}");
        assert!(stored.stdout == folder.stdout, "{form:?}");
    }
}

#[test]
fn reports_and_manifests_lie_in_storages_too() {
    let set = set();
    let place = set.path().to_str().unwrap();
    let local = tempfile::tempdir().unwrap();
    let beside = |name: &str| local.path().join(name).to_str().unwrap().to_owned();
    let manifest = Path::new(place).join("manifest.csv");
    for server in ["LUNA_TEST_S3", "LUNA_TEST_AZBLOB"] {
        let Some(uri) = on_server(server, "command-out") else { continue };
        put(&uri, [("ours.csv", &fs::read(&manifest).unwrap()[..])]);
        let of = |manifest: &str, json: &str, parquet: &str| {
            let output =
                run(&["validate", place, "--manifest", manifest, "-o", json, "-o", parquet]);
            assert_eq!((output.status.code(), &*stderr(&output)), (Some(1), ""));
        };
        fs::copy(&manifest, local.path().join("ours.csv")).unwrap();
        of(&beside("ours.csv"), &beside("r.json"), &beside("r.parquet"));
        of(&at(&uri, "ours.csv"), &at(&uri, "out/r.json"), &at(&uri, "out/r.parquet"));
        let storage = Storage::open(&uri).unwrap();
        for name in ["r.json", "r.parquet", "r.files.parquet"] {
            let stored = wait(storage.read(&format!("out/{name}"), 1 << 30)).unwrap();
            assert!(stored == fs::read(beside(name)).unwrap(), "{server} {name}");
        }
        // A stored report is shown again from where it lies.
        let shown = run(&["report", &at(&uri, "out/r.json")]);
        assert!(shown.stdout == run(&["report", &beside("r.json")]).stdout);
        let missing = run(&["validate", place, "--manifest", &at(&uri, "no.csv")]);
        assert_eq!(missing.status.code(), Some(2), "{}", stderr(&missing));
    }
}
