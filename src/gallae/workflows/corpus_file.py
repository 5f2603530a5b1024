"""Writing a corpus as a file that `gallae.data.read` reads back to the same texts."""

from __future__ import annotations

import csv
import json
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from gallae.errors import OutputError
from gallae.files import write_beside

log = logging.getLogger(__name__)
_BREAKS = re.compile(r"[\t\r\n\v\f]+")


def check_suffix(path: str | Path) -> str:
    """Return the format ("csv", "tsv", "jsonl" or "parquet") that a file's name asks for.

    Raises:
        OutputError: for another suffix; lists the allowed ones.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise OutputError(
            f"{path}: a corpus is written as {', '.join(_WRITERS)}, "
            f"not as {suffix or 'a file without a suffix'}. Change the output's name."
        )
    return suffix[1:]


def write_corpus_file(table: pd.DataFrame, path: str | Path, force: bool = False) -> None:
    """Write a table in the format of the path's suffix, whole or not at all.

    CSV is UTF-8 with quotes where they are needed, TSV with quotes everywhere, tabs and line breaks
    inside a cell becoming a space there; several labels of a row are a JSON list in both.

    Args:
        table: Cells are strings, integers, missing, or lists and tuples of strings.
        path: The output.
        force: Whether to replace an existing file.

    Raises:
        OutputError: for a suffix that is not known, an existing output, a cell that the format cannot
            hold, or a disk that refuses.
    """
    check_suffix(path)
    with output_file(path, force) as temporary:
        _WRITERS[Path(path).suffix.lower()](table, temporary)


@contextmanager
def output_file(path: str | Path, force: bool = False) -> Any:
    """Like `gallae.files.write_beside`, with an `OutputError` for what the system refuses."""
    try:
        beside: AbstractContextManager[Path] = write_beside(path, force)
        with beside as temporary:
            yield temporary
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"{path} cannot be written: {reason}. Choose another output.") from error


class _UnixLines:
    """Ends rows with \\n, while the csv module, believing in \\r\\n, quotes both characters."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> None:
        self._file.write(row[:-2] + "\n")


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(_UnixLines(file))
        writer.writerow(table.columns)
        writer.writerows(_rows(table))


def _write_tsv(table: pd.DataFrame, path: Path) -> None:
    broken = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(table.columns)
        for row in _rows(table):
            cells = [_BREAKS.sub(" ", cell) for cell in row]
            broken += cells != list(row)
            writer.writerow(cells)
    if broken:
        log.warning("tabs and line breaks became spaces in %d rows: TSV cannot hold them", broken)


def _rows(table: pd.DataFrame) -> Any:
    return zip(*(_flat(table[name]) for name in table.columns), strict=True)


def _flat(column: pd.Series) -> list[str]:
    """Return cells as text: lists as JSON, nothing for what is missing."""
    if pd.api.types.is_integer_dtype(column.dtype):
        return list(map(str, column.tolist()))
    cells = [_spelled(cell) for cell in column.tolist()]
    at = next((at for at, cell in enumerate(cells) if "\0" in cell), None)
    if at is not None:
        raise OutputError(
            f"row {at} (counted from 0), column {column.name!r}, holds a NUL character, which CSV and TSV "
            "cannot. Write .jsonl or .parquet instead."
        )
    return cells


def _spelled(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, list | tuple):
        return json.dumps(list(cell), ensure_ascii=False)
    return "" if pd.isna(cell) else str(cell)


def _write_jsonl(table: pd.DataFrame, path: Path) -> None:
    names = [str(name) for name in table.columns]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in zip(*(_plain(table[name]) for name in table.columns), strict=True):
            file.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")


def _plain(column: pd.Series) -> list[Any]:
    """Return cells as JSON has them: strings, integers, lists, None."""
    cells = column.tolist()
    return [cell if isinstance(cell, list | tuple) or not pd.isna(cell) else None for cell in cells]


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [_arrow(_plain(table[name])) for name in table.columns]
    pq.write_table(pa.Table.from_arrays(arrays, names=[str(name) for name in table.columns]), path)


def _arrow(cells: Sequence[Any]) -> Any:
    import pyarrow as pa

    try:
        array = pa.array(cells)
    except pa.ArrowException:  # lists and strings in one column
        array = pa.array([None if cell is None else _spelled(cell) for cell in cells])
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _write_csv,
    ".tsv": _write_tsv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
