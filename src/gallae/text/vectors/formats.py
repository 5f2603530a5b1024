"""Reading a file of vectors, whatever tool wrote it."""

from __future__ import annotations

import gzip
import mmap
import zlib
from collections.abc import Container
from pathlib import Path
from typing import IO, cast

from gallae.errors import TextError
from gallae.text.vectors.fasttext_files import MAGIC, read_fasttext
from gallae.text.vectors.table import Vectors
from gallae.text.vectors.text_files import LONGEST, header, numbers_at_end, read_text
from gallae.text.vectors.word2vec_files import read_word2vec

_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"PK\x03\x04": "a zip archive; unpack it and name the file inside",
    b"\x80": "a pickle, such as gensim's save() writes, which could run anything and is not opened; write it "
    "with save_word2vec_format()",
    b"\x93NUMPY": "an array without words",
    b"\x89HDF": "an HDF5 file",
}


def load_vectors(path: str | Path, only: Container[str] | None = None) -> Vectors:
    """Read vectors of word2vec (text or binary), GloVe, or fastText (.vec or .bin), told by their content.

    Text and word2vec's binary files may be packed by gzip. The rows of a fastText .bin stay on disk until
    they are asked for, and give a vector to unseen words, too (`FastTextVectors`).

    Args:
        path: The file.
        only: Tokens to keep, which saves memory with files of millions of words; None for all. A fastText
            .bin always keeps all.

    Raises:
        TextError: if the file is missing, empty, no file of vectors, or damaged: it names the line or word.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(8)
            if head.startswith(MAGIC):
                return read_fasttext(path)
            if not head.startswith(_GZIP):
                return _read(file, path, only)
        with gzip.open(path) as packed:
            return _read(cast(IO[bytes], packed), path, only)
    except (EOFError, zlib.error) as error:
        raise TextError(f"{path} is damaged or cut off. Download or write it again.") from error
    except OSError as error:
        raise TextError(f"the vectors {path} cannot be read: {error.strerror or error}.") from error


def _read(file: IO[bytes], path: Path, only: Container[str] | None) -> Vectors:
    file.seek(0)
    head = file.read(LONGEST)
    file.seek(0)
    if not head.strip():
        raise TextError(f"{path} is empty: it holds no vector.")
    if head.startswith(MAGIC):
        raise TextError(f"{path} is a packed model of fastText: unpack it first, gunzip {path}.")
    for start, what in _OTHERS.items():
        if head.startswith(start):
            raise TextError(f"{path} is not a file of vectors but {what}.")
    if _is_binary(head):
        if isinstance(file, gzip.GzipFile):
            return Vectors(*read_word2vec(file.read(), str(path), only))
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return Vectors(*read_word2vec(data, str(path), only))  # type: ignore[arg-type]
    return Vectors(*read_text(file, str(path), only))


def _is_binary(head: bytes) -> bool:
    """Tell word2vec's binary format: after the header come bytes that are no text."""
    first, _, rest = head.partition(b"\n")
    if not header(first) or numbers_at_end(rest.partition(b"\n")[0].rstrip()):
        return False
    sample = rest[:4096]
    return any(byte < 9 for byte in sample) or not _is_text(sample)


def _is_text(sample: bytes) -> bool:
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(sample) - 4  # cut within the last character
    return True
