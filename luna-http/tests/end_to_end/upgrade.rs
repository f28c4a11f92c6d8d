//! A rolling upgrade: an old and a new API and worker run side by side over a migration while teams upload.

use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use luna_worker::catalogue::Catalogue;

use super::client::{Upload, User, drain, pictures};
use super::fleet::{Fleet, PASSWORD};
use super::started::BINARY;

/// What a next version may do to the schema while this one runs (decision 15): columns and tables that this
/// one knows nothing of.
const NEXT_VERSION: &str = "
    ALTER TABLE files ADD COLUMN of_the_next_version TEXT;
    ALTER TABLE validation_jobs ADD COLUMN of_the_next_version BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE teams ADD COLUMN of_the_next_version TEXT;
    CREATE TABLE next_version (id BIGINT PRIMARY KEY);";
/// Verdicts that are waited for at each step.
const VERDICTS: usize = 2;

/// Teams that upload without end, as a load balancer sends them: to any API that is in its list.
struct Teams {
    users: RwLock<Vec<User>>,
    verdicts: AtomicUsize,
    is_over: AtomicBool,
}

impl Teams {
    fn upload(&self, team: usize, files: &[Upload]) {
        for turn in team.. {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            let started = self.ask(turn, |user| user.start(&format!("{team} {turn}"), files));
            for (target, (_, bytes)) in started["upload_urls"].as_array().unwrap().iter().zip(files)
            {
                assert_eq!(self.ask(turn, |user| user.put(target, bytes)).status(), 200);
            }
            let dataset = started["dataset_id"].clone();
            assert_eq!(self.ask(turn, |user| user.complete(&dataset))["status"], "queued");
            let end = Instant::now() + Duration::from_mins(2);
            let status = loop {
                let status = self.ask(turn, |user| user.status(&dataset));
                if !matches!(status["status"].as_str(), Some("pending" | "processing")) {
                    break status;
                }
                assert!(Instant::now() < end, "{status}");
                thread::sleep(Duration::from_millis(50));
            };
            assert_eq!(status["status"], "completed", "{status}");
            assert_eq!(status["verdict"], "pass", "{status}");
            assert_eq!(status["validation_results"]["files_checked"], files.len());
            self.verdicts.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Each call goes to whoever is in the list then, and stays in it until it has answered.
    fn ask<T>(&self, turn: usize, call: impl FnOnce(&User) -> T) -> T {
        let users = self.users.read().unwrap();
        call(&users[turn % users.len()])
    }

    /// Waits for verdicts of data sets, most of which were begun before.
    fn go_on(&self) {
        let (from, end) =
            (self.verdicts.load(Ordering::SeqCst), Instant::now() + Duration::from_mins(2));
        while self.verdicts.load(Ordering::SeqCst) < from + VERDICTS {
            assert!(Instant::now() < end, "no verdict came");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// `LUNA_TEST_OLD` names the folder with `luna` and `luna-http` of an older version: that one is upgraded
/// then. Else this version is, to one that is made up.
#[test]
fn nobody_notices_a_rolling_upgrade_over_a_migration() {
    let here = Path::new(BINARY).parent().unwrap();
    let older = std::env::var("LUNA_TEST_OLD").ok().map(PathBuf::from);
    let old = older.as_deref().unwrap_or(here);
    let Some(mut fleet) = Fleet::of("upgrade", old) else {
        eprintln!("NOT TESTED on a fleet: LUNA_TEST_POSTGRES or LUNA_TEST_S3 names no server");
        return;
    };
    let files = pictures(3);
    let user = fleet.apis[0].user("admin", PASSWORD).new_user(&fleet.apis[0], "ann");
    let teams = Teams {
        users: RwLock::new(fleet.apis.iter().map(|api| user.at(api)).collect()),
        verdicts: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        let uploads = [0, 1].map(|team| {
            let (teams, files) = (&teams, &files);
            scope.spawn(move || teams.upload(team, files))
        });
        let rolled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            roll(&mut fleet, &teams, &user, old, here, older.is_none());
        }));
        teams.is_over.store(true, Ordering::SeqCst);
        for upload in uploads {
            upload.join().unwrap();
        }
        rolled.unwrap();
    });
}

fn roll(fleet: &mut Fleet, teams: &Teams, user: &User, old: &Path, new: &Path, is_made_up: bool) {
    teams.go_on();
    if is_made_up {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(Catalogue::upgrade(&fleet.database, NEXT_VERSION)).unwrap();
    }
    // The first new process migrates, where the hook of the chart has not.
    let first = fleet.api(new);
    teams.go_on();
    // A pod of the old version that dies now must come back.
    if is_made_up {
        fleet.apis.push(fleet.api(old));
        fleet.workers.push(fleet.worker(old, 2));
    }
    let olds = std::mem::replace(&mut fleet.apis, vec![first]);
    fleet.apis.push(fleet.api(new));
    teams.users.write().unwrap().extend(fleet.apis.iter().map(|api| user.at(api)));
    let workers = std::mem::take(&mut fleet.workers);
    fleet.workers = (3..5).map(|number| fleet.worker(new, number)).collect();
    teams.go_on();
    for api in olds {
        teams.users.write().unwrap().retain(|user| user.url != api.url);
        // An orchestrator lets requests in flight end, too.
        api.drain();
        teams.go_on();
    }
    for mut worker in workers {
        drain(&mut worker.0);
        teams.go_on();
    }
}
