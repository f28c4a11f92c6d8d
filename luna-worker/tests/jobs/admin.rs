//! `luna admin` on a service with something in it.

use std::process::Output;
use std::time::Duration;

use luna_worker::catalogue::Error;

use super::bench::{RUNTIME, Service, set};

const SOON: Duration = Duration::from_mins(1);

fn admin(service: &Service, arguments: &[&str]) -> (i32, String) {
    let mut all = vec!["admin"];
    all.extend(arguments);
    let Output { status, stdout, stderr } = service.command(&all).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.code().unwrap(), text)
}

#[test]
fn teams_users_and_keys_come_and_go_and_secrets_are_printed_once() {
    let service = Service::alone();
    let done = |arguments: &[&str]| {
        let (code, text) = admin(&service, arguments);
        assert_eq!(code, 0, "{arguments:?}: {text}");
        text
    };
    done(&["team", "create", "radiant"]);
    assert!(done(&["team", "list"]).contains("radiant"));
    let made = done(&["user", "create", "ada", "--team", "radiant"]);
    let password = made.lines().find_map(|line| line.strip_prefix("password: ")).unwrap();
    assert_eq!(password.len(), 24);
    let user = RUNTIME.block_on(service.catalogue.user_named("ada")).unwrap();
    assert!(user.password_hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(!done(&["user", "list", "--team", "radiant"]).contains(password));
    let begin = |hash| {
        let begun = service.catalogue.begin_session(user.id, hash, SOON);
        RUNTIME.block_on(begun).unwrap().id
    };
    let is_out = |session| {
        let left = RUNTIME.block_on(service.catalogue.session_user(session));
        matches!(left, Err(Error::NotFound { .. }))
    };
    let session = begin("a hash");
    let renewed = done(&["user", "password", "ada"]);
    assert!(!renewed.contains(password));
    assert!(is_out(session), "whoever knew the old one is out");
    for (number, whom) in ["ada", "--all"].iter().enumerate() {
        let session = begin(["b hash", "c hash"][number]);
        assert_eq!(done(&["user", "sign-out", whom]).trim(), "Ended 1 session.");
        assert!(is_out(session), "{whom}");
    }
    assert_eq!(done(&["user", "sign-out", "--all"]).trim(), "Ended 0 sessions.");
    done(&["user", "delete", "ada"]);
    assert_eq!(admin(&service, &["user", "sign-out", "ada"]).0, 2);
    let key = done(&["key", "create", "--team", "radiant", "--name", "ci", "--expires", "90d"]);
    assert!(key.contains("key: luna_"), "{key}");
    let listed = done(&["key", "list", "--team", "radiant"]);
    assert!(listed.contains("ci") && !listed.contains("luna_"), "{listed}");
    done(&["key", "revoke", "--team", "radiant", "1"]);
    let (code, text) = admin(&service, &["team", "delete", "radiant"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("--yes"), "{text}");
    done(&["team", "delete", "radiant", "--yes"]);
    let (code, text) = admin(&service, &["user", "list", "--team", "radiant"]);
    assert_eq!((code, text.trim()), (2, "error: there is no such team"));
}

#[test]
fn upkeep_removes_what_is_old_and_finds_what_rots() {
    let service = Service::alone();
    let team = service.team();
    let job = service.upload(team, &set(12, 21));
    let worker = service.worker(&[]);
    service.completed(job, SOON);
    drop(worker);
    let (code, text) = admin(&service, &["scrub"]);
    assert_eq!((code, text.trim()), (0, "Read 12 objects: 0 changed, 0 gone."));

    RUNTIME.block_on(async {
        let files = service.catalogue.files(1, None, 2).await.unwrap();
        let (first, second) = (&files[0].object_key, &files[1].object_key);
        let size = usize::try_from(files[0].size_bytes).unwrap();
        service.storage.write(first, vec![7; size]).await.unwrap();
        service.storage.delete(second).await.unwrap();
        service.storage.write("uploads/stray", vec![1]).await.unwrap();
    });
    let (code, text) = admin(&service, &["scrub"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("1 changed, 1 gone") && text.contains("uploads/stray"), "{text}");
    admin(&service, &["scrub", "--delete-orphans"]);
    assert!(!service.objects().contains(&"uploads/stray".to_owned()));

    let (code, text) = admin(&service, &["cleanup", "--older-than", "0d", "--dry-run"]);
    assert!(code == 0 && text.contains("Would remove 1 old data set"), "{text}");
    assert!(service.objects().len() > 2, "nothing was removed");
    let (code, text) = admin(&service, &["cleanup", "--older-than", "0d"]);
    assert!(code == 0 && text.starts_with("Removed 1 data set with 15 objects"), "{text}");
    assert_eq!(service.objects(), Vec::<String>::new());
}

#[test]
fn the_doctor_tries_everything_and_says_what_to_do() {
    let mut service = Service::alone();
    let (code, text) = admin(&service, &["doctor"]);
    assert_eq!(code, 0, "{text}");
    for what in ["database", "clock", "queue", "storage", "identity key"] {
        assert!(text.contains(&format!("ok    {what}: ")), "{text}");
    }
    assert_eq!(service.objects(), Vec::<String>::new());
    let away = "postgres://luna:hidden-word@127.0.0.1:1/luna".to_owned();
    service.environment.push(("LUNA_DATABASE_URL".to_owned(), away));
    let (code, text) = admin(&service, &["doctor"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("FAIL  database: ") && text.contains("LUNA_DATABASE_URL"), "{text}");
    assert!(!text.contains("hidden-word"), "{text}");
}

#[test]
fn the_doctor_sends_to_a_bucket_as_a_browser_would() {
    let Some(mut service) = Service::on_servers() else { return };
    let (code, text) = admin(&service, &["doctor"]);
    assert!(code == 0 && text.contains("ok    browsers: can send to http://127.0.0.1:"), "{text}");
    assert_eq!(service.objects(), Vec::<String>::new());
    let away = "http://127.0.0.1:1".to_owned();
    service.environment.push(("LUNA_STORAGE_PUBLIC_URL".to_owned(), away));
    let (code, text) = admin(&service, &["doctor"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("FAIL  browsers: ") && text.contains("CORS"), "{text}");
}

#[test]
fn dead_letters_are_shown_and_get_another_chance() {
    let service = Service::alone();
    let job = service.upload(service.team(), &set(5, 22));
    let key = RUNTIME.block_on(async {
        let files = service.catalogue.files(1, None, 1).await.unwrap();
        let key = files[0].object_key.clone();
        let bytes = service.storage.read(&key, 1 << 30).await.unwrap();
        service.storage.delete(&key).await.unwrap();
        (key, bytes)
    });
    let _worker = service.worker(&[]);
    let failed = service.ended(job, SOON);
    assert!(failed.error_message.is_some());
    let (_, text) = admin(&service, &["queue"]);
    assert!(text.contains("items given up   1") && text.contains("is gone"), "{text}");
    RUNTIME.block_on(service.storage.write(&key.0, key.1)).unwrap();
    let (code, text) = admin(&service, &["retry", "--all"]);
    assert_eq!((code, text.trim()), (0, "1 item queued again."));
    service.completed(job, SOON);
}
