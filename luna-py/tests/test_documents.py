"""What README and guide show in Python, run as a reader would."""

import doctest
import inspect
import re
from collections.abc import Iterator
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


def public() -> Iterator[tuple[str, object]]:
    for name in luna.__all__:
        thing = getattr(luna, name)
        yield name, thing
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                is_documented = callable(value) or inspect.isdatadescriptor(value)
                if is_documented and not member.startswith("_"):
                    yield f"{name}.{member}", value


@pytest.mark.parametrize(("name", "thing"), list(public()))
def test_docstrings_are_there_and_their_examples_run(
    name: str, thing: object, broken_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "__version__" or name == "options":
        return
    text = inspect.getdoc(thing)
    assert text, f"{name} has no docstring"
    monkeypatch.chdir(broken_set.rename(broken_set.with_name("scans")).parent)
    test = doctest.DocTestParser().get_doctest(text, {"luna": luna}, name, None, 0)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF).run(test, out=said.append)
    assert not said, "".join(said)
