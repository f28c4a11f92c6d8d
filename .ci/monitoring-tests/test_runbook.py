"""What the runbook names is there: commands, flags, settings, calls, words on screen."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from conftest import ROOT

# Of the orchestrator, which knows them all.
OTHER_PROGRAMS = {"docker", "kubectl", "jq", "make", "openssl", "dmesg"}


def help_of(programs: Path, *words: str) -> str:
    done = subprocess.run(
        [programs / words[0], *words[1:], "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


def typed(runbook: str) -> list[list[str]]:
    """All commands: of the blocks, and between back-ticks."""
    lines = re.findall(r"^\s*\$ (.+)$", runbook, re.M)
    lines += re.findall(r"`((?:luna|luna-http) [^`]+)`", runbook)
    return [shlex.split(line, comments=True) for line in lines]


def test_commands_are_those_of_the_programs(programs: Path, runbook: str) -> None:
    commands = typed(runbook)
    assert len(commands) > 30
    for command in commands:
        words = [word for word in command if not word.startswith("-")]
        flags = [word.split("=")[0] for word in command if word.startswith("--")]
        path = [words[0]]
        text = help_of(programs, *path)
        for word in words[1:]:
            if not re.search(rf"^  {re.escape(word)}(\s|$)", text, re.M):
                break
            path.append(word)
            text = help_of(programs, *path)
        else:
            word = ""
        # What is left of the words is an argument, or the value of a flag.
        is_taken = not word or "Commands:" not in text
        assert is_taken, f"{shlex.join(command)}: {' '.join(path)} knows no {word}"
        for flag in flags:
            assert re.search(rf"{flag}\b", text), f"{shlex.join(command)}: no {flag}"


def test_settings_are_those_of_the_programs(programs: Path, runbook: str) -> None:
    known = help_of(programs, "luna-http", "serve") + help_of(programs, "luna", "worker")
    named = set(re.findall(r"LUNA_\w+", runbook))
    assert len(named) > 8
    assert {name for name in named if not re.search(rf"\b{name}\b", known)} == set()


def test_calls_are_those_of_the_api(runbook: str) -> None:
    paths = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
    calls = re.findall(r"(GET|POST|DELETE|PUT)\s+(/api/v1[\w/{}-]+)", runbook)
    assert len(calls) >= 4
    for method, path in calls:
        assert method.lower() in paths.get(path, {}), f"{method} {path}"


def test_words_on_screen_are_there(dashboard: dict[str, Any], runbook: str) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", runbook, flags=re.S)
    phrases = {" ".join(it.split()) for it in re.findall(r'"([^"]+)"', prose)}
    assert len(phrases) > 15
    titles = {panel["title"] for panel in dashboard["panels"]} | {dashboard["title"]}
    crates = ["luna-core", "luna-http", "luna-worker"]
    sources = [path.read_text() for crate in crates for path in (ROOT / crate / "src").rglob("*.rs")]
    text = re.sub(r"\s+", " ", " ".join(sources))
    missing = {it for it in phrases - titles if it.strip("… ") not in text}
    assert missing == set()


def test_anchors_are_headings(runbook: str) -> None:
    headings = re.findall(r"^#+ (.+)$", runbook, re.M)
    anchors = set(re.findall(r"\]\(#([^)]+)\)", runbook))
    assert len(anchors) > 8
    assert anchors <= {it.lower().replace(" ", "-") for it in headings}
