"""Reading what sentence embeddings learn from: scored, labelled or positive pairs, triplets, translations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gallae.data.columns import INDEX, find, listing, named_columns
from gallae.errors import DataError
from gallae.tasks.pair_reading import PAIRS, label_of, read_pairs, score_of
from gallae.tasks.records import Rows, open_rows

_FIRST = ("anchor", "query", "source", "src", "원문", *(one for one, _ in PAIRS))
_SECOND = ("positive", "target", "tgt", "translation", "번역", *(other for _, other in PAIRS))
_NEGATIVE = ("negative", "sentence3", "text3", "문장3")
_ANY_SCORE = partial(score_of, highest=float("inf"))  # `unit_scores` says which is too high
TEXTS = {
    "classification": ("first sentence", "second sentence"),
    "regression": ("first sentence", "second sentence"),
    "triplet": ("anchor", "positive", "negative"),
    "ranking": ("first sentence", "second sentence"),
    "distillation": ("text", "translation"),
}
"""Objective to what its columns of text are."""
TARGETS: dict[str, tuple[str, type, Any]] = {
    "classification": ("label", str, label_of),
    "regression": ("score", float, _ANY_SCORE),
}
"""Objective to what its target is called, its type, and what reads it; the others have none."""


@dataclass(frozen=True)
class SentenceRow:
    """One row to learn from.

    Attributes:
        texts: Two texts, or three for a triplet (anchor, positive, negative).
        target: The pair's score or label; None where there is none.
    """

    texts: tuple[str, ...]
    target: float | str | None = None


def read_rows(
    path: str | Path,
    objective: str,
    *,
    columns: str | Sequence[str] | None = None,
    label_column: str | None = None,
    encoding: str | None = None,
) -> list[SentenceRow]:
    """Read the rows of an objective from a table: CSV, TSV, JSONL, JSON, Parquet or Excel with a header.

    Args:
        path: The file, or `hf:owner/name`.
        objective: A name in `TEXTS`.
        columns: The columns of text in order ("a,b", or a list); None finds them by well-known names, or
            takes all there are where their number is right.
        label_column: The column of the label or score; None finds it.
        encoding: Of a text file; None detects it.

    Raises:
        DataError: for an objective that is not known; names file, line and column of what cannot be used.
    """
    if objective not in TEXTS:
        raise DataError(f"there is no objective {objective!r}. Known: {', '.join(TEXTS)}.")
    if objective in TARGETS:
        part, _, convert = TARGETS[objective]
        pairs = read_pairs(path, part, convert, True, columns, label_column, encoding)
        return [SentenceRow((pair.first, pair.second), pair.target) for pair in pairs]
    if label_column is not None:
        raise DataError(f"--label-column {label_column}: the objective {objective!r} reads no label.")
    asked = columns.split(",") if isinstance(columns, str) else list(columns or ())
    rows = open_rows(path, [*_FIRST, *_SECOND, *_NEGATIVE, *asked], encoding)
    chosen = _choose(rows, TEXTS[objective], asked)
    numbers = range(len(rows.cells))
    return [SentenceRow(tuple(rows.required(number, name) for name in chosen)) for number in numbers]


def _choose(rows: Rows, parts: Sequence[str], asked: Sequence[str]) -> list[str]:
    if asked:
        chosen = named_columns(asked, rows.columns, "--columns", rows.source)
        if len(chosen) != len(parts):
            raise DataError(
                f"--columns names {len(chosen)} column(s), but {len(parts)} are needed: {', '.join(parts)}."
            )
        return chosen
    found = [find(names, rows.columns) for names in (_FIRST, _SECOND, _NEGATIVE)[: len(parts)]]
    known = [name for name in found if name]
    if len(known) == len(parts):
        return known
    left = [name for name in rows.columns if name.casefold() not in INDEX]
    if not known and len(left) == len(parts):
        _refuse_headless(rows, left)
        return left
    missing = next(part for part, name in zip(parts, found, strict=True) if not name)
    raise DataError(
        f"{rows.source}: which column holds the {missing}? None has a well-known name. Columns: "
        f"{listing(rows.columns)}. Name all {len(parts)} with --columns (in Python: columns=)."
    )


def _refuse_headless(rows: Rows, columns: Sequence[str]) -> None:
    long = next((name for name in columns if len(name) > 40 or name.count(" ") > 2), None)
    if long is not None:
        raise DataError(
            f"{rows.source}, line 1: {long!r} looks like a sentence, not like a column's name. "
            "Put a line with the columns' names above, such as source<TAB>translation."
        )


def unit_scores(scores: Sequence[float], highest: float = 0.0) -> list[float]:
    """Return similarity scores as numbers between 0 and 1.

    Args:
        scores: Of pairs, from 0.
        highest: The score of two sentences that mean the same; 0 for 1 where no score is above, else 5.

    Raises:
        DataError: if a score is above it.
    """
    top = max(scores)
    scale = highest or (1.0 if top <= 1 else 5.0)
    if top > scale:
        raise DataError(
            f"a score of {top:g} is above {scale:g}, the highest there is. Say what the highest is: "
            "--set highest_score=10."
        )
    return [score / scale for score in scores]
