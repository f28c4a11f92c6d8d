//! Settings by flag, environment and file; the health check.

use std::process::Command;

use super::Service;
use super::started::BINARY;

/// What `luna-http` says to these arguments and this environment, and whether it is content.
fn said(arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String, String) {
    let mut command = Command::new(BINARY);
    command.args(arguments).env_clear().envs(environment.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_bucket_without_keys_is_refused_at_the_start_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let (is_content, out, err) = said(
        &["serve", "--storage-url", "s3://xrays?endpoint=http://127.0.0.1:9"],
        &[("HOME", home), ("LUNA_DATA_DIR", home), ("AWS_EC2_METADATA_DISABLED", "true")],
    );
    assert_eq!((is_content, &*out), (false, ""), "no password without a service");
    assert_eq!(err.matches("nothing offers keys to sign with").count(), 1, "{err}");
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("luna.toml");
    let settings = "bind = \"127.0.0.1:1\"\nquota_files = 7\nlog = \"warn\"\n\
                    cors_origins = [\"https://a.example\", \"https://b.example\"]\n\
                    jwt_secret = \"0123456789abcdef0123456789abcdef\"\n";
    std::fs::write(&file, settings).unwrap();
    let place = file.to_str().unwrap();
    let environment = [
        ("LUNA_BIND", "127.0.0.1:2"),
        ("LUNA_LOG", "error"),
        ("LUNA_DATABASE_URL", "postgres://luna:s3cret@db/luna"),
        ("LUNA_STORAGE_URL", "s3://xrays?region=eu&secret_access_key=s3cret"),
        ("LUNA_IDENTITY_KEY", "s3cret"),
        ("LUNA_CONFIG", place),
    ];
    let (is_content, shown, _) = said(&["config", "--bind", "127.0.0.1:3"], &environment);
    assert!(is_content);
    for line in [
        "bind = \"127.0.0.1:3\"  # the command line",
        "log = \"error\"  # LUNA_LOG",
        &format!("quota_files = 7  # {place}"),
        "quota_open_uploads = 20  # default",
        "worker = \"embedded\"  # default",
        "# public_url is not set",
        &format!("cors_origins = [\"https://a.example\", \"https://b.example\"]  # {place}"),
        &format!("jwt_secret = \"***\"  # {place}"),
        "identity_key = \"***\"  # LUNA_IDENTITY_KEY",
        "database_url = \"postgres://luna:***@db/luna\"  # LUNA_DATABASE_URL",
        "storage_url = \"s3://xrays?region=eu&secret_access_key=***\"  # LUNA_STORAGE_URL",
    ] {
        assert!(shown.lines().any(|it| it == line), "{line}\n{shown}");
    }
    assert!(!shown.contains("s3cret") && !shown.contains("0123456789abcdef"), "{shown}");

    // What it prints is such a file itself.
    let again = folder.path().join("again.toml");
    std::fs::write(&again, &shown).unwrap();
    let (_, read, _) = said(&["config", "--config", again.to_str().unwrap()], &[]);
    let settings = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| Some(line.split_once("  # ")?.0.to_owned())).collect()
    };
    assert_eq!(settings(&read), settings(&shown));
}

#[test]
fn what_a_file_may_not_say_is_refused_with_the_key_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("luna.toml");
    let refusal = |settings: &str| {
        std::fs::write(&file, settings).unwrap();
        let (is_content, shown, error) = said(&["serve", "--config", file.to_str().unwrap()], &[]);
        assert!(!is_content && shown.is_empty(), "{settings}");
        assert!(error.contains("luna.toml: "), "{error}");
        error
    };
    assert!(refusal("quota_file = 7").contains("no setting `quota_file`; is `quota_files` meant?"));
    assert!(refusal("config = \"b.toml\"").contains("no setting `config`"));
    assert!(refusal("[serve]\nbind = 1").contains("no setting `serve`"));
    assert!(refusal("bind = \"here\"").contains("bind: invalid value 'here'"));
    assert!(refusal("worker = \"both\"").contains("[possible values: embedded, external]"));
    assert!(refusal("quota_files = 1.5").contains("quota_files: a text or a number"));
    let broken = refusal("log = \"info\"\njwt_secret = s3cret\n");
    assert!(broken.contains("line 2") && !broken.contains("s3cret"), "{broken}");
    let (_, _, error) = said(&["config", "--config", "nowhere.toml"], &[]);
    assert!(error.starts_with("error: nowhere.toml: cannot be read"), "{error}");
}

#[test]
fn a_health_check_tells_whether_the_service_is_ready() {
    let mut service = Service::start(|_| {});
    let address = service.started.address.to_string();
    assert_eq!(
        said(&["healthcheck", "--bind", &address], &[]),
        (true, String::new(), String::new())
    );
    // Where it listens everywhere, this machine finds it.
    let port = service.started.address.port();
    let everywhere = format!("0.0.0.0:{port}");
    assert!(said(&["healthcheck"], &[("LUNA_BIND", &everywhere)]).0);
    std::fs::remove_dir_all(service.folder.path().join("objects")).unwrap();
    let (is_content, _, error) = said(&["healthcheck", "--bind", &address], &[]);
    assert!(!is_content && error.contains("cannot reach its database or storage"), "{error}");
    service.started.process.kill().unwrap();
    service.started.process.wait().unwrap();
    let (is_content, _, error) = said(&["healthcheck", "--bind", &address], &[]);
    assert!(!is_content && error.contains("no service answers"), "{error}");
}
