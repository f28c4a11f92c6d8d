//! The service is killed (SIGKILL) at any step of an upload: what it acknowledged is whole afterwards, the rest
//! is absent and can be sent again. Promise 19.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::client::{Service, Upload, User, ends, with_headers};

/// Bytes that the service hands to the disk at once: cuts lie around it.
const BLOCK: usize = 1 << 20;

/// A service that is killed and started again on the same folder, and somebody who goes on uploading.
struct Bench {
    service: Service,
    user: User,
    folder: TempDir,
    dataset: Value,
    files: Vec<Upload>,
    /// Which of them were answered with 200.
    acknowledged: BTreeSet<usize>,
    random: Random,
}

/// Numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % end
    }
}

impl Bench {
    fn start(sizes: &[usize], seed: u64) -> Self {
        let mut random = Random(seed);
        let files: Vec<Upload> = sizes
            .iter()
            .enumerate()
            .map(|(number, size)| {
                let bytes = (0..*size).map(|_| random.below(256) as u8).collect();
                (format!("a/{number:02}.bin"), bytes)
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let (service, password) = Service::first(folder.path(), |_| {});
        let user = service.user("admin", &password);
        let dataset = user.start("set", &files)["dataset_id"].clone();
        let acknowledged = BTreeSet::new();
        Self { service, user, folder, dataset, files, acknowledged, random }
    }

    /// Kills the service, starts it again on its folder, and looks at every file. Who was signed in still is.
    fn killed(&mut self) {
        self.service.kill();
        self.service = Service::within(self.folder.path(), |_| {});
        self.user = self.user.at(&self.service);
        self.look();
    }

    /// Each acknowledged file is whole; each other one is absent, or came whole without its answer.
    fn look(&self) {
        let rows = self.user.read(&format!("/api/v1/validation/{}/files", self.dataset));
        let rows = rows["items"].as_array().unwrap();
        assert_eq!(rows.len(), self.files.len());
        let mut absent = 0;
        for (number, (row, (name, bytes))) in rows.iter().zip(&self.files).enumerate() {
            assert_eq!(row["path"], json!(name));
            let is_held = !row["received_at"].is_null();
            assert!(is_held || !self.acknowledged.contains(&number), "{name} was acknowledged");
            let path =
                format!("/api/v1/validation/{}/files/{}/content", self.dataset, row["file_id"]);
            let content = self.user.get(&path);
            if is_held {
                let content = content.bytes().unwrap();
                assert_eq!(Sha256::digest(&content), Sha256::digest(bytes), "{name} is not whole");
            } else {
                assert_eq!(content.status(), 404);
                absent += 1;
            }
        }
        let upload = self.user.read(&format!("/api/v1/upload/{}", self.dataset));
        assert_eq!(upload["missing"], json!(absent), "{upload}");
    }

    /// Where the files that are absent are to be sent, and how much of each is there.
    fn missing(&self) -> Vec<(usize, Value, usize)> {
        let upload = self.user.read(&format!("/api/v1/upload/{}", self.dataset));
        let missing = upload["files"]["items"].as_array().unwrap();
        let ids: Vec<&Value> = missing.iter().map(|it| &it["file_id"]).collect();
        let path = format!("/api/v1/upload/{}/urls", self.dataset);
        let fresh = self.user.made(&path, &json!({ "file_ids": ids }));
        let fresh = fresh["upload_urls"].as_array().unwrap().iter();
        let number = |path: &Value| self.files.iter().position(|(name, _)| path == name).unwrap();
        let held = |it: &Value| it["received_bytes"].as_u64().unwrap() as usize;
        missing
            .iter()
            .zip(fresh)
            .map(|(it, url)| (number(&it["path"]), url.clone(), held(it)))
            .collect()
    }

    fn put(&mut self, number: usize, target: &Value) {
        let answer = self.user.put(target, &self.files[number].1);
        assert_eq!(answer.status(), 200, "{}", answer.text().unwrap());
        self.acknowledged.insert(number);
    }

    /// Sends what is missing, completes, and waits for the verdict.
    fn ends(&mut self) {
        for (number, target, _) in self.missing() {
            self.put(number, &target);
        }
        self.look();
        self.user.complete(&self.dataset);
        let ended = self.user.completed(&self.dataset);
        assert_eq!(ended["validation_results"]["files_checked"], json!(self.files.len()));
    }

    /// Sends a file up to some byte of its body, and is killed then. Whether the answer came before.
    fn killed_in_mid_body(&mut self, number: usize, target: &Value, sent: usize) -> bool {
        let bytes = &self.files[number].1;
        let host = self.service.url.strip_prefix("http://").unwrap();
        let path = target["upload_url"].as_str().unwrap().strip_prefix(&self.service.url).unwrap();
        let mut line = TcpStream::connect(host).unwrap();
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/octet-stream\r\n\
             Content-Length: {}\r\n\r\n",
            bytes.len()
        );
        line.write_all(head.as_bytes()).unwrap();
        line.write_all(&bytes[..sent]).unwrap();
        thread::sleep(Duration::from_millis(self.random.below(40) as u64));
        self.service.signal_kill();
        let mut answer = Vec::new();
        // A killed service resets the line.
        let _ = line.read_to_end(&mut answer);
        let is_acknowledged = answer.starts_with(b"HTTP/1.1 200");
        if is_acknowledged {
            self.acknowledged.insert(number);
        }
        self.killed();
        is_acknowledged
    }

    /// All heard of the same job, and it ended once.
    fn has_one_job(&self, answers: &[Value]) {
        let job = &answers.last().unwrap()["validation_job_id"];
        assert!(job.is_i64(), "{answers:?}");
        assert!(answers.iter().all(|it| it["validation_job_id"] == *job), "{answers:?}");
        assert_eq!(self.user.completed(&self.dataset)["validation_job_id"], *job);
        let path = format!("/api/v1/validation/{}/events", self.dataset);
        assert_eq!(ends(&self.user.get(&path).text().unwrap()), 1);
    }

    /// Sends a file from one byte to another; the status.
    fn put_range(&self, number: usize, target: &Value, from: usize, to: usize) -> u16 {
        let bytes = &self.files[number].1;
        let range = format!("bytes {from}-{}/{}", to - 1, bytes.len());
        let request = self.user.client.put(target["upload_url"].as_str().unwrap());
        let request = with_headers(request, target).header("content-range", range);
        request.body(bytes[from..to].to_vec()).send().unwrap().status().as_u16()
    }
}

#[test]
fn killed_between_any_two_steps_it_holds_what_it_acknowledged() {
    let mut bench = Bench::start(&[3, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK], 1);
    let first: Vec<Value> = bench.missing().into_iter().map(|(_, target, _)| target).collect();
    let old = bench.service.url.clone();
    for (number, target) in first.into_iter().enumerate() {
        bench.killed();
        // What was signed before is as good as it was, where the service listens now.
        let url = target["upload_url"].as_str().unwrap().replace(&old, &bench.service.url);
        let mut target = target.clone();
        target["upload_url"] = json!(url);
        if number % 2 == 0 {
            let size = bench.files[number].1.len();
            assert_eq!(bench.put_range(number, &target, 0, size / 2), 202);
            bench.killed();
            let (next, target, held) = bench.missing().swap_remove(0);
            assert_eq!((next, held), (number, size / 2), "the first half was acknowledged");
            assert_eq!(bench.put_range(number, &target, size / 2, size), 200);
            bench.acknowledged.insert(number);
        } else {
            bench.put(number, &target);
        }
    }
    bench.killed();
    let done = bench.user.complete(&bench.dataset);
    bench.killed();
    let again = bench.user.complete(&bench.dataset);
    assert_eq!(again["status"], "already_completed");
    assert_eq!(done["validation_job_id"], again["validation_job_id"]);
    let ended = bench.user.completed(&bench.dataset);
    assert_eq!(ended["validation_results"]["files_checked"], json!(bench.files.len()));
    bench.killed();
    let same = |it: &Value| [&it["validation_results"], &it["completed_at"]].map(Value::clone);
    assert_eq!(same(&bench.user.completed(&bench.dataset)), same(&ended), "a verdict stays");
}

#[test]
fn killed_in_the_middle_of_a_body_it_keeps_nothing_of_it() {
    let size = 2 * BLOCK + 17;
    let mut bench = Bench::start(&[size; 4], 2);
    let chance: Vec<usize> = (0..4).map(|_| bench.random.below(size)).collect();
    let cuts = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, size - 1, size, size];
    for sent in cuts.into_iter().chain(chance) {
        let Some((number, target, held)) = bench.missing().pop() else { break };
        assert_eq!(held, 0);
        let is_acknowledged = bench.killed_in_mid_body(number, &target, sent);
        assert!(!is_acknowledged || sent == size, "acknowledged before it was there");
        let is_missing = bench.missing().iter().any(|(it, _, _)| *it == number);
        assert!(is_missing || sent == size, "held, and only {sent} of {size} bytes came");
    }
    bench.ends();
}

