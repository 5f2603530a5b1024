"""Reading a file for a saved model: with the columns it was trained on, where the file has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gallae.data.reading import open_any


def reading_for(
    data: str | Path, kept: Mapping[str, Any], asked: Mapping[str, Any], labels: bool = False
) -> dict[str, Any]:
    """Return keywords of `gallae.read`: those asked for, and of the model's own those that fit the file.

    Args:
        data: File, folder or `hf:` id; a pipe is not looked into.
        kept: What the model keeps of how its data was read.
        asked: What the user gives now; it goes before.
        labels: Whether labels are wanted.

    Raises:
        DataError: if the file cannot be read.
    """
    given = {key: value for key, value in asked.items() if value}
    wanted = kept if labels else {key: value for key, value in kept.items() if key == "text_column"}
    own = {key: value for key, value in wanted.items() if key not in given}
    columns = {key: value for key, value in own.items() if key.endswith("_column")}
    if columns and _can_be_read_twice(data):
        format, encoding = given.get("format"), given.get("encoding")
        have = open_any(data, format, encoding, rows=1, first=1, wanted=list(columns.values())).columns
        absent = {key for key, value in columns.items() if not _has(have, value)}
    else:
        absent = set(columns)
    return {key: value for key, value in own.items() if key not in absent} | given


def _can_be_read_twice(data: str | Path) -> bool:
    """Whether `data` is no pipe; a path that does not exist is left for the reader to complain of."""
    return str(data).startswith("hf:") or Path(data).is_file() or Path(data).is_dir()


def _has(columns: Sequence[str], wanted: str) -> bool:
    folded = {column.strip().casefold() for column in columns}
    names = [wanted] if wanted.strip().casefold() in folded else wanted.split(",")
    return all(name.strip().casefold() in folded for name in names)
