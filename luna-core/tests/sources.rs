//! One behaviour suite that every source passes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may say so")]

mod behaviour;

use std::fs;
use std::path::Path;

use behaviour::{FLAT, TREE, behaves};
use luna_core::source::{Archive, Files, Folder, ItemKind, Joined, Memory, ReadError};
use luna_core::{Limits, Source, SourceError, Validator};
use luna_fixtures::write::archive::{Form, Member, write};
use tempfile::TempDir;

fn memory(tree: &[(&str, &[u8])]) -> Memory {
    tree.iter().map(|(path, bytes)| (*path, bytes.to_vec())).collect()
}

fn on_disk(tree: &[(&str, &[u8])]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (path, bytes) in tree {
        let place = dir.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    }
    dir
}

#[test]
fn memory_behaves() {
    behaves(&memory(&TREE), &TREE);
}

#[test]
fn a_folder_behaves() {
    let dir = on_disk(&TREE);
    behaves(&Folder::new(dir.path()), &TREE);
}

#[test]
fn a_list_of_files_behaves() {
    let dir = on_disk(&TREE);
    let places = ["empty", "B.png", "a.png"].map(|name| dir.path().join(name));
    behaves(&Files::new(places), &FLAT);
}

#[test]
fn a_single_file_behaves() {
    let dir = on_disk(&TREE);
    behaves(&Files::new([dir.path().join("sub/deep/z.dcm")]), &[("z.dcm", b"zz")]);
}

fn archive(form: Form, tree: &[(&str, &[u8])]) -> Archive {
    let members: Vec<Member> = tree.iter().map(|(path, bytes)| Member::file(path, bytes)).collect();
    Archive::from_bytes(write(form, &members), &Limits::default()).unwrap()
}

#[test]
fn archives_behave() {
    for form in Form::ALL {
        behaves(&archive(form, &TREE), &TREE);
    }
}

#[test]
fn an_archive_on_disk_behaves() {
    let dir = TempDir::new().unwrap();
    let members = TREE.map(|(path, bytes)| Member::file(path, bytes));
    for form in Form::ALL {
        // The name says nothing.
        let place = dir.path().join("upload");
        fs::write(&place, write(form, &members)).unwrap();
        behaves(&Archive::open(&place, &Limits::default()).unwrap().unwrap(), &TREE);
    }
    let place = dir.path().join("a.png");
    fs::write(&place, "no archive").unwrap();
    assert!(Archive::open(&place, &Limits::default()).unwrap().is_none());
}

#[test]
fn joined_sources_behave() {
    let mut joined = Joined::default();
    joined.push("x", memory(&TREE));
    let below = TREE.map(|(path, bytes)| (format!("x/{path}"), bytes));
    let tree: Vec<_> = below.iter().map(|(path, bytes)| (path.as_str(), *bytes)).collect();
    behaves(&joined, &tree);
}

#[test]
fn every_source_of_one_tree_gives_the_same_report() {
    let dir = on_disk(&TREE);
    let validator = Validator::default();
    let from_memory = validator.validate(&memory(&TREE)).unwrap();
    let from_folder = validator.validate(&Folder::new(dir.path())).unwrap();
    assert_eq!(from_memory, from_folder);
    for form in Form::ALL {
        let from_archive = validator.validate(&archive(form, &TREE)).unwrap();
        assert_eq!(from_archive, from_folder, "{form:?}");
    }
    let mut joined = Joined::default();
    joined.push("x", archive(Form::TarGz, &TREE));
    let mut folder = Joined::default();
    folder.push("x", Folder::new(dir.path()));
    assert_eq!(validator.validate(&joined).unwrap(), validator.validate(&folder).unwrap());
}

#[test]
fn a_second_file_of_one_name_is_numbered() {
    let dir = on_disk(&[("one/a.png", b"1"), ("two/a.png", b"2"), ("three/a", b"3")]);
    let places = ["one/a.png", "two/a.png", "three/a", "three/a"].map(|name| dir.path().join(name));
    let source = Files::new(places);
    let listed: Vec<_> = source.items().unwrap().iter().map(|item| item.path.to_string()).collect();
    assert_eq!(listed, ["a", "a-2", "a-2.png", "a.png"]);
}

#[test]
fn a_place_that_is_not_there_is_an_error() {
    let missing = Path::new("no/such/place");
    assert!(matches!(Folder::new(missing).items(), Err(SourceError::NotFound { .. })));
    assert!(matches!(Files::new([missing]).items(), Err(SourceError::NotFound { .. })));
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_listed_but_never_opened() {
    let dir = on_disk(&[("a.png", b"12345")]);
    std::os::unix::fs::symlink("/etc/hostname", dir.path().join("link.png")).unwrap();
    std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap();
    assert!(made.success());
    let folder = Folder::new(dir.path());
    let kinds: Vec<_> = folder
        .items()
        .unwrap()
        .into_iter()
        .map(|item| (item.path.to_string(), item.kind))
        .collect();
    let expected = [
        ("a.png", ItemKind::File),
        ("link.png", ItemKind::Link),
        ("loop", ItemKind::Link),
        ("pipe", ItemKind::Special),
    ];
    assert_eq!(kinds, expected.map(|(path, kind)| (path.to_owned(), kind)));
    for name in ["link.png", "loop", "pipe"] {
        assert!(matches!(folder.read(&name.into(), 100), Err(ReadError::NotAFile)), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_listed_and_read_by_their_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = TempDir::new().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.png");
    fs::write(dir.path().join(name), b"1").unwrap();
    let folder = Folder::new(dir.path());
    let item = folder.items().unwrap().remove(0);
    assert_eq!(item.path.as_str(), "caf\\xe9.png");
    assert_eq!(&*folder.read(&item.path, 10).unwrap(), b"1");
}
