//! What services meet: a database or a storage that is away, a full disk, objects that rot or vanish.

use std::net::ToSocketAddrs as _;
use std::thread;
use std::time::Duration;

use luna_worker::catalogue::JobState;

use super::bench::{RUNTIME, Service, expected, same, servers, set};
use super::proxy::Proxy;

const SOON: Duration = Duration::from_mins(2);
/// As long as the outage takes.
const OUTAGE: Duration = Duration::from_secs(20);

/// A server's address out of a URL.
fn server_of(url: &str) -> std::net::SocketAddr {
    let host = url.split("//").last().unwrap().split(['/', '&', '?']).next().unwrap();
    let host = host.rsplit('@').next().unwrap();
    host.to_socket_addrs().unwrap().next().unwrap()
}

/// Cuts the line once some records are there, and mends it after a while.
fn through_an_outage(service: &Service, proxy: &Proxy) {
    let files = set(3_000, 11);
    let job = service.upload(service.team(), &files);
    let mut worker = service.worker(&["--jobs", "1"]);
    while service.job(job).files_done == 0 {
        thread::sleep(Duration::from_millis(20));
    }
    proxy.cut();
    thread::sleep(OUTAGE);
    assert!(worker.child.try_wait().unwrap().is_none(), "it lives on: {}", service.logs());
    let done = service.job(job).files_done;
    assert!(done < files.len() as u64, "the outage came in mid-run");
    proxy.mend();
    service.completed(job, SOON);
    same(&service.report(job), &expected(&files), "after an outage");
    assert_eq!(worker.stop(SOON), Some(0));
}

#[test]
fn a_database_that_is_away_for_20_seconds_costs_nothing() {
    let Some((database, storage)) = servers() else { return };
    let proxy = Proxy::to(server_of(&database));
    let mut service = Service::at(tempfile::tempdir().unwrap(), database.clone(), storage);
    let through = database.replace(&server_of(&database).to_string(), &proxy.address.to_string());
    service.environment.push(("LUNA_DATABASE_URL".to_owned(), through));
    through_an_outage(&service, &proxy);
}

#[test]
fn a_storage_that_is_away_for_20_seconds_costs_nothing() {
    let Some((database, storage)) = servers() else { return };
    let endpoint = storage.split("endpoint=").nth(1).unwrap().to_owned();
    let proxy = Proxy::to(server_of(&endpoint));
    let mut service = Service::at(tempfile::tempdir().unwrap(), database, storage.clone());
    let through = storage.replace(&server_of(&endpoint).to_string(), &proxy.address.to_string());
    service.environment.push(("LUNA_STORAGE_URL".to_owned(), through));
    through_an_outage(&service, &proxy);
}

#[test]
fn an_object_that_rots_or_vanishes_fails_the_job_in_words_for_the_team() {
    let service = Service::alone();
    let team = service.team();
    let rotten = service.upload(team, &set(30, 12));
    let vanished = service.upload(team, &set(30, 13));
    let sound = service.upload(team, &set(30, 14));
    let key = |job: i64| {
        RUNTIME.block_on(async {
            let dataset = service.catalogue.job(job).await.unwrap().dataset_id;
            let files = service.catalogue.files(dataset, None, 1).await.unwrap();
            (files[0].object_key.clone(), files[0].path.clone())
        })
    };
    let ((rotten_key, rotten_path), (vanished_key, vanished_path)) = (key(rotten), key(vanished));
    RUNTIME.block_on(async {
        let mut bytes = service.storage.read(&rotten_key, 1 << 30).await.unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        service.storage.write(&rotten_key, bytes).await.unwrap();
        service.storage.delete(&vanished_key).await.unwrap();
    });
    let _worker = service.worker(&[]);
    for (job, path, word) in
        [(rotten, rotten_path, "no longer what was uploaded"), (vanished, vanished_path, "is gone")]
    {
        let ended = service.ended(job, SOON);
        let message = ended.error_message.unwrap_or_default();
        assert_eq!(ended.state, JobState::Failed, "{message}");
        assert!(message.contains(&path) && message.contains(word), "{message}");
        assert!(message.contains("upload the data set again"), "{message}");
    }
    service.completed(sound, SOON);
    let stuck = "SELECT COUNT(*) FROM queue WHERE state IN ('queued', 'leased')";
    assert_eq!(service.count(stuck), 0);
}

/// Needs to mount a file system of its own; without the right to, it says so and looks at nothing.
#[test]
fn a_full_disk_is_waited_out() {
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let Some(mounted) = Mounted::new(&small) else {
        eprintln!("skipped: this user may mount nothing");
        return;
    };
    let storage = small.join("objects").to_str().unwrap().to_owned();
    let database = format!("sqlite://{}", folder.path().join("luna.db").display());
    let service = Service::at(folder, database, storage);
    let files = set(30, 15);
    let job = service.upload(service.team(), &files);
    // What is left is taken up to the last byte.
    let ballast = small.join("ballast");
    let mut block = vec![0_u8; 4 << 20];
    while !block.is_empty() {
        use std::io::Write as _;
        let mut file =
            std::fs::OpenOptions::new().create(true).append(true).open(&ballast).unwrap();
        if file.write_all(&block).is_err() {
            block.truncate(block.len() / 2);
        }
    }
    let mut worker = service.worker(&[]);
    worker.says("failed; to be tried again", SOON);
    let log = std::fs::read_to_string(&worker.log).unwrap();
    assert!(log.contains("full") || log.contains("space"), "{log}");
    std::fs::remove_file(ballast).unwrap();
    service.completed(job, SOON);
    same(&service.report(job), &expected(&files), "after a full disk");
    assert_eq!(worker.stop(SOON), Some(0));
    drop(service);
    drop(mounted);
}

/// A file system of 8 MiB, as long as it lives.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn new(place: &std::path::Path) -> Option<Self> {
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(place)
            .output()
            .ok()?;
        mount.status.success().then(|| Self(place.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
