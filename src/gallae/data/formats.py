"""Opening a file or folder of any format as a table of strings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path

from gallae.data import dialects, hub, json_files, sheets
from gallae.data.opening import HEAD, detect_encoding, open_text, read_head, text_lines
from gallae.data.sniffing import PREFIX, refuse_binary_unless_wide
from gallae.data.tables import (
    Dialect,
    Table,
    checked,
    frames,
    growing,
    json_lines,
    looks_quoted,
    named,
    object_frames,
    records,
)
from gallae.errors import DataError

_QUOTE_HEAD = 1 << 24


def open_table(path: Path, format: str, encoding: str | None, rows: int, first: int | None = None) -> Table:
    """Open a file or folder as a table.

    Args:
        path: What to read.
        format: One of `sniffing.FORMATS`.
        encoding: Of text formats; None to detect it.
        rows: Rows a piece.
        first: Rows of the first piece.

    Raises:
        DataError: on anything that cannot be read.
    """
    sizes = growing(rows, first)
    if format == "huggingface":
        return hub.open_saved(path, sizes)
    if format == "json-folder":
        return json_files.open_folder(path, encoding, sizes)
    if format.startswith("dialect"):
        return dialects.open_dialects(path, encoding, sizes, several=format == "dialect-multilabel")
    if path.is_dir():
        raise DataError(f"{path} is a folder; the format {format} is a file's. Leave --format away.")
    head = read_head(path)
    if format == "parquet":
        return sheets.open_parquet(path, rows)
    if format == "excel":
        return sheets.open_excel(path)
    refuse_binary_unless_wide(head, path, encoding)
    encoding = detect_encoding(path, encoding)
    if format == "json":
        return json_files.open_file(path, encoding, sizes)
    newline = "\n" if format in ("text", "label-first", "fasttext", "jsonl") else ""

    def lines() -> Iterator[str]:
        return text_lines(open_text(path, encoding, newline), str(path))

    return open_lines(lines, str(path), format, sizes, start_of(path, encoding, format))


def start_of(path: Path, encoding: str, format: str) -> str:
    """Return the start of a text file, enough to tell its dialect."""
    size = _QUOTE_HEAD if format == "tsv" else HEAD
    with path.open("rb") as file:
        start = file.read(size).decode(encoding, "ignore")
    return start[: start.rfind("\n") + 1] or start if path.stat().st_size > size else start


def open_lines(
    lines: Callable[[], Iterator[str]],
    source: str,
    format: str,
    sizes: Iterator[int],
    head: str,
    once: bool = False,
) -> Table:
    """Open text of any line-based format.

    Args:
        lines: Gives the text's lines from its start; called anew to find a line number, unless `once`.
        source: Path or name, for messages.
        format: "csv", "tsv", "ag-news", "jsonl", "text", "fasttext" or "label-first".
        sizes: Piece sizes.
        head: The start of the text (of which at least the first line is whole).
        once: Whether `lines` works only once, as on a pipe.
    """
    if format in ("csv", "tsv", "ag-news"):
        table, nth = _delimited(lines, source, format, sizes, head)
    elif format == "jsonl":
        table, nth = _json_lines(lines, source, sizes)
    elif format in _ROW_READERS:
        columns = ["text"] if format == "text" else ["label", "text"]
        table = Table(source, columns, object_frames(_ROW_READERS[format](lines(), source), columns, sizes))
        nth = partial(_nth_line, lines, blank=format == "text")
    else:
        raise DataError(f"{source}: the format {format} cannot be read from a pipe. Save it to a file first.")
    if not once:
        table.where = lambda row: f"line {nth(row)}"
    return table


def _plain(lines: Iterator[str], source: str) -> Iterator[dict[str, object]]:
    for line in lines:
        yield {"text": line.rstrip("\r\n")}


def _label_tab_text(lines: Iterator[str], source: str) -> Iterator[dict[str, object]]:
    for number, line in enumerate(lines, 1):
        label, tab, text = line.rstrip("\r\n").partition("\t")
        if not tab:
            if line.strip():
                raise DataError(f"{source}, line {number}: no tab. Each line is a label, a tab and a text.")
            continue
        yield {"label": label, "text": text}


def _fasttext(lines: Iterator[str], source: str) -> Iterator[dict[str, object]]:
    for line in lines:
        labels, rest = [], line.strip()
        while rest.startswith(PREFIX):
            label, _, rest = rest.partition(" ")
            labels.append(label.removeprefix(PREFIX))
            rest = rest.lstrip()
        if labels or rest:
            yield {"label": labels, "text": rest}


_ROW_READERS: dict[str, Callable[[Iterator[str], str], Iterator[dict[str, object]]]] = {
    "text": _plain,
    "fasttext": _fasttext,
    "label-first": _label_tab_text,
}


def _json_lines(
    lines: Callable[[], Iterator[str]], source: str, sizes: Iterator[int]
) -> tuple[Table, Callable[[int], int]]:
    objects = json_lines(lines(), source)
    first = next(objects, None)
    if first is None:
        raise DataError(f"{source} is empty: it has no rows.")
    columns = named(list(first), source)
    pieces = object_frames(chain((first,), objects), list(first), sizes)
    table = Table(source, columns, (piece.set_axis(columns, axis=1) for piece in pieces))
    return table, partial(_nth_line, lines)


def _nth_line(lines: Callable[[], Iterator[str]], row: int, blank: bool = False) -> int:
    full = (number for number, line in enumerate(lines(), 1) if blank or line.strip())
    return next(islice(full, row, None))


def _delimited(
    lines: Callable[[], Iterator[str]], source: str, format: str, sizes: Iterator[int], head: str
) -> tuple[Table, Callable[[int], int]]:
    dialect = dialect_of(head, format)
    rows = records(lines(), dialect, source)
    header = next(rows, None)
    if header is None:
        raise DataError(f"{source} is empty: it has no rows.")
    skip = 1
    if format == "ag-news":
        skip, columns = 0, ["label", *(f"text{at}" for at in range(1, len(header[1])))]
        body = _joined(checked(chain((header,), rows), columns, source))
        columns = ["label", "text"]
    else:
        columns = named(header[1], source)
        body = checked(rows, columns, source)

    def nth(row: int) -> int:
        return next(islice(records(lines(), dialect, source), row + skip, None))[0]

    return Table(source, columns, frames(body, columns, sizes)), nth


def _joined(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for row in rows:
        yield [row[0], " ".join(part for part in row[1:] if part)]


def dialect_of(head: str, format: str) -> Dialect:
    """Return how fields are told apart in text of the format "csv", "tsv" or "ag-news"."""
    if format == "tsv":
        return Dialect("\t", looks_quoted(head))
    first = head.lstrip("\r\n\ufeff").partition("\n")[0]
    bare = re.sub(r'"(?:[^"]|"")*"', "", first)
    counts = {mark: bare.count(mark) for mark in (",", "\t", ";", "|")}
    best = max(counts, key=lambda mark: counts[mark])
    if format == "ag-news" or counts[","] or not counts[best]:
        best = ","
    return Dialect(best, looks_quoted(head, best) if best == "\t" else True)
