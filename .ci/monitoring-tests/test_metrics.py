"""Every series that a rule or a panel asks for is one that the running service really exports."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from promql import Expression, parsed
from running import Fleet, Prometheus, picture, status_of, within

# Of node_exporter, which does not run here.
ELSEWHERE = {
    "node_cpu_seconds_total",
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "node_memory_MemAvailable_bytes",
    "node_memory_MemTotal_bytes",
}
# Set by whoever scrapes, some of them only in a cluster.
OF_TARGETS = {"job", "instance", "namespace"}


@pytest.fixture(scope="module")
def fleet(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    fleet = Fleet(programs, tmp_path_factory.mktemp("fleet"))
    yield fleet
    fleet.stop()


@pytest.fixture(scope="module")
def prometheus(fleet: Fleet, rules: str) -> Iterator[Prometheus]:
    """It has seen a little of everything: verdicts, refusals, a storage that is away."""
    prometheus = Prometheus(fleet.folder / "prometheus", rules, fleet)
    within(30, "a first look at both", lambda: len(prometheus.query("up == 1")) == 2)
    sound, cut = picture(1), picture(2)
    assert fleet.ended(fleet.upload({"a.png": sound, "b.png": cut[: len(cut) // 2]}))["verdict"]
    assert fleet.ended(fleet.upload({"a.png": sound}))["verdict"]
    assert status_of(f"{fleet.url}/api/v1/datasets", {"x-api-key": "none"}) == 401
    objects = fleet.folder / "data" / "objects"
    objects.rename(objects.with_name("away"))
    objects.write_text("no folder")
    target = fleet.announce({"c.png": sound})["upload_urls"][0]
    assert status_of(target["upload_url"], target["headers"], sound, target["method"]) >= 500
    objects.unlink()
    objects.with_name("away").rename(objects)
    # It has to come by twice until there is a rate.
    bad = 'http_requests_total{status=~"5.."}'
    within(30, "the failure", lambda: prometheus.query(f"count_over_time({bad}[30s]) > 3"))
    yield prometheus
    prometheus.stop()


@pytest.fixture(scope="module")
def queries(alerts: list[dict[str, Any]], dashboard: dict[str, Any]) -> dict[str, Expression]:
    """Each expression, with windows that fit."""
    texts = [alert["expr"] for alert in alerts]
    texts += [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    texts += [note["expr"] for note in dashboard["annotations"]["list"]]
    return {text: parsed(text.replace("$__rate_interval", "1m")) for text in texts}


def test_all_series_exist(prometheus: Prometheus, queries: dict[str, Expression]) -> None:
    selectors = [it for expression in queries.values() for it in expression.selectors]
    assert len(selectors) > 50
    missing = set()
    for selector in selectors:
        # The alerts' own series, of which there is none while all is well.
        if selector.metric in ELSEWHERE or selector.metric == "ALERTS":
            continue
        found = [series["metric"] for series in prometheus.query(str(selector))]
        if not found:
            missing.add(str(selector))
        for series in found:
            missing |= {f"{selector.metric}: label {it}" for it in selector.labels - set(series)}
    assert not missing


def test_all_groups_are_labels(prometheus: Prometheus, queries: dict[str, Expression]) -> None:
    for text, expression in queries.items():
        for metric in {it.metric for it in expression.selectors} - ELSEWHERE - {"ALERTS"}:
            labels = {label for series in prometheus.query(metric) for label in series["metric"]}
            assert expression.groups - OF_TARGETS <= labels, text


def test_texts_name_labels_that_are_left(
    prometheus: Prometheus, alerts: list[dict[str, Any]], dashboard: dict[str, Any]
) -> None:
    named = [
        (alert["expr"], re.findall(r"\$labels\.(\w+)", alert["annotations"]["description"]))
        for alert in alerts
    ]
    named += [
        (target["expr"], re.findall(r"{{\s*(\w+)\s*}}", target["legendFormat"]))
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]
    assert sum(len(labels) for _, labels in named) > 15
    for text, labels in named:
        expression = parsed(text.replace("$__rate_interval", "1m"))
        known = expression.groups
        if not known and not re.match(r"(max|sum)\(", text):
            known = set(OF_TARGETS)
            for metric in {it.metric for it in expression.selectors}:
                known |= {label for series in prometheus.query(metric) for label in series["metric"]}
        if {it.metric for it in expression.selectors} & ELSEWHERE:
            known |= {"mountpoint"}
        assert set(labels) <= known, text


def test_all_panels_have_something_to_show(
    prometheus: Prometheus, dashboard: dict[str, Any]
) -> None:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            text = target["expr"].replace("$__rate_interval", "1m")
            assert prometheus.query(text), f"{panel['title']}: {text}"


def test_all_rules_can_be_evaluated(
    prometheus: Prometheus, alerts: list[dict[str, Any]]
) -> None:
    def evaluated() -> list[dict[str, Any]] | None:
        rules = prometheus.rules()
        return rules if all(rule["health"] != "unknown" for rule in rules) else None

    rules = within(30, "all rules evaluated", evaluated)
    assert [rule["name"] for rule in rules] == [alert["alert"] for alert in alerts]
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}
    for alert in alerts:
        prometheus.query(alert["expr"])
