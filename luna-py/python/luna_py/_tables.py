"""Tables of any kind as bytes that the engine reads."""

import csv
import html
import io
import json
from collections.abc import Mapping
from typing import Any

# Characters of a cell that a notebook shows.
LONGEST = 120
# A row is one line, whatever the notebook says of tables.
CELL = "text-align: left; white-space: nowrap; max-width: 30em; overflow: hidden; text-overflow: ellipsis"


def as_file(table: Any) -> tuple[str, bytes] | None:
    """Write a data frame, an Arrow table or a dict of columns as CSV, and any other dict as JSON.

    Returns
    -------
    tuple of str and bytes, or None
        A name whose ending tells the format, and the bytes; None for what is no table.
    """
    if isinstance(table, Mapping):
        if "files" in table:
            return "table.json", json.dumps(dict(table)).encode()
        rows = zip(*table.values(), strict=True)
        return "table.csv", _rows_as_csv([dict(zip(table, row, strict=True)) for row in rows])
    if hasattr(table, "to_csv"):  # pandas
        return "table.csv", str(table.to_csv(index=False)).encode()
    if hasattr(table, "write_csv"):  # polars
        return "table.csv", str(table.write_csv()).encode()
    if hasattr(table, "to_pylist"):  # Arrow tables, and our own
        return "table.csv", _rows_as_csv(table.to_pylist())
    if hasattr(table, "__arrow_c_stream__"):
        import pyarrow

        return "table.csv", _rows_as_csv(pyarrow.table(table).to_pylist())
    return None


def as_html(first: list[dict[str, Any]], rows: int, columns: list[str]) -> str:
    """Show the first rows of a table, without columns in which they say nothing."""
    said = [name for name in columns if any(row[name] not in (None, []) for row in first)]
    head = "".join(f'<th style="{CELL}">{html.escape(name)}</th>' for name in said)
    body = "".join(
        "<tr>" + "".join(f'<td style="{CELL}">{_cell(row[name])}</td>' for name in said) + "</tr>" for row in first
    )
    empty = len(columns) - len(said)
    note = f"{len(first):,} of {rows:,} rows" if len(first) < rows else f"{rows:,} rows"
    note += f"; {empty} columns are empty here and left out" if empty and first else ""
    return (
        f'<div style="overflow-x: auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        f"<p>{note}</p></div>"
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return html.escape(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def _rows_as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
