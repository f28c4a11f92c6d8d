"""Charts of the set as a whole: how a measure is spread, and two against each other."""

import difflib
import math
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from luna_py._luna import Report
from luna_py._plot_style import (
    DATA,
    DPI,
    INK,
    LINE,
    SEVERITIES,
    SOFT,
    PlotAxes,
    PlotFigure,
    brief,
    counted,
    grouped,
)

_Row: TypeAlias = dict[str, Any]

# Title and unit of every numeric column of the files; grey levels have the unit `_GREY`.
_GREY = "stored value"
MEASURES = {
    "size_bytes": ("File size", "bytes"),
    "width": ("Width", "pixels"),
    "height": ("Height", "pixels"),
    "frames": ("Frames", "frames a file"),
    "channels": ("Channels", "channels a pixel"),
    "bits_allocated": ("Bits allocated", "bits a sample"),
    "bits_stored": ("Bits stored", "bits a sample"),
    "min": ("Minimum", _GREY),
    "max": ("Maximum", _GREY),
    "mean": ("Mean", _GREY),
    "std": ("Standard deviation", _GREY),
    "p01": ("1st percentile", _GREY),
    "p50": ("Median", _GREY),
    "p99": ("99th percentile", _GREY),
    "entropy_bits": ("Entropy", "bits"),
    "clipped_low": ("Share at the lowest value", "0 to 1"),
    "clipped_high": ("Share at the highest value", "0 to 1"),
    "distinct_values": ("Different values", "values a file"),
    "sharpness": ("Sharpness", _GREY),
    "imager_pixel_spacing_row_mm": ("Pixel spacing at the imager, between rows", "mm"),
    "imager_pixel_spacing_column_mm": ("Pixel spacing at the imager, between columns", "mm"),
    "pixel_spacing_row_mm": ("Pixel spacing, between rows", "mm"),
    "pixel_spacing_column_mm": ("Pixel spacing, between columns", "mm"),
    "window_center": ("Window centre", "value after rescaling"),
    "window_width": ("Window width", "values after rescaling"),
    "rescale_slope": ("Rescale slope", "output value a stored value"),
    "rescale_intercept": ("Rescale intercept", "output value"),
    "errors": ("Errors", "findings a file"),
    "warnings": ("Warnings", "findings a file"),
    "infos": ("Infos", "findings a file"),
}
# Whole numbers of a float below it have halves between them.
_EXACT = 2.0**52
# Distances between grey levels: no lowest value is to be taken off.
_SPREADS = {"std", "sharpness"}


class _Measure:
    """A column of the files."""

    def __init__(self, argument: str, name: str, columns: list[str], relative: bool) -> None:
        if name not in MEASURES:
            raise ValueError(f"{argument}: {_no_measure(name, columns)}")
        self._name = name
        self.title, self._unit = MEASURES[name]
        self._is_grey = self._unit == _GREY
        self._relative = relative and self._is_grey

    def of(self, row: _Row) -> float | None:
        """Value of a file, if it is a finite number."""
        value = row[self._name]
        if value is None or not math.isfinite(value):
            return None
        return _percent(row, self._name, value) if self._relative else float(value)

    def label(self, rows: list[_Row]) -> str:
        """Title and unit, of these files."""
        if self._relative:
            return f"{self.title} (% of the stored range)"
        depths = {row["bits_stored"] for row in rows if row["bits_stored"] is not None}
        mixed = ""
        if self._is_grey and len(depths) > 1:
            mixed = f", of {min(depths)} to {max(depths)} bits"
        return f"{self.title} ({self._unit}{mixed})"


def _no_measure(name: str, columns: list[str]) -> str:
    if name in columns:
        return f"the column {name} of report.files holds no numbers"
    near = difflib.get_close_matches(name, MEASURES, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(MEASURES)}"
    return f"report.files has no numeric column {name}; {hint}"


def _percent(row: _Row, name: str, value: float) -> float | None:
    """Value in percent of the range that the stored bits span."""
    bits, signed = row["bits_stored"], row["signed"]
    if bits is None or signed is None or not 1 <= bits <= 32:
        return None
    lowest = -(2 ** (bits - 1)) if signed else 0
    share = (value - (0 if name in _SPREADS else lowest)) / (2**bits - 1) * 100
    # Floating point samples have no such range; a Laplacian has four neighbours.
    most = 400 if name == "sharpness" else 100
    return share if row["min"] >= lowest and 0 <= share <= most else None


def histogram(
    report: Report, measure: str, ax: Axes | None, bins: int, relative: bool
) -> Axes:
    """Draw how a measure is spread."""
    table = report.files
    wanted = _Measure("measure", measure, table.column_names, relative)
    valued, values = [], []
    rows = table.to_pylist()
    for row in rows:
        value = wanted.of(row)
        if value is not None:
            valued.append(row)
            values.append(value)
    axes = _new_axes() if ax is None else ax
    _linear_ticks(axes)
    if values:
        with_errors = set(report.paths(severity="error"))
        has_error = np.array([row["path"] in with_errors for row in valued])
        _draw_bars(axes, np.array(values), has_error, bins)
    median = f"; median {brief(float(np.median(values)))}" if values else ""
    _say(axes, wanted.title, f"{_valued(len(values), len(rows), 'a value')}{median}")
    axes.set_xlabel(wanted.label(valued))
    axes.set_ylabel("Files")
    return axes


