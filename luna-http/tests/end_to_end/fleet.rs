//! One flow through the API, on one process that brings everything and on a fleet of which parts are killed. Promise
//! 26.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use luna_worker::catalogue::Catalogue;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{Service, Upload, User, ends, folder_of, pictures};
use super::psql::sql;
use super::started::BINARY;

pub(super) const PASSWORD: &str = "a password for these tests";
/// More than two parts of a data set: both workers have one, and a third waits.
const LARGE: usize = 600;

/// Processes that serve together.
enum Setup {
    Embedded(Service),
    Fleet(Fleet),
}

pub(super) struct Fleet {
    folder: TempDir,
    pub(super) database: String,
    storage: String,
    pub(super) apis: Vec<Service>,
    pub(super) workers: Vec<Worker>,
}

pub(super) struct Worker(pub(super) Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn one_process_takes_a_data_set_from_login_to_report() {
    let folder = tempfile::tempdir().unwrap();
    let (service, password) = Service::first(folder.path(), |_| {});
    from_login_to_report(Setup::Embedded(service), &password);
}

#[test]
fn a_fleet_does_the_same_while_a_worker_and_an_api_are_killed() {
    let Some(fleet) = Fleet::start("fleet") else {
        eprintln!("NOT TESTED on a fleet: LUNA_TEST_POSTGRES or LUNA_TEST_S3 names no server");
        return;
    };
    from_login_to_report(Setup::Fleet(fleet), PASSWORD);
}

impl Fleet {
    /// Two of each kind on a database and a place of their own, if the tests have servers.
    pub(super) fn start(name: &str) -> Option<Self> {
        Self::of(name, Path::new(BINARY).parent().unwrap())
    }

    /// The same, with the programs of a folder.
    pub(super) fn of(name: &str, programs: &Path) -> Option<Self> {
        let servers = (std::env::var("LUNA_TEST_POSTGRES"), std::env::var("LUNA_TEST_S3"));
        let (Ok(postgres), Ok(s3)) = servers else {
            assert!(std::env::var("LUNA_TEST_SERVERS").is_err(), "run the tests under .ci/servers");
            return None;
        };
        let name = format!("{name}_{}", std::process::id());
        sql(&postgres, &format!("CREATE DATABASE {name}"));
        let (server, _) = postgres.rsplit_once('/').unwrap();
        let (place, options) = s3.split_once('?').unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        let mut fleet = Self {
            folder,
            database: format!("{server}/{name}"),
            storage: format!("{place}/{name}?{options}"),
            apis: Vec::new(),
            workers: Vec::new(),
        };
        fleet.apis = (0..2).map(|_| fleet.api(programs)).collect();
        fleet.workers = (0..2).map(|number| fleet.worker(programs, number)).collect();
        Some(fleet)
    }

    fn set(&self, command: &mut Command) {
        command
            .env("LUNA_DATABASE_URL", &self.database)
            .env("LUNA_STORAGE_URL", &self.storage)
            .env("LUNA_IDENTITY_KEY", "00112233445566778899aabbccddeeff".repeat(2));
    }

    pub(super) fn api(&self, programs: &Path) -> Service {
        Service::of_program(&programs.join("luna-http"), self.folder.path(), |command| {
            self.set(command);
            command
                .args(["--worker", "external"])
                .env("LUNA_JWT_SECRET", "one secret for every process of it")
                .env("LUNA_ADMIN_PASSWORD_FILE", self.folder.path().join("password"));
        })
    }

    pub(super) fn worker(&self, programs: &Path, number: usize) -> Worker {
        let log = File::create(self.folder.path().join(format!("worker-{number}.log"))).unwrap();
        let mut command = Command::new(luna(programs));
        command.args(["worker", "--jobs", "1", "--bind", "127.0.0.1:0"]);
        self.set(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Worker(command.spawn().unwrap())
    }

    /// Waits until each worker holds a part of the work, and kills one of them.
    fn kill_one_at_work(&mut self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let catalogue = Catalogue::open(&self.database, 1).await.unwrap();
            let end = Instant::now() + Duration::from_mins(1);
            while catalogue.queue_stats().await.unwrap().leased < 2 {
                assert!(Instant::now() < end, "two workers never worked at once");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            drop(self.workers.remove(0));
            let stats = catalogue.queue_stats().await.unwrap();
            assert!(stats.unfinished_jobs > 0 && stats.leased > 0, "killed too late: {stats:?}");
            catalogue.close().await;
        });
    }
}

fn luna(programs: &Path) -> std::path::PathBuf {
    let luna = programs.join("luna");
    assert!(luna.exists(), "{} is not there: build the whole workspace", luna.display());
    luna
}

impl Setup {
    fn service(&self) -> &Service {
        match self {
            Self::Embedded(service) => service,
            Self::Fleet(fleet) => &fleet.apis[0],
        }
    }

    /// What goes wrong while a data set is validated.
    fn suffers(&mut self) {
        let Self::Fleet(fleet) = self else { return };
        fleet.kill_one_at_work();
        // The API keeps nothing: whoever was signed in at this one goes on at the other.
        drop(fleet.apis.remove(0));
    }
}

fn from_login_to_report(mut setup: Setup, password: &str) {
    let sound = pictures(12);
    let mut large: Vec<Upload> = (0..LARGE)
        .map(|number| {
            let (name, bytes) = &sound[number % sound.len()];
            (format!("{:02}/{number:04}-{name}", number % 7), bytes.clone())
        })
        .collect();
    for (_, bytes) in large.iter_mut().step_by(50) {
        bytes.truncate(bytes.len() / 2);
    }
    let user = setup.service().user("admin", password).new_user(setup.service(), "ann");
    let passing = user.upload("sound", &sound);
    judged(&user, &passing, &sound, true, 0);

    let failing = user.upload("broken in places", &large);
    setup.suffers();
    let user = user.at(setup.service());
    judged(&user, &failing, &large, false, LARGE / 50);
    assert_eq!(user.complete(&failing)["status"], "already_completed");
    // What was there before is still there.
    judged(&user, &passing, &sound, true, 0);
}

/// The one verdict of a data set, everywhere it stands.
fn judged(user: &User, dataset: &Value, files: &[Upload], is_valid: bool, broken: usize) {
    let status = user.completed(dataset);
    let verdict = if is_valid { "pass" } else { "fail" };
    let results = &status["validation_results"];
    assert_eq!((&status["verdict"], &results["verdict"]), (&json!(verdict), &json!(verdict)));
    assert_eq!(results["valid"], is_valid);
    assert_eq!(
        (&results["files_checked"], &results["files_failed"]),
        (&json!(files.len()), &json!(broken))
    );
    let total = json!({ "done": files.len(), "total": files.len() });
    assert_eq!(status["progress"], total);

    let events = user.get(&format!("/api/v1/validation/{dataset}/events")).text().unwrap();
    assert_eq!(ends(&events), 1, "{events}");
    let path = format!("/api/v1/validation/{dataset}/files?limit=1000");
    assert_eq!(user.read(&path)["items"].as_array().unwrap().len(), files.len());

    let report = user.get(&format!("/api/v1/validation/{dataset}/report")).bytes().unwrap();
    let expected = validated(files);
    let at = report.iter().zip(&expected).position(|(a, b)| a != b);
    assert!(*report == *expected, "not what `luna validate` says, from byte {at:?} on");
}

/// The report that `luna validate` gives of these files.
fn validated(files: &[Upload]) -> Vec<u8> {
    let (folder, out) = (folder_of(files), tempfile::tempdir().unwrap());
    let report = out.path().join("report.json");
    let status = Command::new(luna(Path::new(BINARY).parent().unwrap()))
        .args(["validate", "--progress", "never", "--fail-on", "never", "-o"])
        .args([&report, folder.path()])
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    std::fs::read(report).unwrap()
}
