"""Making the label column of a corpus out of the cells of a file."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gallae.data.columns import listing
from gallae.data.labels import LabelMap, LabelSet, in_order, listed, plain, separated
from gallae.data.tables import Table
from gallae.errors import DataError

logger = logging.getLogger(__name__)

_TRUE = {"1", "1.0", "true"}
_FALSE = {"0", "0.0", "false"}
Made = tuple[pd.Series, LabelSet, np.ndarray]


def binary(column: pd.Series) -> bool:
    """Whether every cell of a column is 0 or 1 (or true, false)."""
    if column.dtype == object:
        return False
    return {str(value).strip().lower() for value in column.unique()} <= _TRUE | _FALSE


def all_binary(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[str, ...]:
    """Return `columns` if there are at least two and all are 0/1 columns, else ()."""
    return tuple(columns) if len(columns) > 1 and all(binary(frame[name]) for name in columns) else ()


@dataclass
class Labelling:
    """How cells become labels.

    Attributes:
        table: The file, for messages and for what it says of its integers.
        columns: One column of labels, or several 0/1 columns.
        beside: Name to id, of a dictionary file beside.
        label_map: Labels from values and ranges; rows that match none are dropped.
        separator: What stands between several labels of a cell.
        label_set: The labels that are allowed, by name or id; None allows all.
        optional: Whether a column that is wholly empty makes the corpus unlabelled.
        partial: Whether single rows may have an empty cell; their label is "".
    """

    table: Table
    columns: Sequence[str]
    beside: Mapping[str, str]
    label_map: LabelMap | None = None
    separator: str | None = None
    label_set: LabelSet | None = None
    optional: bool = False
    partial: bool = False

    def make(self, frame: pd.DataFrame) -> Made | None:
        """Return the labels, their set, and which rows stay; None for a corpus without labels.

        Raises:
            DataError: on a missing or unknown label, naming the row, or when no row stays.
        """
        if len(self.columns) > 1:
            if self.label_map is not None:
                raise DataError(
                    f"{self.table.source}: label_map works on one label column, not on the 0/1 columns "
                    f"{listing(self.columns)}. Leave one of the two away."
                )
            return self._from_flags(frame)
        cells = frame[self.columns[0]]
        if self.optional and bool(
            cells.isna().all() or (cells.dtype != object and (cells.fillna("") == "").all())
        ):
            return None
        lists = self._lists(cells)
        return self._single(cells) if lists is None else self._several(lists)

    # ---- one label a row

    def _single(self, cells: pd.Series) -> Made:
        if self.label_set is not None and self.label_set.multilabel:
            return self._several([(value,) if value else () for value in map(plain, cells.fillna(""))])
        codes, values = pd.factorize(cells.fillna("").str.strip())
        whole = _integers(values)
        names = [self._name(whole.get(value, value)) for value in values]
        if self.label_map is not None:
            keep = np.array([name is not None for name in names])[codes]
            self._count_dropped(keep, codes, values)
        else:
            keep = np.ones(len(cells), dtype=bool)
            for code in (at for at, value in enumerate(values) if value == ""):
                if not self.partial or len(values) == 1:
                    self._refuse_missing(codes == code)
        for code, name in enumerate(names):
            if name is None and self.label_map is None and values[code] != "":
                raise self._unknown(values[code], int(np.argmax(codes == code)))
        kept = [name for name in names if name is not None]
        spelled = pd.Series(np.array([name or "" for name in names], dtype=object)[codes], dtype="str")
        return spelled, self._set(kept, multilabel=False), keep

    def _name(self, value: str) -> str | None:
        """Return the label that a cell stands for; None if label_map drops it or nobody knows it."""
        if value == "":
            return None
        named = self._by_file(value)
        if self.label_map is not None:
            mapped = self.label_map.get(value) or (self.label_map.get(named) if named else None)
            allowed = self.label_set.names if self.label_set else self.label_map.names
            return mapped or (value if value in allowed else None)
        if self.label_set is None:
            return named if self._dictionary else value
        lookup = self.label_set.lookup()
        if named is not None and named in self.label_set.names:
            return named
        return lookup.get(value)

    @property
    def _dictionary(self) -> dict[str, str]:
        """Name to id, as the file itself or a file beside it says."""
        classes = self.table.names.get(self.columns[0], ())
        return {name: str(at) for at, name in enumerate(classes)} or dict(self.beside)

    def _by_file(self, value: str) -> str | None:
        dictionary = self._dictionary
        if not dictionary:
            return None
        return LabelSet(tuple(dictionary), dictionary).lookup().get(value)

    # ---- several labels a row

    def _lists(self, cells: pd.Series) -> list[tuple[str, ...]] | None:
        if self.separator is not None and cells.dtype != object:
            return [separated(cell, self.separator) for cell in cells.fillna("")]
        values = cells if cells.dtype == object else cells.dropna().unique()
        found = [listed(value) for value in values]
        if not any(item is not None for item in found):
            return None
        if cells.dtype != object and any(item is None for item in found):
            return None
        return [
            listed(cell) or ((plain(cell),) if isinstance(cell, str) and cell != "[]" else ())
            for cell in cells
        ]

    def _several(self, lists: list[tuple[str, ...]]) -> Made:
        names = {value: self._name(value) for value in {value for row in lists for value in row}}
        if self.label_map is None:
            for value in (value for value, name in names.items() if name is None):
                raise self._unknown(value, next(at for at, row in enumerate(lists) if value in row))
        rows = [tuple(dict.fromkeys(n for value in row if (n := names[value]) is not None)) for row in lists]
        kept = [name for name in names.values() if name is not None]
        some = np.array([bool(row) for row in rows])
        if self.label_map is not None:
            codes, values = pd.factorize(np.array([" ".join(row) for row in lists], dtype=object))
            self._count_dropped(some, codes, values)
            keep = some
        else:
            keep = np.ones(len(rows), dtype=bool)
            if not some.all():
                logger.info("%s: %d of %d rows have no label", self.table.source, (~some).sum(), len(rows))
        if self._one_each([row for row, kept_row in zip(rows, keep, strict=True) if kept_row]):
            return (
                pd.Series([row[0] if row else "" for row in rows], dtype="str"),
                self._set(kept, False),
                keep,
            )
        label_set = self._set(kept, multilabel=True)
        return self._tuples(rows, label_set), label_set, keep

    def _one_each(self, rows: Sequence[tuple[str, ...]]) -> bool:
        """Lists of exactly one everywhere are single labels (fastText lines, mostly)."""
        if self.table.several and self.label_set is None:
            return False
        if self.label_set is not None and self.label_set.multilabel:
            return False
        if self.separator is None and all(len(row) == 1 for row in rows):
            return True
        if self.label_set is not None:
            at = next((at for at, row in enumerate(rows) if len(row) != 1), 0)
            raise DataError(
                f"{self.table.source}, {self.table.where(at)}: {len(rows[at])} labels, but the model gives "
                "exactly one a text. Evaluate it on single-label data."
            )
        return False

    def _from_flags(self, frame: pd.DataFrame) -> Made:
        """Make tuples from 0/1 columns; a column's name is the label."""
        flags: dict[str, np.ndarray] = {}
        for column in self.columns:
            name = self._name(column) if self.label_set is not None else column
            if name is None:
                raise self._unknown(column, None)
            flags[name] = self._flags(frame[column], column)
        label_set = self._set(list(flags), multilabel=True, ordered=True)
        matrix = np.column_stack(list(flags.values()))
        names = np.array(list(flags), dtype=object)
        rows = [tuple(names[row]) for row in matrix]
        return self._tuples(rows, label_set), label_set, np.ones(len(rows), dtype=bool)

    def _flags(self, column: pd.Series, name: str) -> np.ndarray:
        codes, values = pd.factorize(column.astype("str").fillna("").str.strip().str.lower())
        for code, value in enumerate(values):
            if value not in _TRUE | _FALSE:
                where = self.table.where(int(np.argmax(codes == code)))
                raise DataError(
                    f"{self.table.source}, {where}, column {name!r}: {value!r} is neither 0 nor 1. "
                    "Several label columns are 0/1 columns; name a single one for other labels."
                )
        return np.array([value in _TRUE for value in values])[codes]

    # ---- what both share

    def _tuples(self, rows: Sequence[tuple[str, ...]], label_set: LabelSet) -> pd.Series:
        order = {name: at for at, name in enumerate(label_set.names)}
        cells = np.empty(len(rows), dtype=object)
        cells[:] = [tuple(sorted(row, key=lambda name: order[name])) for row in rows]
        return pd.Series(cells, dtype=object)

    def _set(self, kept: Sequence[str], multilabel: bool, ordered: bool = False) -> LabelSet:
        if self.label_set is not None:
            return self.label_set
        if self.label_map is not None:
            return LabelSet(tuple(name for name in self.label_map.names if name in set(kept)), {}, multilabel)
        dictionary = self._dictionary
        if dictionary:
            return LabelSet(tuple(dictionary), dictionary, multilabel)
        return LabelSet(tuple(kept) if ordered else in_order(kept), {}, multilabel)

    def _count_dropped(self, keep: np.ndarray, codes: np.ndarray, values: Sequence[str]) -> None:
        if not keep.any():
            seen = listing([str(value) for value in values[:20]])
            raise DataError(
                f"{self.table.source}: label_map matches no row. Column {self.columns[0]!r} holds {seen}."
            )
        if not keep.all():
            most = Counter(values[code] for code in codes[~keep]).most_common(5)
            shown = ", ".join(f"{value or '(empty)'}: {count}" for value, count in most)
            logger.warning(
                "%s: label_map drops %d of %d rows (%s)", self.table.source, (~keep).sum(), len(keep), shown
            )

    def _refuse_missing(self, missing: np.ndarray) -> None:
        rows = np.flatnonzero(missing)
        raise DataError(
            f"{self.table.source}, {self.table.where(int(rows[0]))}: the label (column "
            f"{self.columns[0]!r}) is empty, in {len(rows)} of {len(missing)} rows. Fill it in, drop "
            "these rows, or let data.label_map drop them."
        )

    def _unknown(self, value: str, row: int | None) -> DataError:
        where = f", {self.table.where(row)}" if row is not None else ""
        known = self.label_set or LabelSet(tuple(self._dictionary), self._dictionary)
        what = "unknown label" if row is not None else "a label column that the model does not know:"
        return DataError(f"{self.table.source}{where}: {what} {value!r}.{known.nearest(value)}")


def _integers(values: Sequence[str]) -> dict[str, str]:
    """Map "3.0" to "3" where every value is an integral number (integers that pandas made floats)."""
    whole: Callable[[str], str] = plain
    if all(value == "" or whole(value).lstrip("-").isdigit() for value in values):
        return {value: whole(value) for value in values}
    return {}
