"""A corpus: labelled (or unlabelled) texts, checked, with the file's other columns beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

from gallae.data.fixed import FixedList
from gallae.data.labels import LabelSet
from gallae.errors import DataError

RESERVED = ("index", "text", "label")
SAMPLES = {"headlines": "headlines.csv", "reviews": "reviews.csv", "dialect": "dialect.tsv"}


@dataclass(frozen=True)
class Corpus:
    """Texts and, where there are any, their labels.

    Attributes:
        table: One row a text. "index" is the file's index or id column, else the row number from 0;
            "text" is a string, never null; "label" is a string, or a tuple of strings when multi-label,
            and is absent when unlabelled. The file's other columns follow.
        label_set: The labels, None when unlabelled.
        source: Path or name, for messages.
        group_column: The column whose rows are held out together unless a recipe names another; "" without.
    """

    table: pd.DataFrame
    label_set: LabelSet | None
    source: str
    group_column: str = ""

    def __len__(self) -> int:
        return len(self.table)

    @property
    def texts(self) -> list[str]:
        """The texts, in order: one list, made at the first access, that cannot be altered."""
        return self._listed("text")

    @property
    def labels(self) -> list[Any]:
        """The labels, in order: strings, or tuples of strings when multi-label; see `texts`.

        Raises:
            DataError: if the corpus is unlabelled.
        """
        if self.label_set is None:
            raise DataError(f"{self.source} has no labels. Name the column with --label-column.")
        return self._listed("label")

    def _listed(self, name: str) -> list[Any]:
        column = self.table[name]
        kept = self._lists.get(name)
        if kept is None or not _shared(kept[0], column):
            kept = self._lists[name] = column, FixedList(column.tolist())
        return kept[1]

    @cached_property
    def _lists(self) -> dict[str, tuple[pd.Series, FixedList]]:
        """Columns with their lists; pandas copies a column that is held before it is written to."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lists"}

    def take(self, rows: Sequence[int] | np.ndarray) -> Corpus:
        """Return a corpus of the given row numbers, in their order; the label set stays."""
        return replace(self, table=self.table.iloc[np.asarray(rows)].reset_index(drop=True))

    def column(self, name: str) -> pd.Series:
        """Return a column by the name it had in the file.

        Raises:
            DataError: if there is none; the message lists the columns.
        """
        for candidate in (kept_name(name), name):
            if candidate in self.table.columns:
                return self.table[candidate]
        named = {kept_name(reserved): reserved for reserved in RESERVED}
        others = [named.get(name, name) for name in map(str, self.table.columns) if name not in RESERVED]
        have = ", ".join(map(repr, others)) or "none"
        raise DataError(f"{self.source} has no column {name!r}. Columns beside text and label: {have}.")


def _shared(one: pd.Series, other: pd.Series) -> bool:
    """Return whether two columns are the same memory, and so the same values."""
    left, right = one.values, other.values
    arrays = isinstance(left, np.ndarray) and isinstance(right, np.ndarray)
    return left is right or (arrays and np.may_share_memory(left, right))


def kept_name(name: str) -> str:
    """Return the name under which a column that is kept beside stands in `Corpus.table`."""
    return f"file_{name}" if name in RESERVED else name


def sample(name: str = "headlines") -> Corpus:
    """Return an embedded corpus, written for this project.

    Args:
        name: "headlines" (seven news topics), "reviews" (sentiment) or "dialect" (the standard language and
            the dialects of Gyeongsang, Jeolla and Jeju; `pair` tells which two texts say the same).

    Raises:
        DataError: on another name.
    """
    from gallae.data.reading import read

    if name not in SAMPLES:
        raise DataError(f"there is no embedded corpus {name!r}. Known: {', '.join(SAMPLES)}.")
    file = resources.files("gallae.data") / "samples" / SAMPLES[name]
    with resources.as_file(file) as path:
        corpus = read(path)
    return replace(corpus, source=f"{name} (embedded)")
