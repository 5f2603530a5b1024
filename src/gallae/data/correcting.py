"""Writing other labels into a copy of a file, in which everything else stays as it is, byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gallae.data.formats import dialect_of, start_of
from gallae.data.opening import detect_encoding, existing
from gallae.data.reading import Columns, asked, choose, open_any, read
from gallae.data.sniffing import detect_format
from gallae.data.tables import Dialect, concatenated, named
from gallae.errors import DataError
from gallae.files import refuse_existing, write_beside

FORMATS = ("csv", "tsv", "jsonl", "label-first", "ag-news")
_MARKS = {"utf-8-sig": (b"\xef\xbb\xbf", "utf-8"), "utf-16": (b"\xff\xfe", "utf-16-le")}
Span = tuple[int, int]


def correct(
    path: str | Path,
    labels: Mapping[int, str | Sequence[str]],
    output: str | Path,
    *,
    force: bool = False,
    **reading: Any,
) -> int:
    """Write a copy of a labelled file with some other labels.

    Only the cells of these labels differ from the original. A label that stood in quotes stands in quotes
    again, and where the file holds ids of labels (`topic_dict.csv` beside), ids are written.

    Args:
        path: A CSV, TSV or JSONL file, or one without a header whose label comes first.
        labels: Row number, from 0, the header apart, to its new label; several as a list.
        output: The copy.
        force: Replace an existing output.
        reading: Keywords of `gallae.read`: text_column, label_column, format, encoding, label_separator.

    Returns:
        How many cells changed.

    Raises:
        DataError: for another format, a row that is not there, labels in several columns, or a label that the
            file cannot hold.
        OutputError: if the copy cannot be written.
    """
    target = refuse_existing(output, force)
    path = existing(path)
    format = check_correctable(path, **reading)
    cells = _Cells.of(path, format, reading)
    written = cells.with_labels({int(row): label for row, label in labels.items()})
    with write_beside(target, force) as temporary:
        temporary.write_bytes(written)
    return cells.changed


def check_correctable(path: Path, **reading: Any) -> str:
    """Return a file's format, made sure that its labels can be corrected.

    Raises:
        DataError: if they cannot.
    """
    format: str = reading.get("format") or detect_format(path, asked(reading.get("label_column")))
    if format not in FORMATS:
        raise DataError(
            f"{path}: labels can be corrected in files of the formats {', '.join(FORMATS)}, not {format}. "
            "Save it as CSV first."
        )
    return format


@dataclass
class _Cells:
    """The cells of a file's label column.

    Attributes:
        path: The file.
        text: Its content, decoded.
        encode: Back to bytes.
        spans: Where each row's cell stands in the text.
        spell: From a label to the cell as it is to be written: label, cell as it stands.
    """

    path: Path
    text: str
    encode: Callable[[str], bytes]
    spans: list[Span]
    spell: Callable[[Any, str], str]
    changed: int = 0

    @classmethod
    def of(cls, path: Path, format: str, reading: Mapping[str, Any]) -> _Cells:
        """Find the cells."""
        encoding = detect_encoding(path, reading.get("encoding"))
        text, encode = _decoded(path.read_bytes(), encoding)
        column = _label_column(path, reading)
        names = _Names.of(path, reading)
        if format == "jsonl":
            spans = [_value_span(text, line, column, path) for line in _lines(text)]
            return cls(path, text, encode, spans, lambda label, old: names.json(label, old))
        if format == "label-first":
            spans = [
                (start, text.index("\t", start)) for start, end in _lines(text) if "\t" in text[start:end]
            ]
            dialect = Dialect("\t", False)
        else:
            dialect = dialect_of(start_of(path, encoding, format), format)
            spans = _delimited(text, dialect, column, format == "ag-news")
        return cls(
            path, text, encode, spans, lambda label, old: _field(names.cell(label), old, dialect, path)
        )

    def with_labels(self, labels: Mapping[int, Any]) -> bytes:
        """Return the file's bytes with other labels."""
        odd = sorted(row for row in labels if not 0 <= row < len(self.spans))
        if odd:
            raise DataError(
                f"{self.path} has no row {odd[0]}: its rows are 0 to {len(self.spans) - 1:,}, "
                "the header apart."
            )
        out, at = [], 0
        for row in sorted(labels):
            start, end = self.spans[row]
            old = self.text[start:end]
            new = self.spell(labels[row], old)
            self.changed += new != old
            out += [self.text[at:start], new]
            at = end
        return self.encode("".join([*out, self.text[at:]]))


