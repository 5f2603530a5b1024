"""Saved runs side by side: what each held out, and the rows that all of them did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.errors import DataError, ModelError, OutputError, RecipeError
from gallae.workflows import runs

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 20
_ALIKE = (
    "Train them alike: on the same file, with the same --seed and the same --holdout (or --folds, --valid)."
)
_COLUMNS = ("index", "text", "label", "predicted")
Key = tuple[str, str, str, int]


@dataclass(frozen=True)
class Member:
    """A finished run that is to be joined with others.

    Attributes:
        name: What to call it.
        run: The run.
        table: Its held-out rows, as predictions.parquet has them.
    """

    name: str
    run: runs.Run
    table: pd.DataFrame

    @property
    def classes(self) -> list[str]:
        """Its labels, in the order of its probabilities."""
        return [column[2:] for column in self.table.columns if column.startswith("p_")]

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return not isinstance(self.table["label"].iloc[0], str)

    @cached_property
    def keys(self) -> list[Key]:
        """What tells its rows apart: index, text, label, and the how manieth such row it is."""
        labels = self.table["label"]
        if self.multilabel:
            labels = labels.map(lambda names: json.dumps(sorted(names), ensure_ascii=False))
        again = (
            self.table.assign(label=labels)
            .groupby(["index", "text", "label"], sort=False, dropna=False)
            .cumcount()
        )
        return list(zip(map(str, self.table["index"]), self.table["text"], labels, again, strict=True))

    def probabilities(self, rows: np.ndarray, classes: Sequence[str]) -> np.ndarray:
        """Return (n_rows, n_classes) probabilities of the given rows."""
        columns = [f"p_{label}" for label in classes]
        return self.table[columns].to_numpy(dtype=np.float64)[rows]

    def describe(self) -> str:
        """Return in words what it holds out."""
        metrics = self.run.metrics
        return f"{self.name}: {len(self.table):,} rows ({metrics['split']}, seed {metrics['seed']})"


def open_members(items: Sequence[str | Path | runs.Run], reserved: str) -> list[Member]:
    """Read what runs held out; their models are not loaded.

    Args:
        items: Run folders, or runs.
        reserved: A name that no member may have.

    Raises:
        ModelError, OutputError, RecipeError, DataError: for what is no run, held nothing out, is given
            twice, is an ensemble itself, or has other labels than the first.
    """
    if isinstance(items, str | Path | runs.Run):
        items = [items]
    found = [_open(item) for item in items]
    for at, run in enumerate(found):
        if any(run.folder.samefile(other.folder) for other in found[:at]):
            raise RecipeError(f"{run.folder} is given twice; give each run once.")
    if len(found) < 2:
        raise RecipeError(
            f"an ensemble needs at least two runs, not {len(found)}: gallae ensemble RUN RUN -o RUN"
        )
    tables = [_held_out(run) for run in found]
    members = [Member(*parts) for parts in zip(_names(found, reserved), found, tables, strict=True)]
    _check_labels(members)
    return members


def _open(item: Any) -> runs.Run:
    if not isinstance(item, str | Path | runs.Run):
        raise RecipeError(f"an ensemble is made of finished runs, by their folders, not of {item!r:.80}.")
    folder = item.folder if isinstance(item, runs.Run) else Path(item)
    if folder.name == runs.MODEL and (folder.parent / runs.METRICS).is_file():
        folder = folder.parent
    if not folder.is_dir():
        raise ModelError(f"there is no run {str(folder)!r}: give folders that `gallae train` wrote.")
    inner = sorted(path.parent.name for path in folder.glob(f"*/{runs.METRICS}"))
    if not (folder / runs.METRICS).is_file():
        hint = f" It holds runs: {', '.join(str(folder / name) for name in inner[:5])}." if inner else ""
        raise ModelError(f"{folder} is no run: {runs.METRICS} is missing.{hint}")
    run = runs.Run(folder)
    try:
        _ = run.metrics["split"], run.metrics["seed"], run.metrics["fitted_on"], run.metrics["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{folder / runs.METRICS} is damaged: {error!r}. Train the run again.") from error
    if run.recipe.model.family == "ensemble":
        raise RecipeError(f"{folder} is an ensemble itself; give the runs that it is made of.")
    return run


def _held_out(run: runs.Run) -> pd.DataFrame:
    path = run.folder / runs.PREDICTIONS
    if not path.is_file():
        raise DataError(
            f"{run.folder} held no rows out ({runs.PREDICTIONS} is missing), so nothing can tell how good it "
            f"is beside others. {_ALIKE}"
        )
    try:
        table = run.predictions
    except Exception as error:  # whatever pyarrow raises
        raise OutputError(f"{path} is damaged: {error}. Train the run again.") from error
    absent = [column for column in _COLUMNS if column not in table.columns]
    if absent or not len(table):
        raise OutputError(f"{path} is damaged: it lacks {', '.join(absent) or 'rows'}. Train the run again.")
    return table


def _names(found: Sequence[runs.Run], reserved: str) -> list[str]:
    """Call runs by their recipes, if these differ, else by their folders."""
    for names in ([run.recipe.name for run in found], [run.folder.resolve().name for run in found]):
        if len({*names, reserved}) > len(names):
            return names
    return [str(run.folder) for run in found]


def _check_labels(members: Sequence[Member]) -> None:
    first = members[0]
    for other in members[1:]:
        if other.multilabel != first.multilabel:
            several, single = (first, other) if first.multilabel else (other, first)
            raise DataError(
                f"{several.name} gives a text several labels, {single.name} one; such runs cannot be joined."
            )
        odd = sorted(set(first.classes) ^ set(other.classes))
        if odd:
            raise DataError(
                f"{first.name} and {other.name} do not know the same labels: only one of them knows "
                f"{', '.join(map(repr, odd[:10]))}. Train them on the same labels."
            )


def common_rows(members: Sequence[Member]) -> list[np.ndarray]:
    """Return for each member the numbers of the rows that all of them held out, in the same order, (n,).

    A row is the same if index, text and label are. What one held out and another may have learned from is
    left out.

    Raises:
        DataError: if there are fewer than `LEAST_ROWS`.
    """
    places = [{key: row for row, key in enumerate(member.keys)} for member in members]
    shared = [key for key in members[0].keys if all(key in place for place in places[1:])]
    if len(shared) < LEAST_ROWS:
        raise DataError(_too_few(members, len(shared)))
    return [np.array([place[key] for key in shared]) for place in places]


def _too_few(members: Sequence[Member], count: int) -> str:
    what = f"only {count} rows were" if count > 1 else "only 1 row was" if count else "no row was"
    held = "; ".join(member.describe() for member in members)
    parts = [
        f"{what} held out by all the runs ({held}). A row that one of them has learned from can neither "
        f"weigh nor measure it, and {LEAST_ROWS:,} are needed."
    ]
    texts = [set(member.table["text"]) for member in members]
    alike = len(set.intersection(*texts))
    if alike > max(count, LEAST_ROWS):
        parts.append(f"{alike:,} texts are the same, but stand under another index or label.")
    return " ".join([*parts, _ALIKE])
