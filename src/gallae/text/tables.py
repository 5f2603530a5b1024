"""The tables behind the text steps: shipped with the package, extended by a user's TOML file."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from gallae.errors import TextError

USER_TABLES = ("abbreviations", "hanja", "symbols")


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which of `known` was probably meant and list them all, as the end of an error message."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}Known: {', '.join(known)}."


@lru_cache
def shipped(name: str) -> dict[str, dict[str, Any]]:
    """Read a TOML file of this package: "abbreviations", "hanja" or "symbols"."""
    return tomllib.loads((files(__package__) / f"{name}.toml").read_text(encoding="utf-8"))


@lru_cache
def symbols() -> dict[str, str]:
    """Symbols and their replacements, ranges written out."""
    data = shipped("symbols")
    table = dict(data["symbols"])
    for first, words in data["ranges"].items():
        table.update({chr(ord(first) + i): word for i, word in enumerate(words)})
    return table


@lru_cache
def readings() -> dict[str, str]:
    """Korean reading (one syllable) of each hanja, before the initial-sound rule."""
    lines = (files(__package__) / "hanja.txt").read_text(encoding="utf-8").splitlines()
    return {hanja: line[0] for line in lines if not line.startswith("#") for hanja in line[2:]}


def read_dictionary(source: str | Path | Mapping[str, Mapping[str, str]] | None) -> dict[str, dict[str, str]]:
    """Read a user's dictionary.

    Args:
        source: A TOML file (or its content as a mapping) with any of the tables `[abbreviations]`,
            `[hanja]` and `[symbols]`, each from what is found to what it becomes.

    Raises:
        TextError: with file and line, when it is missing, is no TOML or holds something else.
    """
    if source is None:
        return {}
    if isinstance(source, Mapping):
        return _checked(source, "the dictionary", "")
    path = Path(source)
    text = _read(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"at line (\d+)", str(error))
        line = int(where[1]) if where else text.count("\n") + 1
        reason = re.sub(r" \(at .*\)$", "", str(error))
        raise TextError(f"{path}, line {line}: this is not valid TOML ({reason}).") from error
    return _checked(data, str(path), text)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise TextError(f"the dictionary {path} does not exist.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise TextError(f"{path}, line {line}: this is not UTF-8. Save the dictionary as UTF-8.") from error
    except OSError as error:
        raise TextError(f"the dictionary {path} cannot be read: {error.strerror}.") from error


def _checked(data: Mapping[str, Any], source: str, text: str) -> dict[str, dict[str, str]]:
    for name, table in data.items():
        if name not in USER_TABLES or not isinstance(table, Mapping):
            raise TextError(
                f"{_place(source, text, name)}: [{name}] is no table of a dictionary. "
                f"{nearest(name, USER_TABLES)} Each maps what is found to what it becomes."
            )
        for key, value in table.items():
            _check_entry(name, key, value, _place(source, text, key))
    return {name: dict(data[name]) for name in USER_TABLES if name in data}


def _check_entry(name: str, key: str, value: object, place: str) -> None:
    if not isinstance(value, str):
        raise TextError(
            f'{place}: [{name}] {key!r} must become a text, such as "{key}" = "말", not {value!r}.'
        )
    if not key:
        raise TextError(f"{place}: [{name}] has an empty key; write what is to be found.")
    if name == "symbols" and len(key) != 1:
        raise TextError(f"{place}: [symbols] maps single characters, and {key!r} has {len(key)}.")


def _place(source: str, text: str, key: str) -> str:
    pattern = re.compile(rf"""^\s*\[?\s*["']?{re.escape(key)}["']?\s*[\].=]""", re.MULTILINE)
    found = pattern.search(text)
    return f"{source}, line {text.count(chr(10), 0, found.end()) + 1}" if found else source
