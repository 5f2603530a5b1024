"""A file's rows as they stand in it: cells may be lists or mappings, and messages know their place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gallae.data.columns import find, listing
from gallae.data.labels import plain
from gallae.data.opening import detect_encoding, existing, open_text, text_lines
from gallae.data.reading import open_any
from gallae.data.sniffing import detect_format
from gallae.data.tables import concatenated, json_lines
from gallae.errors import DataError

_PIECE = 1 << 16
# Columns of short texts would pass for labels and texts without a header.
_WITH_HEADER = {".csv": "csv", ".tsv": "tsv"}


@dataclass(frozen=True)
class Rows:
    """The rows of a table of any format.

    Attributes:
        source: The file's name.
        columns: Every column of any row.
        cells: A mapping of column to cell for each row; an absent cell is missing in it or None.
        place: Row number (from 0) to "line 14".
    """

    source: str
    columns: list[str]
    cells: list[dict[str, Any]]
    place: Callable[[int], str]

    def where(self, row: int) -> str:
        """Return the file and the place of a row, for a message."""
        return f"{self.source}, {self.place(row)}"

    def column(self, part: str, known: Sequence[str]) -> str:
        """Return the column of a well-known name.

        Raises:
            DataError: if there is none; names the part and the names that are known.
        """
        found = find(known, self.columns)
        if found is None:
            raise DataError(
                f"{self.source}: which column holds the {part}? None has a well-known name "
                f"({', '.join(known)}). Columns: {listing(self.columns)}. Rename it."
            )
        return found

    def text(self, row: int, column: str | None) -> str:
        """Return a cell as text; "" where there is none.

        Raises:
            DataError: if the cell is a list or a mapping.
        """
        value = None if column is None else self.cells[row].get(column)
        if isinstance(value, list | dict):
            raise DataError(f"{self.where(row)}: {column!r} holds a {type(value).__name__}, not a text.")
        return spelt(value)

    def value(self, row: int, column: str) -> Any:
        """Return a cell as it is; a list or mapping that a table holds as JSON is one again."""
        cell = self.cells[row].get(column)
        if isinstance(cell, str) and cell[:1] in ("{", "["):
            try:
                return json.loads(cell)
            except json.JSONDecodeError:
                return cell
        return cell

    def required(self, row: int, column: str) -> str:
        """Return a cell's text that may not be empty.

        Raises:
            DataError: if it is.
        """
        text = self.text(row, column)
        if not text.strip():
            raise DataError(f"{self.where(row)}: {column!r} is empty. Fill it in, or leave the row out.")
        return text


def open_rows(path: str | Path, wanted: Sequence[str] = (), encoding: str | None = None) -> Rows:
    """Read a CSV, TSV, JSONL, JSON, Parquet or Excel file, or what else `gallae.read` takes, as rows.

    Args:
        path: The file.
        wanted: Column names that a header may have, by which it is known.
        encoding: Of a text file; None detects it.

    Raises:
        DataError: if it cannot be read or holds no rows.
    """
    if Path(path).is_file() and detect_format(existing(path), wanted, encoding) == "jsonl":
        return _json_lines(Path(path), encoding)
    format = _WITH_HEADER.get(Path(path).suffix.lower())
    table = open_any(path, format, encoding, _PIECE, wanted=wanted)
    frame = concatenated(table.pieces, table.columns)
    cells = [dict(zip(table.columns, row, strict=True)) for row in frame.itertuples(index=False, name=None)]
    if not cells:
        raise DataError(f"{table.source} has columns ({listing(table.columns)}) but no rows.")
    return Rows(table.source, table.columns, cells, table.where)


def _json_lines(path: Path, encoding: str | None) -> Rows:
    encoding = detect_encoding(path, encoding)
    cells: list[dict[str, Any]] = []
    lines: list[int] = []
    at = 0

    def counted() -> Iterator[str]:
        nonlocal at
        for line in text_lines(open_text(path, encoding, "\n"), str(path)):
            at += 1
            yield line

    for row in json_lines(counted(), str(path)):
        cells.append(row)
        lines.append(at)
    if not cells:
        raise DataError(f"{path} is empty: it has no rows.")
    columns = list(dict.fromkeys(column for row in cells for column in row))
    return Rows(str(path), columns, cells, partial(_line, lines))


def _line(lines: list[int], row: int) -> str:
    return f"line {lines[row]}"


def spelt(value: Any) -> str:
    """Return a value as text: "" for nothing, 3 for 3.0, half an emoji replaced (it is no character)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if not isinstance(value, str):
        return plain(str(value))
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
