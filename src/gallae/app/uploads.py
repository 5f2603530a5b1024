"""Uploaded files: kept on this machine, never executed, and refused where they would fill it.

A file that packs its content (Excel, Parquet) is first read in a process of its own that may use only so much
memory and time, so that a "zip bomb" ends that process and nothing else.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

from gallae.app.theme import UPLOAD_MB
from gallae.errors import DataError
from gallae.files import write_beside

SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx", ".parquet")
PACKED = (".xlsx", ".parquet")
UNPACKED_MB = 300
SECONDS = 60
_MB = 1 << 20
_UNSAFE = re.compile(r"[^\w.\-]+")


def keep(name: str, content: bytes, folder: Path) -> Path:
    """Write an upload under a name of its own, and return where it lies.

    Args:
        name: As the browser says; no part of a path in it is followed.
        content: The bytes.
        folder: Where to; it is made if need be.

    Raises:
        DataError: for a suffix that is not read, an empty file, or one that is too large, packed or not.
    """
    shown = Path(name.replace("\\", "/")).name or "upload"
    suffix = Path(shown).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"{shown}: files with {', '.join(SUFFIXES)} are read, not {suffix or 'one without'}.")
    if not content:
        raise DataError(f"{shown} is empty: it has no rows.")
    if len(content) > UPLOAD_MB * _MB:
        raise DataError(f"{shown} has more than {UPLOAD_MB} MB. Give it on the command line: gallae app FILE")
    stem = _UNSAFE.sub("_", Path(shown).stem)[:40]
    place = folder / f"{sha256(content).hexdigest()[:8]}-{stem}{suffix}"
    if not place.exists():
        with write_beside(place) as temporary:
            temporary.write_bytes(content)
            if suffix in PACKED:
                _try_out(temporary, shown)
    return place


def without_path(error: Exception, path: Path, name: str) -> str:
    """Return the message of an error about an upload, with the name that the person knows it by."""
    return str(error).replace(str(path), name)


def _try_out(path: Path, shown: str) -> None:
    """Read a packed file in a process with little memory and time.

    Raises:
        DataError: the reader's own message, or that it is too large once unpacked.
    """
    too_large = DataError(
        f"{shown} is too large once unpacked: more than {UNPACKED_MB} MB of text, or {SECONDS} seconds of "
        "reading. Save the part that is needed as CSV."
    )
    if path.suffix.lower() == ".xlsx" and _unpacked(path) > UNPACKED_MB * _MB:
        raise too_large
    command = [sys.executable, "-m", "gallae.app.trial", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise too_large from error
    if done.returncode == 2:
        raise DataError(done.stderr.decode("utf-8", "replace").strip().replace(str(path), shown))
    if done.returncode != 0:
        raise too_large


def _unpacked(path: Path) -> int:
    """Return the bytes that a zip archive says it unpacks to; a reader stops there. 0 if it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        return 0
