"""Vectors as text, a word and its numbers a line.

word2vec and fastText (.vec) write the numbers of words and dimensions into a first line; GloVe does not.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Container, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from gallae.errors import TextError
from gallae.files import write_beside
from gallae.text.vectors.decoding import Decoder, distinct

if TYPE_CHECKING:
    from gallae.text.vectors.table import Vectors

log = logging.getLogger(__name__)
LONGEST = 1 << 20  # bytes of a line
_BLOCK = 1 << 22  # bytes of lines that are parsed at once


def header(line: bytes) -> tuple[int, int] | None:
    """Return the number of words and the dimension that a first line announces, if it does."""
    parts = line.split()
    if len(parts) != 2 or not all(map(bytes.isdigit, parts)) or not int(parts[1]):
        return None
    return int(parts[0]), int(parts[1])


def numbers_at_end(line: bytes) -> int:
    """Return how many of a line's parts, counted from the end, are numbers; the first is a word."""
    count = 0
    for part in reversed(line.split(b" ")[1:]):
        if not _is_number(part):
            break
        count += 1
    return count


def _is_number(part: bytes) -> bool:
    try:
        float(part)
    except ValueError:
        return False
    return True


def read_text(file: IO[bytes], source: str, only: Container[str] | None) -> tuple[list[str], np.ndarray]:
    """Read a text file of vectors from its beginning.

    Args:
        file: Opened, at its beginning.
        source: Its name, for messages.
        only: Tokens wanted; None for all.

    Returns:
        The tokens, and their vectors, (n, dim) float32.

    Raises:
        TextError: naming the line that is damaged.
    """
    first = next(_lines(file, source), b"").removeprefix(b"\xef\xbb\xbf")
    announced = header(first)
    file.seek(0)
    lines = enumerate(_lines(file, source), 1)
    if announced:
        next(lines)
        dim = announced[1]
    else:
        dim = numbers_at_end(first)
        if dim < 2:
            raise TextError(
                f"{source} is not a file of vectors: its first line is neither the numbers of words and "
                "dimensions nor a word and its numbers. Read are the formats of word2vec (text and binary), "
                "GloVe and fastText (.vec and .bin)."
            )
    reader = _Reader(source, dim, only)
    for block in _blocks(lines):
        reader.add(block)
    if announced and reader.seen != announced[0]:
        what = "it was cut off" if reader.seen < announced[0] else "its first line is wrong"
        raise TextError(
            f"{source}: line 1 announces {announced[0]:,} words, but {reader.seen:,} follow; {what}. "
            "Download or write it again."
        )
    return reader.result()


def _lines(file: IO[bytes], source: str) -> Iterator[bytes]:
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            raise TextError(f"{source} is not a file of vectors: line {number:,} is longer than 1 MiB.")
        yield line.rstrip(b"\r\n").rstrip(b" ")


def _blocks(lines: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    block: list[tuple[int, bytes]] = []
    size = 0
    for number, line in lines:
        if not line:
            continue
        block.append((number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line))
        size += len(line)
        if size > _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


class _Reader:
    def __init__(self, source: str, dim: int, only: Container[str] | None) -> None:
        self.source, self.dim, self.only = source, dim, only
        self.decoder = Decoder(source)
        self.tokens: list[str] = []
        self.parts: list[np.ndarray] = []
        self.seen = 0

    def add(self, block: list[tuple[int, bytes]]) -> None:
        """Take over a block of numbered lines."""
        self.seen += len(block)
        kept: list[tuple[int, bytes]] = []
        for number, line in block:
            name, numbers = self._split(number, line)
            token = self.decoder(name)
            if self.only is None or token in self.only:
                self.tokens.append(token)
                kept.append((number, numbers))
        self.parts.append(self._parse(kept))

    def _split(self, number: int, line: bytes) -> tuple[bytes, bytes]:
        """Split a line into word and numbers; the word may hold spaces."""
        name, _, numbers = line.partition(b" ")
        if name and numbers.count(b" ") == self.dim - 1:
            return name, numbers
        found = numbers_at_end(line)
        parts = line.rsplit(b" ", self.dim)
        tail = parts[0].rpartition(b" ")[2]
        if found < self.dim or (b"." in tail and _is_number(tail)):
            raise TextError(
                f"{self.source}: line {number:,} has {found} numbers, not the {self.dim} that line 1 tells. "
                "It is damaged, or the file is no file of vectors."
            )
        if not parts[0]:
            raise TextError(f"{self.source}: line {number:,} has numbers, but no word before them.")
        return parts[0], b" ".join(parts[1:])

    def _parse(self, lines: list[tuple[int, bytes]]) -> np.ndarray:
        if not lines:
            return np.zeros((0, self.dim), dtype=np.float32)
        values = _floats(b"\n".join(numbers for _, numbers in lines).replace(b" ", b"\n"))
        if values is None or values.size != len(lines) * self.dim or not np.isfinite(values).all():
            for number, numbers in lines:
                self._check(number, numbers)
        assert values is not None
        return values.reshape(len(lines), self.dim)

    def _check(self, number: int, numbers: bytes) -> None:
        for part in numbers.split(b" "):
            values = _floats(part)
            if values is None or values.size != 1 or not np.isfinite(values).all():
                shown = part.decode("utf-8", "backslashreplace")[:40]
                raise TextError(
                    f"{self.source}: line {number:,} holds {shown!r} in place of a finite number."
                )

    def result(self) -> tuple[list[str], np.ndarray]:
        """Return tokens and vectors, each token once."""
        self.decoder.close()
        if not self.seen:
            raise TextError(f"{self.source} holds no vector.")
        matrix = np.concatenate(self.parts) if self.parts else np.zeros((0, self.dim), dtype=np.float32)
        return distinct(self.source, self.tokens, matrix)


def _floats(column: bytes) -> np.ndarray | None:
    """Parse one number a line, (n,) float32; None where one is none. Thrice as fast as numpy."""
    import pyarrow as pa
    from pyarrow import csv

    try:
        table = csv.read_csv(
            io.BytesIO(column),
            csv.ReadOptions(column_names=["number"], use_threads=False, block_size=len(column) + 1),
            csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(column_types={"number": pa.float32()}, null_values=[]),
        )
    except pa.ArrowInvalid:
        return None
    return np.array(table["number"].to_numpy())


def write_text(vectors: Vectors, path: str | Path, force: bool) -> None:
    """Write vectors as text in word2vec's format; numbers come back equal.

    Tokens with a line break, or that UTF-8 cannot spell, are left out with a warning.

    Raises:
        OutputError: if the file exists or cannot be written.
    """
    rows = writable(vectors, path, "\n")
    form = " ".join(["%.9g"] * vectors.dim)
    with (
        write_beside(path, force) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as file,
    ):
        file.write(f"{len(rows)} {vectors.dim}\n")
        for row in rows:
            file.write(f"{vectors.tokens[row]} {form % tuple(vectors.matrix[row].tolist())}\n")


def writable(vectors: Vectors, path: str | Path, without: str) -> list[int]:
    """Return the rows whose tokens a file can hold: not empty, of UTF-8, `without` these characters."""
    kept = [
        row
        for row, token in enumerate(vectors.tokens)
        if token and not any(sign in without or "\ud800" <= sign <= "\udfff" for sign in token)
    ]
    if len(kept) < len(vectors):
        log.warning("%s: %d words are left out, which its format cannot hold", path, len(vectors) - len(kept))
    return kept
