"""The container file: what it says of programs and files is so, and its build step, run without an engine, builds."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, read_by, run

TEXT = (ROOT / "deploy/Dockerfile").read_text()
# Lines that go on are one; heredocs are not used.
LINES = [line for line in re.sub(r"\\\n(?:#.*\n)*", " ", TEXT).splitlines() if line and not line.startswith("#")]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Instructions of each stage, those that it has from the stage below it first."""
    found: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in LINES:
        word, _, rest = line.partition(" ")
        if word == "FROM":
            below, _, name = rest.partition(" AS ")
            current = found[name] = list(found.get(below, [("FROM", below)]))
        elif found:
            current.append((word, rest.strip()))
    return found


STAGES = stages()
IMAGES = {"http": "luna-http", "worker": "luna", "luna": "luna"}


def last(stage: str, word: str) -> str:
    return [rest for it, rest in STAGES[stage] if it == word][-1]


def environment(stage: str) -> dict[str, str]:
    pairs = [pair for it, rest in STAGES[stage] if it == "ENV" for pair in shlex.split(rest)]
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.mark.parametrize("stage", IMAGES)
def test_an_image_is_closed(stage: str) -> None:
    user, _, group = last(stage, "USER").partition(":")
    assert int(user) > 0 and int(group) > 0
    # Its file system is fixed while it is built: nothing is run in it, so it needs no shell either.
    assert not [it for it, _ in STAGES[stage] if it in ("RUN", "SHELL", "ADD")]
    # No command is a text that a shell would have to read.
    for word in ("ENTRYPOINT", "CMD"):
        assert isinstance(json.loads(last(stage, word)), list)
    labels = " ".join(rest for it, rest in STAGES[stage] if it == "LABEL")
    for name in ("title", "description", "source", "licenses"):
        assert f"org.opencontainers.image.{name}=" in labels


@pytest.mark.parametrize("stage", IMAGES)
def test_an_image_runs_the_program_that_it_holds(stage: str, programs: Path) -> None:
    (program,) = json.loads(last(stage, "ENTRYPOINT"))
    copied = [shlex.split(rest)[-2:] for it, rest in STAGES[stage] if it == "COPY"]
    assert [f"/built/bin/{IMAGES[stage]}", program] in copied
    commands = [json.loads(last(stage, "CMD"))]
    health = last(stage, "HEALTHCHECK")
    if health == "NONE":
        assert commands == [["--help"]]
    else:
        asked = json.loads(health[health.index("["):])
        assert asked[0] == program
        commands.append(asked[1:])
    for words in commands:
        assert run(programs / IMAGES[stage], *words, "--help").returncode == 0, words


@pytest.mark.parametrize(("stage", "runs"), [("http", "luna-http"), ("worker", "luna worker")])
def test_programs_read_what_images_set(stage: str, runs: str) -> None:
    told = environment(stage)
    assert told and told.keys() <= read_by()[runs]
    ports = {value.rpartition(":")[2] for key, value in told.items() if key.endswith("BIND")}
    assert ports == {last(stage, "EXPOSE")}


def test_the_health_check_says_no_where_nothing_runs(programs: Path) -> None:
    for stage in ("http", "worker"):
        health = last(stage, "HEALTHCHECK")
        words = json.loads(health[health.index("["):])[1:]
        # Port 1 is nobody's.
        env = {key: "0.0.0.0:1" for key in environment(stage) if key.endswith("BIND")}
        done = subprocess.run([programs / IMAGES[stage], *words], env=env, capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and "answers at 0.0.0.0:1" in done.stderr, done.stderr


def test_copied_files_are_made_or_there() -> None:
    (build,) = [rest for it, rest in STAGES["build"] if it == "RUN"]
    for line in LINES:
        word, _, rest = line.partition(" ")
        if word != "COPY":
            continue
        words = [it for it in shlex.split(rest) if not it.startswith("--")]
        source = words[0]
        if "--from=build" in rest:
            assert source.startswith("/etc/ssl/") or source.rsplit("/", 1)[0] in build or source in build, source
        else:
            assert (ROOT / source).exists(), source


def test_the_compiler_is_that_of_cargo_toml() -> None:
    pinned = run(ROOT / ".ci/pin", "rust").stdout.strip()
    assert ("FROM", f"rust:{pinned}-slim-bookworm") == STAGES["build"][0]


# Stands for cargo in the build step: says whether the whole workspace and its locked crates are there, and what was
# asked for; then puts programs where cargo would have.
CARGO = """#!/bin/sh
set -eu
echo "$LUNA_REVISION $*" >"$ASKED"
{cargo} metadata --locked --offline --format-version 1 --filter-platform "$HOST" >/dev/null
mkdir -p "target/$FOLDER"
cp "$PROGRAMS"/luna "$PROGRAMS"/luna-http "target/$FOLDER/"
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """What the engine would be given: what git knows, without what .dockerignore leaves out."""
    folder = tmp_path / "src"
    ignored = [f":!{line}" for line in (ROOT / ".dockerignore").read_text().split() if line != ".git"]
    names = run("git", "-C", ROOT, "ls-files", "--", ".", *ignored).stdout.splitlines()
    assert "Cargo.lock" in names and not [name for name in names if name.startswith(("deploy/", ".ci/"))]
    for name in names:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place)
    return folder


def build(context: Path, programs: Path, profile: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """The very command of the file, beside a cargo that compiles nothing; and what cargo was asked for."""
    (command,) = [rest for it, rest in STAGES["build"] if it == "RUN"]
    command = re.sub(r"--mount=\S+\s+", "", command).replace("/built", f"{context.parent}/built")
    tools = context.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "cargo").write_text(CARGO.format(cargo=shutil.which("cargo")))
    (tools / "cargo").chmod(0o755)
    asked = context.parent / "asked"
    env = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "REVISION": "0" * 40,
        "PROFILE": profile,
        "HOST": run("rustc", "--print", "host-tuple").stdout.strip(),
        "PROGRAMS": str(programs),
        "FOLDER": "debug" if profile == "dev" else profile,
        "ASKED": str(asked),
    }
    done = subprocess.run(["sh", "-ec", command], cwd=context, text=True, capture_output=True, timeout=60, env=env)
    return done, asked.read_text().strip()


def test_the_build_step_runs_on_the_context_alone(context: Path, programs: Path) -> None:
    """But for the compiler, which takes many minutes: images.yml has it build for real."""
    done, asked = build(context, programs, "dev")
    assert done.returncode == 0, done.stderr
    assert asked == f"{'0' * 40} build --locked --profile dev --bins --package luna-worker --package luna-http"
    for name in ("luna", "luna-http"):
        assert run(context.parent / "built/bin" / name, "--version").returncode == 0
    assert not list((context.parent / "built/data").iterdir())


def test_a_program_that_is_too_large_is_refused(context: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fake"
    folder.mkdir()
    for size, code in ((40_000_000, 0), (41_000_000, 1)):
        for name in ("luna", "luna-http"):
            with (folder / name).open("wb") as out:
                out.truncate(size if name == "luna" else 1)
        done, _ = build(context, folder, "release")
        assert done.returncode == code, (size, done.stderr)


def test_the_context_has_what_sources_take_in(context: Path) -> None:
    found = 0
    for place in context.glob("luna-*/src/**/*.rs"):
        for name in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', place.read_text()):
            found += 1
            assert (place.parent / name).exists(), (place, name)
    assert found > 5
