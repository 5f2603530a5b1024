"""Formats: telling which one a file has, and opening it as a table of strings."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from gallae.data import hub, json_files, sheets
from gallae.data.columns import INDEX, LABEL, TEXT
from gallae.data.opening import (
    HEAD,
    detect_encoding,
    open_text,
    read_head,
    refuse_binary,
    text_lines,
)
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

FORMATS = {
    "csv": "columns with a header, separated by comma, semicolon or bar",
    "tsv": "columns with a header, separated by tabs (also NSMC's .txt)",
    "jsonl": "one JSON object a line",
    "json": "a list of JSON objects (also KLUE)",
    "json-folder": "a folder of such files (also NSMC's raw reviews)",
    "parquet": "Parquet",
    "excel": "the first sheet of an .xlsx file",
    "text": "plain text, one a line, no labels",
    "fasttext": "__label__x text, with one or several labels a line",
    "ag-news": "no header: class,text or class,title,description",
    "label-first": "no header: label, tab, text",
    "huggingface": "hf:owner/name[/configuration][:split], or a folder that datasets saved",
}
_SUFFIXES = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".pq": "parquet", ".xlsx": "excel", ".xlsm": "excel",
}  # fmt: skip
_KNOWN = {*TEXT, *LABEL, *INDEX}
_QUOTE_HEAD = 1 << 24
PREFIX = "__label__"


def known_formats() -> str:
    """Return the formats for a message."""
    return "; ".join(f"{name} ({what})" for name, what in FORMATS.items())


def check_format(format: str | None) -> None:
    """Refuse a format that is not known.

    Raises:
        DataError: lists them.
    """
    if format is not None and format not in FORMATS:
        raise DataError(f"--format {format}: not known. Known: {known_formats()}.")


def detect_format(path: Path) -> str:
    """Return the format of a file or folder, by its suffix and by what stands at its start.

    Raises:
        DataError: on a folder without a known layout, an empty file, or a file that is not text.
    """
    if path.is_dir():
        return _folder_format(path)
    head = read_head(path)
    if head.startswith(b"PAR1"):
        return "parquet"
    by_suffix = _SUFFIXES.get(path.suffix.lower())
    if by_suffix in ("parquet", "excel"):
        return by_suffix
    refuse_binary(head, str(path))
    if by_suffix in ("json", "jsonl"):
        return by_suffix
    return sniff(_decoded(head), by_suffix)


def _folder_format(path: Path) -> str:
    if hub.saved(path):
        return "huggingface"
    if any(path.glob("*.json")):
        return "json-folder"
    files = sorted(file.name for file in path.iterdir() if file.suffix.lower() in (*_SUFFIXES, ".txt"))
    instead = f" Give one of its files: {', '.join(files[:10])}." if files else ""
    raise DataError(
        f"{path} is a folder without a known layout.{instead} Known layouts of a folder: *.json files that "
        "each hold an object or a list of objects; a data set saved with datasets' save_to_disk."
    )


def _decoded(head: bytes) -> str:
    for encoding in ("utf-16",) if head[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp949"):
        try:
            return head.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start > len(head) - 4:  # the head ends inside a character
                return head[: error.start].decode(encoding)
    return head.decode("utf-8", "replace")


def sniff(head: str, by_suffix: str | None = None) -> str:
    """Return the format of text by its first lines.

    Args:
        head: The start of the file.
        by_suffix: "csv", "tsv" or None: what the file's name promises.
    """
    lines = [line for line in re.split(r"\r\n|\n|\r", head) if line.strip()]
    if len(lines) > 1 and len(head) >= HEAD // 4:
        lines.pop()  # probably cut
    lines = lines[:200]
    if lines and all(line.startswith(PREFIX) for line in lines):
        return "fasttext"
    if by_suffix == "csv":
        return "ag-news" if _headerless_classes(lines) else "csv"
    if by_suffix is None and lines and lines[0].lstrip().startswith("{"):
        return "jsonl"
    if _label_first(lines):
        return "label-first"
    return by_suffix or _sniff_columns(lines)


def _sniff_columns(lines: Sequence[str]) -> str:
    for mark, name in (("\t", "tsv"), (",", "csv")):
        fields = [field.strip().strip('"').casefold() for field in lines[0].split(mark)] if lines else []
        if len(fields) > 1 and any(field in _KNOWN for field in fields):
            return name
    return "text"


def _headerless_classes(lines: Sequence[str]) -> bool:
    try:
        rows = list(csv.reader(lines[:20]))
    except csv.Error:
        return False
    return bool(rows) and all(
        2 <= len(row) <= 3 and re.fullmatch(r"\d{1,3}", row[0].strip()) and not row[1].strip().isdigit()
        for row in rows
    )


def _label_first(lines: Sequence[str]) -> bool:
    rows = [line.split("\t") for line in lines]
    if not rows or any(len(row) != 2 for row in rows):
        return False
    if any(field.strip().casefold() in _KNOWN for field in rows[0]):
        return False
    labels = {row[0] for row in rows}
    return all(len(label) <= 40 for label in labels) and (len(rows) < 4 or len(labels) <= len(rows) // 2)


def open_table(path: Path, format: str, encoding: str | None, rows: int, first: int | None = None) -> Table:
    """Open a file or folder as a table.

    Args:
        path: What to read.
        format: One of `FORMATS`.
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
    if path.is_dir():
        raise DataError(f"{path} is a folder; the format {format} is a file's. Leave --format away.")
    head = read_head(path)
    if format == "parquet":
        return sheets.open_parquet(path, rows)
    if format == "excel":
        return sheets.open_excel(path)
    refuse_binary(head, str(path))
    encoding = detect_encoding(path, encoding)
    if format == "json":
        return json_files.open_file(path, encoding, sizes)
    newline = "\n" if format in ("text", "label-first", "fasttext", "jsonl") else ""

    def lines() -> Iterator[str]:
        return text_lines(open_text(path, encoding, newline), str(path))

    return open_lines(lines, str(path), format, sizes, _start(path, encoding, format))


def _start(path: Path, encoding: str, format: str) -> str:
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
    dialect = _dialect(head, format)
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


def _dialect(head: str, format: str) -> Dialect:
    if format == "tsv":
        return Dialect("\t", looks_quoted(head))
    first = head.lstrip("\r\n\ufeff").partition("\n")[0]
    bare = re.sub(r'"(?:[^"]|"")*"', "", first)
    counts = {mark: bare.count(mark) for mark in (",", "\t", ";", "|")}
    best = max(counts, key=lambda mark: counts[mark])
    if format == "ag-news" or counts[","] or not counts[best]:
        best = ","
    return Dialect(best, looks_quoted(head, best) if best == "\t" else True)


def concatenated(pieces: Iterator[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Return all pieces as one data frame."""
    whole = list(pieces)
    if not whole:
        return pd.DataFrame({name: pd.Series([], dtype="str") for name in columns})
    return pd.concat(whole, ignore_index=True) if len(whole) > 1 else whole[0]
