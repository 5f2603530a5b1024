"""JSON files: a list of objects (KLUE), an object that holds one, and a folder of such files (NSMC raw)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gallae.data.opening import detect_encoding, open_text, read_head, refuse_binary, text_lines
from gallae.data.tables import Table, json_lines, named, object_frames
from gallae.errors import DataError

_SPLIT = re.compile(r"(train|dev|valid|validation|test)(?![a-z])", re.IGNORECASE)


def open_file(path: Path, encoding: str, sizes: Iterator[int]) -> Table:
    """Open a JSON file as a table; one object a line is taken too.

    Raises:
        DataError: if it is not JSON or holds no list of objects.
    """
    return _table(_objects(path, encoding), str(path), sizes)


def open_folder(path: Path, encoding: str | None, sizes: Iterator[int]) -> Table:
    """Open every *.json file of a folder, in the order of their names, as one table.

    Raises:
        DataError: if the files are different splits of a data set, or one of them cannot be read.
    """
    files = sorted(path.glob("*.json"))
    if not files:
        raise DataError(f"{path} holds no *.json file.")
    splits = {match[1].lower() for file in files if (match := _SPLIT.search(file.stem))}
    if len(splits) > 1:
        raise DataError(
            f"{path} holds several splits ({', '.join(file.name for file in files[:10])}); read together "
            "they would be mixed. Give one of the files."
        )
    objects: list[dict[str, Any]] = []
    starts: list[tuple[int, str]] = []
    for file in files:
        refuse_binary(read_head(file), str(file))
        starts.append((len(objects), file.name))
        objects += _objects(file, detect_encoding(file, encoding))
    table = _table(objects, str(path), sizes)

    def where(row: int) -> str:
        start, name = max(entry for entry in starts if entry[0] <= row)
        return f"{name}, item {row - start + 1}"

    table.where = where
    return table


def _table(objects: list[dict[str, Any]], source: str, sizes: Iterator[int]) -> Table:
    if not objects:
        raise DataError(f"{source} holds no rows.")
    keys = list(dict.fromkeys(key for item in objects for key in item))
    if not keys:
        raise DataError(f"{source}: its objects are empty: they have no text.")
    columns = named(keys, source)
    pieces = (piece.set_axis(columns, axis=1) for piece in object_frames(iter(objects), keys, sizes))
    return Table(source, columns, pieces, lambda row: f"item {row + 1}")


def _objects(path: Path, encoding: str) -> list[dict[str, Any]]:
    with open_text(path, encoding) as file:
        text = file.read()
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(
            f"{path}, line {line}: holds a NUL byte, so the file is damaged or not text. Remove it."
        )
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise DataError(f"{path}: nested too deeply to be read.") from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{"):
            return list(json_lines(text_lines(open_text(path, encoding, "\n"), str(path)), str(path)))
        raise DataError(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON ({error.msg})."
        ) from error
    return _listed(value, path)


def _listed(value: Any, path: Path) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        lists = [
            item for item in value.values() if isinstance(item, list) and item and isinstance(item[0], dict)
        ]
        value = lists[0] if len(lists) == 1 else [value]
    if not isinstance(value, list):
        raise DataError(f"{path} holds a JSON {type(value).__name__}; wanted is a list of objects.")
    for at, item in enumerate(value, 1):
        if not isinstance(item, dict):
            raise DataError(
                f"{path}, item {at}: a JSON {type(item).__name__} where an object is wanted, "
                'such as {"title": "...", "label": "..."}.'
            )
    return value