#[test]
fn killed_while_many_send_it_holds_what_it_acknowledged() {
    let mut random = Random(3);
    let sizes: Vec<usize> = (0..48).map(|_| 1 + random.below(BLOCK * 3 / 2)).collect();
    let mut bench = Bench::start(&sizes, 4);
    for _ in 0..6 {
        let (queue, acknowledged) = (Mutex::new(bench.missing()), Mutex::new(BTreeSet::new()));
        let pause = Duration::from_millis(20 + bench.random.below(180) as u64);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let next = queue.lock().unwrap().pop();
                        let Some((number, target, _)) = next else { return };
                        let request = bench.user.client.put(target["upload_url"].as_str().unwrap());
                        let request = with_headers(request, &target);
                        let sent = request.body(bench.files[number].1.clone()).send();
                        if sent.is_ok_and(|answer| answer.status() == 200) {
                            acknowledged.lock().unwrap().insert(number);
                        }
                    }
                });
            }
            thread::sleep(pause);
            bench.service.signal_kill();
        });
        bench.acknowledged.append(&mut acknowledged.into_inner().unwrap());
        bench.killed();
    }
    assert!(!bench.acknowledged.is_empty(), "killed before anything was sent");
    bench.ends();
}

/// What eight who complete a data set at once hear, if the service lives as long.
fn completed_by_eight(bench: &Bench) -> Vec<Value> {
    let one = || {
        let url = format!("{}/api/v1/upload/complete", bench.service.url);
        let call = bench.user.client.post(url).bearer_auth(&bench.user.token);
        call.json(&json!({ "dataset_id": bench.dataset })).send()?.json::<Value>()
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        all.into_iter().filter_map(|it| it.join().unwrap().ok()).collect()
    })
}

#[test]
fn completed_by_many_at_once_it_makes_one_job() {
    let bench = Bench::start(&[7; 3], 5);
    let answers = completed_by_eight(&bench);
    let newly = answers.iter().filter(|it| it["status"] == "queued").count();
    assert_eq!((answers.len(), newly), (8, 1), "{answers:?}");
    bench.has_one_job(&answers);
}

#[test]
fn completed_by_many_and_killed_meanwhile_it_makes_one_job() {
    let mut bench = Bench::start(&[7; 3], 6);
    for _ in 0..4 {
        let pause = Duration::from_millis(bench.random.below(12) as u64);
        let mut answers = thread::scope(|scope| {
            let heard = scope.spawn(|| completed_by_eight(&bench));
            thread::sleep(pause);
            bench.service.signal_kill();
            heard.join().unwrap()
        });
        bench.killed();
        answers.extend(completed_by_eight(&bench));
        bench.has_one_job(&answers);
        let next = bench.user.start("next", &bench.files);
        bench.dataset = next["dataset_id"].clone();
    }
}
