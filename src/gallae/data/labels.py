"""Labels: the set that a corpus has, the map that makes them from values, and cells that hold several."""

from __future__ import annotations

import ast
import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gallae.errors import DataError

_RANGE = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*-\s*(-?\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True)
class LabelSet:
    """The labels of a corpus or a model.

    Attributes:
        names: Label names: in the order of the dictionary (or label map) that came along, else sorted,
            integers numerically.
        ids: Name to the id that competition files use; empty where there is none.
        multilabel: Whether a row may have any number of labels.
    """

    names: tuple[str, ...]
    ids: Mapping[str, str] = field(default_factory=dict)
    multilabel: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return a dict that `json.dump` takes."""
        return {"names": list(self.names), "ids": dict(self.ids), "multilabel": self.multilabel}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> LabelSet:
        """Rebuild what `to_json` returned."""
        return cls(tuple(value["names"]), dict(value.get("ids", {})), bool(value.get("multilabel", False)))

    def lookup(self) -> dict[str, str]:
        """Return the spelling in a file (name or id) -> name; a name wins over an equal id."""
        return {identity: name for name, identity in self.ids.items()} | {name: name for name in self.names}

    def nearest(self, value: str) -> str:
        """Return the end of a message about an unknown label: the nearest known one, then all of them."""
        # Decomposed, two syllables that differ in one letter are close.
        spelled = {unicodedata.normalize("NFD", name): name for name in self.names}
        near = difflib.get_close_matches(unicodedata.normalize("NFD", value), list(spelled), n=1)
        hint = f" Did you mean {spelled[near[0]]!r}?" if near else ""
        known = ", ".join(repr(name) for name in self.names[:30]) + (", ..." if len(self.names) > 30 else "")
        ids = " (or their ids)" if self.ids else ""
        return f"{hint} Known labels{ids}: {known}."


def in_order(values: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct values sorted: as integers if all of them are, else as text."""
    distinct = set(values)
    if all(re.fullmatch(r"-?\d+", value) for value in distinct):
        return tuple(sorted(distinct, key=int))
    return tuple(sorted(distinct))


class LabelMap:
    """Labels made from values or numeric ranges.

    The spelling is `label = "low-high"` (a range, both ends included), `label = value`, or a list of
    these: `{"긍정": "9-10", "부정": [1, 2, "3-4"]}`.

    Args:
        mapping: Label to its value, range or list.

    Raises:
        DataError: on an empty map, a range whose ends are the wrong way round, or a value that two
            labels claim.
    """

    def __init__(self, mapping: Mapping[str, Any]) -> None:
        self.names = tuple(str(name) for name in mapping)
        self._exact: dict[str, str] = {}
        self._ranges: list[tuple[float, float, str]] = []
        for name, wanted in mapping.items():
            items = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]
            if not items:
                raise DataError(f"label_map: {name!r} has an empty list. Give it a value or a range.")
            for item in items:
                self._add(str(name), item)
        self._refuse_overlaps()

    def _add(self, name: str, item: Any) -> None:
        if isinstance(item, (dict, list, tuple)) or item is None:
            raise DataError(
                f'label_map: {name!r} holds {item!r}. Allowed are a value (5, "좋음"), a range '
                f'("9-10") or a list of these.'
            )
        match = _RANGE.fullmatch(item) if isinstance(item, str) else None
        if match is None:
            key = plain(str(item))
            self._claim(key, name)
            self._exact[key] = name
            return
        low, high = float(match[1]), float(match[2])
        if low > high:
            raise DataError(f"label_map: {name!r} = {item!r} runs downwards. Write the lower end first.")
        self._ranges.append((low, high, name))

    def _claim(self, key: str, name: str) -> None:
        if self._exact.get(key, name) != name:
            raise DataError(f"label_map: the value {key!r} is claimed by {self._exact[key]!r} and {name!r}.")

    def _refuse_overlaps(self) -> None:
        for low, high, name in self._ranges:
            for other_low, other_high, other in self._ranges:
                if other != name and low <= other_high and other_low <= high:
                    raise DataError(
                        f"label_map: the ranges of {name!r} ({low:g}-{high:g}) and {other!r} "
                        f"({other_low:g}-{other_high:g}) overlap. Make them apart."
                    )
            for key, other in self._exact.items():
                number = _number(key)
                if other != name and number is not None and low <= number <= high:
                    raise DataError(
                        f"label_map: the value {key!r} of {other!r} lies in the range "
                        f"{low:g}-{high:g} of {name!r}. Make them apart."
                    )

    def get(self, value: str) -> str | None:
        """Return the label of a value, or None where the map has none for it."""
        value = plain(value)
        if value in self._exact:
            return self._exact[value]
        number = _number(value)
        if number is None:
            return None
        for low, high, name in self._ranges:
            if low <= number <= high:
                return name
        return None


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def plain(value: str) -> str:
    """Return the label text as it is kept: no spaces around it, and `3` for the integral float `3.0`."""
    value = value.strip()
    return value[:-2] if re.fullmatch(r"-?\d+\.0", value) else value


def separated(cell: str, separator: str) -> tuple[str, ...]:
    """Split `a;b` at `separator`; empty parts vanish, order stays, repeats go."""
    return tuple(dict.fromkeys(part for part in (plain(p) for p in cell.split(separator)) if part))


def listed(cell: Any) -> tuple[str, ...] | None:
    """Return the labels of a cell that is a list, or spells one (`["a", "b"]`, `['a']`); else None."""
    if isinstance(cell, str):
        if not (cell.startswith("[") and cell.endswith("]")):
            return None
        cell = _spelled_list(cell)
    if cell is None or isinstance(cell, (str, Mapping)) or not isinstance(cell, Iterable):
        return None
    return tuple(dict.fromkeys(plain(str(item)) for item in cell))


def _spelled_list(cell: str) -> Sequence[Any] | None:
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, list):
            return value
    return None
