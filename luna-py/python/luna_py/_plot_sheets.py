"""Sheets of small pictures: what findings speak of, and what is there twice."""

import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from matplotlib.axes import Axes
from matplotlib.image import imread
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from luna_py._luna import Report
from luna_py._plot_style import (
    DPI,
    GRAVITY,
    GREY_TILE,
    INK,
    LINE,
    SEVERITIES,
    SOFT,
    Look,
    PlotFigure,
    Ruler,
    counted,
    families,
    printable,
    some_of,
)

_Row: TypeAlias = dict[str, Any]
_Piece: TypeAlias = tuple[str, str]
"""A text and its colour."""

# Pixels, and points for text.
_MARGIN = 24
_GAP = 16
_LEADING = 18
_NARROWEST = 120
_SPACE = 8
_LEAST_SAID = 40
_TITLE, _BODY, _CAPTION = 14.0, 10.0, 9.5
# What matplotlib can draw, and a machine can hold: pixels a side, and in all.
_LONGEST, _LARGEST = 65_000, 150_000_000
# As in the HTML report.
_MEMBERS = 6
_TIED = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class _Frame:
    """A rectangle of the original, in its pixels."""

    left: float
    top: float
    width: float
    height: float
    severity: str


@dataclass
class _Tile:
    """A picture, or a grey tile that says why there is none, and what stands below."""

    path: str
    picture: tuple[bytes, int, int] | None
    why: str
    about: str
    caption: list[list[_Piece]] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)

    def size(self, side: int) -> tuple[int, int]:
        """Width and height on the sheet."""
        if self.picture is None:
            return side, side
        _, width, height = self.picture
        scale = side / max(width, height)
        return max(round(width * scale), 1), max(round(height * scale), 1)


