"""Plain text in constant memory: files of sentences, a line each, a blank line between documents."""

from __future__ import annotations

import gzip
import json
import lzma
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import IO, Any

from gallae.data.opening import LINE_LIMIT, existing
from gallae.errors import DataError

COLUMN = "text"
_OPENERS = {".txt": open, ".gz": gzip.open, ".xz": lzma.open, ".jsonl": open}
SUFFIXES = (*_OPENERS, ".parquet")
_DAMAGED = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error)


@dataclass(frozen=True)
class Source:
    """A file and how often an epoch has each of its sentences: 2.5 is twice, and a random half a third time.

    Attributes:
        path: The file.
        weight: Above 0.
    """

    path: Path
    weight: float = 1.0

    def fingerprint(self) -> str:
        """Return a hash of the file's content."""
        with self.path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()


def parse_sources(names: Sequence[str | Path | Source]) -> list[Source]:
    """Return the sources that texts such as "news.txt.xz@3" name.

    Raises:
        DataError: if a file is missing, empty or of a kind that cannot be read, or a weight is none.
    """
    if not names:
        raise DataError("no corpus is given. Give files: FILE or FILE@WEIGHT.")
    return [name if isinstance(name, Source) else _parsed(str(name)) for name in names]


def _parsed(name: str) -> Source:
    path, sign, told = name.rpartition("@")
    weight = 1.0
    if not sign or Path(name).exists():
        path = name
    else:
        try:
            weight = float(told)
        except ValueError:
            weight = math.nan
        if not 0 < weight < math.inf:
            raise DataError(f"{name}: {told!r} is no weight. Write FILE@WEIGHT, such as {path}@2.5.")
    found = existing(path)
    if found.is_dir() or found.suffix not in SUFFIXES:
        raise DataError(
            f"{path}: a corpus is a file of sentences, a line each, a blank line between documents: "
            f"{', '.join(SUFFIXES)} (.jsonl and .parquet with a field {COLUMN!r}). Give such files."
        )
    return Source(found, weight)


def sentences(source: Source, parallel: bool = False) -> Iterator[str]:
    """Yield a source's sentences, and "" where a document ends.

    Args:
        source: The file.
        parallel: Whether each line is a document of its own, its sentences divided by tabs.

    Raises:
        DataError: names file and line, if it is damaged or not UTF-8.
    """
    for text in _texts(source.path):
        lines = text.split("\t") if parallel else (text,)
        yield from (" ".join(line.split()) for line in lines)
        if parallel:
            yield ""


def _texts(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        return _documents(_parquet(path))
    if ".jsonl" in path.suffixes:
        return _documents(_json_lines(path))
    return _lines(path)


def _documents(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from text.splitlines()
        yield ""


def _lines(path: Path) -> Iterator[str]:
    number = 0
    opener: Any = _OPENERS[path.suffix]
    handle: AbstractContextManager[IO[bytes]] = opener(path, "rb")
    try:
        with handle as file:
            while line := file.readline(LINE_LIMIT):
                number += 1
                yield _decoded(line, path, number)
    except _DAMAGED as error:
        raise DataError(
            f"{path}, after line {number}: the compressed file is damaged ({error}). Fetch it again."
        ) from error


def _decoded(line: bytes, path: Path, number: int) -> str:
    if len(line) >= LINE_LIMIT or b"\0" in line:
        what = "a NUL byte" if b"\0" in line else f"longer than {LINE_LIMIT >> 20} MiB"
        raise DataError(f"{path}, line {number}: {what}. Is this a text file with a sentence a line?")
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}, line {number}: bytes that are not UTF-8. Convert it, such as by: "
            f"iconv -f cp949 -t utf-8 {path.name} > new.txt"
        ) from error


def _json_lines(path: Path) -> Iterator[str]:
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)[COLUMN]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: no JSON object with a field {COLUMN!r}.") from error
        if not isinstance(text, str):
            raise DataError(f"{path}, line {number}: {COLUMN!r} is {text!r}, not a text.")
        yield text


def _parquet(path: Path) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if COLUMN not in names:
                raise DataError(f"{path} has no column {COLUMN!r}, but {', '.join(names)}. Rename one.")
            for batch in file.iter_batches(columns=[COLUMN]):
                yield from (str(text) for text in batch.column(0).to_pylist() if text is not None)
    except pa.ArrowException as error:
        raise DataError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
