"""A file's rows as they stand in it: named columns of strings, in pieces, with line numbers for messages."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pandas as pd

from gallae.data.labels import plain
from gallae.data.opening import LINE_LIMIT
from gallae.errors import DataError


@dataclass
class Table:
    """Rows to come.

    Attributes:
        source: Path or name, for messages.
        columns: Column names, spaces around them gone.
        pieces: Data frames of these columns: `str` (missing stays missing), or `object` where cells
            are lists.
        where: Row number (from 0) to where it stands ("line 14"), for messages. May read the file again.
        names: Column to class names, where the file says what its integers mean.
        ids_beside: Label name to id, from a dictionary file beside.
        group: The column whose rows belong together and are held out together; "" without.
        several: Whether a text may have several labels, even if none here has.
    """

    source: str
    columns: list[str]
    pieces: Iterator[pd.DataFrame]
    where: Callable[[int], str] = lambda row: f"row {row + 1}"
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ids_beside: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    several: bool = False


def named(header: Sequence[str], source: str) -> list[str]:
    """Return column names made usable: trimmed, an empty first one is the index, others get a number.

    Raises:
        DataError: on a name that stands twice.
    """
    names = [name.strip().lstrip("\ufeff") for name in header]
    first = "column 1" if "index" in names else "index"  # pandas writes its index without a name
    names = [name or (first if at == 0 else f"column {at + 1}") for at, name in enumerate(names)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        where = ", ".join(str(at + 1) for at, name in enumerate(names) if name == twice[0])
        raise DataError(
            f"{source}, line 1: the column name {twice[0]!r} stands more than once (columns {where}). "
            "Rename one of them."
        )
    return names


def growing(rows: int, first: int | None = None) -> Iterator[int]:
    """Yield piece sizes: `first`, then fourfold up to `rows`, so that a pipe's first rows come early."""
    size = min(first or rows, rows)
    while True:
        yield size
        size = min(size * 4, rows)


# ---- delimited text -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dialect:
    """How fields are told apart; `quoted` says whether a quote at a field's start holds it together."""

    delimiter: str
    quoted: bool


def records(lines: Iterator[str], dialect: Dialect, source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line number, fields) of each row that is not blank.

    Raises:
        DataError: on a quote that is never closed or is followed by something else than a delimiter.
    """
    csv.field_size_limit(LINE_LIMIT)
    quoting: Any = csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=dialect.delimiter, quoting=quoting, strict=dialect.quoted)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        what = "a quote is opened and never closed" if "end of data" in str(error) else str(error)
        raise DataError(
            f"{source}, line {line}: {what} (the row starts there; reading stopped at line "
            f"{reader.line_num}). "
            'Write a quote inside a quoted field twice (""), or give --format tsv for tab-separated text.'
        ) from error


def checked(
    rows: Iterable[tuple[int, list[str]]], columns: Sequence[str], source: str
) -> Iterator[list[str]]:
    """Yield the fields of each row, made sure that there is one a column (further empty ones are dropped).

    Raises:
        DataError: names the line of the first ragged row.
    """
    width = len(columns)
    for line, row in rows:
        if len(row) != width:
            if len(row) < width or any(row[width:]):
                fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
                raise DataError(
                    f"{source}, line {line}: {fields}, but there are {width} columns "
                    f"({', '.join(columns)}). The row starts with {_short(row[0])!r}. "
                    "Put quotes around a field that holds the delimiter, or repair the line."
                )
            row = row[:width]
        yield row


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def frames(rows: Iterator[list[str]], columns: Sequence[str], sizes: Iterator[int]) -> Iterator[pd.DataFrame]:
    """Yield rows of strings as data frames of the given sizes."""
    for size in sizes:
        piece = list(islice(rows, size))
        if not piece:
            return
        fields = zip(*piece, strict=True)
        yield pd.DataFrame(
            {name: pd.Series(cells, dtype="str") for name, cells in zip(columns, fields, strict=True)}
        )


def concatenated(pieces: Iterator[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Return all pieces as one data frame."""
    whole = list(pieces)
    if not whole:
        return pd.DataFrame({name: pd.Series([], dtype="str") for name in columns})
    return pd.concat(whole, ignore_index=True) if len(whole) > 1 else whole[0]


def looks_quoted(head: str, delimiter: str = "\t") -> bool:
    """Tell whether quotes hold fields together in tab-separated text.

    They do where every field that begins with a quote also ends with one, quotes inside are doubled,
    and no such field would swallow a delimiter together with a line end (a review that merely
    starts with a quote would).
    """
    edge = re.escape(delimiter)
    start = re.compile(rf'(?:^|(?<=[{edge}\n\r]))"')
    whole = re.compile(rf'"(?:[^"]|"")*"(?=[{edge}\n\r]|$)')
    at, seen = 0, False
    while found := start.search(head, at):
        match = whole.match(head, found.start())
        if match is None:
            return False
        if delimiter in match[0] and "\n" in match[0]:
            return False
        at, seen = match.end(), True
    return seen


# ---- objects --------------------------------------------------------------------------------------


def json_lines(lines: Iterator[str], source: str) -> Iterator[dict[str, Any]]:
    """Yield the object of each line that is not blank.

    Raises:
        DataError: names the line that is not a JSON object.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(
                f"{source}, line {number}: not JSON ({error}). Each line is one object."
            ) from error
        if not isinstance(value, dict):
            raise DataError(
                f"{source}, line {number}: a JSON {type(value).__name__} where an object is wanted, "
                'such as {"text": "...", "label": "..."}.'
            )
        yield value


def object_frames(
    objects: Iterator[Mapping[str, Any]], columns: Sequence[str], sizes: Iterator[int]
) -> Iterator[pd.DataFrame]:
    """Yield objects as data frames; a key that is absent is a missing value."""
    for size in sizes:
        piece = list(islice(objects, size))
        if not piece:
            return
        yield pd.DataFrame({name: series([row.get(name) for row in piece]) for name in columns})


def series(values: Sequence[Any]) -> pd.Series:
    """Return cells of any kind as a `str` column; lists and mappings among them make it `object`."""
    try:
        return pd.Series(values, dtype="str") if all(type(v) is str for v in values) else _mixed(values)
    except UnicodeEncodeError:
        # JSON may hold half an emoji ("\\ud83d"), which is no character: it becomes U+FFFD.
        return series([_whole(value) if isinstance(value, str) else value for value in values])


def _whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _mixed(values: Sequence[Any]) -> pd.Series:
    if any(isinstance(value, (list, tuple)) for value in values):
        return pd.Series(
            [list(v) if isinstance(v, (list, tuple)) else spelled(v) for v in values], dtype=object
        )
    return pd.Series([spelled(value) for value in values], dtype="str")


def spelled(value: Any) -> str | None:
    """Return a cell as text: numbers as they are read aloud (3, not 3.0), nothing for None and NaN."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if bool(pd.isna(value)):
        return None
    return plain(str(value))
