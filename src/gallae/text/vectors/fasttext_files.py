"""fastText's own format (.bin): words, their rows, and the rows of their n-grams."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gallae.errors import TextError
from gallae.files import write_beside
from gallae.text.vectors.decoding import Decoder
from gallae.text.vectors.ngrams import NgramTable
from gallae.text.vectors.table import FastTextVectors

MAGIC = struct.pack("<i", 793712314)
_VERSION = 12
_ARGUMENTS = struct.Struct("<12id")  # dim ws epoch minCount neg wordNgrams loss model bucket minn maxn ... t
_SIZES = struct.Struct("<3i2q")  # of the dictionary: all, words, labels; running tokens; pruned n-grams
_ENTRY = struct.Struct("<qb")  # count, and whether it is a label
_MATRIX = struct.Struct("<2q")  # rows, columns
_NEGATIVE_SAMPLING, _SKIPGRAM, _SUPERVISED = 2, 2, 3


def read_fasttext(path: Path) -> FastTextVectors:
    """Read a model of fastText, also a classifier's; the rows of words and n-grams stay on disk.

    Raises:
        TextError: if it is damaged, compressed, or of another version.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read(path, data)
    except (struct.error, IndexError) as error:
        raise TextError(f"{path} is damaged or cut off. Download or write it again.") from error


def _read(path: Path, data: mmap.mmap) -> FastTextVectors:
    (version,) = struct.unpack_from("<i", data, len(MAGIC))
    dim, *_, kind, buckets, min_n, max_n, _rate, _sample = _ARGUMENTS.unpack_from(data, 8)
    position = 8 + _ARGUMENTS.size
    entries, n_words, _labels, _running, pruned = _SIZES.unpack_from(data, position)
    position += _SIZES.size
    if version not in (11, 12) or min(dim, n_words, entries - n_words, buckets, min_n, max_n) < 0 or dim == 0:
        raise TextError(f"{path} is a damaged file of fastText, or one of an unknown version ({version}).")
    tokens, counts, position = _words(path, data, position, entries, n_words)
    if pruned > 0 or data[position]:
        raise TextError(
            f"{path} is a compressed model of fastText (.ftz), which is not read. Use the .bin that it was "
            "made from."
        )
    rows, columns = _MATRIX.unpack_from(data, position + 1)
    start = position + 1 + _MATRIX.size
    if version == 11 and kind == _SUPERVISED:
        max_n = 0
    wanted = n_words + (buckets if rows > n_words else 0)
    if rows != wanted or columns != dim or start + rows * dim * 4 > len(data):
        raise TextError(
            f"{path} is damaged or cut off: {rows:,} rows of {columns} numbers do not fit {n_words:,} words, "
            f"{buckets:,} buckets, {dim} dimensions and {len(data):,} bytes. Download or write it again."
        )
    matrix = np.memmap(path, dtype="<f4", mode="r", offset=start, shape=(rows, dim))
    return FastTextVectors(tokens, matrix[:n_words], NgramTable(matrix[n_words:], min_n, max_n), counts)


def _words(
    path: Path, data: mmap.mmap, position: int, entries: int, n_words: int
) -> tuple[list[str], list[int], int]:
    decode = Decoder(str(path))
    places: dict[str, int] = {}
    counts = []
    for number in range(entries):
        end = data.find(b"\0", position)
        if end < 0:
            raise TextError(
                f"{path} is damaged or cut off at word {number + 1:,} of {entries:,}. Download it again."
            )
        count, _label = _ENTRY.unpack_from(data, end + 1)
        if number < n_words:
            token = decode(data[position:end])
            # Of words that cannot be told apart the first counts; the others keep their rows.
            places.setdefault(token if token not in places else f"{token}\0{number}", number)
            counts.append(count)
        position = end + 1 + _ENTRY.size
    if not places:
        raise TextError(f"{path} holds no word.")
    decode.close()
    return list(places), counts, position


def write_fasttext(vectors: FastTextVectors, path: str | Path, force: bool) -> None:
    """Write a model that fastText and gensim load: its vectors are whole, its output layer is zeros.

    Raises:
        OutputError: if the file exists or cannot be written.
    """
    n, dim = len(vectors), vectors.dim
    buckets, table = len(vectors.ngrams.rows), vectors.ngrams
    words = [token.encode("utf-8", "replace").replace(b"\0", b"?") for token in vectors.tokens]
    with write_beside(path, force) as temporary, temporary.open("wb") as file:
        file.write(MAGIC + struct.pack("<i", _VERSION))
        least = min(vectors.counts, default=1)
        how = (dim, 5, 5, least, 5, 1, _NEGATIVE_SAMPLING, _SKIPGRAM)
        file.write(_ARGUMENTS.pack(*how, buckets, table.min_n, table.max_n, 100, 1e-4))
        file.write(_SIZES.pack(n, n, 0, sum(vectors.counts), -1))
        for word, count in zip(words, vectors.counts, strict=True):
            file.write(word + b"\0" + _ENTRY.pack(count, 0))
        file.write(b"\0" + _MATRIX.pack(n + buckets, dim))
        _write_rows(file, vectors.rows)
        _write_rows(file, table.rows)
        file.write(b"\0" + _MATRIX.pack(n, dim))
        _write_rows(file, np.zeros((n, dim), dtype=np.float32))


def _write_rows(file: BinaryIO, rows: np.ndarray) -> None:
    file.write(np.ascontiguousarray(rows, dtype="<f4").tobytes())
