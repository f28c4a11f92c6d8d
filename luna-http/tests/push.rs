//! `luna push` against the service, both as their binaries, over lines that break.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod started;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use luna_fixtures::Recipe;
use luna_worker::catalogue::{Catalogue, Error};
use serde_json::Value;
use tempfile::TempDir;

use self::started::{BINARY, Started};

/// The service, and a line to it that may be bad.
struct Service {
    process: Child,
    folder: TempDir,
    password: String,
    line: Line,
    /// Where `luna push` remembers.
    state: TempDir,
}

impl Service {
    fn start() -> Self {
        let line = Line::new();
        let folder = tempfile::tempdir().unwrap();
        let mut started = Started::within(folder.path(), |command| {
            command.args(["--public-url", &line.url()]);
        });
        let password = started.password();
        let Started { process, mut log, address } = started;
        // A full pipe would stop the service.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        line.connect(address);
        Self { process, folder, password, line, state: tempfile::tempdir().unwrap() }
    }

    /// `luna push` with these arguments, as `admin`.
    fn push(&self, place: &Path, arguments: &[&str]) -> Command {
        let luna = Path::new(BINARY).with_file_name("luna");
        assert!(luna.exists(), "{} is not there: build the whole workspace", luna.display());
        let mut command = Command::new(luna);
        command.arg("push").arg(place).args(["--server", &self.line.url(), "--username", "admin"]);
        command.args(arguments).stdin(Stdio::null());
        command.env("LUNA_PASSWORD", &self.password).env("XDG_STATE_HOME", self.state.path());
        for variable in ["LUNA_API_KEY", "LUNA_TOKEN", "LUNA_SERVER", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        command
    }

    fn pushed(&self, place: &Path, arguments: &[&str]) -> Told {
        Told::of(&self.push(place, arguments).output().unwrap())
    }

    /// Paths of the files that the service holds of a data set.
    fn holds(&self, dataset: i64) -> Result<Vec<String>, Error> {
        let database = format!("sqlite://{}", self.folder.path().join("luna.db").display());
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let catalogue = Catalogue::open(&database, 1).await?;
            catalogue.dataset(dataset, None).await?;
            let files = catalogue.files(dataset, None, 1_000).await?;
            catalogue.close().await;
            Ok(files
                .into_iter()
                .filter(|file| file.received_at.is_some())
                .map(|file| file.path)
                .collect())
        })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the command said.
#[derive(Debug)]
struct Told {
    code: Option<i32>,
    result: String,
    messages: String,
}

impl Told {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (result, messages) = (text(&output.stdout), text(&output.stderr));
        Self { code: output.status.code(), result, messages }
    }
}

/// What becomes of a connection.
#[derive(Clone, Copy)]
enum Fate {
    Good,
    /// Answered with 503 and one second of `Retry-After`.
    Busy,
    /// Closed after so many bytes from the client.
    Breaks(usize),
    /// Silent after so many bytes from the client.
    Stalls(usize),
}

/// A proxy for connections, each with a fate of its own.
#[derive(Clone)]
struct Line {
    port: u16,
    behind: Arc<Mutex<Option<SocketAddr>>>,
    fates: Arc<Mutex<Vec<Fate>>>,
    /// The fate of those for which none was said.
    usual: Arc<Mutex<Fate>>,
    stalled: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
}

impl Line {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = Self {
            port: listener.local_addr().unwrap().port(),
            behind: Arc::default(),
            fates: Arc::default(),
            usual: Arc::new(Mutex::new(Fate::Good)),
            stalled: Arc::default(),
            connections: Arc::default(),
        };
        let worker = line.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                worker.connections.fetch_add(1, Ordering::Relaxed);
                let (line, fate) = (worker.clone(), worker.fate());
                std::thread::spawn(move || line.carry(client, fate));
            }
        });
        line
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn connect(&self, address: SocketAddr) {
        *self.behind.lock().unwrap() = Some(address);
    }

    /// The next connections have these fates, in this order; later ones are good.
    fn next(&self, mut fates: Vec<Fate>) {
        fates.reverse();
        *self.fates.lock().unwrap() = fates;
    }

    fn always(&self, fate: Fate) {
        *self.usual.lock().unwrap() = fate;
    }

    fn fate(&self) -> Fate {
        self.fates.lock().unwrap().pop().unwrap_or_else(|| *self.usual.lock().unwrap())
    }

    fn carry(&self, mut client: TcpStream, fate: Fate) -> std::io::Result<()> {
        if matches!(fate, Fate::Busy) {
            let mut head = [0; 4_096];
            let _ = client.read(&mut head)?;
            return client.write_all(
                b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
        let mut service = TcpStream::connect(self.behind.lock().unwrap().unwrap())?;
        let (mut answers, mut back) = (service.try_clone()?, client.try_clone()?);
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut answers, &mut back);
            back.shutdown(Shutdown::Both)
        });
        let mut left = match fate {
            Fate::Breaks(bytes) | Fate::Stalls(bytes) => bytes,
            Fate::Good | Fate::Busy => usize::MAX,
        };
        let mut block = vec![0; 1 << 16];
        loop {
            let most = left.min(block.len());
            let read = client.read(&mut block[..most])?;
            if read == 0 && left > 0 {
                return service.shutdown(Shutdown::Both);
            }
            service.write_all(&block[..read])?;
            left -= read;
            if left == 0 {
                break;
            }
        }
        if matches!(fate, Fate::Stalls(_)) {
            self.stalled.store(true, Ordering::Relaxed);
            // Until the client is gone: it still writes, and nobody reads.
            while client.take_error().is_ok() && !is_closed(&client) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        client.shutdown(Shutdown::Both)?;
        service.shutdown(Shutdown::Both)
    }
}

