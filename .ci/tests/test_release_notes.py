"""What .ci/release-notes takes out of a changelog, and what it refuses."""

from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = "release-notes"

CHANGELOG = """\
# Changelog

What changes.

## Unreleased (0.3.0)

- Not yet.

## 0.2.0 (2026-12-01)

A first paragraph
of two lines.

- One item that
  goes on.
  - Nested, and
    goes on too.
- Another.

### Fixed

1. A number
   that wraps.

```console
$ luna validate scans
  kept as it is
```

| a | b |
|---|---|
| 1 | 2 |

## 0.1.0 (2026-11-01)

- The first.

## 0.0.1 (2026-10-01)

## 0.0.0 (soon)

- Undated.
"""


@pytest.fixture
def notes(
    script: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    monkeypatch.setattr(script, "CHANGELOG", tmp_path / "CHANGELOG.md")

    def run(*arguments: str) -> str:
        script.main(list(arguments))
        return capsys.readouterr().out

    return run


def test_a_section_is_printed_with_its_lines_joined(notes) -> None:
    assert notes("0.2.0") == """\
A first paragraph of two lines.

- One item that goes on.
  - Nested, and goes on too.
- Another.

### Fixed

1. A number that wraps.

```console
$ luna validate scans
  kept as it is
```

| a | b |
|---|---|
| 1 | 2 |
"""


def test_it_ends_where_the_next_version_begins(notes) -> None:
    assert notes("0.1.0") == "- The first.\n"


def test_what_is_unreleased_is_there_for_a_draft_alone(notes) -> None:
    assert notes("--draft", "0.3.0") == "- Not yet.\n"
    with pytest.raises(SystemExit, match="no section"):
        notes("0.3.0")


@pytest.mark.parametrize("version", ["0.2", "0.2.00", "0x2.0", ".*", "1.2.0", "0.0.0"])
def test_nearly_the_version_is_not_the_version(notes, version: str) -> None:
    with pytest.raises(SystemExit, match="no section"):
        notes(version)


def test_an_empty_section_is_refused(notes) -> None:
    with pytest.raises(SystemExit, match="empty"):
        notes("0.0.1")


@pytest.mark.parametrize("arguments", [[], ["0.1.0", "0.2.0"], ["--help"], ["--draft"]])
def test_it_says_how_it_is_called(notes, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="usage"):
        notes(*arguments)
