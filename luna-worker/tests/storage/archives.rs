//! Archives in storages: read in parts, never as a whole.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use luna_core::source::Folder;
use luna_core::{Limits, Source, Validator};
use luna_fixtures::write::archive::{Form, Member, write};
use luna_worker::place;

use crate::behaviour::{TREE, behaves};
use crate::server::{Response, Server, part, s3_error, s3_uri, web};
use crate::{put, writable};

fn open(place: &str) -> Result<Box<dyn Source>, place::PlaceError> {
    place::open(&[PathBuf::from(place)], &Limits::default())
}

#[test]
fn archives_in_every_storage_behave() {
    let members = TREE.map(|(path, bytes)| Member::file(path, bytes));
    for form in Form::ALL {
        let bytes = write(form, &members);
        for uri in writable("archives") {
            // The name says nothing.
            put(&uri, [("upload", &bytes[..])]);
            let (place, options) = uri.split_once('?').map_or((&*uri, ""), |(p, o)| (p, o));
            behaves(&*open(&format!("{place}/upload?{options}")).unwrap(), &TREE);
        }
        let server = web(BTreeMap::from([("/upload".to_owned(), bytes)]), true);
        behaves(&*open(&format!("http://127.0.0.1:{}/upload", server.port)).unwrap(), &TREE);
    }
}

/// Members of several sizes, so that blocks, parts and reads of their own are all met.
fn members() -> Vec<(String, Vec<u8>)> {
    let noise = |seed: u32, size: usize| -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..size).map(|_| next()).collect()
    };
    let sizes = [0, 1, 511, 60_000, 131_072, 700_001, 3_000_000];
    (0..84).map(|n| (format!("{:02}/{n}.bin", n % 5), noise(n, sizes[n as usize % 7]))).collect()
}

#[test]
fn large_archives_give_the_report_of_the_folder() {
    let members = members();
    let dir = tempfile::tempdir().unwrap();
    for (path, bytes) in &members {
        let place = dir.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
    }
    let folder = Validator::default().validate(&Folder::new(dir.path())).unwrap();
    let written: Vec<Member> = members.iter().map(|(path, b)| Member::file(path, b)).collect();
    for form in Form::ALL {
        let bytes = Arc::new(write(form, &written));
        let (sent, held) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&bytes));
        let count = Arc::clone(&sent);
        let server = Server::start(move |request| {
            let response = part(request, &held, true);
            let body = if request.method == "HEAD" { 0 } else { response.body.len() };
            count.fetch_add(body, Ordering::Relaxed);
            response
        });
        let source = open(&s3_uri(server.port, "set")).unwrap();
        for threads in [1, 4] {
            let validator = Validator::builder().threads(threads).build().unwrap();
            assert_eq!(validator.validate(&*source).unwrap(), folder, "{form:?}");
        }
        let times = sent.load(Ordering::Relaxed) as f64 / bytes.len() as f64;
        println!("{form:?}: {times:.2} times its size, {} requests", server.asked());
        // Listed once and read twice; blocks at the edges of members are fetched more than once.
        assert!(times < 4.5, "{form:?}: {times:.2}");
    }
}

#[test]
fn a_storage_that_goes_away_is_no_damage_of_the_archive() {
    // More than is kept of an archive, so that it is asked for again.
    let mut members = members();
    members.extend(
        (0..4).map(|n| (format!("more/{n}.bin"), members[6].1.clone())).collect::<Vec<_>>(),
    );
    let written: Vec<Member> = members.iter().map(|(path, b)| Member::file(path, b)).collect();
    for form in Form::ALL {
        let bytes = write(form, &written);
        let gone = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let is_gone = Arc::clone(&gone);
        let server = Server::start(move |request| {
            if is_gone.load(Ordering::Relaxed) {
                return s3_error(403, "ExpiredToken");
            }
            part(request, &bytes, true)
        });
        let source = open(&s3_uri(server.port, "set")).unwrap();
        gone.store(true, Ordering::Relaxed);
        let error = Validator::default().validate(&*source).unwrap_err().to_string();
        assert!(error.contains("have expired"), "{form:?}: {error}");
    }
}

#[test]
fn a_server_without_ranges_gives_single_files_and_says_why_it_gives_no_archive() {
    // Larger than what is asked for in one piece.
    let bytes = write(Form::Zip, &[Member::file("a.png", &members()[6].1)]);
    let picture = vec![7; 300_000];
    let files = [("/set.zip".to_owned(), bytes), ("/large.png".to_owned(), picture.clone())];
    let server = web(BTreeMap::from(files), false);
    let single = open(&format!("http://127.0.0.1:{}/large.png", server.port)).unwrap();
    behaves(&*single, &[("large.png", &picture)]);
    let error = open(&format!("http://127.0.0.1:{}/set.zip", server.port)).err().unwrap();
    assert!(error.to_string().contains("does not give parts of files"), "{error}");
}

#[test]
fn a_missing_object_is_asked_for_once() {
    let server = Server::start(|request| {
        if request.query.contains_key("list-type") {
            crate::server::s3_page(request, 0, |_| String::new())
        } else {
            Response::new(404, "")
        }
    });
    let error = open(&s3_uri(server.port, "set.zip")).err().unwrap();
    assert!(error.to_string().contains("set.zip: there is no such object"), "{error}");
    assert_eq!(server.asked(), 2, "looked at, and listed as a folder");
}
