"""Reading texts in pieces, in constant memory, from files and pipes."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, TextIO

from gallae.data.corpus import Corpus
from gallae.data.formats import open_lines
from gallae.data.opening import text_lines, wrap_pipe
from gallae.data.reading import Columns, asked, build, choose, open_any
from gallae.data.sniffing import check_format, sniff
from gallae.data.tables import Table, growing
from gallae.errors import DataError

STDIN = "-"
_FIRST = 64


def stream(
    path: str | Path | TextIO | IO[bytes],
    *,
    text_column: str | Sequence[str] | None = None,
    label_column: str | Sequence[str] | None = None,
    format: str | None = None,
    encoding: str | None = None,
    label_map: Mapping[str, Any] | None = None,
    label_separator: str | None = None,
    label_set: Any = None,
    labels: str = "none",
    group_column: str | None = None,
    chunk_rows: int = 4096,
) -> Iterator[Corpus]:
    """Yield unlabelled corpora of at most `chunk_rows` rows, in the file's order.

    CSV, TSV, JSONL, Parquet, plain text, fastText and label-first lines take constant memory; JSON,
    Excel and Hugging Face data sets are opened as a whole. A plain .txt file and a pipe without
    `format` or `text_column` hold one text a line; a blank line is an empty text, so that output rows
    line up with input lines. The first chunk is small, so that a pipe answers early.

    Args:
        path: A file, a folder, "-" for standard input, or an open file or pipe.
        text_column: See `read`.
        label_column: Kept for one set of keywords with `read`: it is never taken for the text.
        format: See `read`; a pipe may be any line-based format.
        encoding: See `read`; of a pipe it is told from what arrives first.
        label_map: Ignored, as are `label_separator`, `label_set` and `labels`: the chunks are unlabelled.
        label_separator: Ignored.
        label_set: Ignored.
        labels: Ignored.
        group_column: A column to keep.
        chunk_rows: Most rows of a chunk.

    Raises:
        DataError: as `read`, as far as the file has been read.
    """
    if chunk_rows < 1:
        raise DataError(f"chunk_rows={chunk_rows}: must be 1 or more.")
    check_format(format)
    with ExitStack() as stack:
        piped = _as_pipe(path, stack)
        if piped is None:
            wanted = asked(text_column, label_column)
            table = open_any(path, format, encoding, chunk_rows, _FIRST, wanted)  # type: ignore[arg-type]
        else:
            table = _pipe_table(*piped, format, text_column, encoding, growing(chunk_rows, _FIRST))
        yield from _chunks(table, text_column, label_column, group_column)


def _chunks(
    table: Table,
    text_column: str | Sequence[str] | None,
    label_column: str | Sequence[str] | None,
    group_column: str | None,
) -> Iterator[Corpus]:
    columns: Columns | None = None
    row = 0
    for frame in table.pieces:
        if columns is None:
            columns = choose(table, frame, text_column, label_column, "none")
        yield build(table, frame, columns, group_column, first_row=row)
        row += len(frame)
    if columns is None:
        raise DataError(f"{table.source} has columns ({', '.join(table.columns)}) but no rows.")


def _as_pipe(path: str | Path | TextIO | IO[bytes], stack: ExitStack) -> tuple[Any, str] | None:
    """Return what to read from and its name, if it can be read only once."""
    if not isinstance(path, (str, Path)):
        return path, str(getattr(path, "name", "the input"))
    if str(path) == STDIN:
        return sys.stdin, "standard input"
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    try:
        return stack.enter_context(Path(path).open("rb")), str(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _pipe_table(
    pipe: Any,
    source: str,
    format: str | None,
    text_column: str | Sequence[str] | None,
    encoding: str | None,
    sizes: Iterator[int],
) -> Table:
    handle, head = wrap_pipe(pipe, source, encoding)
    if format is None:
        format = "text" if text_column is None else _with_columns(head, asked(text_column))
    lines = text_lines(handle, source, close=False)
    whole = head[: head.rfind("\n") + 1] or head
    return open_lines(lambda: lines, source, format, sizes, whole, once=True)


def _with_columns(head: str, wanted: Sequence[str]) -> str:
    format = sniff(head, None, wanted)
    if format != "text":
        return format
    return "tsv" if "\t" in head.partition("\n")[0] else "csv"
