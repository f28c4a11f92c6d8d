"""Whether .ci/versions sees a place that was left behind."""

import json
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = "versions"

CARGO = """\
[workspace.package]
version = "0.2.0"
[workspace.dependencies]
luna-core = { path = "luna-core", version = "0.2.0" }
luna-fixtures = { path = "fixtures" }
serde = "1.0"
"""
LOCK = """\
[[package]]
name = "luna-core"
version = "0.2.0"
[[package]]
name = "serde"
version = "1.0.1"
"""
FUZZ = '[[package]]\nname = "luna-fuzz"\nversion = "0.0.0"\n'


@pytest.fixture
def tree(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {
        "Cargo.toml": CARGO,
        "Cargo.lock": LOCK,
        "fuzz/Cargo.lock": LOCK + FUZZ,
        "docs/openapi.json": json.dumps({"info": {"version": "0.2.0"}}),
        "deploy/helm/luna/Chart.yaml": 'name: luna\nversion: 9.9.9\nappVersion: "0.2.0" # quoted\n',
        "CHANGELOG.md": "# Changelog\n\n## 0.2.0 (2026-12-01)\n\n- New.\n",
        ".ci/release-notes": Path(__file__).parent.parent.joinpath("release-notes").read_text(),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / ".ci/release-notes").chmod(0o755)
    monkeypatch.setattr(script, "ROOT", tmp_path)
    return tmp_path


def test_places_that_agree_give_the_version(
    script: ModuleType, tree: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script.main(["--tag", "v0.2.0"])
    assert capfd.readouterr().out == "0.2.0\n"
    (tree / "deploy/helm/luna/Chart.yaml").unlink()
    script.main([])
    assert capfd.readouterr().out == "0.2.0\n"


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("Cargo.toml", '"luna-core", version = "0.2.0"', '"luna-core", version = "0.1.0"', "dependency luna-core: 0.1.0"),
        ("Cargo.lock", "0.2.0", "0.1.0", "Cargo.lock, luna-core: 0.1.0"),
        ("fuzz/Cargo.lock", "0.2.0", "0.1.0", "fuzz/Cargo.lock, luna-core: 0.1.0"),
        ("docs/openapi.json", "0.2.0", "0.1.0", "docs/openapi.json: 0.1.0"),
        ("deploy/helm/luna/Chart.yaml", '"0.2.0"', "0.1.0", "appVersion: 0.1.0"),
        ("deploy/helm/luna/Chart.yaml", "appVersion", "other", "appVersion: nothing"),
    ],
)
def test_a_place_left_behind_is_named(
    script: ModuleType, tree: Path, name: str, old: str, new: str, said: str
) -> None:
    text = (tree / name).read_text()
    assert old in text
    (tree / name).write_text(text.replace(old, new))
    with pytest.raises(SystemExit, match=said):
        script.main([])


def test_another_tag_is_refused(script: ModuleType, tree: Path) -> None:
    for tag in ("0.2.0", "v0.2.1", "v0.2.0-rc.1"):
        with pytest.raises(SystemExit, match="the tag is"):
            script.main(["--tag", tag])


def test_a_tag_needs_a_dated_section(script: ModuleType, tree: Path) -> None:
    (tree / "CHANGELOG.md").write_text("## Unreleased (0.2.0)\n\n- New.\n")
    script.main([])
    with pytest.raises(script.subprocess.CalledProcessError):
        script.main(["--tag", "v0.2.0"])
