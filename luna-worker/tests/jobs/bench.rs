//! A service for tests: its catalogue and storage, data sets in it, workers on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use luna_fixtures::Recipe;
use luna_worker::catalogue::{Catalogue, JobState, NewDataset, NewFile, ValidationJob};
use luna_worker::storage::Storage;
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const LUNA: &str = env!("CARGO_BIN_EXE_luna");
const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A runtime for all tests of this program.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Where a service keeps what it knows.
pub(crate) struct Service {
    pub(crate) folder: TempDir,
    pub(crate) database_url: String,
    pub(crate) storage_url: String,
    pub(crate) catalogue: Catalogue,
    pub(crate) storage: Storage,
    /// Environment of workers beside the usual.
    pub(crate) environment: Vec<(String, String)>,
    next: AtomicU32,
}

/// A file of a data set: path and bytes.
pub(crate) type Upload = (String, Vec<u8>);

impl Service {
    /// On SQLite and a folder.
    pub(crate) fn alone() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("luna.db").display());
        let storage = folder.path().join("objects").to_str().unwrap().to_owned();
        Self::at(folder, database, storage)
    }

    /// On a PostgreSQL and an S3 server; `None` where none were started.
    pub(crate) fn on_servers() -> Option<Self> {
        let (database, storage) = servers()?;
        Some(Self::at(tempfile::tempdir().unwrap(), database, storage))
    }

    /// Both, as far as they can be had.
    pub(crate) fn each() -> Vec<Self> {
        std::iter::once(Self::alone()).chain(Self::on_servers()).collect()
    }

    pub(crate) fn at(folder: TempDir, database_url: String, storage_url: String) -> Self {
        let catalogue = RUNTIME.block_on(Catalogue::open(&database_url, 4)).unwrap();
        let storage = Storage::open(&storage_url).unwrap();
        let (environment, next) = (Vec::new(), AtomicU32::new(0));
        Self { folder, database_url, storage_url, catalogue, storage, environment, next }
    }

    /// Uploads files as a data set of a team, complete; the number of its job.
    pub(crate) fn upload(&self, team_id: i64, files: &[Upload]) -> i64 {
        RUNTIME.block_on(async {
            let new = NewDataset { team_id, name: "set".to_owned(), ..NewDataset::default() };
            let dataset = self.catalogue.start_dataset(&new).await.unwrap();
            for chunk in files.chunks(500) {
                let announced: Vec<NewFile> = chunk
                    .iter()
                    .map(|(path, bytes)| NewFile {
                        path: path.clone(),
                        object_key: format!("uploads/{}/{}", dataset.id, self.number()),
                        content_type: "application/octet-stream".to_owned(),
                        size_bytes: bytes.len() as u64,
                        sha256: Some(hex::encode(Sha256::digest(bytes))),
                    })
                    .collect();
                let (added, _) = self.catalogue.add_files(dataset.id, &announced).await.unwrap();
                for (file, (_, bytes)) in added.iter().zip(chunk) {
                    self.storage.write(&file.object_key, bytes.clone()).await.unwrap();
                    let sha256 = hex::encode(Sha256::digest(bytes));
                    let size = bytes.len() as u64;
                    let key = &file.object_key;
                    let received =
                        self.catalogue.mark_received(dataset.id, file.id, key, size, Some(&sha256));
                    received.await.unwrap();
                }
            }
            self.catalogue.complete(dataset.id).await.unwrap().job_id
        })
    }

    pub(crate) fn team(&self) -> i64 {
        let name = format!("team {}", self.number());
        RUNTIME.block_on(self.catalogue.create_team(&name)).unwrap().id
    }

    fn number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// A `luna` command on this service.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(LUNA);
        command
            .args(arguments)
            .env("LUNA_DATABASE_URL", &self.database_url)
            .env("LUNA_STORAGE_URL", &self.storage_url)
            .env("LUNA_IDENTITY_KEY", KEY)
            .env("LUNA_METRICS_BIND", "127.0.0.1:0")
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null());
        command
    }

    /// Starts a worker; its log goes to a file.
    pub(crate) fn worker(&self, arguments: &[&str]) -> Worker {
        let log = self.folder.path().join(format!("worker-{}.log", self.number()));
        let mut all = vec!["worker"];
        all.extend(arguments);
        let out = fs::File::create(&log).unwrap();
        let child = self.command(&all).stderr(out).stdout(Stdio::null()).spawn().unwrap();
        Worker { child, log }
    }

    pub(crate) fn job(&self, id: i64) -> ValidationJob {
        RUNTIME.block_on(self.catalogue.job(id)).unwrap()
    }

    /// Waits until a job has ended.
    pub(crate) fn ended(&self, id: i64, at_most: Duration) -> ValidationJob {
        let end = Instant::now() + at_most;
        loop {
            let job = self.job(id);
            if !job.state.is_unfinished() {
                return job;
            }
            assert!(Instant::now() < end, "job {id} has not ended: {job:?}\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A job's report, which must be there.
    pub(crate) fn report(&self, job_id: i64) -> Vec<u8> {
        RUNTIME.block_on(async {
            let artifacts = self.catalogue.artifacts(job_id).await.unwrap();
            let json = artifacts.iter().find(|it| it.file.name == "report.json").unwrap();
            let bytes = self.storage.read(&json.file.object_key, 1 << 30).await.unwrap();
            assert_eq!(hex::encode(Sha256::digest(&bytes)), json.file.sha256);
            bytes
        })
    }

    /// Keys of all objects in the storage, in order.
    pub(crate) fn objects(&self) -> Vec<String> {
        RUNTIME.block_on(async {
            let mut listing = self.storage.list().await.unwrap();
            let mut keys = Vec::new();
            while let Some(object) = listing.next().await.unwrap() {
                keys.push(object.key);
            }
            keys.sort();
            keys
        })
    }

    /// What the workers logged.
    pub(crate) fn logs(&self) -> String {
        let mut logs = String::new();
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let place = entry.unwrap().path();
            if place.extension().is_some_and(|ending| ending == "log") {
                let log = fs::read_to_string(&place).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(8).collect();
                logs.push_str(&place.to_string_lossy());
                logs.extend(tail.iter().rev().map(|line| format!("\n  {line}")));
                logs.push('\n');
            }
        }
        logs
    }

    pub(crate) fn count(&self, sql: &str) -> i64 {
        // The catalogue's own words are for services; a test may look behind them.
        RUNTIME.block_on(async {
            if self.database_url.starts_with("sqlite") {
                let mut db = sqlx::SqliteConnection::connect(&self.database_url).await.unwrap();
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut db).await.unwrap()
            } else {
                let mut db = PgConnection::connect(&self.database_url).await.unwrap();
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut db).await.unwrap()
            }
        })
    }

    pub(crate) fn completed(&self, job_id: i64, at_most: Duration) {
        let job = self.ended(job_id, at_most);
        assert_eq!(job.state, JobState::Completed, "{job:?}\n{}", self.logs());
        assert_eq!(job.files_done, job.files_total, "{job:?}");
    }
}

