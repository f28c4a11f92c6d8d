"""`luna_py.validate` and the report it returns."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import luna_py as luna


def test_a_bad_file_is_a_finding_and_no_exception(broken_set: Path) -> None:
    report = luna.validate(broken_set)
    assert not report.ok
    assert report.verdict == "fail"
    assert report.counts["error"] >= 1
    assert report.counts["by_rule"]["LF001"] == 1
    assert repr(report).startswith("<luna_py.Report: fail, ")


def test_dict_and_json_are_one_report(broken_set: Path) -> None:
    report = luna.validate(str(broken_set))
    assert report.to_dict() == json.loads(report.to_json())
    assert report.to_dict()["luna_version"] == luna.__version__
    assert [entry["path"] for entry in report.to_dict()["files"]] == ["empty.png", "good.png"]


def test_python_and_the_command_print_the_same_bytes(broken_set: Path) -> None:
    command = [sys.executable, "-m", "luna_py", "validate", str(broken_set), "--format", "json"]
    printed = subprocess.run(command, capture_output=True, check=False)
    assert printed.returncode == 1, printed.stderr
    assert printed.stdout.decode() == luna.validate(broken_set, threads=2).to_json()


def test_several_places_are_one_set(broken_set: Path, tmp_path: Path) -> None:
    report = luna.validate([broken_set, broken_set / "good.png"])
    paths = [entry["path"] for entry in report.to_dict()["files"]]
    assert paths == ["good.png", "set/empty.png", "set/good.png"]


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".html", ".csv", ".txt"])
def test_a_report_is_saved_by_ending(broken_set: Path, tmp_path: Path, ending: str) -> None:
    place = tmp_path / f"report{ending}"
    luna.validate(broken_set).save(place)
    assert "LF001" in place.read_text(encoding="utf-8")


def test_save_says_what_is_wrong_with_the_path(broken_set: Path, tmp_path: Path) -> None:
    report = luna.validate(broken_set)
    with pytest.raises(luna.LunaError, match=r"report\.docx: the ending names no format"):
        report.save("report.docx")
    with pytest.raises(luna.LunaError, match=r"cannot be written"):
        report.save(tmp_path / "no" / "such" / "report.json")


def test_profiles_are_names_or_files(broken_set: Path, tmp_path: Path) -> None:
    assert luna.validate(broken_set, profile="strict").to_dict()["profile"]["name"] == "strict"
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\n[rules]\nselect = ["LP"]\n')
    assert luna.validate(broken_set, profile=own).to_dict()["profile"]["name"] == "own"


def test_errors_are_one_family(broken_set: Path, tmp_path: Path) -> None:
    assert issubclass(luna.ProfileError, luna.LunaError)
    assert issubclass(luna.SourceError, luna.LunaError)
    with pytest.raises(luna.SourceError, match="no-such-folder"):
        luna.validate(tmp_path / "no-such-folder")
    with pytest.raises(luna.SourceError, match="s4://"):
        luna.validate("s4://bucket/prefix")
    with pytest.raises(luna.ProfileError, match="did you mean `chest-xray`"):
        luna.validate(broken_set, profile="chest-xry")


def test_a_manifest_says_what_should_be_there(broken_set: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path\ngood.png\nempty.png\nmissing.png\n")
    report = luna.validate(broken_set, manifest=manifest)
    assert report.counts["by_rule"]["LM006"] == 1
    with pytest.raises(luna.SourceError, match=r"manifest .*good\.png: this is no manifest"):
        luna.validate(broken_set, manifest=broken_set / "good.png")
    with pytest.raises(luna.SourceError, match=r"manifest .*none\.csv: cannot be read"):
        luna.validate(broken_set, manifest=tmp_path / "none.csv")


def test_wrong_arguments_are_named(broken_set: Path) -> None:
    with pytest.raises(ValueError, match="^source: an empty list"):
        luna.validate([])
    with pytest.raises(ValueError, match="^threads: at least 1"):
        luna.validate(broken_set, threads=0)
    for memory in ["many", "0 GiB"]:
        with pytest.raises(ValueError, match="^memory: .*4GiB"):
            luna.validate(broken_set, memory=memory)
    with pytest.raises(ValueError, match="^memory: .*4GiB"):
        luna.validate(broken_set, memory=0)
    with pytest.raises(TypeError, match="^source: .*not int"):
        luna.validate(7)  # type: ignore[arg-type]
    assert luna.validate(broken_set, memory="64 MiB").to_json() == luna.validate(broken_set).to_json()


def test_several_runs_go_on_in_several_threads(broken_set: Path) -> None:
    reports: list[str] = []

    def run() -> None:
        reports.append(luna.validate(broken_set).to_json())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 4
    assert len(set(reports)) == 1


def test_help_is_enough_to_work_with() -> None:
    text = luna.validate.__doc__ or ""
    assert all(word in text for word in ["Parameters", "profile", "Returns", "Raises"])
    assert "ending names the format" in (luna.Report.save.__doc__ or "")
