"""Finished runs in folders: which there are, what lies behind their figures, and two of them side by side."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.errors import DataError
from gallae.evaluation.compare import compare_pair
from gallae.files import read_json
from gallae.workflows.comparing import labels_of
from gallae.workflows.held_out import Member, common_rows
from gallae.workflows.runs import METRICS, PREDICTIONS, Run

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
DEEPEST = 3  # folders below the one that is searched: runs/<comparison>/<recipe>
FIGURES = (
    *("macro_f1", "macro_f1_interval", "accuracy", "accuracy_interval", "log_loss"),
    *("fit_seconds", "texts_per_second", "model_mb", "n", "split", "data"),
)


def find_runs(places: Iterable[Path]) -> list[Run]:
    """Return the runs in some folders and below, the newest first; each once, unfinished ones left out.

    Args:
        places: Run folders, or folders that hold some.
    """
    found: dict[Path, tuple[float, Run]] = {}
    for place in places:
        for depth in range(DEEPEST):
            for file in place.glob("/".join(["*"] * depth + [METRICS])):
                if _is_finished(file.relative_to(place)) and _is_classifier(file):
                    found.setdefault(file.parent.resolve(), (file.stat().st_mtime, Run(file.parent)))
    return [run for _, run in sorted(found.values(), key=lambda item: -item[0])]


def _is_finished(file: Path) -> bool:
    """Whether a file lies in no hidden folder and in none of a run that is not whole yet."""
    return not any(part.startswith(".") or part.endswith(".partial") for part in file.parts)


def _is_classifier(file: Path) -> bool:
    """Whether a metrics.json is of a classifier, and can be read."""
    try:
        facts = read_json(file)
    except (OSError, ValueError) as error:
        log.warning("%s is left out: %s", file, error)
        return False
    return isinstance(facts, dict) and {"recipe", "fitted_on", "rows"} <= set(facts)


def run_name(run: Run) -> str:
    """Return what to call a run: its folder, with the comparison's where it is part of one."""
    folder = run.folder.resolve()
    inside = (folder.parent / "comparison.csv").is_file()
    return f"{folder.parent.name}/{folder.name}" if inside else folder.name


def overview(runs: Iterable[Run]) -> pd.DataFrame:
    """Return a row a run: name, recipe and FIGURES, missing where a run was not measured."""
    import pandas as pd

    rows = [
        {"name": run_name(run), "recipe": run.metrics["recipe"], **{k: run.metrics.get(k) for k in FIGURES}}
        for run in runs
    ]
    return pd.DataFrame(rows, columns=["name", "recipe", *FIGURES])


def held_out(run: Run) -> pd.DataFrame:
    """Return a run's held-out rows: text, label, predicted, probability (of the predicted label), and p_....

    Raises:
        OutputError: if it held none out.
    """
    rows = run.predictions
    probabilities = rows[[column for column in rows.columns if column.startswith("p_")]].to_numpy()
    return rows.assign(probability=probabilities.max(axis=1))


def classes_of(rows: pd.DataFrame) -> list[str]:
    """Return the labels that held-out rows have probabilities of."""
    return [column.removeprefix("p_") for column in rows.columns if column.startswith("p_")]


def is_multilabel(rows: pd.DataFrame) -> bool:
    """Whether held-out rows may have several labels each."""
    return not isinstance(rows["label"].iloc[0], str)


def confusion_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the confusion matrix, a row a cell: label, predicted, count, share (of the label's rows)."""
    import pandas as pd

    classes = classes_of(rows)
    counts = pd.crosstab(rows["label"], rows["predicted"]).reindex(
        index=classes, columns=classes, fill_value=0
    )
    cells = counts.rename_axis(index="label", columns="predicted").stack().rename("count").reset_index()
    totals = cells.groupby("label")["count"].transform("sum").clip(lower=1)
    return cells.assign(share=cells["count"] / totals)


def rows_behind(rows: pd.DataFrame, label: str, predicted: str) -> pd.DataFrame:
    """Return the rows of one cell of the confusion matrix, those first of which the model was surest."""
    chosen = rows[(rows["label"] == label) & (rows["predicted"] == predicted)]
    return chosen.sort_values("probability", ascending=False, kind="stable")


@dataclass(frozen=True)
class SideBySide:
    """Two runs on the rows that both held out.

    Attributes:
        figures: What `compare_pair` gives: first minus second, intervals, McNemar's test.
        rows: text, label, first, second (what each predicted): those on which they differ.
    """

    figures: dict[str, Any]
    rows: pd.DataFrame


def side_by_side(first: Run, second: Run) -> SideBySide:
    """Compare two runs on the rows that both held out.

    Raises:
        OutputError: if one of them held none out.
        DataError: if they share too few rows, or have other labels.
    """
    import pandas as pd

    members = [Member(run_name(run), run, run.predictions) for run in (first, second)]
    if set(members[0].classes) != set(members[1].classes) or members[0].multilabel != members[1].multilabel:
        raise DataError(
            f"{members[0].name} and {members[1].name} have other labels; they cannot be compared."
        )
    places = common_rows(members)
    tables = [member.table.iloc[rows] for member, rows in zip(members, places, strict=True)]
    several = members[0].multilabel
    gold = labels_of(tables[0]["label"], several)
    said = [labels_of(table["predicted"], several) for table in tables]
    figures = compare_pair(gold, said[0], said[1], members[0].classes, multilabel=several)
    rows = pd.DataFrame({"text": tables[0]["text"].to_numpy(), "label": gold})
    rows = rows.assign(first=said[0], second=said[1])
    return SideBySide(figures, rows[np.array([a != b for a, b in zip(*said, strict=True)], dtype=bool)])


def is_measured(run: Run) -> bool:
    """Whether a run has held-out rows to look at."""
    return (run.folder / PREDICTIONS).is_file()
