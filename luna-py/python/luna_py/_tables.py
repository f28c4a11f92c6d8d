"""Tables of any kind as bytes that the engine reads."""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any


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


def _rows_as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