class _Sheet:
    """A white page, measured in pixels from its top left."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = PlotFigure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")

    def write(
        self, at: tuple[float, float], text: str, size: float, colour: str, weight: str = "normal"
    ) -> None:
        """Write a line whose baseline begins there."""
        self.figure.text(
            at[0] / self.width,
            1 - at[1] / self.height,
            text,
            size=size,
            color=colour,
            weight=weight,
            family=families(),
            parse_math=False,
            usetex=False,
        )

    def line(self, x: tuple[float, float], y: float, **look: Any) -> None:
        """Draw a level line."""
        level = 1 - y / self.height
        ends = [x[0] / self.width, x[1] / self.width]
        self.figure.add_artist(Line2D(ends, [level, level], **look))

    def tile(self, at: tuple[float, float], size: tuple[int, int], tile: _Tile) -> None:
        """Draw a picture whose top left is there."""
        (x, y), (width, height) = at, size
        box = (
            x / self.width,
            1 - (y + height) / self.height,
            width / self.width,
            height / self.height,
        )
        axes = self.figure.add_axes(box, label=tile.path)
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set(color=LINE, linewidth=0.6)
        if tile.picture is None:
            _draw_why(axes, tile.why)
        else:
            _draw_picture(axes, tile.picture, width)
            for frame in sorted(tile.frames, key=lambda it: -GRAVITY[it.severity]):
                _draw_frame(axes, frame, tile.picture)


def _draw_why(axes: Axes, why: str) -> None:
    axes.set_facecolor(GREY_TILE)
    axes.text(
        0.5,
        0.5,
        why,
        transform=axes.transAxes,
        ha="center",
        va="center",
        size=_CAPTION,
        color="white",
        linespacing=1.5,
        family=families(),
        parse_math=False,
        usetex=False,
    )


def _draw_picture(axes: Axes, picture: tuple[bytes, int, int], width: int) -> None:
    jpeg, source_width, source_height = picture
    pixels = imread(io.BytesIO(jpeg), format="jpeg")
    is_enlarged = width > pixels.shape[1]
    axes.imshow(
        pixels,
        cmap="gray",
        vmin=0,
        vmax=255,
        # In pixels of the original, as findings tell them.
        extent=(0, source_width, source_height, 0),
        aspect="auto",
        interpolation="nearest" if is_enlarged else "antialiased",
    )


def _draw_frame(axes: Axes, frame: _Frame, picture: tuple[bytes, int, int]) -> None:
    _, width, height = picture
    if frame.left >= width or frame.top >= height:
        return
    right, bottom = min(frame.left + frame.width, width), min(frame.top + frame.height, height)
    look = SEVERITIES[frame.severity]
    axes.add_patch(
        Rectangle(
            (frame.left, frame.top),
            right - frame.left,
            bottom - frame.top,
            fill=False,
            clip_on=False,
            zorder=3,
            **_stroke(look),
        )
    )


def _stroke(look: Look) -> dict[str, Any]:
    """Describe a line that is seen on bright and on dark ground."""
    return {
        "color": look.glow,
        "linestyle": look.line,
        "linewidth": 1.6,
        "path_effects": [withStroke(linewidth=3.4, foreground=INK)],
    }


def contact_sheet(
    report: Report, rule: str | None, severity: Any, columns: int, most: int, side: int
) -> PlotFigure:
    """Draw small pictures of the files that findings name."""
    # Says what is wrong with either of them.
    report.paths(rule=rule, severity=severity)
    findings = report.findings.to_pylist()
    named = _named(findings, rule, severity)
    plural = {"error": "errors", "warning": "warnings", "info": "infos", None: "findings"}
    if not named:
        return _line_of_text(f"No file with {plural[severity]}{f' of {rule}' if rule else ''}.")
    title = f"Files with {plural[severity]}"
    if rule is not None:
        names = {row["name"] for rows in named.values() for row in rows}
        title = " ".join([rule, *sorted(names)]) + (f": {plural[severity]}" if severity else "")
    ruler = Ruler()
    paths = sorted(named, key=lambda path: (min(_gravity(row) for row in named[path]), path))
    shown = paths[:most]
    columns = min(columns, len(shown))
    _refuse_too_large(columns, -(-len(shown) // columns), 3, side)
    tiles = _tiles(report, findings, shown, side)
    cell = max(side, _NARROWEST)
    for tile in tiles:
        rows = named[tile.path]
        tile.frames = _frames(rows, tile.path)
        tile.caption = [
            *_path(tile.path, ruler, cell),
            _codes(rows, ruler, cell, _said if rule else lambda row: row["name"]),
        ]
    counts = some_of(len(shown), len(paths), "file")
    order = ", the gravest first" if len(paths) > most else ""
    return _draw_contact_sheet(ruler, (title, counts + order), tiles, columns, side)


def _draw_contact_sheet(
    ruler: Ruler, head: tuple[str, str], tiles: list[_Tile], columns: int, side: int
) -> PlotFigure:
    lines = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    framed = {frame.severity for tile in tiles if tile.picture for frame in tile.frames}
    title, quiet = head
    step = max(side, _NARROWEST) + _GAP
    least = max(
        ruler.width(title, _TITLE, "bold"),
        ruler.width(quiet, _BODY) + sum(54 + ruler.width(_legend(it), _BODY) for it in framed),
    )
    width = 2 * _MARGIN + max(step * columns - _GAP, least)
    top: float = _MARGIN + 62
    height = top + sum(_height(line, side) for line in lines) + _MARGIN - _GAP
    sheet = _Sheet(width, height)
    sheet.write((_MARGIN, _MARGIN + 16), title, _TITLE, INK, "bold")
    sheet.write((_MARGIN, _MARGIN + 40), quiet, _BODY, SOFT)
    _draw_legend(sheet, ruler, framed, (_MARGIN + ruler.width(quiet, _BODY), _MARGIN + 40))
    for line in lines:
        _draw_line(sheet, ruler, top, line, side)
        top += _height(line, side)
    return sheet.figure


def _draw_legend(
    sheet: _Sheet, ruler: Ruler, framed: set[str], at: tuple[float, float]
) -> None:
    """Tell which frame is which, behind what stands there."""
    x, y = at
    for severity in sorted(framed, key=GRAVITY.__getitem__):
        look = SEVERITIES[severity]
        sheet.line((x + 20, x + 48), y - 5, **_stroke(look))
        sheet.write((x + 54, y), _legend(severity), _BODY, look.ink)
        x += 54 + ruler.width(_legend(severity), _BODY)


def _legend(severity: str) -> str:
    return f"{SEVERITIES[severity].shape} {severity}"


def _refuse_too_large(columns: int, lines: int, leading: int, side: int) -> None:
    """Raise an exception before pictures are made that no sheet can hold; square ones, at most."""
    width = 2 * _MARGIN + columns * (max(side, _NARROWEST) + _GAP)
    height = 3 * _MARGIN + lines * (side + leading * _LEADING + 2 * _GAP)
    if max(width, height) > _LONGEST or width * height > _LARGEST:
        raise ValueError(
            f"a sheet of up to {width:,} x {height:,} pixels is too large: ask for fewer or smaller"
            " pictures"
        )


def _height(line: list[_Tile], side: int) -> float:
    """Height of a line of tiles, with captions and the gap below."""
    pictures = max(tile.size(side)[1] for tile in line)
    return pictures + 6 + _LEADING * max(len(tile.caption) for tile in line) + _GAP


def _draw_line(sheet: _Sheet, ruler: Ruler, top: float, line: list[_Tile], side: int) -> None:
    """Draw tiles side by side, on one base line."""
    base = top + max(tile.size(side)[1] for tile in line)
    for place, tile in enumerate(line):
        x = _MARGIN + place * (max(side, _NARROWEST) + _GAP)
        size = tile.size(side)
        sheet.tile((x, base - size[1]), size, tile)
        for number, pieces in enumerate(tile.caption, 1):
            _write_pieces(sheet, ruler, (x, base + number * _LEADING), pieces)


def _write_pieces(
    sheet: _Sheet, ruler: Ruler, at: tuple[float, float], pieces: list[_Piece]
) -> None:
    x, y = at
    for text, colour in pieces:
        sheet.write((x, y), text, _CAPTION, colour)
        x += ruler.width(text, _CAPTION) + _SPACE


def _named(
    findings: list[_Row], rule: str | None, severity: str | None
) -> dict[str, list[_Row]]:
    """Find the files that findings name, with these findings."""
    named: dict[str, list[_Row]] = {}
    for row in findings:
        fits = rule in (None, row["rule"]) and severity in (None, row["severity"])
        if fits and not row["excepted"]:
            for path in _members(row):
                named.setdefault(path, []).append(row)
    return named


def _members(row: _Row) -> list[str]:
    own = [] if row["path"] is None else [row["path"]]
    return list(dict.fromkeys([*own, *row["related"]]))


def _gravity(row: _Row) -> int:
    return GRAVITY[row["severity"]]


def _frames(rows: list[_Row], path: str) -> list[_Frame]:
    """Find the places in the first frame of this file that findings speak of."""
    return [
        _Frame(row["x"], row["y"], row["width"], row["height"], row["severity"])
        for row in rows
        if row["path"] == path and row["x"] is not None and not row["frame"]
    ]


def _path(path: str, ruler: Ruler, width: float) -> list[list[_Piece]]:
    return [[(line, INK)] for line in ruler.path(printable(path), width, _CAPTION)]


def _codes(
    rows: list[_Row], ruler: Ruler, width: float, said: Callable[[_Row], str]
) -> list[_Piece]:
    """Shapes and codes of findings; of a single one also what is `said` of it."""
    of_codes = {(row["severity"], row["rule"]): row for row in sorted(rows, key=_gravity)}
    pieces: list[_Piece] = []
    room = width
    for number, ((severity, code), row) in enumerate(of_codes.items()):
        look = SEVERITIES[severity]
        text = f"{look.shape} {code}"
        room -= ruler.width(text, _CAPTION) + _SPACE
        left = len(of_codes) - number
        more = 0.0 if left == 1 else ruler.width(f"+ {left - 1}", _CAPTION)
        if pieces and room < more:
            return [*pieces, (f"+ {left}", SOFT)]
        pieces.append((text, look.ink))
        if len(of_codes) == 1 and room > _LEAST_SAID:
            pieces.append((ruler.end(printable(said(row)), room, _CAPTION), SOFT))
    return pieces


def _said(row: _Row) -> str:
    """What a finding found, or where a sheet does not show it."""
    return f"in frame {row['frame']}, 0 is shown" if row["frame"] else row["found"] or ""


def _tiles(
    report: Report, findings: list[_Row], paths: list[str], side: int
) -> list[_Tile]:
    """Make a tile of each file."""
    files = {row["path"]: row for row in report.files.to_pylist()}
    texts = {row["path"] for row in findings if row["rule"] == "LI011"}

    def tile(path: str) -> _Tile:
        facts = files.get(path)
        has_picture = facts is not None and facts["width"] is not None
        picture = report._thumbnail(path, side) if has_picture else None
        return _Tile(path, picture, _why(facts, path in texts), _about(facts or {}))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        tiles = list(threads.map(tile, paths))
    if not any(tile.picture for tile in tiles):
        _refuse_without_pictures(report, files, texts)
    return tiles


def _why(facts: _Row | None, holds_text: bool) -> str:
    """Tell why there is no picture, should there be none."""
    if facts is None:
        return "not in the set"
    if facts["width"] is None and facts["kind"] != "image":
        return f"no picture:\n{'unknown kind' if facts['kind'] == 'unknown' else facts['kind']}"
    if holds_text or _admits_text(facts):
        return "not shown:\ntext is burned in"
    return "cannot be decoded"


def _admits_text(facts: _Row) -> bool:
    return (facts["burned_in_annotation"] or "").lower() == "yes"


def _refuse_without_pictures(report: Report, files: dict[str, _Row], texts: set[str]) -> None:
    """Raise an exception if files that were decoded once are seen no more."""
    decoded = [
        path
        for path, facts in files.items()
        if facts["mean"] is not None and path not in texts and not _admits_text(facts)
    ]
    if decoded and all(report._thumbnail(path, 16) is None for path in decoded[:3]):
        raise ValueError(
            "the report has no pictures: it was read from a file or made of records, or its images"
            " are no longer where they were; validate the set again with luna_py.validate"
        )


def _line_of_text(text: str) -> PlotFigure:
    sheet = _Sheet(max(Ruler().width(text, _BODY) + 2 * _MARGIN, 360), 64)
    sheet.write((_MARGIN, 37), text, _BODY, INK)
    # A notebook leaves out figures without axes.
    sheet.figure.add_axes((0.0, 0.0, 1.0, 1.0)).set_axis_off()
    return sheet.figure


@dataclass
class _Group:
    """Files that a finding holds for one picture."""

    severity: str
    title: str
    lines: list[str]
    quiet: list[str]
    tiles: list[_Tile]

    def head(self) -> float:
        return _LEADING * (1 + len(self.lines) + len(self.quiet)) + 8


def duplicates(report: Report, most: int, side: int) -> PlotFigure:
    """Draw files that are one picture side by side, a row a finding."""
    findings = report.findings.to_pylist()
    of_copies = [
        row
        for row in findings
        if row["rule"].startswith("LX") and not row["excepted"] and len(_members(row)) > 1
    ]
    if not of_copies:
        return _line_of_text(f"No duplicates in {counted(len(report.files), 'file')}.")
    rows = sorted(of_copies, key=_gravity)[:most]
    columns = min(max(len(_members(row)) for row in rows), _MEMBERS)
    width = max(columns * (max(side, _NARROWEST) + _GAP) - _GAP, 720)
    _refuse_too_large(columns, len(rows), 11, side)
    ruler = Ruler()
    shown = list(dict.fromkeys(path for row in rows for path in _members(row)[:_MEMBERS]))
    tiles = {tile.path: tile for tile in _tiles(report, findings, shown, side)}
    for tile in tiles.values():
        cell = max(side, _NARROWEST)
        about = ruler.lines(tile.about, cell, _CAPTION, 2)
        tile.caption = [*_path(tile.path, ruler, cell), *([(line, SOFT)] for line in about)]
    groups = [_group(row, tiles, ruler, width) for row in rows]
    return _draw_duplicates(ruler, groups, len(of_copies), width, side)


def _draw_duplicates(
    ruler: Ruler, groups: list[_Group], there: int, width: float, side: int
) -> PlotFigure:
    top: float = _MARGIN + 62
    heights = [group.head() + _height(group.tiles, side) + _GAP for group in groups]
    sheet = _Sheet(width + 2 * _MARGIN, top + sum(heights) + _MARGIN - 2 * _GAP)
    sheet.write((_MARGIN, _MARGIN + 16), "Duplicates", _TITLE, INK, "bold")
    counts = some_of(len(groups), there, "group")
    order = ", the gravest first" if len(groups) < there else ""
    sheet.write((_MARGIN, _MARGIN + 40), counts + order, _BODY, SOFT)
    for group, height in zip(groups, heights, strict=True):
        _draw_group(sheet, ruler, top, group, side)
        top += height
    return sheet.figure


def _group(row: _Row, tiles: dict[str, _Tile], ruler: Ruler, width: float) -> _Group:
    members = _members(row)
    shown = [tiles[path] for path in members[:_MEMBERS]]
    found = row["found"] or ""
    found += ". " if found[-1:].isalnum() else " "
    return _Group(
        severity=row["severity"],
        title=f"{row['rule']} {row['name']}: {some_of(len(shown), len(members), 'file')}",
        lines=ruler.lines(printable(row["message"]), width, _BODY, 3),
        quiet=ruler.lines(printable(found + (row["help"] or "")), width, _BODY, 2),
        tiles=shown,
    )


def _about(facts: _Row) -> str:
    """Format, size, depth of a file."""
    parts = []
    if facts.get("format"):
        parts.append(facts["format"].upper())
    if facts.get("width") and facts.get("height"):
        parts.append(f"{facts['width']:,}{_TIED}x{_TIED}{facts['height']:,}")
    if facts.get("bits_stored"):
        parts.append(f"{facts['bits_stored']}{_TIED}bits")
    return ", ".join(parts)


def _draw_group(sheet: _Sheet, ruler: Ruler, top: float, group: _Group, side: int) -> None:
    sheet.line((_MARGIN, sheet.width - _MARGIN), top - 4, color=LINE, linewidth=0.8)
    look = SEVERITIES[group.severity]
    severity = f"{look.shape} {group.severity}"
    y = top + _LEADING
    sheet.write((_MARGIN, y), severity, _BODY, look.ink, "bold")
    after = _MARGIN + ruler.width(severity, _BODY, "bold") + 10
    sheet.write((after, y), group.title, _BODY, INK, "bold")
    for text, colour in [*((it, INK) for it in group.lines), *((it, SOFT) for it in group.quiet)]:
        y += _LEADING
        sheet.write((_MARGIN, y), text, _BODY, colour)
    _draw_line(sheet, ruler, top + group.head() + 6, group.tiles, side)