fn is_closed(client: &TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    let mut block = vec![0; 1 << 16];
    // What is read away here is lost for good, which is what a dead line does.
    matches!((&*client).read(&mut block), Ok(0)) || client.peer_addr().is_err()
}

fn drawn(recipe: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Recipe::parse(recipe).unwrap().write_to(folder.path()).unwrap();
    folder
}

/// One good picture.
fn clean() -> TempDir {
    drawn(
        "[[file]]\npath = \"a/chest.png\"\npicture = \"chest\"\nwidth = 320\nheight = 320\nformat = \"png\"\n",
    )
}

/// One good picture, and a half one.
fn damaged() -> TempDir {
    let folder = clean();
    let whole = fs::read(folder.path().join("a/chest.png")).unwrap();
    fs::write(folder.path().join("a/cut.png"), &whole[..whole.len() / 2]).unwrap();
    folder
}

/// Bytes that no two places have alike.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn the_exit_code_is_the_verdict() {
    let service = Service::start();
    let clean = clean();
    fs::write(clean.path().join(".DS_Store"), "left behind").unwrap();
    let told = service.pushed(clean.path(), &["--name", "clean"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let page = format!("{}/datasets/1", service.line.url());
    assert_eq!(
        told.result,
        format!("PASS  0 errors, 0 warnings; 1 file checked, 0 with errors\n{page}\n")
    );
    assert!(told.messages.contains("1 hidden or left by systems stay here"), "{told:?}");
    assert_eq!(service.holds(1).unwrap(), ["a/chest.png"]);

    let told = service.pushed(damaged().path(), &["--format", "json"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.messages.contains("note: LF004 in 1 file (a/cut.png)"), "{told:?}");
    let result: Value = serde_json::from_str(&told.result).unwrap();
    assert_eq!((&result["verdict"], &result["dataset_id"]), (&"fail".into(), &2.into()));
    assert_eq!(result["validation_results"]["files_failed"], 1);

    let told = service.pushed(damaged().path(), &[]);
    assert_eq!(told.code, Some(1), "{told:?}");
    for part in ["LF004 truncated-file", "a/cut.png", "FAIL  1 error"] {
        assert!(told.result.contains(part), "{told:?}");
    }
    assert!(told.result.ends_with("/datasets/3\n"), "{told:?}");

    let told = service.pushed(damaged().path(), &["--no-wait"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.result.starts_with("data set 4 is handed in"), "{told:?}");
    assert_eq!(fs::read_dir(service.state.path().join("luna/push")).unwrap().count(), 0);
}

#[test]
fn what_names_a_patient_is_not_sent() {
    let service = Service::start();
    let recipe = "[[file]]\npath = \"chest.dcm\"\npicture = \"chest\"\nwidth = 256\nheight = 256\nbits = 12\n\
                  format = \"dicom\"\n[file.set]\nPatientName = \"QUENTIN^MARGARETHE\"\n";
    let named = drawn(recipe);
    let told = service.pushed(named.path(), &[]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.result.contains("LI001"), "{told:?}");
    assert!(told.messages.contains("nothing was sent: 1 file could name a person"), "{told:?}");
    let all = format!("{}{}", told.result, told.messages).to_uppercase();
    assert!(!all.contains("QUENTIN") && !all.contains("MARGARETHE"), "{told:?}");
    assert!(matches!(service.holds(1), Err(Error::NotFound { .. })));

    let told = service.pushed(named.path(), &["--no-check"]);
    assert_eq!(told.code, Some(1), "the service finds it too: {told:?}");
    assert_eq!(service.holds(1).unwrap(), ["chest.dcm"]);
}

#[test]
fn an_archive_is_sent_as_it_is_and_looked_into_here() {
    use luna_fixtures::write::archive::{Form, Member, write};
    let service = Service::start();
    let folder = clean();
    let bytes = fs::read(folder.path().join("a/chest.png")).unwrap();
    let place = folder.path().join("set.zip");
    let form = Form::ALL.iter().find(|form| form.ending() == "zip").unwrap();
    fs::write(&place, write(*form, &[Member::file("chest.png", &bytes)])).unwrap();
    let told = service.pushed(&place, &[]);
    assert!(told.messages.starts_with("1 file, "), "{told:?}");
    assert_eq!(service.holds(1).unwrap(), ["set.zip"]);
}

#[test]
fn who_is_not_let_in_learns_why_before_any_work() {
    let service = Service::start();
    let folder = clean();
    let mut command = service.push(folder.path(), &[]);
    let told = Told::of(&command.env("LUNA_PASSWORD", "guess").output().unwrap());
    assert_eq!(told.code, Some(2), "{told:?}");
    for part in
        ["The name or the password is not right.", "do: check username and password", "request "]
    {
        assert!(told.messages.contains(part), "{told:?}");
    }
    let told = service.pushed(folder.path(), &["--replaces", "4711"]);
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(told.messages.contains("replaces"), "{told:?}");
}

#[test]
fn a_new_version_is_sent_what_changed() {
    let service = Service::start();
    let folder = damaged();
    assert_eq!(service.pushed(folder.path(), &[]).code, Some(1));
    let fixed = tempfile::tempdir().unwrap();
    fs::create_dir(fixed.path().join("a")).unwrap();
    let whole = drawn(
        "[[file]]\npath = \"cut.png\"\npicture = \"chest\"\nwidth = 330\nheight = 340\nformat = \"png\"\n",
    );
    fs::copy(whole.path().join("cut.png"), fixed.path().join("a/cut.png")).unwrap();
    let told = service.pushed(fixed.path(), &["--replaces", "1"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(
        told.messages.starts_with("1 file, ") && told.result.contains("2 files checked"),
        "{told:?}"
    );
    let told = service.pushed(fixed.path(), &["--replaces", "1", "--remove", "a/chest.png"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(service.holds(3).unwrap(), ["a/cut.png"]);
}

#[test]
fn a_busy_service_and_a_broken_line_are_waited_out() {
    let service = Service::start();
    let folder = clean();
    fs::write(folder.path().join("README.md"), noise(9 << 20)).unwrap();
    service.line.next(vec![Fate::Busy, Fate::Busy, Fate::Breaks(4 << 20)]);
    let began = Instant::now();
    let told = service.pushed(folder.path(), &["--jobs", "1"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(began.elapsed() >= Duration::from_secs(2), "Retry-After was not kept");
    assert_eq!(service.holds(1).unwrap(), ["README.md", "a/chest.png"]);
}

#[test]
fn one_that_was_killed_goes_on() {
    let service = Service::start();
    let folder = clean();
    for number in 0..20 {
        fs::write(folder.path().join(format!("README-{number:02}.md")), noise(300_000 + number))
            .unwrap();
    }
    service.line.always(Fate::Stalls(1_500_000));
    let mut killed =
        service.push(folder.path(), &["--jobs", "2"]).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + Duration::from_mins(1);
    while !service.line.stalled.load(Ordering::Relaxed) {
        assert!(Instant::now() < end, "it should have stalled");
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let before = service.holds(1).unwrap();
    assert!(!before.is_empty() && before.len() < 21, "{before:?}");

    service.line.always(Fate::Good);
    let told = service.pushed(folder.path(), &[]);
    let going_on = format!("going on with data set 1: {} of 21 files arrived before", before.len());
    assert!(told.messages.contains(&going_on), "{told:?}");
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(service.holds(1).unwrap().len(), 21);
    assert!(matches!(service.holds(2), Err(Error::NotFound { .. })));
}

/// Run as `cargo nextest run --workspace --run-ignored all -E 'test(two_thousand)' --no-capture`.
#[test]
#[ignore = "a measurement"]
fn two_thousand_small_files_a_second() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(clean().path().join("a/chest.png")).unwrap();
    let places: Vec<PathBuf> =
        (0..2_000).map(|number| folder.path().join(format!("{number:04}.png"))).collect();
    for place in &places {
        fs::write(place, &bytes).unwrap();
    }
    let began = Instant::now();
    let told = service.pushed(folder.path(), &["--no-wait"]);
    let took = began.elapsed().as_secs_f64();
    assert_eq!(told.code, Some(0), "{told:?}");
    writeln!(
        std::io::stderr(),
        "2,000 files of {} bytes in {took:.1} s, check included: {:.0} a second",
        bytes.len(),
        2_000.0 / took
    )
    .unwrap();
}
