"""Opening files: does it exist, may it be read, is it text, and in which encoding."""

from __future__ import annotations

import codecs
import contextlib
import difflib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, TextIO

from gallae.errors import DataError

HEAD = 1 << 16
LINE_LIMIT = 1 << 26  # characters: one line or field must fit into memory a few times over
_PIECE = 1 << 20

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_MAGIC = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a picture, sound or film"),
    (b"BM", "a BMP picture"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\x1f\x8b", "a file compressed with gzip"),
    (b"\xfd7zXZ", "a file compressed with xz"),
    (b"BZh", "a file compressed with bzip2"),
    (b"\x28\xb5\x2f\xfd", "a file compressed with zstd"),
    (b"\xd0\xcf\x11\xe0", "an old Office document (.xls, .doc): save it as .xlsx or CSV"),
    (b"HWP Document File", "a Hangul document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "an SQLite database"),
)


def existing(path: str | Path) -> Path:
    """Return `path`, made sure that it exists and may be read.

    Raises:
        DataError: if not; the message names the nearest file beside it.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise DataError(f"{path}: no such file or folder.{_beside(path)}")
        if not path.is_dir() and not path.is_file():
            raise DataError(
                f"{path} is a pipe or a device, which only prediction can read. Save it to a file first."
            )
        if path.is_dir():
            next(path.iterdir(), None)
        else:
            with path.open("rb"):
                pass
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. Check its permissions and the folders above it."
        ) from error
    return path


def _beside(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f" The folder {parent} does not exist either."
    names = sorted(entry.name for entry in parent.iterdir() if not entry.name.startswith("."))
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    if near:
        return f" Did you mean {parent / near[0]}?"
    return f" {parent} holds: {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}." if names else ""


def read_head(path: Path) -> bytes:
    """Return the first 64 KiB.

    Raises:
        DataError: on an empty file.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise DataError(f"{path} is empty: it has no rows.")
    return head


def refuse_binary(head: bytes, source: str, allowed: str = "") -> None:
    """Refuse a picture, an archive, or anything else that is not text.

    Args:
        head: The first bytes.
        source: Path or name, for the message.
        allowed: What the caller would have taken, for the message.

    Raises:
        DataError: says what the file seems to be.
    """
    what = next((name for magic, name in _MAGIC if head.startswith(magic) and _holds_controls(head)), None)
    if what is None and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        if head.count(0) > max(8, len(head) // 100):
            even = head[::2].count(0) + head[1::2].count(0) > len(head) // 10
            utf16 = " (or UTF-16 text without its mark: try --encoding utf-16-le)" if even else ""
            what = f"a binary file{utf16}"
        elif _controls(head) > max(8, len(head) // 20) and not _decodes(head):
            what = "a binary file"
    if what is None:
        return
    unpack = " Unpack it first." if "compressed" in what or "archive" in what else ""
    raise DataError(f"{source} is not a text file; it looks like {what}.{unpack} {allowed or _ALLOWED}")


_ALLOWED = "Allowed are CSV, TSV, JSONL, JSON, plain text, Parquet (.parquet) and Excel (.xlsx)."


def _controls(head: bytes) -> int:
    return sum(head.count(byte) for byte in range(32) if byte not in (9, 10, 12, 13, 27))


def _decodes(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _holds_controls(head: bytes) -> bool:
    return _controls(head) > 0 or b"\xff" in head


def detect_encoding(path: Path, encoding: str | None = None) -> str:
    """Return the encoding of a text file, having decoded all of it once in constant memory.

    UTF-8 and UTF-16 are known by their byte order mark; otherwise the file is UTF-8 if all of it
    decodes, else CP949 (which contains EUC-KR) if all of it decodes.

    Raises:
        DataError: if it decodes as neither (or not as `encoding`); names the byte and the line.
    """
    if encoding is not None:
        check_encoding(encoding)
        failed = _first_failure(path, encoding)
        if failed is None:
            return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
        raise DataError(
            f"{path}, {_at(path, failed[0])}: does not decode as {encoding}. "
            f"Leave --encoding away to have it detected, or give the right one."
        )
    with path.open("rb") as file:
        start = file.read(4)
    for mark, name in _BOMS:
        if start.startswith(mark):
            failed = _first_failure(path, name)
            if failed is None:
                return name
            raise _undecodable(path, failed[0], f"starts with the mark of {name}, but")
    failed = _first_failure(path, "utf-8")
    if failed is None:
        return "utf-8"
    offset, decoded = failed
    # Korean in CP949 breaks UTF-8 at its first syllable; many good characters before mean damaged UTF-8.
    if decoded < 8 and _first_failure(path, "cp949") is None:
        return "cp949"
    raise _undecodable(path, offset, "")


def check_encoding(encoding: str) -> None:
    """Refuse an encoding that Python does not know.

    Raises:
        DataError: lists the usual ones.
    """
    try:
        known = codecs.lookup(encoding)._is_text_encoding
    except LookupError:
        known = False
    if not known:
        raise DataError(
            f"--encoding {encoding}: not known. Usual ones: utf-8, cp949, euc-kr, utf-16, latin-1."
        )


def _undecodable(path: Path, offset: int, before: str) -> DataError:
    with path.open("rb") as file:
        file.seek(offset)
        byte = file.read(1).hex()
    return DataError(
        f"{path}, {_at(path, offset)}: {before + ' ' if before else ''}"
        f"the byte 0x{byte} fits neither UTF-8 nor CP949. "
        f"Name the encoding with --encoding (in Python: encoding=), or repair the line."
    )


def _at(path: Path, offset: int) -> str:
    with path.open("rb") as file:
        lines, left = 1, offset
        while left > 0 and (piece := file.read(min(_PIECE, left))):
            lines += piece.count(b"\n")
            left -= len(piece)
    return f"line {lines}, byte {offset}"


def _first_failure(path: Path, encoding: str) -> tuple[int, int] | None:
    """Return the byte offset of the first failure and how many non-ASCII characters came before it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = decoded = 0
    with path.open("rb") as file:
        while True:
            piece = file.read(_PIECE)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(encoding, "ignore")
                return offset - pending + error.start, decoded + _non_ascii(good)
            offset += len(piece)
            if decoded < 8 and not text.isascii():
                decoded += _non_ascii(text)
            if not piece:
                return None


def _non_ascii(text: str) -> int:
    return sum(character > "\x7f" for character in text)


def open_text(path: Path, encoding: str, newline: str = "") -> TextIO:
    """Open a text file whose encoding is known; `newline` as in `open`."""
    return path.open(encoding=encoding, newline=newline)


def wrap_pipe(pipe: IO[bytes] | TextIO, source: str, encoding: str | None) -> tuple[TextIO, str]:
    """Return a pipe as text, and the start of it; only what has arrived is looked at.

    Raises:
        DataError: if nothing arrives, or what arrives is not text.
    """
    raw: Any = getattr(pipe, "buffer", pipe)
    if isinstance(raw, io.TextIOBase):
        first = raw.readline(LINE_LIMIT)
        if not first:
            raise DataError(f"{source} is empty: it has no rows.")
        return _Rejoined(first, raw), first  # type: ignore[return-value]
    buffered = raw if hasattr(raw, "peek") else io.BufferedReader(raw)
    head = buffered.peek(HEAD)[:HEAD]
    if not head:
        raise DataError(f"{source} is empty: it has no rows.")
    if encoding is None:
        refuse_binary(head, source)
        encoding = _guess(head)
    else:
        check_encoding(encoding)
    # A reader that is thrown away closes what it wraps; the caller's pipe must outlive it.
    text = _Detached(buffered, encoding=encoding, newline="\n")
    return text, head.decode(encoding, "ignore")


class _Detached(io.TextIOWrapper):
    """A text reader that leaves its pipe open."""

    def close(self) -> None:
        if not self.closed:
            self.detach()

    def __del__(self) -> None:
        with contextlib.suppress(ValueError):
            self.detach()


class _Rejoined:
    """An open text file whose first line has been looked at."""

    def __init__(self, first: str, rest: io.TextIOBase) -> None:
        self._first: str | None = first
        self._rest = rest

    def readline(self, limit: int = -1) -> str:
        if self._first is None:
            return self._rest.readline(limit)
        first, self._first = self._first, None
        return first


def _guess(head: bytes) -> str:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        try:
            codecs.getincrementaldecoder("cp949")().decode(head)
        except UnicodeDecodeError:
            return "utf-8"
        return "cp949" if _non_ascii(head[: error.start].decode("utf-8")) < 8 else "utf-8"
    return "utf-8"


def text_lines(handle: TextIO, source: str, close: bool = True) -> Iterator[str]:
    """Yield lines with their ends, each checked; `handle` is closed at the end unless told otherwise.

    Raises:
        DataError: on a NUL byte, a line of more than 64 Mi characters, or bytes that do not decode.
    """
    number = 0
    try:
        while line := handle.readline(LINE_LIMIT):
            number += 1
            if len(line) >= LINE_LIMIT or "\0" in line:
                raise _bad_line(line, number, source)
            yield line
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source}, after line {number}: bytes that do not decode as {error.encoding}. "
            "Name the encoding with --encoding (in Python: encoding=)."
        ) from error
    finally:
        if close:
            handle.close()


def _bad_line(line: str, number: int, source: str) -> DataError:
    if "\0" in line:
        return DataError(
            f"{source}, line {number}: holds a NUL byte (position {line.index(chr(0)) + 1}), "
            "so the file is damaged or not text. Remove it (tr -d '\\000') and read again."
        )
    return DataError(
        f"{source}, line {number}: longer than {LINE_LIMIT >> 20} Mi characters. "
        "Is this a text file with one row a line?"
    )
