"""What README and guide show in Python, run as a reader would."""

import re
from pathlib import Path

import pytest

import luna_py as luna

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("document", ["README.md", "docs/guide.md"])
def test_examples_run(
    document: str, broken_set: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(examples) == 1
    monkeypatch.chdir(broken_set.rename(broken_set.with_name("scans")).parent)
    names: dict[str, object] = {}
    exec(examples[0], names)
    assert isinstance(names["report"], luna.Report)
    assert Path("report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
