"""word2vec's binary format: a line with the numbers of words and dimensions, then words and bytes."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gallae.errors import TextError
from gallae.files import write_beside
from gallae.text.vectors.decoding import Decoder, distinct
from gallae.text.vectors.text_files import header, writable

if TYPE_CHECKING:
    from gallae.text.vectors.table import Vectors

_LONGEST = 1 << 16  # bytes of a word


def read_word2vec(data: bytes, source: str, only: Container[str] | None) -> tuple[list[str], np.ndarray]:
    """Read the content of a binary file of word2vec.

    Args:
        data: The file's bytes, or a map of it.
        source: Its name, for messages.
        only: Tokens wanted; None for all.

    Returns:
        The tokens, and their vectors, (n, dim) float32.

    Raises:
        TextError: if it is damaged.
    """
    position = data.find(b"\n") + 1
    count, dim = header(data[:position]) or (0, 0)
    width = 4 * dim
    if count * (width + 2) > len(data) - position:
        raise TextError(
            f"{source} is cut off: it announces {count:,} words of {dim} dimensions, at least "
            f"{count * (width + 2) + position:,} bytes, and has {len(data):,}. Download or write it again."
        )
    decode, tokens, rows = Decoder(source), [], []
    for number in range(1, count + 1):
        while data[position : position + 1] == b"\n":
            position += 1
        end = data.find(b" ", position, position + _LONGEST)
        if end < 0 or end + 1 + width > len(data):
            raise TextError(f"{source} is damaged or cut off at word {number:,} of {count:,}.")
        token = decode(data[position:end])
        position = end + 1 + width
        if only is None or token in only:
            row = np.frombuffer(data[end + 1 : position], dtype="<f4")
            if not np.isfinite(row).all():
                raise TextError(f"{source} is damaged at word {number:,} of {count:,}: no finite numbers.")
            tokens.append(token)
            rows.append(row)
    if len(data) - position > 1:
        raise TextError(
            f"{source} goes on after its {count:,} words: it is damaged, or no binary file of word2vec."
        )
    decode.close()
    matrix = np.array(rows, dtype=np.float32).reshape(len(tokens), dim)
    return distinct(source, tokens, matrix)


def write_word2vec(vectors: Vectors, path: str | Path, force: bool) -> None:
    """Write word2vec's binary format.

    Words with a space or line break, or that UTF-8 cannot spell, are left out with a warning.

    Raises:
        OutputError: if the file exists or cannot be written.
    """
    rows = writable(vectors, path, " \n")
    with write_beside(path, force) as temporary, temporary.open("wb") as file:
        file.write(f"{len(rows)} {vectors.dim}\n".encode())
        for row in rows:
            file.write(
                vectors.tokens[row].encode() + b" " + vectors.matrix[row].astype("<f4").tobytes() + b"\n"
            )
