"""Writing without losing anything: write beside, then rename."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gallae.errors import OutputError


def refuse_existing(path: str | Path, force: bool = False) -> Path:
    """Return `path`, made sure that writing it destroys nothing.

    Raises:
        OutputError: if it exists and `force` is false, or its parent cannot hold it.
    """
    path = Path(path)
    if path.exists() and not force:
        raise OutputError(f"{path} exists already. Choose another output, or add --force to replace it.")
    parent = path.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {parent} for {path.name}: {error.strerror}.") from error
    return path


@contextmanager
def write_beside(path: str | Path, force: bool = False) -> Iterator[Path]:
    """Yield a temporary file beside `path`; rename it to `path` on success, remove it on any failure."""
    path = refuse_existing(path, force)
    if path.is_dir():
        raise OutputError(f"{path} is a folder; a file is to be written there. Choose another output.")
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    os.chmod(temporary, 0o666 & ~_umask())
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def folder_beside(path: str | Path, force: bool = False) -> Iterator[Path]:
    """Like `write_beside`, for a folder. With `force` the old folder goes only when the new one is whole."""
    path = refuse_existing(path, force)
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file; a folder is to be written there. Choose another output.")
    temporary = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}."))
    os.chmod(temporary, 0o777 & ~_umask())
    try:
        yield temporary
        _replace_folder(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _replace_folder(new: Path, path: Path) -> None:
    if not path.exists():
        os.replace(new, path)
        return
    old = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}.old."))
    os.replace(path, old / "replaced")
    os.replace(new, path)
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
