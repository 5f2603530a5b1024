"""Telling which format a file has, by its name and by what stands at its start."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from gallae.data import dialects, hub
from gallae.data.columns import INDEX, LABEL, TEXT
from gallae.data.opening import HEAD, check_encoding, read_head, refuse_binary
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
    "dialect": "pairs of dialect and standard: AI-Hub's JSON, a folder of it, or a table",
    "dialect-multilabel": "the same, each distinct text once with all of its labels",
    "huggingface": "hf:owner/name[/configuration][:split], or a folder that datasets saved",
}
_SUFFIXES = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".pq": "parquet", ".xlsx": "excel", ".xlsm": "excel",
}  # fmt: skip
_KNOWN = {*TEXT, *LABEL, *INDEX}
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


def detect_format(path: Path, wanted: Iterable[str] = (), encoding: str | None = None) -> str:
    """Return the format of a file or folder, by its suffix and by what stands at its start.

    Args:
        path: The file or folder.
        wanted: Column names that the user gave: a first line that holds one is a header.
        encoding: Of a text file, if it is known.

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
    refuse_binary_unless_wide(head, path, encoding)
    if by_suffix == "json" and dialects.are_dialects(path):
        return "dialect"
    if by_suffix in ("json", "jsonl"):
        return by_suffix
    text = _decoded(head, encoding)
    return "dialect" if not any(wanted) and _pairs_of_forms(text) else sniff(text, by_suffix, wanted)


def _pairs_of_forms(head: str) -> bool:
    header = head.lstrip("\ufeff").partition("\n")[0]
    names = [name.strip().strip('"') for name in re.split(r"[\t,;|]", header)]
    return dialects.has_pair_columns(names)


def _folder_format(path: Path) -> str:
    if hub.saved(path):
        return "huggingface"
    if dialects.are_dialects(path):
        return "dialect"
    if any(path.glob("*.json")):
        return "json-folder"
    files = sorted(file.name for file in path.iterdir() if file.suffix.lower() in (*_SUFFIXES, ".txt"))
    instead = f" Give one of its files: {', '.join(files[:10])}." if files else ""
    raise DataError(
        f"{path} is a folder without a known layout.{instead} Known layouts of a folder: *.json files that "
        "each hold an object or a list of objects; a data set saved with datasets' save_to_disk."
    )


def refuse_binary_unless_wide(head: bytes, path: Path, encoding: str | None) -> None:
    """Refuse what is not text, except where the user says UTF-16 or UTF-32, which is full of NUL bytes."""
    wide = encoding is not None and encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32"))
    if not wide:
        refuse_binary(head, str(path))


def _decoded(head: bytes, encoding: str | None) -> str:
    if encoding is not None:
        check_encoding(encoding)
        return head.decode(encoding, "ignore")
    for encoding in ("utf-16",) if head[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp949"):
        try:
            return head.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start > len(head) - 4:  # the head ends inside a character
                return head[: error.start].decode(encoding)
    return head.decode("utf-8", "replace")


def sniff(head: str, by_suffix: str | None = None, wanted: Iterable[str] = ()) -> str:
    """Return the format of text by its first lines.

    Args:
        head: The start of the file.
        by_suffix: "csv", "tsv" or None: what the file's name promises.
        wanted: Column names that a header is expected to hold, besides the well-known ones.
    """
    known = _KNOWN | {name.strip().casefold() for name in wanted}
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
    if _label_first(lines, known):
        return "label-first"
    return by_suffix or _sniff_columns(lines, known)


def _sniff_columns(lines: Sequence[str], known: set[str]) -> str:
    for mark, name in (("\t", "tsv"), (",", "csv")):
        fields = [field.strip().strip('"').casefold() for field in lines[0].split(mark)] if lines else []
        hits = sum(field in known for field in fields)
        # Sentences have commas too: most of the fields must be known, and the next line as many.
        if hits and len(fields) > 1 and (mark == "\t" or _header_like(lines, mark, hits, len(fields))):
            return name
    return "text"


def _header_like(lines: Sequence[str], mark: str, hits: int, fields: int) -> bool:
    return 2 * hits >= fields and all(line.count(mark) >= fields - 1 for line in lines[1:2])


def _headerless_classes(lines: Sequence[str]) -> bool:
    try:
        rows = list(csv.reader(lines[:20]))
    except csv.Error:
        return False
    numbers = [row[0].strip() for row in rows if row]
    classes = bool(rows) and all(
        2 <= len(row) <= 3 and re.fullmatch(r"\d{1,3}", row[0].strip()) and not row[1].strip().isdigit()
        for row in rows
    )
    return classes and not _counts_up([int(number) for number in numbers])


def _counts_up(numbers: Sequence[int]) -> bool:
    """Row numbers are not classes."""
    return len(numbers) > 2 and all(later == one + 1 for one, later in pairwise(numbers))


def _label_first(lines: Sequence[str], known: set[str]) -> bool:
    rows = [line.split("\t") for line in lines]
    if not rows or any(len(row) != 2 for row in rows):
        return False
    header = any(field.strip().casefold() in known for field in rows[0])
    if header and rows[0][0] not in {row[0] for row in rows[1:]}:
        return False
    labels = {row[0] for row in rows}
    return all(len(label) <= 40 for label in labels) and (len(rows) < 4 or len(labels) <= len(rows) // 2)
