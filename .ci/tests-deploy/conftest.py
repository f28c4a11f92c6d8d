"""Where the tools are, and what the sources say that deploy/ must agree with."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "deploy/helm/luna"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--helm", required=True, help="the program")
    parser.addoption("--garage", required=True, help="the program")
    parser.addoption("--programs", required=True, type=Path, help="folder of luna and luna-http")


@pytest.fixture(scope="session")
def helm(pytestconfig: pytest.Config) -> str:
    return pytestconfig.getoption("--helm")


@pytest.fixture(scope="session")
def programs(pytestconfig: pytest.Config) -> Path:
    """They must be there: a test that is left out shows nothing."""
    folder = pytestconfig.getoption("--programs")
    for name in ("luna", "luna-http"):
        assert (folder / name).exists(), f"{folder / name} is not built: cargo build --workspace --bins"
    return folder


def variables(*globs: str) -> set[str]:
    """The variables that sources read: those of clap's arguments, and the one that is read by hand."""
    found: set[str] = set()
    for glob in globs:
        places = list(ROOT.glob(glob))
        assert places, f"{glob} names nothing"
        for place in places:
            found |= set(re.findall(r'(?:\benv = |env::var\()"(LUNA_\w+)"', place.read_text()))
    return found


@cache
def read_by() -> dict[str, set[str]]:
    """What each program reads, by its name and first words."""
    shared = "luna-worker/src/command/service.rs"
    return {
        "luna-http": variables("luna-http/src/**/*.rs", shared),
        "luna worker": variables("luna-worker/src/command/worker.rs", shared),
        "luna admin": variables("luna-worker/src/command/admin/*.rs", shared),
    }


@cache
def answered_by(program: str) -> set[str]:
    """The paths that a program answers, without what asks for an identity."""
    if program == "luna-http":
        return set(json.loads((ROOT / "docs/openapi.json").read_text())["paths"])
    text = (ROOT / "luna-worker/src/worker/health.rs").read_text()
    return set(re.findall(r'\.route\("(/\w+)"', text))


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(it) for it in arguments], capture_output=True, text=True, timeout=60)
