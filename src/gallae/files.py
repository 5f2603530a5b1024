"""Writing without losing anything: write beside, then rename."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from gallae.errors import OutputError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def refuse_existing(path: str | Path, force: bool = False) -> Path:
    """Return `path`, made sure that writing it destroys nothing and is possible; nothing is made yet.

    Raises:
        OutputError: if it exists and `force` is false, or what is to hold it is no folder or read-only.
    """
    path = Path(path)
    if path.exists() and not force:
        raise OutputError(f"{path} exists already. Choose another output, or add --force to replace it.")
    holder = next(parent for parent in path.absolute().parents if parent.exists())
    if not holder.is_dir():
        raise OutputError(
            f"{path} cannot be written: {holder} is a file, not a folder. Choose another output."
        )
    if not os.access(holder, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written: {holder} may not be written to. Choose another output.")
    return path


@contextmanager
def write_beside(path: str | Path, force: bool = False) -> Iterator[Path]:
    """Yield a temporary file beside `path`; rename it to `path` on success, remove it on any failure."""
    path = refuse_existing(path, force)
    if path.is_dir():
        raise OutputError(f"{path} is a folder; a file is to be written there. Choose another output.")
    with _cannot_write(path), _parents(path):
        handle, name = tempfile.mkstemp(
            dir=path.absolute().parent, prefix=f".{path.name}.", suffix=path.suffix
        )
        os.close(handle)
        temporary = Path(name)
        try:
            temporary.chmod(0o666 & ~_umask())
            yield temporary
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def folder_beside(path: str | Path, force: bool = False) -> Iterator[Path]:
    """Like `write_beside`, for a folder. With `force` the old folder goes only when the new one is whole."""
    path = refuse_existing(path, force)
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file; a folder is to be written there. Choose another output.")
    with _cannot_write(path), _parents(path):
        temporary = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}."))
        try:
            temporary.chmod(0o777 & ~_umask())
            yield temporary
            _replace_folder(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


@contextmanager
def _parents(path: Path) -> Iterator[None]:
    """Make the missing folders above `path`, and remove them again if the block fails."""
    missing = missing_parents(path)
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        remove_empty(missing)
        raise


def missing_parents(path: Path) -> list[Path]:
    """Return the folders above `path` that do not exist, the innermost first."""
    return [parent for parent in path.absolute().parents if not parent.exists()]


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove those of the folders that are there and empty."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def _cannot_write(path: Path) -> Iterator[None]:
    """Say of a system's error that it hindered `path`; a temporary name would tell nobody anything."""
    place = str(path.absolute().parent / f".{path.name}.")
    try:
        yield
    except OSError as error:
        where = str(error.filename or "")
        if error.errno not in _NO_ROOM and not where.startswith(place) and not _holds(where, path):
            raise
        then = "Free some space and run it again." if error.errno in _NO_ROOM else "Choose another output."
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}. Nothing was half-written. {then}"
        ) from error


def _holds(folder: str, path: Path) -> bool:
    return bool(folder) and Path(folder) in path.absolute().parents


def _replace_folder(new: Path, path: Path) -> None:
    if not path.exists():
        new.replace(path)
        return
    old = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}.old."))
    path.replace(old / "replaced")
    try:
        new.replace(path)
    except BaseException:
        (old / "replaced").replace(path)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as readable UTF-8 JSON with a final newline."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read a UTF-8 JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def lock(file: IO[Any]) -> bool:
    """Lock an open file until it is closed here and in all processes that inherited it.

    Returns:
        False if another process has it locked. Windows and some file systems lock nothing.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
