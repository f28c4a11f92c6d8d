//! The real `luna` binary, as a shell runs it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn luna(arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("luna"));
    command.args(arguments).stdin(Stdio::null());
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "LUNA_IDENTITY_KEY"] {
        command.env_remove(variable);
    }
    for variable in ["LUNA_SERVER", "LUNA_API_KEY", "LUNA_TOKEN", "LUNA_PASSWORD"] {
        command.env_remove(variable);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    luna(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A set with an empty picture: LF001, an error.
fn broken_set() -> TempDir {
    let set = tempfile::tempdir().unwrap();
    fs::write(set.path().join("empty.png"), "").unwrap();
    fs::write(set.path().join("README.md"), "about").unwrap();
    set
}

/// A set with one good picture.
fn clean_set() -> TempDir {
    let set = tempfile::tempdir().unwrap();
    let recipe = "[[file]]\npath = \"chest.png\"\npicture = \"chest\"\nwidth = 320\nheight = 320\n\
                  format = \"png\"\n";
    luna_fixtures::Recipe::parse(recipe).unwrap().write_to(set.path()).unwrap();
    set
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn exit_codes_are_those_of_the_help() {
    let (broken, clean, empty) = (broken_set(), clean_set(), tempfile::tempdir().unwrap());
    let broken_profile = broken.path().join("broken.toml");
    fs::write(&broken_profile, "nmae = \"x\"").unwrap();
    let (set, good, profile) = (text(broken.path()), text(clean.path()), text(&broken_profile));
    let table: &[(i32, &[&str])] = &[
        (0, &["validate", good]),
        (1, &["validate", set]),
        (1, &["validate", text(empty.path())]),
        (0, &["validate", set, "--fail-on", "never"]),
        (0, &["validate", set, "--ignore", "LF"]),
        (1, &["validate", set, "--select", "lf001"]),
        (2, &[]),
        (2, &["validate"]),
        (2, &["validate", set, "--format", "docx"]),
        (2, &["validate", set, "-o", "report.docx"]),
        (2, &["validate", set, "--select", "QQ"]),
        (2, &["validate", set, "--profile", "no-such-profile"]),
        (2, &["validate", set, "--profile", profile]),
        (2, &["validate", set, "--jobs", "0"]),
        (2, &["validate", set, "--memory", "plenty"]),
        (2, &["validate", set, "--identity-key", "no/such/key"]),
        (3, &["validate", "s4://bucket/scans"]),
        (3, &["validate", "s3://bucket/scans?regoin=x"]),
        (2, &["explain", "LF999X"]),
        (2, &["inspect", set]),
        (2, &["profile", "check", profile]),
        (2, &["push", good]),
        (2, &["push", text(empty.path()), "--server", "https://luna.example.org"]),
        (2, &["push", good, "--server", "luna.example.org", "--username", "ada"]),
        (2, &["push", good, "--server", "http://luna.example.org", "--username", "ada"]),
        (2, &["push", good, "--server", "http://127.0.0.1:1"]),
        (2, &["push", "s3://bucket/scans", "--server", "http://127.0.0.1:1"]),
        (2, &["push", good, "--server", "http://127.0.0.1:1", "--remove", "a.png"]),
        (3, &["push", "no/such/folder", "--server", "http://127.0.0.1:1"]),
        (0, &["push", "--help"]),
        (3, &["validate", "no/such/folder"]),
        (3, &["inspect", "no/such/file.png"]),
        (4, &["validate", good, "-o", "no/such/folder/report.json"]),
        (0, &["--version"]),
        (0, &["validate", "--help"]),
        (0, &["profile", "check", "chest-xray"]),
    ];
    for (code, arguments) in table {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(*code), "luna {arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn folder_zip_and_tar_of_one_tree_give_one_report() {
    use luna_fixtures::write::archive::{Form, Member, write};
    let set = clean_set();
    let bytes = fs::read(set.path().join("chest.png")).unwrap();
    fs::write(set.path().join("manifest.csv"), "file,size\nchest.png,1\n").unwrap();
    let members = [
        Member::file("./chest.png", &bytes),
        Member::file("./manifest.csv", b"file,size\nchest.png,1\n"),
    ];
    let folder = run(&["validate", text(set.path()), "--format", "json"]);
    assert!(stdout(&folder).contains("LM008"));
    let other = tempfile::tempdir().unwrap();
    for form in Form::ALL {
        let place = other.path().join(format!("set.{}", form.ending()));
        fs::write(&place, write(form, &members)).unwrap();
        let archive = run(&["validate", text(&place), "--format", "json"]);
        assert_eq!(stdout(&archive), stdout(&folder), "{form:?}");
        assert_eq!(archive.status.code(), folder.status.code());
    }
}

#[test]
fn a_manifest_that_is_none_is_wrong_usage_and_a_bad_one_a_finding() {
    let set = clean_set();
    let beside = tempfile::tempdir().unwrap();
    let put = |name: &str, contents: &str| {
        let place = beside.path().join(name);
        fs::write(&place, contents).unwrap();
        place
    };
    let good = put("good.csv", "file\nchest.png\n");
    let bad = put("bad.csv", "file\nother.png\n");
    let prose = put("notes", "Some prose.");
    let code = |manifest: &Path| {
        let output = run(&["validate", text(set.path()), "--manifest", text(manifest)]);
        (output.status.code(), stderr(&output))
    };
    assert_eq!(code(&good).0, Some(0));
    assert_eq!(code(&bad).0, Some(1));
    let (exit, message) = code(&prose);
    assert!(exit == Some(2) && message.contains("this is no manifest"), "{message}");
    assert_eq!(code(Path::new("no/such/manifest.csv")).0, Some(2));
}

#[test]
fn messages_name_the_argument_and_the_remedy() {
    let set = clean_set();
    let says = |arguments: &[&str], words: &[&str]| {
        let output = run(arguments);
        let message = stderr(&output);
        assert!(words.iter().all(|word| message.contains(word)), "luna {arguments:?}: {message}");
        assert_eq!(stdout(&output), "", "results only");
    };
    let place = text(set.path());
    says(&["validate", "s4://bucket/scans"], &["s4://", "did you mean `s3://`?"]);
    says(&["validate", place, "-o", "report.docx"], &["report.docx", ".json", ".html"]);
    says(&["validate", place, "--profile", "chest-xry"], &["did you mean `chest-xray`?"]);
    says(&["validate", place, "--select", "LQ"], &["--select LQ", "luna rules"]);
    says(&["explain", "LF04"], &["did you mean LF004?"]);
    says(&["explain", "truncated-fiel"], &["did you mean truncated-file?"]);
    says(&["validate", "no/such/folder"], &["no/such/folder", "no such file or folder"]);
}

#[test]
fn push_says_what_stands_in_its_way() {
    let set = clean_set();
    let says = |server: &str, key: Option<&str>| {
        let mut command = luna(&["push", text(set.path()), "--server", server]);
        let output = command.envs(key.map(|key| ("LUNA_API_KEY", key))).output().unwrap();
        assert_eq!(stdout(&output), "", "results only");
        (output.status.code(), stderr(&output))
    };
    let key = Some("s3cret");
    let all = [
        says("http://127.0.0.1:1", None),
        says("http://127.0.0.1:1", key),
        says("http://luna.example.org", key),
        says("luna.example.org", key),
        says("https://ada:s3cret@luna.example.org", key),
        says("https://luna.example.org", Some("s3cret and more")),
    ];
    assert!(all.iter().all(|(_, said)| !said.contains("s3cret") && said.lines().count() == 1));
    insta::assert_debug_snapshot!(all, @r#"
[
    (
        Some(
            2,
        ),
        "error: who hands in? set LUNA_API_KEY to a key of your team, or name one with --api-key-file, or sign in with --username\n",
    ),
    (
        Some(
            3,
        ),
        "error: http://127.0.0.1:1 cannot be reached (is the address right, is the service up?): Connection refused (os error 111)\n",
    ),
    (
        Some(
            2,
        ),
        "error: --server http://luna.example.org: over http:// anybody on the way can read the key and the pictures; use https://, or allow it (insecure) if you trust the whole way\n",
    ),
    (
        Some(
            2,
        ),
        "error: --server luna.example.org: no address of a service; it looks like https://luna.example.org\n",
    ),
    (
        Some(
            2,
        ),
        "error: --server https://***@luna.example.org: an address holds no password; sign in with username and password instead\n",
    ),
    (
        Some(
            2,
        ),
        "error: the key or token is none: those are letters, digits and signs, without blanks or line breaks\n",
    ),
]
"#);
}

#[test]
fn a_key_is_never_repeated() {
    let set = clean_set();
    let key = "0123456789abcdef0123456789abcdef-almost-a-key";
    let output = luna(&["validate", text(set.path())]).env("LUNA_IDENTITY_KEY", key).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("LUNA_IDENTITY_KEY"));
    assert!(!stderr(&output).contains("0123"));
    let good = "0a".repeat(32);
    let output = luna(&["validate", text(set.path())]).env("LUNA_IDENTITY_KEY", good).output();
    assert_eq!(output.unwrap().status.code(), Some(0));
}

#[test]
fn the_report_is_the_same_for_any_number_of_threads() {
    let set = tempfile::tempdir().unwrap();
    for number in 0..40 {
        fs::write(set.path().join(format!("{number}.png")), vec![number; number.into()]).unwrap();
    }
    let report = |jobs| {
        let output = run(&["validate", text(set.path()), "--format", "json", "--jobs", jobs]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stdout(&output)
    };
    assert_eq!(report("1"), report("4"));
}

#[test]
fn several_reports_are_written_and_each_is_whole() {
    let set = broken_set();
    let out = tempfile::tempdir().unwrap();
    let (json, html) = (out.path().join("report.json"), out.path().join("report.html"));
    fs::write(&json, "an older report").unwrap();
    let output = run(&["validate", text(set.path()), "-o", text(&json), "-o", text(&html)]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("FAIL"), "the terminal still hears the verdict");
    let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(report["verdict"], "fail");
    assert_eq!(report["dataset"]["files"], 2);
    assert!(fs::read_to_string(&html).unwrap().starts_with("<!DOCTYPE html>"));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 2, "nothing temporary stays");
}

#[test]
fn a_report_inside_the_set_is_no_part_of_it() {
    let set = clean_set();
    let place = set.path().join("report.json");
    let output = run(&["validate", text(set.path()), "-o", text(&place)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: Value = serde_json::from_str(&fs::read_to_string(&place).unwrap()).unwrap();
    assert_eq!(report["dataset"]["files"], 1);
}

#[test]
fn no_color_is_respected_and_can_be_overruled() {
    let set = broken_set();
    let place = text(set.path());
    let colored = |command: &mut Command| stdout(&command.output().unwrap()).contains('\u{1b}');
    assert!(!colored(&mut luna(&["validate", place])), "stdout is no terminal");
    assert!(colored(&mut luna(&["validate", place, "--color", "always"])));
    assert!(colored(luna(&["--color", "always", "rules"]).env("NO_COLOR", "1")));
    assert!(!colored(luna(&["rules"]).env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1")));
    assert!(!colored(&mut luna(&["explain", "LF004", "--color", "never"])));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_exit_4() {
    let set = broken_set();
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in
        [&["validate", text(set.path())][..], &["rules"], &["man"], &["explain", "LF001"]]
    {
        let output = luna(arguments).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "luna {arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("standard output: cannot be written"));
    }
    let link = set.path().join("report.json");
    std::os::unix::fs::symlink("/dev/full", &link).unwrap();
    let output = run(&["validate", text(set.path()), "-o", text(&link)]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(link.is_symlink(), "a device is written to, never replaced");
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_quietly_with_the_verdict() {
    let set = broken_set();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = luna(&["validate", text(set.path())]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_prints_what_it_found_and_says_so() {
    use std::io::{BufRead as _, BufReader};

    let set = tempfile::tempdir().unwrap();
    // Enough work that the signal, sent at the first sign of life, comes in time.
    for number in 0..20_000 {
        fs::write(set.path().join(format!("{number:05}.png")), "").unwrap();
    }
    let arguments =
        ["validate", text(set.path()), "--jobs", "1", "--progress", "json", "--format", "json"];
    let mut process =
        luna(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(process.stderr.as_mut().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("listed"), "{first}");
    let killed = Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["partial"], true);
}

#[test]
fn progress_is_json_lines_on_request() {
    let set = broken_set();
    let output = run(&["validate", text(set.path()), "--progress", "json"]);
    let events: Vec<Value> =
        stderr(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.first().unwrap()["event"], "listed");
    assert_eq!(events.first().unwrap()["files"], 2);
    assert_eq!(events.last().unwrap()["event"], "concluding");
    assert!(events.iter().any(|event| event["files"] == 2 && event["event"] == "examined"));
}

#[test]
fn documents_for_machines_parse() {
    let json = |arguments: &[&str]| -> Value {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "luna {arguments:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let rules = json(&["rules", "--format", "json"]);
    let rule = |code| rules.as_array().unwrap().iter().find(|rule| rule["code"] == code);
    assert_eq!(rule("LF004").unwrap()["name"], "truncated-file");
    assert!(json(&["profile", "schema"])["properties"].is_object());
    assert!(json(&["schema", "report"])["properties"]["verdict"].is_object());
    let set = broken_set();
    let inspected = json(&["inspect", text(&set.path().join("empty.png")), "--format", "json"]);
    assert_eq!(inspected["file"]["findings"][0]["rule"], "LF001");
    assert!(inspected["rules"].as_array().unwrap().contains(&"LF001".into()));
}

#[test]
fn a_shown_profile_can_be_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ours.toml");
    fs::write(&place, run(&["profile", "show", "strict"]).stdout).unwrap();
    let output = run(&["profile", "check", text(&place)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("strict: usable"));
}

#[test]
fn every_subcommand_teaches_by_example() {
    let help = stdout(&run(&["--help"]));
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let names = commands.lines().filter_map(|line| line.split_whitespace().next());
    let mut seen = 0;
    for name in names.filter(|name| *name != "help") {
        let page = stdout(&run(&[name, "--help"]));
        assert!(page.contains("Examples:\n  luna "), "luna {name} --help:\n{page}");
        seen += 1;
    }
    assert!(seen >= 8, "{commands}");
}

#[test]
fn completions_and_manual_pages_come_from_the_same_declaration() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(stdout(&run(&["completions", shell])).contains("validate"), "{shell}");
    }
    assert!(stdout(&run(&["man"])).contains(".TH luna 1"));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&["man", text(folder.path())]).status.code(), Some(0));
    assert!(folder.path().join("luna-validate.1").is_file());
}

#[test]
fn the_demo_is_made_judged_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("luna-demo");
    let first = luna(&["demo"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert!(stdout(&first).contains("FAIL"));
    assert!(stdout(&first).contains("luna explain LF004"));
    let page = fs::read_to_string(folder.path().join("luna-demo-report.html")).unwrap();
    assert!(page.contains("data:image/jpeg"), "the page has pictures");

    // What it tells to type next works.
    let next = |arguments: &[&str]| {
        luna(arguments).current_dir(folder.path()).output().unwrap().status.code()
    };
    assert_eq!(next(&["inspect", "luna-demo/train/P0110.png"]), Some(0));
    assert_eq!(next(&["validate", "luna-demo", "--select", "LI"]), Some(1));

    let second = luna(&["demo", text(&set)]).current_dir(folder.path()).output().unwrap();
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    fs::write(set.join("mine.png"), "").unwrap();
    let refused = run(&["demo", text(&set)]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("mine.png"));
}

#[test]
fn every_format_is_chosen_by_its_ending() {
    let set = broken_set();
    let out = tempfile::tempdir().unwrap();
    let begins: [(&str, &[u8]); 8] = [
        ("r.txt", b"\xe2\x96\xa0 error"),
        ("r.json", b"{\n  \"schema_version\""),
        ("r.jsonl", b"{\"type\":\"report\""),
        ("r.html", b"<!DOCTYPE html>"),
        ("r.csv", b"id,rule,"),
        ("r.junit.xml", b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"luna\""),
        ("r.sarif", b"{\n  \"$schema\""),
        ("r.parquet", b"PAR1"),
    ];
    let places: Vec<_> = begins.iter().map(|(name, _)| out.path().join(name)).collect();
    let mut arguments = vec!["validate", text(set.path())];
    arguments.extend(places.iter().flat_map(|place| ["-o", text(place)]));
    assert_eq!(run(&arguments).status.code(), Some(1));
    for ((name, begin), place) in begins.iter().zip(&places) {
        let bytes = fs::read(place).unwrap();
        assert!(bytes.starts_with(begin), "{name}: {}", String::from_utf8_lossy(&bytes[..60]));
    }
    assert!(fs::read(out.path().join("r.files.parquet")).unwrap().starts_with(b"PAR1"));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 9, "nothing temporary stays");
}

#[test]
fn tables_in_parquet_go_to_files_only() {
    let (set, out) = (broken_set(), tempfile::tempdir().unwrap());
    let output = run(&["validate", text(set.path()), "--format", "parquet"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("-o report.parquet"), "{}", stderr(&output));
    let (one, other) = (out.path().join("x.parquet"), out.path().join("x.files.parquet"));
    let output = run(&["validate", text(set.path()), "-o", text(&one), "-o", text(&other)]);
    assert_eq!(output.status.code(), Some(2), "both would write x.files.parquet");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn a_stored_report_is_rendered_again() {
    let (set, out) = (broken_set(), tempfile::tempdir().unwrap());
    let [json, lines, again] =
        ["a.json", "a.jsonl", "again.json"].map(|name| out.path().join(name));
    run(&["validate", text(set.path()), "-o", text(&json), "-o", text(&lines)]);
    for stored in [&json, &lines] {
        let output = run(&["report", text(stored), "-o", text(&again), "--format", "jsonl"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(output.stdout, fs::read(&lines).unwrap());
        assert_eq!(fs::read(&again).unwrap(), fs::read(&json).unwrap());
    }
    let summary = stdout(&run(&["report", text(&json)]));
    assert_eq!(summary, stdout(&run(&["validate", text(set.path())])));
    let by_file = stdout(&run(&["report", text(&json), "--group-by", "file"]));
    assert!(by_file.contains("\nempty.png\n  ■ error LF001"), "{by_file}");
    let by_folder = stdout(&run(&["report", text(&json), "--group-by", "folder"]));
    assert!(by_folder.starts_with("./  2 of 2 files, 1 error, 1 info\n"), "{by_folder}");
}

#[test]
fn what_is_no_report_is_wrong_usage() {
    let out = tempfile::tempdir().unwrap();
    let place = out.path().join("x.json");
    let says = |contents: &str, words: &[&str]| {
        fs::write(&place, contents).unwrap();
        let output = run(&["report", text(&place)]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
    };
    says("", &["x.json", "no whole report"]);
    says("plain words", &["no whole report", "line 1 column 1"]);
    says("{\"a\": 1}", &["no whole report", "schema_version"]);
    says("{\"schema_version\": 9, \"luna_version\": \"4.5.6\"}", &["version 9", "luna 4.5.6"]);
    let strange = "{\"schema_version\": 1, \"luna_version\": \"\", \"\\u001b[31m\": 2}";
    says(strange, &["no whole report", "\\u{1b}"]);
    let output = run(&["report", "no/such/report.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no/such/report.json: cannot be opened"));
}
