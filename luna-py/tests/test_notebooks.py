"""The notebooks run from top to bottom, and what they show is worth looking at."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

import luna_py as luna

FOLDER = Path(__file__).parents[1] / "notebooks"
# How many reports, or files of one, each shows.
SHOWN = {"quick_start": 3, "organiser_profile": 3, "duplicates": 1, "report_as_tables": 0}
NAMES = list(SHOWN)


class Kernel(AsyncKernelManager):
    """This interpreter, whatever kernels are installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="this interpreter", language="python")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where notebooks keep what they make; the demo set, which they share, is made once."""
    folder = tmp_path_factory.mktemp("books")
    with pytest.MonkeyPatch.context() as patch:
        # Settings of the user who runs the tests do not reach the kernels.
        for variable in ["TMPDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"]:
            patch.setenv(variable, str(folder))
        patch.delenv("MPLBACKEND", raising=False)
        yield folder


@pytest.fixture(scope="module", params=NAMES)
def executed(
    request: pytest.FixtureRequest, place: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Any]:
    """A notebook with what its cells show."""
    name: str = request.param
    book = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    where = {"metadata": {"path": str(tmp_path_factory.mktemp(name))}}
    client = NotebookClient(
        book, kernel_manager_class=Kernel, startup_timeout=300, timeout=600, resources=where
    )
    client.execute()
    if pages := request.config.getoption("--pages", None):
        write_page(name, book, pages)
    return name, book


def write_page(name: str, book: Any, folder: Path) -> None:
    """An executed notebook for people to look at, without scripts from elsewhere."""
    from nbconvert import HTMLExporter

    nowhere = dict.fromkeys(["mathjax_url", "require_js_url", "jquery_url", "mermaid_js_url"], "")
    page, _ = HTMLExporter(**nowhere).from_notebook_node(book)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.html").write_text(page, encoding="utf-8")


def outputs(book: Any) -> list[Any]:
    return [output for cell in book.cells for output in cell.get("outputs", [])]


def pages(book: Any) -> list[str]:
    found = (output.get("data", {}).get("text/html") for output in outputs(book))
    return [page for page in found if page]


def printed(book: Any) -> str:
    streams = [output for output in outputs(book) if output.output_type == "stream"]
    return "".join(output.text for output in streams)


def test_there_are_no_other_notebooks() -> None:
    assert sorted(it.stem for it in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_kept_without_what_it_shows(name: str) -> None:
    book = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbformat.validate(book)
    executed = (cell for cell in book.cells if cell.get("outputs") or cell.get("execution_count"))
    assert [cell.id for cell in executed] == []
    assert set(book.metadata) == {"kernelspec", "language_info"}
    lines = [line for cell in book.cells for line in cell.source.splitlines()]
    assert [line for line in lines if len(line) > 100] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_a_notebook_links_to_is_there(name: str) -> None:
    book = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    prose = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", prose)
    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_nothing_is_warned_of(executed: tuple[str, Any]) -> None:
    _, book = executed
    errors = [output for output in outputs(book) if output.get("name") == "stderr"]
    assert [output.text for output in errors] == []


def test_every_table_has_rows(executed: tuple[str, Any]) -> None:
    _, book = executed
    tables = [page for page in pages(book) if 'class="dataframe"' in page]
    assert len(tables) >= 3
    assert [page for page in tables if "<td>" not in page] == []


def test_every_report_shows_verdict_and_findings(executed: tuple[str, Any]) -> None:
    name, book = executed
    reports = [page for page in pages(book) if 'class="luna-report"' in page]
    assert len(reports) == SHOWN[name]
    for report in reports:
        assert re.search(r'class="verdict (pass|fail)"', report)
        assert '<details class="card' in report


def test_what_is_said_is_seen(executed: tuple[str, Any]) -> None:
    """The prose points at these."""
    name, book = executed
    whole = "\n".join([*pages(book), printed(book)])
    drawn = [output for output in outputs(book) if "image/png" in output.get("data", {})]
    match name:
        case "quick_start":
            assert "the hatched rows were never decoded" in whole
            assert "LP007 inverted-suspect\n" in whole and "Looks inverted" in whole
            assert whole.count("data:image/jpeg") >= 3
            assert re.search(r"report\.html +\d{3},\d{3} bytes", whole)
            assert len(drawn) == 1
        case "organiser_profile":
            assert "did you mean `min_side`?" in whole
            assert "1 finding excepted" in whole
            assert "Rule ORG001 stopped with TypeError" in whole
            assert "test/P0125.png; the place is framed" in whole
            assert re.search(r"<luna_py.ReportDiff: [1-9]\d* new, [1-9]\d* fixed, ", whole)
            assert "True " in printed(book).splitlines()[-1]
        case "duplicates":
            assert "train/P0142.dcm\n  train/P0942.dcm" in printed(book)
            assert "[test/P0144.dcm, train/P0143.dcm]" in whole
            assert 'test/P0903.jpg,"near copy, looked at"' in whole
            assert len(drawn) == 3
        case "report_as_tables":
            assert "label without a file" in whole and "file without a label" in whole
            assert "62 files> True" in printed(book)
            assert "shape: (" in whole, "polars"
            assert len(drawn) == 2
        case other:
            pytest.fail(f"nothing is asked of {other}")


def test_two_outputs_of_a_notebook_do_not_mix_up_their_pictures(broken_set: Path) -> None:
    picture = (broken_set / "good.png").read_bytes()
    for name, rest in [("a.png", 4_000), ("b.png", 8_000)]:
        (broken_set / name).write_bytes(picture[:-rest])
    report = luna.validate(broken_set)
    named: dict[str, set[str]] = {}
    for page in [report._repr_html_(), report.show("b.png")._repr_html_()]:
        for image, data in re.findall(r'<image id="([^"]+)"[^>]* href="([^"]+)"', page):
            named.setdefault(image, set()).add(data)
    assert len(named) > 1
    assert [image for image, data in named.items() if len(data) > 1] == []