def _draw_bars(axes: Axes, values: Any, has_error: Any, bins: int) -> None:
    """Draw files without errors, and hatched on top of them those with."""
    edges, is_whole = _edges(values, bins)
    clean, _ = np.histogram(values[~has_error], edges)
    bad, _ = np.histogram(values[has_error], edges)
    left, width = edges[:-1], np.diff(edges)
    plain: dict[str, Any] = {"align": "edge", "edgecolor": "white", "linewidth": 0.6}
    errors = int(has_error.sum())
    name = f"{len(values) - errors:,} without errors"
    axes.bar(left, clean, width, color=DATA, label=name, **plain)
    if errors:
        plain |= {"color": SEVERITIES["error"].ink, "hatch": "////"}
        name = f"{errors:,} with errors"
        axes.bar(left, bad, width, bottom=clean, label=name, **plain)
    _tell_apart(axes)
    if is_whole and axes.get_xscale() == "linear":
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if axes.get_yscale() == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))


def _edges(values: Any, bins: int) -> tuple[Any, bool]:
    """Ends of the bars; few whole numbers have a bar each."""
    least, greatest = float(values.min()), float(values.max())
    is_whole = bool((values == np.round(values)).all())
    if is_whole and greatest - least < bins and max(-least, greatest) < _EXACT:
        return np.arange(least - 0.5, greatest + 1.0), True
    spare = 0.0 if greatest > least else max(0.5, abs(least) / 100)
    return np.linspace(least - spare, greatest + spare, bins + 1), False


def scatter(report: Report, x: str, y: str, ax: Axes | None, relative: bool) -> Axes:
    """Draw one measure against another, a point a file."""
    table = report.files
    across = _Measure("x", x, table.column_names, relative)
    up = _Measure("y", y, table.column_names, relative)
    rows = table.to_pylist()
    points = [(row, across.of(row), up.of(row)) for row in rows]
    points = [it for it in points if it[1] is not None and it[2] is not None]
    axes = _new_axes() if ax is None else ax
    _linear_ticks(axes)
    _draw_points(axes, report, points)
    said = _valued(len(points), len(rows), "both values")
    _say(axes, f"{up.title} against {across.title.lower()}", said)
    valued = [row for row, _, _ in points]
    axes.set_xlabel(across.label(valued))
    axes.set_ylabel(up.label(valued))
    return axes


def _draw_points(axes: Axes, report: Report, points: list[tuple[_Row, Any, Any]]) -> None:
    """Draw a square, triangle or dot by the gravest finding, the gravest on top."""
    errors = set(report.paths(severity="error"))
    warnings = set(report.paths(severity="warning")) - errors
    named = {"error": errors, "warning": warnings, "": set[str]()}
    left = points
    for order, (severity, paths) in enumerate(named.items()):
        own = [it for it in left if not severity or it[0]["path"] in paths]
        left = [it for it in left if severity and it[0]["path"] not in paths]
        if not own:
            continue
        look = SEVERITIES.get(severity)
        axes.scatter(
            [it[1] for it in own],
            [it[2] for it in own],
            s=22,
            marker=look.marker if look else "o",
            color=look.ink if look else DATA,
            alpha=0.9 if look else 0.55,
            linewidths=0,
            zorder=3 - order,
            label=f"{len(own):,} {_gravest(severity)}",
        )
    if points:
        _tell_apart(axes)


def _gravest(severity: str) -> str:
    return {"error": "with errors", "warning": "with warnings"}.get(severity, "with neither")


def _valued(number: int, there: int, what: str) -> str:
    return f"{counted(number, 'file')} with {what}, {there - number:,} without"


def _new_axes() -> Axes:
    """Make axes on white paper, whatever the style in force."""
    figure = PlotFigure(figsize=(6.4, 4.2), dpi=DPI, facecolor="white", layout="constrained")
    axes = figure.add_subplot(axes_class=PlotAxes, facecolor="white")
    axes.tick_params(colors=SOFT, labelsize="small", length=3)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(SOFT)
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    return axes


def _tell_apart(axes: Axes) -> None:
    """Put the key between the title and the drawing, where no point lies."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=3,
        frameon=False,
        fontsize="small",
        # On another's paper, another's colour.
        labelcolor=INK if isinstance(axes, PlotAxes) else None,
        borderpad=0.2,
        borderaxespad=0.0,
        columnspacing=1.4,
        handletextpad=0.5,
    )


def _say(axes: Axes, title: str, quiet: str) -> None:
    room = 24.0 if axes.get_legend() else 6.0
    said = f"{title}\n{quiet}"
    text = axes.set_title(said, loc="left", fontsize="medium", linespacing=1.4, pad=room)
    if isinstance(axes, PlotAxes):
        text.set_color(INK)


def _linear_ticks(axes: Axes) -> None:
    """Group the digits; a scale that the reader chose has ticks of its own."""
    for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
        if scale == "linear":
            axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
            axis.set_major_formatter(FuncFormatter(lambda value, _: grouped(value)))
