//! The core's behaviour suite on every storage.

use std::collections::BTreeMap;
use std::path::PathBuf;

use luna_core::source::{ItemKind, ReadError};
use luna_core::{Limits, Source, Validator};
use luna_worker::place;
use luna_worker::storage::{Bridge, Storage, StoredSource};

use crate::behaviour::{FLAT, TREE, behaves};
use crate::server::web;
use crate::{put, source, wait, writable};

#[test]
fn every_storage_behaves() {
    for uri in writable("behaves") {
        put(&uri, TREE);
        behaves(&source(&uri).unwrap(), &TREE);
        // As the command opens it, with and without a slash.
        let (place, options) = uri.split_once('?').map_or((&*uri, ""), |(p, o)| (p, o));
        for slash in ["", "/"] {
            let place = PathBuf::from(format!("{place}{slash}?{options}"));
            behaves(&*place::open(&[place], &Limits::default()).unwrap(), &TREE);
        }
    }
}

#[test]
fn a_folder_as_a_storage_behaves() {
    let dir = tempfile::tempdir().unwrap();
    let uri = dir.path().to_str().unwrap();
    put(uri, TREE);
    behaves(&source(uri).unwrap(), &TREE);
    let left: Vec<_> = std::fs::read_dir(dir.path().join(".luna-parts")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn single_objects_behave() {
    for uri in writable("single") {
        put(&uri, TREE);
        let storage = Storage::open(&uri).unwrap();
        let single = StoredSource::single(storage, Bridge::own().unwrap(), "a.png");
        behaves(&single, &[("a.png", b"12345")]);
        let (place, options) = uri.split_once('?').map_or((&*uri, ""), |(p, o)| (p, o));
        let places =
            ["empty", "B.png", "a.png"].map(|n| PathBuf::from(format!("{place}/{n}?{options}")));
        behaves(&*place::open(&places, &Limits::default()).unwrap(), &FLAT);
    }
}

#[test]
fn a_web_server_gives_files_and_what_a_manifest_names() {
    let sums = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5  a.png\n\
                0000000000000000000000000000000000000000000000000000000000000000  sub/deep/z.dcm\n\
                0000000000000000000000000000000000000000000000000000000000000000  missing.png\n\
                0000000000000000000000000000000000000000000000000000000000000000  ../outside.png\n";
    let files = [
        ("/set/SHA256SUMS", sums.as_bytes()),
        ("/set/a.png", b"12345"),
        ("/set/sub/deep/z.dcm", b"zz"),
        ("/outside.png", b"1"),
    ];
    let files: BTreeMap<_, _> =
        files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect();
    for ranges in [true, false] {
        let server = web(files.clone(), ranges);
        let open = |path: &str| {
            let place = format!("http://127.0.0.1:{}{path}", server.port).into();
            place::open(&[place], &Limits::default())
        };
        behaves(&*open("/set/a.png").unwrap(), &[("a.png", b"12345")]);
        let tree =
            [("SHA256SUMS", sums.as_bytes()), ("a.png", b"12345"), ("sub/deep/z.dcm", b"zz")];
        behaves(&*open("/set/").unwrap(), &tree);
        let refused = open("/").err().unwrap().to_string();
        assert!(refused.contains("a web server lists nothing"), "{refused}");
        assert!(open("/set/missing.png").is_err());
    }
}

#[test]
fn keys_that_are_no_paths_are_named_and_never_opened() {
    let keys = [
        "a//b.png",
        "x/../y.png",
        " spaced.png ",
        "ok.png",
        "folder/",
        "50%41?#ü&+.png",
        "back\\slash",
    ];
    for uri in writable("hostile") {
        let Ok(storage) = Storage::open(&uri) else { continue };
        let written: Vec<&str> = keys
            .into_iter()
            .filter(|key| wait(storage.write(key, b"1".to_vec())).is_ok())
            .collect();
        let hostile =
            |key: &&str| ["a//b.png", "x/../y.png", " spaced.png ", "folder/"].contains(key);
        assert!(!written.iter().any(hostile), "such a key is not written by us: {written:?}");
        let source = source(&uri).unwrap();
        for item in source.items().unwrap() {
            assert_eq!(item.kind, ItemKind::File);
            assert_eq!(&*source.read(&item.path, 10).unwrap(), b"1", "{:?}", item.path);
        }
        for key in keys.iter().filter(|key| hostile(key)) {
            assert!(matches!(source.read(&(*key).into(), 10), Err(ReadError::NotAFile)), "{key:?}");
        }
    }
}

/// Keys of others, as a server lists them.
#[test]
fn listed_keys_that_are_no_paths_become_findings() {
    let keys = ["/abs.png", "a//b.png", "abs.png", "folder/", "ok.png", "x/../y.png"];
    let server = crate::server::Server::start(move |request| {
        if request.path == "/bucket" || request.path == "/bucket/" {
            crate::server::s3_page(request, keys.len(), |number| keys[number].to_owned())
        } else {
            crate::server::Response::new(200, "0123456789")
        }
    });
    let source = source(&crate::server::s3_uri(server.port, "")).unwrap();
    let items = source.items().unwrap();
    let listed: Vec<_> =
        items.iter().map(|item| (item.path.as_str(), item.defects.is_empty())).collect();
    let expected = [
        ("/abs.png", false),
        ("a//b.png", false),
        ("abs.png", true),
        ("ok.png", true),
        ("x/../y.png", false),
    ];
    assert_eq!(listed, expected, "markers of folders are no files");
    let before = server.asked();
    for (path, _) in expected.iter().filter(|(_, is_sane)| !is_sane) {
        assert!(matches!(source.read(&(*path).into(), 10), Err(ReadError::NotAFile)));
    }
    assert_eq!(server.asked(), before, "nothing is asked for them");
    let report = Validator::default().validate(&source).unwrap();
    let of = |path: &str| report.files.iter().find(|file| file.path == path).unwrap();
    assert!(of("x/../y.png").findings.iter().any(|finding| finding.rule == "LF011"));
}
