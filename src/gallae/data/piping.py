"""What comes through a pipe as a file, for readers that look at a file more than once."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gallae.data.opening import wrap_pipe
from gallae.data.sniffing import sniff
from gallae.data.streaming import STDIN
from gallae.errors import DataError

_SUFFIXES = {"csv": ".csv", "tsv": ".tsv", "jsonl": ".jsonl"}
_NAME = "standard input"


def _suffix(head: str) -> str:
    return _SUFFIXES.get(sniff(head), ".tsv" if "\t" in head.partition("\n")[0] else ".txt")


@contextmanager
def on_disk(path: str | Path, encoding: str | None = None) -> Iterator[tuple[Path, str | None]]:
    """Give the file that a path names, and its encoding; "-", the standard input, is kept as one meanwhile.

    Its layout is told from its first lines: JSONL, a table with tabs, CSV with well-known columns, or else a
    text a line.

    Args:
        path: A file or folder, or "-".
        encoding: Its encoding; None is detected.

    Raises:
        DataError: if nothing comes, or what a reader says of the file, with its name put right.
    """
    if str(path) != STDIN:
        yield Path(path), encoding
        return
    handle, head = wrap_pipe(sys.stdin, _NAME, encoding)
    with tempfile.TemporaryDirectory(prefix="gallae-") as folder:
        kept = Path(folder) / f"input{_suffix(head)}"
        with kept.open("w", encoding="utf-8", newline="") as file:
            file.writelines(handle)
        try:
            yield kept, "utf-8"
        except DataError as error:
            raise DataError(str(error).replace(str(kept), _NAME)) from error
