"""Pictures of what a validation found, drawn with matplotlib: ``pip install "luna-py[plot]"``.

>>> import luna_py as luna
>>> report = luna.validate("scans")  # doctest: +SKIP
>>> report.plot.contact_sheet(rule="LP003")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from luna_py._luna import Report


class Plots:
    """Pictures of what a validation found.

    Made by :attr:`Report.plot`. A notebook shows a figure or axes that end a cell; a script saves
    them: ``report.plot.duplicates().savefig("duplicates.png")``. pyplot does not know them, so
    nothing is shown twice and nothing has to be closed. To show axes in a window, pass some of
    ``matplotlib.pyplot.subplots()`` as ``ax``. Names in scripts that matplotlib's own font lacks
    need another font: ``matplotlib.rcParams["font.family"] = ["sans-serif", "Noto Sans CJK JP"]``.

    Parameters
    ----------
    report : Report
        What is drawn.
    """

    def __init__(self, report: Report) -> None:
        self._report = report

    def __repr__(self) -> str:
        plots = "contact_sheet, duplicates, histogram, scatter"
        return f"<luna_py.plot.Plots of {self._report!r}: {plots}>"

    def contact_sheet(
        self,
        *,
        rule: str | None = None,
        severity: Literal["error", "warning", "info"] | None = None,
        columns: int = 6,
        most: int = 24,
        side: int = 240,
    ) -> Figure:
        """Draw small pictures of the files that findings name, the gravest first, then by path.

        Places that findings tell are framed, in the line style of the severity: solid for an error,
        dashed for a warning, dotted for an info. Below each picture stand its path and the rules;
        if it is one rule, also its name, or what it found. A picture that must not be shown, or
        cannot be, is a grey tile that says why; grey rows were never decoded. Of several frames the
        first is shown.

        Parameters
        ----------
        rule : str, optional
            Only findings of this rule, by its code.
        severity : {"error", "warning", "info"}, optional
            Only findings of this severity.
        columns : int, default 6
            Pictures side by side.
        most : int, default 24
            Pictures in all; the sheet tells how many there would be.
        side : int, default 240
            Long side of a picture, in pixels, 32 to 2,048.

        Returns
        -------
        matplotlib.figure.Figure
            If no finding fits, a line that says so.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is no such rule or severity; if a number makes no sense; if the report has no
            pictures, for it was read from a file.

        Examples
        --------
        >>> sheet = report.plot.contact_sheet(rule="LP006", most=12)  # doctest: +SKIP
        >>> sheet.savefig("saturated.pdf")  # doctest: +SKIP
        """
        _need_matplotlib()
        from luna_py import _plot_sheets

        _check("columns", columns, 1, 100)
        _check("most", most, 1, 10_000)
        _check("side", side, 32, 2_048)
        return _plot_sheets.contact_sheet(self._report, rule, severity, columns, most, side)

    def duplicates(self, *, most: int = 12, side: int = 240) -> Figure:
        """Draw files that are one picture side by side, a row a group, the gravest first.

        Above each row stand the rule and what it found; below each picture its path, format, size
        in pixels and depth. At most six files of a group are shown.

        Parameters
        ----------
        most : int, default 12
            Groups in all; the sheet tells how many there would be.
        side : int, default 240
            Long side of a picture, in pixels, 32 to 2,048.

        Returns
        -------
        matplotlib.figure.Figure
            If there are no duplicates, a line that says so: a notebook runs through with a clean
            set, too.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If a number makes no sense; if the report has no pictures, for it was read from a file.

        Examples
        --------
        >>> report.plot.duplicates(side=160).savefig("duplicates.png")  # doctest: +SKIP
        """
        _need_matplotlib()
        from luna_py import _plot_sheets

        _check("most", most, 1, 10_000)
        _check("side", side, 32, 2_048)
        return _plot_sheets.duplicates(self._report, most, side)

    def histogram(
        self,
        measure: str = "mean",
        *,
        ax: Axes | None = None,
        bins: int = 40,
        relative: bool = False,
    ) -> Axes:
        """Draw how a measure is spread over the files; those with errors are hatched.

        Both axes are linear. The title tells how many files have a value, and how many have none.

        Parameters
        ----------
        measure : str, default "mean"
            A numeric column of ``report.files``, such as ``"std"``, ``"entropy_bits"``,
            ``"width"``, ``"bits_stored"`` or ``"pixel_spacing_row_mm"``.
        ax : matplotlib.axes.Axes, optional
            Where to draw; in a new figure unless given.
        bins : int, default 40
            Bars between the least and the greatest value. Few whole numbers have a bar each.
        relative : bool, default False
            True for grey levels in percent of the range that a file's stored bits span, so that
            files of 8 and of 16 bits can be compared. Other measures stay as they are.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is no such column, the message names what is near; if ``bins`` makes no sense.

        Examples
        --------
        >>> report.plot.histogram("mean", relative=True)  # doctest: +SKIP
        >>> report.plot.histogram("width").figure.savefig("width.svg")  # doctest: +SKIP
        """
        _need_matplotlib()
        from luna_py import _plot_charts

        _check("bins", bins, 1, 10_000)
        return _plot_charts.histogram(self._report, measure, ax, bins, relative)

    def scatter(
        self,
        x: str = "mean",
        y: str = "std",
        *,
        ax: Axes | None = None,
        relative: bool = True,
    ) -> Axes:
        """Draw one measure of the files against another.

        A square is a file with errors, a triangle one with warnings, a dot any other.

        Parameters
        ----------
        x, y : str, default "mean" and "std"
            Numeric columns of ``report.files``.
        ax : matplotlib.axes.Axes, optional
            Where to draw; in a new figure unless given.
        relative : bool, default True
            Grey levels in percent of the range that a file's stored bits span, as in the HTML
            report; False for the values as stored. Other measures stay as they are.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is no such column; the message names what is near.

        Examples
        --------
        >>> report.plot.scatter()  # doctest: +SKIP
        >>> report.plot.scatter("width", "height")  # doctest: +SKIP
        """
        _need_matplotlib()
        from luna_py import _plot_charts

        return _plot_charts.scatter(self._report, x, y, ax, relative)


def _need_matplotlib() -> None:
    try:
        import matplotlib as _  # noqa: F401
    except ImportError as error:
        raise ImportError('plots need matplotlib: pip install "luna-py[plot]"') from error


def _check(argument: str, number: int, least: int, greatest: int) -> None:
    if not least <= number <= greatest:
        raise ValueError(f"{argument}: {number:,} is none of {least:,} to {greatest:,}")
