"""Alerts, their tests, their pages and the dashboard belong together."""

import re
from itertools import combinations
from typing import Any

import pytest
import yaml
from conftest import MONITORING
from promql import parsed

PAGE = "https://github.com/luna-xray/luna/blob/main/docs/runbook.md"


def test_each_alert_says_what_is_wrong_and_where_it_is_explained(
    alerts: list[dict[str, Any]], runbook: str
) -> None:
    for alert in alerts:
        name = alert["alert"]
        assert alert["labels"]["severity"] in ("critical", "warning"), name
        assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}, name
        assert alert["annotations"]["runbook_url"] == f"{PAGE}#{name.lower()}"
        section = re.search(rf"^### {name}$(.*?)(?=^##|\Z)", runbook, re.M | re.S)
        assert section, f"docs/runbook.md has no section {name}"
        for word in ["**Meaning.**", "**Look here.**", "**Do this.**"]:
            assert word in section[1], f"docs/runbook.md, {name}: no {word}"


def test_the_runbook_explains_no_alert_that_is_gone(
    alerts: list[dict[str, Any]], runbook: str
) -> None:
    sections = re.findall(r"^### (Luna\w+)$", runbook, re.M)
    assert sections == [alert["alert"] for alert in alerts]


def test_each_alert_has_a_case_that_fires_and_one_that_is_silent(
    alerts: list[dict[str, Any]],
) -> None:
    tests = yaml.safe_load((MONITORING / "alerts.test.yaml").read_text())["tests"]
    fires: set[str] = set()
    silent: set[str] = set()
    for test in tests:
        names = {case["alertname"] for case in test["alert_rule_test"]}
        assert names == {test["name"].split()[0]}, test["name"]
        is_firing = any(case.get("exp_alerts") for case in test["alert_rule_test"])
        (fires if is_firing else silent).update(names)
    names = {alert["alert"] for alert in alerts}
    assert fires == names
    assert silent == names


def test_panels_are_told_apart_and_do_not_overlap(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        across = one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
        down = one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]
        assert not (across and down), (one, other)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_the_dashboard_asks_the_source_that_is_provided(dashboard: dict[str, Any]) -> None:
    place = MONITORING / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
    uids = {source["uid"] for source in yaml.safe_load(place.read_text())["datasources"]}
    asked = [panel["datasource"] for panel in dashboard["panels"] if panel["type"] != "row"]
    asked += [target["datasource"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert {source["uid"] for source in asked} == uids


def test_scrape_jobs_have_the_names_that_rules_ask_for(alerts: list[dict[str, Any]]) -> None:
    config = yaml.safe_load((MONITORING / "prometheus.yaml").read_text())
    scraped = {job["job_name"] for job in config["scrape_configs"]}
    asked = {
        name
        for alert in alerts
        for selector in parsed(alert["expr"]).selectors
        for label, _, value in selector.matchers
        if label == "job"
        for name in value.strip('"').split("|")
    }
    assert asked == {"luna-http", "luna-worker"}
    assert asked <= scraped


def test_expressions_are_taken_apart() -> None:
    it = parsed('sum by (a, b) (rate(m_total{x="y,}", z!~"(q|r)"}[5m])) / on (a) n > 0.05 unless up')
    selectors = [str(selector) for selector in it.selectors]
    assert selectors == ['m_total{x="y,}",z!~"(q|r)"}', "n{}", "up{}"]
    assert it.groups == {"a", "b"}
    for refused in ['{job="x"}', "m ? n", 'm{a "b"}']:
        with pytest.raises(ValueError):
            parsed(refused)
