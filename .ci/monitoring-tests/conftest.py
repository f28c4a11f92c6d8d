"""What lies in deploy/monitoring, and where the programs are."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--programs", type=Path, required=True, help="folder of luna-http and luna, as built"
    )


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.config.getoption("--programs")
    return folder.resolve()


@pytest.fixture(scope="session")
def rules() -> str:
    return (MONITORING / "alerts.yaml").read_text()


@pytest.fixture(scope="session")
def alerts(rules: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(rules)["groups"] for rule in group["rules"]]


@pytest.fixture(scope="session")
def dashboard() -> dict[str, Any]:
    return dict(json.loads((MONITORING / "grafana" / "dashboards" / "luna.json").read_text()))


@pytest.fixture(scope="session")
def runbook() -> str:
    return (ROOT / "docs" / "runbook.md").read_text()