/// A database and a bucket's folder of their own.
pub(crate) fn servers() -> Option<(String, String)> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let (postgres, s3) = (std::env::var("LUNA_TEST_POSTGRES"), std::env::var("LUNA_TEST_S3"));
    let (Ok(postgres), Ok(s3)) = (postgres, s3) else {
        let required = std::env::var("LUNA_TEST_SERVERS").is_ok();
        assert!(!required, "no servers; run the tests under .ci/servers");
        eprintln!("skipped on servers: LUNA_TEST_POSTGRES or LUNA_TEST_S3 names none");
        return None;
    };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("jobs_{}_{number}", std::process::id());
    RUNTIME.block_on(async {
        let mut server = PgConnection::connect(&postgres).await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        server.execute(sql).await.unwrap();
    });
    let (server, _) = postgres.rsplit_once('/').unwrap();
    let (place, options) = s3.split_once('?').unwrap();
    Some((format!("{server}/{name}"), format!("{place}/{name}?{options}")))
}

/// A worker, killed when it is dropped.
pub(crate) struct Worker {
    pub(crate) child: Child,
    pub(crate) log: PathBuf,
}

impl Worker {
    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM; the exit code.
    pub(crate) fn stop(&mut self, at_most: Duration) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let end = Instant::now() + at_most;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }

    /// Waits until the log holds a text.
    pub(crate) fn says(&self, text: &str, at_most: Duration) {
        let end = Instant::now() + at_most;
        while !fs::read_to_string(&self.log).unwrap_or_default().contains(text) {
            assert!(Instant::now() < end, "no {text:?} in {}", self.log.display());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Files of all kinds, sound and broken, with pictures of this width.
fn pool(width: usize) -> Vec<Upload> {
    let file = |number: usize| {
        let format = match number % 4 {
            0 => "format = \"png\"\nbits = 8",
            1 => "format = \"jpeg\"\nbits = 8\nquality = 90",
            2 => "format = \"dicom\"\nbits = 12\ntransfer_syntax = \"explicit\"",
            _ => "format = \"dicom\"\nbits = 12\ntransfer_syntax = \"rle\"",
        };
        format!(
            "[[file]]\npath = \"{number:02}\"\npicture = \"chest\"\nseed = {number}\n\
             width = {width}\nheight = {}\n{format}\n",
            width / 8 * 9
        )
    };
    let recipe: String = (0..24).map(file).collect();
    let folder = tempfile::tempdir().unwrap();
    Recipe::parse(&recipe).unwrap().write_to(folder.path()).unwrap();
    let mut pool = files_of(folder.path());
    let endings = ["png", "jpg", "dcm", "dcm"];
    for (number, (path, bytes)) in pool.iter_mut().enumerate() {
        path.push('.');
        path.push_str(endings[number % 4]);
        if number % 7 == 3 {
            bytes.truncate(bytes.len() / 2);
        }
    }
    pool.push(("notes.txt".to_owned(), b"no picture".to_vec()));
    pool
}

/// A data set of so many small files.
pub(crate) fn set(files: usize, seed: usize) -> Vec<Upload> {
    static SMALL: LazyLock<Vec<Upload>> = LazyLock::new(|| pool(128));
    set_of(&SMALL, files, seed)
}

/// A data set of files that take some while.
pub(crate) fn slow_set(files: usize, seed: usize) -> Vec<Upload> {
    static LARGE: LazyLock<Vec<Upload>> = LazyLock::new(|| pool(512));
    set_of(&LARGE, files, seed)
}

fn set_of(pool: &[Upload], files: usize, seed: usize) -> Vec<Upload> {
    (0..files)
        .map(|number| {
            let (name, bytes) = &pool[(number * 7 + seed) % pool.len()];
            (format!("{:02}/{number:05}-{name}", number % 7), bytes.clone())
        })
        .collect()
}

pub(crate) fn files_of(folder: &Path) -> Vec<Upload> {
    use luna_core::Source as _;
    let items = luna_core::source::Folder::new(folder).items().unwrap();
    let read = |path: &str| fs::read(folder.join(path)).unwrap();
    items.iter().map(|item| (item.path.to_string(), read(item.path.as_str()))).collect()
}

/// The report that `luna validate` gives of these files.
pub(crate) fn expected(files: &[Upload]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("set");
    fs::create_dir(&root).unwrap();
    for (path, bytes) in files {
        let place = root.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    }
    validated(&root)
}

/// The report that `luna validate` gives of a place.
pub(crate) fn validated(place: &Path) -> Vec<u8> {
    let out = tempfile::tempdir().unwrap();
    let report = out.path().join("report.json");
    let status = Command::new(LUNA)
        .args(["validate", "--progress", "never", "--fail-on", "never", "-o"])
        .args([&report, place])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    fs::read(report).unwrap()
}

/// Says where two reports part, rather than print them.
pub(crate) fn same(found: &[u8], expected: &[u8], what: &str) {
    if found == expected {
        return;
    }
    let at = found.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(0);
    let show = |bytes: &[u8]| {
        String::from_utf8_lossy(&bytes[at.saturating_sub(200)..(at + 200).min(bytes.len())])
            .into_owned()
    };
    panic!("{what}: reports part at byte {at}:\n{}\n--- expected\n{}", show(found), show(expected));
}
