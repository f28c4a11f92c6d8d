"""What a report gives to those who ask it: tables, paths, what changed."""

import subprocess
import sys
from pathlib import Path

import pandas
import polars
import pyarrow
import pytest

import luna_py as luna


@pytest.fixture
def report(broken_set: Path) -> luna.Report:
    return luna.validate(broken_set)


def test_tables_are_the_report_in_rows(report: luna.Report) -> None:
    whole = report.to_dict()
    files = report.files.to_pylist()
    assert [row["path"] for row in files] == [entry["path"] for entry in whole["files"]]
    good = files[1]
    assert (good["format"], good["width"], good["bits_stored"]) == ("png", 512, 8)
    assert good["mean"] == whole["files"][1]["measurements"]["mean"]
    assert good["sha256"] == whole["files"][1]["sha256"]
    assert files[0]["width"] is None
    rules = [row["rule"] for row in report.findings.to_pylist()]
    of_files = [it["rule"] for entry in whole["files"] for it in entry["findings"]]
    assert rules == of_files + [it["rule"] for it in whole["findings"]]
    assert report.findings.to_pylist()[0]["related"] == []
    assert len(report.findings) == report.findings.num_rows == len(rules)


def test_whoever_speaks_arrow_takes_a_table(report: luna.Report) -> None:
    rows = report.files.to_pylist()
    taken = pyarrow.table(report.files)
    assert taken.to_pylist() == rows
    assert pyarrow.schema(report.files) == taken.schema
    assert taken.schema.field("width").type == pyarrow.int64()
    assert report.files.to_arrow().equals(taken)
    assert polars.DataFrame(report.files).to_dicts() == rows
    assert report.files.to_polars()["path"].to_list() == ["empty.png", "good.png"]
    frame = report.files.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == report.files.column_names
    assert report.findings.to_arrow().schema.field("related").type == pyarrow.list_(pyarrow.string())


def test_a_table_outlives_its_report(broken_set: Path) -> None:
    taken = pyarrow.table(luna.validate(broken_set).files)
    assert taken.column("path").to_pylist() == ["empty.png", "good.png"]


def test_a_table_says_what_it_lacks(report: luna.Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match=r"Table\.to_polars needs polars.*pip install polars"):
        report.files.to_polars()


def test_importing_needs_no_other_package() -> None:
    code = "import luna_py, sys; assert not {'pandas', 'polars', 'pyarrow', 'numpy'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_files_pass_or_not_and_rules_count(report: luna.Report) -> None:
    assert (report.passed, report.rejected) == (["good.png"], ["empty.png"])
    assert report.paths(rule="LF001") == ["empty.png"]
    assert report.paths(severity="error") == ["empty.png"]
    assert report.paths(rule="LF004") == []
    summary = {(row["rule"], row["severity"]): row for row in report.summary.to_pylist()}
    assert summary["LF001", "error"]["findings"] == summary["LF001", "error"]["files"] == 1
    issues = {row["path"]: row for row in report.issues.to_pylist()}
    assert issues["empty.png"]["LF001"] and not issues["good.png"]["LF001"]
    assert sum(report.counts["by_rule"].values()) == sum(
        row["findings"] for row in report.summary.to_pylist()
    )


def test_what_cannot_be_asked_is_said(report: luna.Report) -> None:
    with pytest.raises(ValueError, match="rule: there is no rule LF04; did you mean LF00"):
        report.paths(rule="LF04")
    with pytest.raises(ValueError, match="severity: bad is none of error, warning, info"):
        report.paths(severity="bad")  # type: ignore[arg-type]


def test_a_verdict_can_stop_a_script(report: luna.Report, broken_set: Path) -> None:
    with pytest.raises(luna.VerdictError, match="the verdict is fail: 1 error of LF001 in 1 file of 2"):
        report.raise_for_verdict()
    (broken_set / "empty.png").unlink()
    luna.validate(broken_set).raise_for_verdict()


def test_a_diff_tells_new_fixed_and_still(report: luna.Report, broken_set: Path) -> None:
    (broken_set / "empty.png").unlink()
    (broken_set / "void.png").write_bytes(b"")
    diff = luna.validate(broken_set).diff(report)
    assert [row["path"] for row in diff.new.to_pylist() if row["rule"] == "LF001"] == ["void.png"]
    assert [row["path"] for row in diff.fixed.to_pylist() if row["rule"] == "LF001"] == ["empty.png"]
    same = report.diff(report)
    assert (len(same.new), len(same.fixed), len(same.still)) == (0, 0, len(report.findings))
    assert repr(same).startswith("<luna_py.ReportDiff: 0 new, 0 fixed, ")


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_a_saved_report_is_read_again(report: luna.Report, tmp_path: Path, ending: str) -> None:
    place = tmp_path / f"report{ending}"
    report.save(place)
    again = luna.read_report(place)
    assert again.to_json() == report.to_json()
    again.save(tmp_path / "again.html")


def test_what_is_no_report_is_said(tmp_path: Path) -> None:
    with pytest.raises(luna.LunaError, match=r"none\.json: cannot be read"):
        luna.read_report(tmp_path / "none.json")
    other = tmp_path / "other.json"
    other.write_text("{}")
    with pytest.raises(luna.LunaError, match=r"other\.json: "):
        luna.read_report(other)


def test_rules_are_listed_and_explained() -> None:
    codes = [rule["code"] for rule in luna.rules()]
    assert len(codes) > 50 and codes == [*dict.fromkeys(codes)]
    assert luna.explain("truncated-file") == luna.explain("LF004")
    with pytest.raises(ValueError, match="did you mean LF004"):
        luna.explain("LF04")


def test_a_notebook_shows_the_verdict_and_pictures(
    broken_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (broken_set / "cut.png").write_bytes((broken_set / "good.png").read_bytes()[:-40])
    report = luna.validate(broken_set)
    shown = report._repr_html_()
    assert "2 errors in 2 of 3 files" in shown
    assert "data:image/jpeg" in shown and "<script" not in shown
    assert len(shown) < 1_000_000
    monkeypatch.setattr(luna.options, "thumbnails", False)
    assert "data:image" not in report._repr_html_()


def test_a_notebook_shows_the_first_rows() -> None:
    files = {f"<{number}>": b"%PDF-1.7" for number in range(12)}
    shown = luna.validate(files).findings._repr_html_()
    assert shown.count("<tr>") == 11 and "10 of 24 rows" in shown
    assert "&lt;0&gt;" in shown and "<0>" not in shown
