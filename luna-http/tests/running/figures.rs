//! Figures and logs.
#![expect(clippy::float_cmp, reason = "counts are whole numbers")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::psql::sql;
use super::{Service, figures, problem};

/// What dashboards and alerts are built on: the names and labels that the service promises, and no others.
const FIGURES: [(&str, &str); 18] = [
    ("concurrent_uploads", ""),
    ("database_errors_total", ""),
    ("database_pool_connections", "state"),
    ("http_request_duration_seconds", "endpoint method"),
    ("http_requests_total", "endpoint method status"),
    ("luna_build_info", "revision version"),
    ("s3_upload_bytes", ""),
    ("s3_upload_count", "status"),
    ("storage_errors_total", "operation"),
    ("validation_dead_letters", ""),
    ("validation_duration_seconds", "status"),
    ("validation_findings_total", "rule"),
    ("validation_images_per_second", ""),
    ("validation_images_total", "verdict"),
    ("validation_job_retries_total", ""),
    ("validation_oldest_job_seconds", ""),
    ("validation_queue_length", ""),
    ("validation_workers_alive", ""),
];

/// Name and labels of a series, without what a histogram adds to them.
fn shape(series: &str) -> (String, String) {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let ends = ["_bucket", "_sum", "_count"];
    let of_time = ends.iter().find_map(|end| name.strip_suffix(end)?.strip_suffix("_seconds"));
    let name = of_time.map_or(name.to_owned(), |name| format!("{name}_seconds"));
    // No label's value of a fresh service has a comma.
    let labels = labels.trim_end_matches('}').split(',').filter_map(|it| it.split_once('='));
    let labels: BTreeSet<&str> = labels.map(|(name, _)| name).filter(|it| *it != "le").collect();
    (name, labels.into_iter().collect::<Vec<_>>().join(" "))
}

#[test]
fn all_figures_exist_from_the_start_and_at_zero() {
    let service = Service::start(|_| {});
    let figures = service.figures();
    let found: BTreeSet<(String, String)> = figures.keys().map(|it| shape(it)).collect();
    let promised = FIGURES.iter().map(|(name, labels)| ((*name).to_owned(), (*labels).to_owned()));
    assert_eq!(found, promised.collect());
    let moving = ["luna_build_info", "database_pool_connections", "validation_workers_alive"];
    for (series, value) in &figures {
        let stands = moving.iter().any(|name| series.starts_with(name));
        assert!(stands || *value == 0.0, "{series} {value}");
    }
}

fn after_one_validation(service: &Service) -> BTreeMap<String, f64> {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let figures = service.figures();
        if figures["validation_duration_seconds_count{status=\"completed\"}"] == 1.0 {
            return figures;
        }
        assert!(Instant::now() < end, "{figures:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn figures_move_with_what_teams_do_and_logs_name_nobody() {
    let service = Service::start(|_| {});
    let token = service.admin();
    let (dataset, target) = service.announced(&token, 5);
    let put = |bytes: &'static str| {
        let request = service.client.put(target["upload_url"].as_str().unwrap());
        request.header("content-type", "image/png").body(bytes).send().unwrap().status()
    };
    assert_eq!(put("1234"), 422);
    assert_eq!(put("12345"), 200);
    // Again, which is no second file.
    assert_eq!(put("12345"), 200);
    service.get("/api/v1/upload/7777").bearer_auth(&token).send().unwrap();
    service.get("/nowhere/Müller^Eva?token=secret").send().unwrap();
    let request = service.post("/api/v1/upload/complete").bearer_auth(&token);
    request.json(&json!({ "dataset_id": dataset })).send().unwrap();

    let figures = after_one_validation(&service);
    let moved = [
        (r#"s3_upload_count{status="success"}"#, 1.0),
        (r#"s3_upload_count{status="failed"}"#, 1.0),
        ("s3_upload_bytes", 5.0),
        ("concurrent_uploads", 0.0),
        ("validation_workers_alive", 1.0),
        ("validation_queue_length", 0.0),
        ("validation_oldest_job_seconds", 0.0),
        (
            r#"http_requests_total{method="PUT",endpoint="/upload/{dataset_id}/{file_id}",status="200"}"#,
            2.0,
        ),
        (
            r#"http_requests_total{method="GET",endpoint="/api/v1/upload/{dataset_id}",status="404"}"#,
            1.0,
        ),
        (r#"http_requests_total{method="GET",endpoint="none",status="404"}"#, 1.0),
        (
            r#"http_request_duration_seconds_count{method="POST",endpoint="/api/v1/upload/start"}"#,
            1.0,
        ),
    ];
    for (series, value) in moved {
        assert_eq!(figures.get(series), Some(&value), "{series}");
    }

    let log = service.stop();
    let answered = log.iter().filter(|line| line["message"] == "answered");
    let template = "/upload/{dataset_id}/{file_id}";
    let of_put: Vec<&Value> = answered.filter(|line| line["endpoint"] == template).collect();
    assert_eq!(of_put.len(), 3);
    for line in of_put {
        assert_eq!(line["span"]["method"], "PUT");
        assert_eq!(line["span"]["id"].as_str().unwrap().len(), 24);
        assert!(line["status"].is_u64() && line["milliseconds"].is_f64(), "{line}");
    }
    let log = serde_json::to_string(&log).unwrap();
    for secret in ["Eva", "secret", "signature", "7777", token.as_str()] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[test]
fn a_database_that_is_away_is_counted_though_nobody_calls() {
    let Ok(server) = std::env::var("LUNA_TEST_POSTGRES") else {
        assert!(std::env::var("LUNA_TEST_SERVERS").is_err(), "run the tests under .ci/servers");
        eprintln!("NOT TESTED: LUNA_TEST_POSTGRES names no server");
        return;
    };
    let name = format!("away_{}", std::process::id());
    sql(&server, &format!("CREATE DATABASE {name}"));
    let (at, _) = server.rsplit_once('/').unwrap();
    let service = Service::start(|command| {
        command
            .args(["--worker", "external"])
            .env("LUNA_DATABASE_URL", format!("{at}/{name}"))
            .env("LUNA_IDENTITY_KEY", "00112233445566778899aabbccddeeff".repeat(2));
    });
    let before = service.figures();
    assert_eq!((before["database_errors_total"], before["validation_queue_length"]), (0.0, 0.0));

    sql(&server, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    let all =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    sql(&server, &all);
    assert_eq!(service.get("/health").send().unwrap().status(), 503);
    let away = service.figures();
    assert!(away["database_errors_total"] > 0.0);
    for figure in ["queue_length", "oldest_job_seconds", "dead_letters", "workers_alive"] {
        assert!(away[&format!("validation_{figure}")].is_nan(), "{figure}");
    }

    sql(&server, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    assert_eq!(service.get("/readiness").send().unwrap().status(), 200);
    assert_eq!(service.figures()["validation_queue_length"], 0.0);
}

#[test]
fn figures_may_have_an_address_of_their_own() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let service = Service::start(|command| {
        command.env("LUNA_METRICS_BIND", free.to_string());
    });
    problem(service.get("/metrics").send().unwrap(), 404, "not-found");
    let figures = figures(service.client.get(format!("http://{free}/metrics")).send().unwrap());
    assert_eq!(figures["validation_workers_alive"], 1.0);
    let elsewhere = service.client.get(format!("http://{free}/liveness")).send().unwrap();
    assert_eq!(elsewhere.status(), 404);
}
