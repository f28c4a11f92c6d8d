"""Whether .ci/site sees what does not hold in a built site."""

from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = "site"

GOOD = '<link rel="stylesheet" href="style.css"><h1 id="top">A</h1><p>See <a href="b/index.html#here">B</a>.</p>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    (tmp_path / "index.html").write_text(GOOD)
    (tmp_path / "b/index.html").write_text(
        '<h2 id="here">B</h2><a href="../index.html#top">A</a> <a href="https://example.org">out</a>'
    )
    (tmp_path / "style.css").write_text("a { color: red }")
    return tmp_path


def test_a_sound_site_has_nothing_wrong(script: ModuleType, site: Path) -> None:
    assert script.wrong_in_site(site) == []


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        ("#here", "#there", "no such anchor"),
        ("b/index.html", "c.html", "not there"),
        ("b/index.html", "../../etc/passwd", "not there"),
        ("style.css", "https://example.org/style.css", "loads https://example.org/style.css"),
        ("See", "These:\n- one", "no paragraph"),
        ("See", "| a | b |", "no paragraph"),
        ("<h1", "<script src='//example.org/x.js'></script><h1", "loads //example.org/x.js"),
    ],
)
def test_what_does_not_hold_is_said(script: ModuleType, site: Path, was: str, becomes: str, why: str) -> None:
    (site / "index.html").write_text(GOOD.replace(was, becomes))
    wrong = script.wrong_in_site(site)
    assert len(wrong) == 1 and why in wrong[0], wrong


def test_a_style_that_loads_is_said(script: ModuleType, site: Path) -> None:
    (site / "style.css").write_text("@font-face { src: url('https://example.org/font') }")
    assert script.wrong_in_site(site) == ["style.css loads something"]


def test_files_that_are_named_exist(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/there").touch()
    (tmp_path / "README.md").write_text("`deploy/there`, `deploy/never`")
    assert script.wrong_names(tmp_path) == ["README.md names deploy/never, which is not there"]
