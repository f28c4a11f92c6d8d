"""Pictures and charts of a report: what is drawn, what is said, what is refused."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import luna_py as luna
from luna_py import _luna

matplotlib = pytest.importorskip("matplotlib")

import numpy as np  # noqa: E402
from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.collections import PathCollection  # noqa: E402
from matplotlib.container import BarContainer  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.patches import Rectangle  # noqa: E402
from matplotlib.text import Text  # noqa: E402

from luna_py.plot import Plots  # noqa: E402


@pytest.fixture(autouse=True)
def plain_style() -> Iterator[None]:
    pyplot.switch_backend("agg")
    with matplotlib.rc_context():
        yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> luna.Report:
    folder = tmp_path_factory.mktemp("plot") / "demo"
    assert _luna.main(["luna", "demo", str(folder)]) == 0
    return luna.validate(folder, progress=False)


def jpeg(width: int, height: int) -> bytes:
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("L", (width, height), 128).save(out, format="JPEG")
    return out.getvalue()


class Table:
    """Rows, and what they leave out as None."""

    def __init__(self, columns: list[str], rows: list[dict[str, Any]]) -> None:
        self.column_names = columns
        self._rows = [dict.fromkeys(columns) | row for row in rows]

    def to_pylist(self) -> list[dict[str, Any]]:
        return self._rows

    def __len__(self) -> int:
        return len(self._rows)


class Made:
    """A report made of rows; every picture of it is 400 x 200."""

    def __init__(
        self, demo: luna.Report, files: list[dict[str, Any]], findings: list[dict[str, Any]]
    ) -> None:
        usual = {"kind": "image", "width": 400, "height": 200, "bits_stored": 8, "signed": False}
        self.files = Table(demo.files.column_names, [usual | row for row in files])
        blank = {"name": "some-rule", "message": "Is wrong.", "related": [], "excepted": False}
        self.findings = Table(demo.findings.column_names, [blank | row for row in findings])

    def paths(self, *, rule: str | None = None, severity: str | None = None) -> list[str]:
        rows = self.findings.to_pylist()
        return [row["path"] for row in rows if severity in (None, row["severity"])]

    def _thumbnail(self, path: str, side: int) -> tuple[bytes, int, int]:
        return jpeg(side, side // 2), 400, 200

    @property
    def plot(self) -> Plots:
        return Plots(cast(luna.Report, self))


def texts(figure: Figure) -> list[str]:
    figure.canvas.draw()
    drawn = [it for it in figure.findobj(Text) if isinstance(it, Text) and it.get_visible()]
    return [it.get_text() for it in drawn if it.get_text()]


def pictures(figure: Figure) -> list[str]:
    """Labels of the axes that hold a picture."""
    return [str(axes.get_label()) for axes in figure.axes if axes.images]


def frames(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def bars(axes: Axes) -> list[list[float]]:
    containers = [it for it in axes.containers if isinstance(it, BarContainer)]
    return [[bar.get_height() for bar in it.patches] for it in containers]


def title(axes: Axes) -> str:
    return axes.get_title(loc="left")


def key(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def root(axes: Axes) -> Figure:
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    return figure


def test_a_sheet_shows_what_a_rule_names(demo: luna.Report) -> None:
    figure = demo.plot.contact_sheet(rule="LP009")
    paths = ["test/P0129.png", "test/P0135_mask.png"]
    assert pictures(figure) == paths == demo.paths(rule="LP009")
    said = texts(figure)
    assert {"LP009 border-padding", "2 files", "● LP009", "50.1 %", "● info", *paths} <= {*said}
    for axes, side in zip(figure.axes, (640, 512), strict=True):
        (image,) = axes.images
        pixels = image.get_array()
        assert pixels is not None and pixels.shape == (240, 240)
        assert tuple(image.get_extent()) == (0, side, side, 0)
        # One pixel of the picture is one of the sheet.
        assert axes.get_window_extent().bounds[2:] == pytest.approx((240, 240))


def test_frames_lie_where_findings_tell(demo: luna.Report) -> None:
    axes = demo.plot.contact_sheet(rule="LP009", side=160).axes[0]
    (frame,) = frames(axes)
    (row,) = [
        row
        for row in demo.findings.to_pylist()
        if row["rule"] == "LP009" and row["path"] == axes.get_label()
    ]
    assert frame.get_bbox().bounds == (row["x"], row["y"], row["width"], row["height"])
    picture, drawn = axes.get_window_extent(), frame.get_window_extent()
    scale = 160 / 640
    assert drawn.x0 - picture.x0 == pytest.approx(row["x"] * scale)
    assert picture.y1 - drawn.y1 == pytest.approx(row["y"] * scale)
    assert drawn.width == pytest.approx(row["width"] * scale)
    assert drawn.height == pytest.approx(row["height"] * scale)


def test_severities_differ_in_line_and_colour(demo: luna.Report) -> None:
    box = {"path": "a.png", "x": 10, "y": 20, "width": 1000, "height": 30, "frame": 0}
    findings = [
        box | {"rule": f"LP00{at}", "severity": severity}
        for at, severity in enumerate(("warning", "error", "info"))
    ]
    findings.append(findings[0] | {"x": 400})
    figure = Made(demo, [{"path": "a.png"}], findings).plot.contact_sheet()
    drawn = frames(figure.axes[0])
    # The gravest is drawn last; none leaves its picture.
    assert [frame.get_bbox().bounds for frame in drawn] == [(10, 20, 390, 30)] * 3
    lines = [str(frame.get_linestyle()) for frame in drawn]
    assert lines[2] == "solid" and len({*lines}) == 3
    assert len({frame.get_edgecolor() for frame in drawn}) == 3
    samples = [text for text in texts(figure) if text.split()[-1] in ("error", "warning", "info")]
    assert samples == ["■ error", "▲ warning", "● info"]
    codes = ["■ LP001", "▲ LP000", "● LP002"]
    assert [text for text in texts(figure) if text in codes] == codes


def test_a_sheet_tells_what_it_leaves_out(demo: luna.Report) -> None:
    rejected = demo.rejected
    figure = demo.plot.contact_sheet(severity="error", most=5, columns=2, side=64)
    assert [str(axes.get_label()) for axes in figure.axes] == rejected[:5]
    counts = f"5 of {len(rejected)} files, the gravest first"
    assert {"Files with errors", counts} <= {*texts(figure)}
    lefts = {round(axes.get_window_extent().x0) for axes in figure.axes}
    bases = {round(axes.get_window_extent().y0) for axes in figure.axes}
    assert (len(lefts), len(bases)) == (2, 3)


def test_numbers_are_grouped(demo: luna.Report) -> None:
    names = [f"{number:04}.png" for number in range(2_122)]
    findings = [{"path": name, "rule": "LP003", "severity": "warning"} for name in names]
    made = Made(demo, [{"path": name} for name in names], findings)
    assert "24 of 2,122 files, the gravest first" in texts(made.plot.contact_sheet())
    too_large = "a sheet of up to .* pixels is too large: ask for fewer or smaller pictures"
    with pytest.raises(ValueError, match=too_large):
        made.plot.contact_sheet(most=2_122, columns=1)
    with pytest.raises(ValueError, match=too_large):
        made.plot.contact_sheet(columns=100, most=100, side=2_048)


def test_the_gravest_come_first_then_paths(demo: luna.Report) -> None:
    severities = {"a.png": "info", "b.png": "error", "c.png": "warning", "d.png": "error"}
    findings: list[dict[str, Any]] = [
        {"path": path, "rule": "LP003", "severity": severity}
        for path, severity in severities.items()
    ]
    findings.append({"path": "e.png", "rule": "LP003", "severity": "error", "excepted": True})
    made = Made(demo, [{"path": f"{letter}.png"} for letter in "abcde"], findings)
    assert pictures(made.plot.contact_sheet()) == ["b.png", "d.png", "c.png", "a.png"]


def test_a_grey_tile_says_why(demo: luna.Report) -> None:
    files: list[dict[str, Any]] = [
        {"path": "burned.dcm", "burned_in_annotation": "YES"},
        {"path": "found.png"},
        {"path": "broken.png"},
        {"path": "labels.csv", "kind": "table", "width": None},
        {"path": "what.bin", "kind": "unknown", "width": None},
        {"path": "seen.png"},
    ]
    findings = [{"path": row["path"], "rule": "LF004", "severity": "error"} for row in files]
    findings.append({"path": "gone.png", "rule": "LM004", "severity": "error"})
    findings.append({"path": "found.png", "rule": "LI011", "severity": "error"})

    class Some(Made):
        def _thumbnail(self, path: str, side: int) -> Any:
            return super()._thumbnail(path, side) if path == "seen.png" else None

    figure = Some(demo, files, findings).plot.contact_sheet()
    said = {str(axes.get_label()): [it.get_text() for it in axes.texts] for axes in figure.axes}
    burned_in = "not shown:\ntext is burned in"
    assert said == {
        "broken.png": ["cannot be decoded"],
        "burned.dcm": [burned_in],
        "found.png": [burned_in],
        "gone.png": ["not in the set"],
        "labels.csv": ["no picture:\ntable"],
        "seen.png": [],
        "what.bin": ["no picture:\nunknown kind"],
    }
    assert pictures(figure) == ["seen.png"]


def test_no_picture_is_shown_that_must_not_be(demo: luna.Report) -> None:
    figure = demo.plot.contact_sheet(rule="LI010")
    assert pictures(figure) == []
    assert "not shown:\ntext is burned in" in texts(figure)


def test_a_later_frame_is_not_marked_in_the_first(demo: luna.Report) -> None:
    finding: dict[str, Any] = {"path": "a.dcm", "rule": "LP006", "severity": "warning"}
    finding |= {"found": "39.4 %", "frame": 3, "x": 1, "y": 1, "width": 9, "height": 9}
    figure = Made(demo, [{"path": "a.dcm"}], [finding]).plot.contact_sheet(rule="LP006")
    assert frames(figure.axes[0]) == []
    assert "in frame 3, 0 is shown" in texts(figure)


def test_names_stay_names(demo: luna.Report) -> None:
    names = ["a$x_{1}$.png", "b\u202egnp.png", "c/" + "long_" * 60 + "7.png"]
    findings = [{"path": name, "rule": "LP003", "severity": "info"} for name in names]
    matplotlib.rcParams["text.usetex"] = True
    figure = Made(demo, [{"path": name} for name in names], findings).plot.contact_sheet()
    said = texts(figure)
    assert {"a$x_{1}$.png", "b\\u{202e}gnp.png"} <= {*said}
    (cut,) = [text for text in said if "…" in text]
    assert cut.endswith("long_7.png")
    (start,) = [text for text in said if text.startswith("c/")]
    assert start.endswith("_") and cut.startswith("long_")
    sizes = [it.get_window_extent().width for it in figure.texts if it.get_text() == cut]
    assert sizes and sizes[0] <= 240


def test_many_codes_are_counted(demo: luna.Report) -> None:
    rules = [f"LD{number:03}" for number in range(9)]
    findings = [{"path": "a.png", "rule": rule, "severity": "error"} for rule in rules]
    said = texts(Made(demo, [{"path": "a.png"}], findings).plot.contact_sheet(side=120))
    shown = [text for text in said if text.startswith("■")]
    assert 0 < len(shown) < 9 and f"+ {9 - len(shown)}" in said


def test_without_findings_a_line_says_so(demo: luna.Report) -> None:
    assert demo.paths(rule="LM008") == []
    figure = demo.plot.contact_sheet(rule="LM008", severity="warning")
    assert texts(figure) == ["No file with warnings of LM008."]
    assert figure.axes, "a notebook leaves out figures without axes"


def test_a_stored_report_has_no_pictures(demo: luna.Report, tmp_path: Path) -> None:
    demo.save(tmp_path / "report.json")
    stored = luna.read_report(tmp_path / "report.json")
    with pytest.raises(ValueError, match="read from a file.*validate the set again"):
        stored.plot.contact_sheet()
    with pytest.raises(ValueError, match="read from a file.*validate the set again"):
        stored.plot.duplicates()
    assert bars(stored.plot.histogram()) == bars(demo.plot.histogram())


def test_what_makes_no_sense_is_said(demo: luna.Report) -> None:
    with pytest.raises(ValueError, match="rule: there is no rule LP03; did you mean LP00"):
        demo.plot.contact_sheet(rule="LP03")
    with pytest.raises(ValueError, match="severity: bad is none of"):
        demo.plot.contact_sheet(severity=cast(Any, "bad"))
    with pytest.raises(ValueError, match="columns: 0 is none of 1 to 100"):
        demo.plot.contact_sheet(columns=0)
    with pytest.raises(ValueError, match="most: 0 is none of"):
        demo.plot.duplicates(most=0)
    with pytest.raises(ValueError, match="side: 9,999 is none of 32 to 2,048"):
        demo.plot.duplicates(side=9_999)
    with pytest.raises(ValueError, match="bins: 0 is none of"):
        demo.plot.histogram(bins=0)


def test_duplicates_stand_side_by_side(demo: luna.Report) -> None:
    figure = demo.plot.duplicates()
    groups = [row for row in demo.findings.to_pylist() if row["rule"].startswith("LX")]
    assert pictures(figure) == [path for row in groups for path in row["related"]]
    said = texts(figure)
    assert {"Duplicates", "2 groups", "■ error", "LX001 duplicate-file: 2 files"} <= {*said}
    assert "Keep one copy, and correct the tables that name the others." in " ".join(said)
    assert " ".join(said).count("704\u00a0x\u00a0704, 8\u00a0bits") == 4
    tops = [round(axes.get_window_extent().y1) for axes in figure.axes]
    assert tops[0] == tops[1] > tops[2] == tops[3]


def test_duplicates_tell_what_they_leave_out(demo: luna.Report) -> None:
    figure = demo.plot.duplicates(most=1)
    assert len(pictures(figure)) == 2
    assert "1 of 2 groups, the gravest first" in texts(figure)
    names = [f"{number}.png" for number in range(9)]
    near = {"path": None, "rule": "LX003", "severity": "warning", "related": names}
    near |= {"found": "agreement 0.997", "help": "Keep one."}
    figure = Made(demo, [{"path": name} for name in names], [near]).plot.duplicates()
    assert pictures(figure) == names[:6]
    assert {"LX003 some-rule: 6 of 9 files", "agreement 0.997. Keep one."} <= {*texts(figure)}


def test_a_set_without_duplicates_is_told_so(broken_set: Path) -> None:
    report = luna.validate(broken_set, progress=False)
    assert texts(report.plot.duplicates()) == ["No duplicates in 2 files."]


def test_a_histogram_counts_every_value(demo: luna.Report) -> None:
    axes = demo.plot.histogram("mean", bins=30)
    rows = demo.files.to_pylist()
    values = [row["mean"] for row in rows if row["mean"] is not None]
    without, median = len(rows) - len(values), f"{np.median(values):.3g}"
    said = f"Mean\n{len(values)} files with a value, {without} without; median {median}"
    assert title(axes) == said
    clean, bad = bars(axes)
    assert len(clean) == len(bad) == 30 and sum(clean) + sum(bad) == len(values)
    rejected = sum(row["path"] in demo.rejected for row in rows if row["mean"] is not None)
    assert sum(bad) == rejected
    assert key(axes) == [f"{len(values) - rejected} without errors", f"{rejected} with errors"]
    hatches = [it.patches[0].get_hatch() for it in axes.containers if isinstance(it, BarContainer)]
    assert hatches == [None, "////"]
    assert axes.get_xlabel() == "Mean (stored value, of 8 to 16 bits)"
    assert axes.get_ylabel() == "Files"
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")


def test_few_whole_numbers_have_a_bar_each(demo: luna.Report) -> None:
    files = [{"path": f"{at}", "bits_stored": bits} for at, bits in enumerate((8, 8, 10, 12))]
    axes = Made(demo, files, []).plot.histogram("bits_stored")
    assert bars(axes) == [[2, 0, 1, 0, 1]]
    (container,) = axes.containers
    assert isinstance(container, BarContainer)
    assert [bar.get_x() + bar.get_width() / 2 for bar in container.patches] == [8, 9, 10, 11, 12]
    assert key(axes) == ["4 without errors"]


@pytest.mark.parametrize("value", [0.0, 0.25, 640, 1e20, -3.4e38])
def test_one_value_is_drawn(demo: luna.Report, value: float) -> None:
    axes = Made(demo, [{"path": "a", "mean": value}], []).plot.histogram()
    assert sum(bars(axes)[0]) == 1
    root(axes).canvas.draw()


def test_what_is_no_number_has_no_value(demo: luna.Report) -> None:
    values = [float("nan"), float("inf"), None]
    files = [{"path": f"{at}", "std": value} for at, value in enumerate(values)]
    axes = Made(demo, files, []).plot.histogram("std")
    assert title(axes) == "Standard deviation\n0 files with a value, 3 without"
    assert bars(axes) == []
    assert texts(root(axes))


def test_relative_levels_share_one_scale(demo: luna.Report) -> None:
    files: list[dict[str, Any]] = [
        {"path": "a", "bits_stored": 8, "min": 0, "mean": 51, "std": 25.5},
        {"path": "b", "bits_stored": 16, "min": 0, "mean": 13_107, "std": 6_553.5},
        {"path": "c", "bits_stored": 12, "signed": True, "min": -900, "mean": -1_229, "std": 409.5},
        {"path": "d", "bits_stored": 32, "min": -0.5, "mean": 0.1, "std": 0.1},
        {"path": "e", "bits_stored": None, "min": 0, "mean": 0.1, "std": 0.1},
    ]
    axes = Made(demo, files, []).plot.scatter()
    (points,) = [it for it in axes.collections if isinstance(it, PathCollection)]
    assert np.asarray(points.get_offsets()) == pytest.approx(np.array([[20.0, 10.0]] * 3))
    assert title(axes) == "Standard deviation against mean\n3 files with both values, 2 without"
    assert axes.get_xlabel() == "Mean (% of the stored range)"
    stored = Made(demo, files, []).plot.histogram(relative=False)
    assert title(stored).startswith("Mean\n5 files with a value, 0 without")


def test_every_numeric_column_is_a_measure(demo: luna.Report) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    schema = pyarrow.schema(demo.files)
    numeric = [field.name for field in schema if str(field.type) in ("int64", "double")]
    for name in numeric:
        axes = demo.plot.histogram(name, relative=True)
        values = [row[name] for row in demo.files.to_pylist() if row[name] is not None]
        assert sum(map(sum, bars(axes))) == len(values), name
    with pytest.raises(ValueError, match="there are size_bytes, width") as raised:
        demo.plot.histogram("zzz")
    assert str(raised.value).split("there are ")[1].split(", ") == numeric


def test_a_measure_that_is_none_is_said(demo: luna.Report) -> None:
    near = "measure: .* no numeric column entropy; did you mean entropy_bits"
    with pytest.raises(ValueError, match=near):
        demo.plot.histogram("entropy")
    with pytest.raises(ValueError, match="y: the column modality of report.files holds no numbers"):
        demo.plot.scatter(y="modality")


def test_a_scatter_tells_severities_by_shape(demo: luna.Report) -> None:
    axes = demo.plot.scatter("width", "height", relative=False)
    groups = [it for it in axes.collections if isinstance(it, PathCollection)]
    numbers = [np.asarray(it.get_offsets()).shape[0] for it in groups]
    words = ["with errors", "with warnings", "with neither"]
    assert key(axes) == [f"{number} {word}" for number, word in zip(numbers, words, strict=True)]
    assert sum(numbers) == sum(row["width"] is not None for row in demo.files.to_pylist())
    shapes = {np.shape(it.get_paths()[0].vertices) for it in groups}
    assert len(shapes) == 3
    assert groups[0].get_zorder() > groups[1].get_zorder() > groups[2].get_zorder()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Width (pixels)", "Height (pixels)")


def test_axes_of_ones_own_are_drawn_into(demo: luna.Report) -> None:
    figure, (left, right) = pyplot.subplots(1, 2)
    right.set_yscale("log")
    colour = matplotlib.rcParams["text.color"]
    assert demo.plot.histogram("width", ax=left) is left
    assert demo.plot.scatter(ax=right) is right
    assert right.get_yscale() == "log"
    assert left.spines["top"].get_visible()
    legend = left.get_legend()
    assert legend is not None and legend.get_texts()[0].get_color() == colour
    assert pyplot.get_fignums() == [figure.number]


def test_pyplot_knows_nothing_of_it(demo: luna.Report) -> None:
    demo.plot.contact_sheet(rule="LP009")
    demo.plot.scatter()
    assert pyplot.get_fignums() == []


def test_paper_is_white_in_any_style(demo: luna.Report) -> None:
    pyplot.style.use("dark_background")
    axes = demo.plot.histogram("width")
    for figure in (root(axes), demo.plot.contact_sheet(rule="LP009")):
        out = io.BytesIO()
        figure.savefig(out, format="png")
        out.seek(0)
        assert pyplot.imread(out)[0, 0].tolist() == [1, 1, 1, 1]
    drawn = [it for it in axes.findobj(Text) if isinstance(it, Text) and it.get_text()]
    dark = [sum(matplotlib.colors.to_rgb(it.get_color())) < 1.5 for it in drawn]
    assert dark and all(dark)


def test_a_notebook_shows_figures_and_axes(demo: luna.Report) -> None:
    sheet: Any = demo.plot.contact_sheet(rule="LP009")
    assert sheet._repr_png_().startswith(b"\x89PNG")
    chart: Any = demo.plot.histogram()
    picture, told = chart._repr_png_()
    height, width = pyplot.imread(io.BytesIO(picture)).shape[:2]
    assert (width, height) == (2 * told["width"], 2 * told["height"]) == (1_280, 840)


def test_ipython_shows_each_once(demo: luna.Report) -> None:
    shells = pytest.importorskip("IPython.core.interactiveshell")
    shell = shells.InteractiveShell()
    plots = demo.plot
    for drawn in (plots.contact_sheet(rule="LP009"), plots.scatter(), plots.duplicates()):
        formats, _ = shell.display_formatter.format(drawn)
        assert sorted(formats) == ["image/png", "text/plain"]


def test_without_matplotlib_the_remedy_is_told(
    demo: luna.Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    plots = demo.plot
    for draw in (plots.contact_sheet, plots.duplicates, plots.histogram, plots.scatter):
        with pytest.raises(ImportError, match=r'pip install "luna-py\[plot\]"'):
            draw()


def test_matplotlib_is_imported_when_something_is_drawn() -> None:
    code = "import luna_py.plot, sys; assert not {'matplotlib', 'numpy'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_plots_tell_what_they_are(demo: luna.Report) -> None:
    assert "contact_sheet, duplicates, histogram, scatter" in repr(demo.plot)
