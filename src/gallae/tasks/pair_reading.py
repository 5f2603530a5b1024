"""Reading pairs of sentences from tables: KorNLI, KorSTS, KLUE, question_pair, PAWS, or columns by name."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gallae.data.columns import find, listing, named_columns
from gallae.errors import DataError
from gallae.tasks.records import Rows, open_rows, spelt

log = logging.getLogger(__name__)
PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("sentence_a", "sentence_b"),
    ("전제", "가설"),
    ("문장1", "문장2"),
)
TARGETS = {
    "label": ("gold_label", "label", "is_duplicate", "relation", "class", "라벨", "레이블"),
    "score": ("score", "similarity", "labels", "label", "점수", "유사도"),
}
_NO_AGREEMENT = "-"  # SNLI's and MultiNLI's mark of pairs whose annotators did not agree
_KLUE = ("real-label", "label")
Convert = Callable[[Any, Callable[[], str]], Any]


@dataclass(frozen=True)
class Pair:
    """Two sentences.

    Attributes:
        first: Premise, first question, first sentence.
        second: Hypothesis, second question, second sentence.
        target: Label (a string) or score (0 to 5); None where it is not known.
    """

    first: str
    second: str
    target: str | float | None = None


def read_pairs(
    path: str | Path,
    part: str,
    convert: Convert,
    labelled: bool = True,
    columns: str | Sequence[str] | None = None,
    label_column: str | None = None,
    encoding: str | None = None,
) -> list[Pair]:
    """Read a table of any format into pairs.

    Args:
        path: The file.
        part: "label" or "score": what the target is.
        convert: From a cell, and what tells where it stands, to a target.
        labelled: Whether every row must have a target; without, the column is not looked at.
        columns: The two columns of text ("a,b", or a list); None finds them by well-known names.
        label_column: The target's column; None finds it.
        encoding: Of a text file; None detects it.

    Raises:
        DataError: if a column is missing, or a target empty or out of range; names file, line and column.
    """
    wanted = [name for pair in PAIRS for name in pair] + [*TARGETS[part], *_asked(columns, label_column)]
    rows = open_rows(path, wanted, encoding)
    first, second = _text_columns(rows, columns)
    target = _target_column(rows, part, label_column) if labelled else None
    pairs, unsure = [], 0
    for number in range(len(rows.cells)):
        texts = rows.text(number, first), rows.text(number, second)
        if target is None:
            pairs.append(Pair(*texts))
        elif rows.cells[number].get(target) == _NO_AGREEMENT:
            unsure += 1
        else:
            pairs.append(Pair(*texts, _target(rows, number, target, convert)))
    _tell(rows, pairs, unsure)
    return pairs


def _asked(columns: str | Sequence[str] | None, label_column: str | None) -> list[str]:
    names = columns.split(",") if isinstance(columns, str) else list(columns or ())
    return [*names, *([label_column] if label_column else [])]


def _text_columns(rows: Rows, columns: str | Sequence[str] | None) -> tuple[str, str]:
    if columns is not None:
        named = named_columns(columns, rows.columns, "--columns", rows.source)
        if len(named) != 2:
            raise DataError(f"--columns names {len(named)} column(s); a pair has two, such as --columns a,b.")
        return named[0], named[1]
    for one, other in PAIRS:
        first, second = find((one,), rows.columns), find((other,), rows.columns)
        if first and second:
            return first, second
    known = "; ".join(f"{one}, {other}" for one, other in PAIRS)
    raise DataError(
        f"{rows.source}: which two columns hold the sentences? Well-known are {known}. Columns: "
        f"{listing(rows.columns)}. Name them with --columns A,B (in Python: columns=)."
    )


def _target_column(rows: Rows, part: str, label_column: str | None) -> str:
    if label_column is not None:
        return named_columns([label_column], rows.columns, "--label-column", rows.source)[0]
    found = find(TARGETS[part], rows.columns)
    if found is None:
        raise DataError(
            f"{rows.source}: which column holds the {part}? Well-known are {', '.join(TARGETS[part])}. "
            f"Columns: {listing(rows.columns)}. Name it with --label-column (in Python: label_column=)."
        )
    return found


def _target(rows: Rows, number: int, column: str, convert: Convert) -> Any:
    value = rows.value(number, column)
    if isinstance(value, dict):  # KLUE-STS: {"label": 3.7, "real-label": 3.714, "binary-label": 1}
        value = next((value[key] for key in _KLUE if key in value), None)
    if not spelt(value).strip():
        raise DataError(f"{rows.where(number)}: {column!r} is empty. Fill it in, or leave the row out.")
    return convert(value, lambda: f"{rows.where(number)}: {column!r}")


def score_of(value: Any, where: Callable[[], str], highest: float = 5.0) -> float:
    """Return a cell as a score.

    Raises:
        DataError: if it is no number from 0 to `highest`.
    """
    try:
        score = float(value)
    except (TypeError, ValueError):
        score = math.nan
    if not (0 <= score <= highest and math.isfinite(score)):
        limits = f"from 0 to {highest:g}" if math.isfinite(highest) else "from 0 up"
        raise DataError(f"{where()} holds {value!r}; a score is a number {limits}.")
    return score


def label_of(value: Any, where: Callable[[], str]) -> str:
    """Return a cell as a label."""
    return spelt(value).strip()


def _tell(rows: Rows, pairs: Sequence[Pair], unsure: int) -> None:
    if unsure:
        log.warning('%s: %d pairs have the label "-" (no agreement) and are left out', rows.source, unsure)
    empty = sum(not pair.first.strip() or not pair.second.strip() for pair in pairs)
    if empty:
        log.warning(
            "%s: in %d of %d pairs a sentence is empty; they are kept", rows.source, empty, len(pairs)
        )
    if not pairs:
        raise DataError(f"{rows.source} holds no pair.")
