"""What all plots share: colours, line styles, text that fits, figures that show themselves."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

# Those of the HTML report on paper.
INK = "#1b1f24"
SOFT = "#57606a"
LINE = "#d9dcd8"
TINT = "#eef0ed"
DATA = "#5b7c99"
GREY_TILE = "#6b7177"

# Pixels to the inch; a sheet is laid out in pixels.
DPI = 100


@dataclass(frozen=True)
class Look:
    """How a severity is drawn."""

    shape: str
    marker: str
    ink: str
    """On paper."""
    glow: str
    """On a radiograph."""
    line: Any
    """Line style of frames."""
    line_in_words: str


# The gravest first.
SEVERITIES = {
    "error": Look("■", "s", "#b42318", "#ff8a80", "solid", "solid"),
    "warning": Look("▲", "^", "#8a5300", "#f0b45a", (0, (5.0, 2.5)), "dashed"),
    "info": Look("●", "o", "#3f5f86", "#9dbbe0", (0, (1.2, 2.0)), "dotted"),
}
GRAVITY = {severity: place for place, severity in enumerate(SEVERITIES)}


class PlotFigure(Figure):
    """A figure that a notebook shows although pyplot does not know it."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save the figure on its own ground, whatever the style in force."""
        options.setdefault("facecolor", self.get_facecolor())
        super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        return _png(self, 1)


class PlotAxes(Axes):
    """Axes that a notebook shows as the figure that they are in."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        figure = self.get_figure()
        assert isinstance(figure, PlotFigure)
        width, height = figure.get_size_inches() * figure.dpi
        # Twice as fine as it is shown, for fine screens.
        return _png(figure, 2), {"width": round(width), "height": round(height)}


def _png(figure: PlotFigure, scale: int) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=figure.dpi * scale)
    return out.getvalue()


def families() -> list[str]:
    """Name the reader's fonts, and the one that has our shapes."""
    return list(dict.fromkeys([*rcParams["font.family"], "DejaVu Sans"]))


class Ruler:
    """Measures text as it will be drawn, in pixels."""

    def __init__(self) -> None:
        figure = Figure(dpi=DPI)
        FigureCanvasAgg(figure)
        self._text: Text = figure.text(0, 0, "", parse_math=False, usetex=False, family=families())

    def width(self, text: str, size: float, weight: str = "normal") -> float:
        """Width of a line."""
        self._text.update({"text": text, "size": size, "weight": weight})
        return self._text.get_window_extent().width

    def middle(self, text: str, width: float, size: float) -> str:
        """Shorten a line in its middle, for the end of a path tells most."""

        def kept(number: int) -> str:
            head = number * 2 // 5
            return f"{text[:head]}…{text[len(text) - (number - head) :]}"

        return self._longest(text, kept, width, size)

    def path(self, path: str, width: float, size: float) -> list[str]:
        """Break a path into two lines at most, and shorten the second in its middle."""
        if self.width(path, size) <= width:
            return [path]
        first = self._longest(path, lambda number: path[:number], width, size)
        # Behind a word, unless that leaves half of the line empty.
        word = max(first.rfind(it) for it in "/_- ") + 1
        first = first[:word] if word > len(first) / 2 else first
        return [first, self.middle(path[len(first) :], width, size)]

    def end(self, text: str, width: float, size: float) -> str:
        """Shorten a line at its end."""
        return self._longest(text, lambda number: f"{text[:number].rstrip()}…", width, size)

    def lines(self, text: str, width: float, size: float, most: int) -> list[str]:
        """Break text between words; what has no room is cut off."""
        lines: list[str] = []
        words = [word for word in text.split(" ") if word]
        while words:
            if len(lines) + 1 == most:
                return [*lines, self.end(" ".join(words), width, size)]
            fit = 1
            while fit < len(words) and self.width(" ".join(words[: fit + 1]), size) <= width:
                fit += 1
            lines.append(self.middle(" ".join(words[:fit]), width, size))
            words = words[fit:]
        return lines

    def _longest(
        self, text: str, kept: Callable[[int], str], width: float, size: float
    ) -> str:
        if self.width(text, size) <= width:
            return text
        least, most = 1, len(text) - 1
        while least < most:
            number = (least + most + 1) // 2
            if self.width(kept(number), size) <= width:
                least = number
            else:
                most = number - 1
        return kept(least)


def printable(text: str) -> str:
    """Escape what would not be seen, or would turn the text round it about."""
    return "".join(it if it.isprintable() else f"\\u{{{ord(it):x}}}" for it in text)


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2,122 files``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def some_of(shown: int, there: int, noun: str) -> str:
    """``24 of 2,122 files``, or ``3 files`` if nothing is hidden."""
    return counted(there, noun) if shown == there else f"{shown:,} of {counted(there, noun)}"


def grouped(value: float) -> str:
    """Write a number with six digits at most, grouped."""
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1e5 else f"{value:,.6g}"


def brief(value: float) -> str:
    """Write a whole number in full, another one with three digits."""
    return grouped(value if value == round(value) else float(f"{value:.2e}"))