@dataclass(frozen=True)
class _Names:
    """How a file spells labels: by id, or by name, several with something between.

    Attributes:
        ids: Name to id; empty where the file holds names.
        separator: Between several labels; None where they are written as a list.
        several: Whether a row may have several.
    """

    ids: Mapping[str, str]
    separator: str | None
    several: bool

    @classmethod
    def of(cls, path: Path, reading: Mapping[str, Any]) -> _Names:
        corpus = read(path, **{**reading, "labels": "partial"})
        assert corpus.label_set is not None
        table = open_any(path, reading.get("format"), reading.get("encoding"), 1000)
        column = next(iter(_label_columns(path, reading)))
        first = next(table.pieces)[column].dropna().astype(str).str.strip()
        ids = corpus.label_set.ids if set(first) - {""} <= set(corpus.label_set.ids.values()) else {}
        return cls(ids, reading.get("label_separator"), corpus.label_set.multilabel)

    def cell(self, label: Any) -> str:
        """Return labels as a cell spells them."""
        if isinstance(label, str):
            return self._one(label)
        found = [self._one(name) for name in label]
        if self.separator is not None:
            return self.separator.join(found)
        return json.dumps(found, ensure_ascii=False) if self.several else self._only(found)

    def json(self, label: Any, old: str) -> str:
        """Return labels as a JSON value, of the kind that stood there: a number, a text or a list."""
        if not isinstance(label, str) and self.separator is None:
            return json.dumps(
                [self._one(name) for name in label], ensure_ascii=old.isascii() and "\\u" in old
            )
        cell = self.cell(label)
        if old.startswith("["):
            return json.dumps([cell], ensure_ascii=False)
        number = re.fullmatch(r"-?\d+", old) and re.fullmatch(r"-?\d+", cell)
        return cell if number else json.dumps(cell, ensure_ascii="\\u" in old)

    def _one(self, name: str) -> str:
        if self.ids and name not in self.ids:
            raise DataError(f"the file holds ids, and {name!r} has none. Known: {', '.join(self.ids)}.")
        return self.ids.get(name, name)

    def _only(self, found: list[str]) -> str:
        if len(found) != 1:
            raise DataError(f"{len(found)} labels for a row, but the file gives exactly one a row.")
        return found[0]


def _decoded(content: bytes, encoding: str) -> tuple[str, Callable[[str], bytes]]:
    mark, plain = _MARKS.get(encoding, (b"", encoding))
    if encoding == "utf-16" and content.startswith(b"\xfe\xff"):
        mark, plain = b"\xfe\xff", "utf-16-be"
    body = content.removeprefix(mark)
    kept = mark if content.startswith(mark) else b""
    return body.decode(plain), lambda text: kept + _encoded(text, plain)


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise DataError(
            f"{error.object[error.start : error.end]!r} cannot be written in the file's encoding, {encoding}."
        ) from error


def _label_columns(path: Path, reading: Mapping[str, Any]) -> tuple[str, ...]:
    table = open_any(path, reading.get("format"), reading.get("encoding"), 1000,
                     wanted=asked(reading.get("text_column"), reading.get("label_column")))  # fmt: skip
    frame = concatenated(iter([next(table.pieces)]), table.columns)
    chosen: Columns = choose(
        table, frame, reading.get("text_column"), reading.get("label_column"), "required"
    )
    return chosen.label


def _label_column(path: Path, reading: Mapping[str, Any]) -> str:
    columns = _label_columns(path, reading)
    if len(columns) > 1:
        raise DataError(
            f"{path}: its labels stand in several 0/1 columns ({', '.join(columns)}), which cannot be "
            "corrected here."
        )
    return columns[0]


def _lines(text: str) -> Iterator[Span]:
    """Yield where the lines that are not blank stand."""
    for match in re.finditer(r"[^\n]+", text):
        if match[0].strip():
            yield match.span()


def _delimited(text: str, dialect: Dialect, column: str, bare: bool) -> list[Span]:
    """Return where each row's field of a column stands; `bare` files have no header and the label first."""
    records = _records(text, dialect)
    if bare:
        return [fields[0] for fields in records]
    header = next(records)
    names = named([_unquoted(text[start:end], dialect) for start, end in header], "the file")
    at = names.index(column)
    return [fields[at] for fields in records]


def _records(text: str, dialect: Dialect) -> Iterator[list[Span]]:
    """Yield where the fields of each row that is not blank stand, quotes included."""
    edge = re.escape(dialect.delimiter)
    quoted = r'"(?:[^"]|"")*"|' if dialect.quoted else ""
    field = re.compile(rf"({quoted}[^{edge}\r\n]*)({edge}|\r\n|\n|\r|\Z)")
    fields: list[Span] = []
    at = 0
    while at < len(text):
        match = field.match(text, at)
        assert match is not None  # the file has been read before
        fields.append(match.span(1))
        at = match.end()
        if match[2] != dialect.delimiter:
            if len(fields) > 1 or fields[0][0] < fields[0][1]:
                yield fields
            fields = []
    if fields:  # the text ends with a delimiter
        yield [*fields, (at, at)]


def _unquoted(field: str, dialect: Dialect) -> str:
    if dialect.quoted and field.startswith('"'):
        return field[1:-1].replace('""', '"')
    return field


def _field(value: str, old: str, dialect: Dialect, path: Path) -> str:
    special = any(mark in value for mark in (dialect.delimiter, "\n", "\r", '"'))
    if not dialect.quoted:
        if special and (dialect.delimiter in value or "\n" in value or "\r" in value):
            raise DataError(f"{path}: the label {value!r} holds a delimiter, and the file has no quotes.")
        return value
    return '"' + value.replace('"', '""') + '"' if special or old.startswith('"') else value


def _value_span(text: str, line: Span, key: str, path: Path) -> Span:
    """Return where the value of a key stands in a line that is a JSON object."""
    decoder, at = json.JSONDecoder(), text.index("{", line[0]) + 1
    while True:
        at = _skip(text, at, ",")
        if text[at] == "}":
            raise DataError(f"{path}: the row {text[line[0] : line[0] + 60]!r} has no {key!r}; add it first.")
        name, at = decoder.raw_decode(text, at)
        at = _skip(text, at, ":")
        _value, end = decoder.raw_decode(text, at)
        if name.strip() == key:
            return at, end
        at = end


def _skip(text: str, at: int, mark: str) -> int:
    """Return the next place that is neither blank nor the mark."""
    while text[at] in " \t\r\n" or text[at] == mark:
        at += 1
    return at
