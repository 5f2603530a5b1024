"""Reading what sentence embeddings learn from: scored, labelled or positive pairs, triplets, translations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gallae.data.columns import INDEX, listing, named_columns
from gallae.data.reading import open_any
from gallae.data.tables import Table, concatenated
from gallae.errors import DataError

_FIRST = (
    *("sentence1", "question1", "premise", "text1", "sent1", "anchor", "query", "source", "src"),
    *("sentence_a", "문장1", "원문"),
)
_SECOND = (
    *("sentence2", "question2", "hypothesis", "text2", "sent2", "positive", "target", "tgt", "translation"),
    *("sentence_b", "문장2", "번역"),
)
_NEGATIVE = ("negative", "sentence3", "text3", "문장3")
_SCORE = ("score", "similarity", "similarity_score", "label", "점수", "유사도")
_LABEL = ("gold_label", "label", "is_duplicate", "relation", "class", "라벨", "레이블")
_PIECE = 1 << 16


@dataclass(frozen=True)
class Layout:
    """The columns that an objective needs: for each its part and its well-known names.

    Attributes:
        texts: Of the two or three texts.
        target: Of the score or label; None without one.
    """

    texts: tuple[tuple[str, tuple[str, ...]], ...]
    target: tuple[str, tuple[str, ...]] | None = None


_PAIR = (("first sentence", _FIRST), ("second sentence", _SECOND))
LAYOUTS = {
    "classification": Layout(_PAIR, ("label", _LABEL)),
    "regression": Layout(_PAIR, ("score", _SCORE)),
    "triplet": Layout((*_PAIR, ("negative", _NEGATIVE))),
    "ranking": Layout(_PAIR),
    "distillation": Layout((("source sentence", _FIRST), ("translation", _SECOND))),
}


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
    layout: str,
    *,
    columns: Sequence[str] = (),
    format: str | None = None,
    encoding: str | None = None,
) -> list[SentenceRow]:
    """Read rows of a table: CSV, TSV, JSONL, JSON, Parquet or Excel with a header.

    Args:
        path: The file, or `hf:owner/name`.
        layout: A name of `LAYOUTS`.
        columns: The columns in the layout's order, the target last; () finds them by well-known names. A
            file of exactly as many columns as are needed is taken in its own order.
        format: One of `gallae.data.sniffing.FORMATS`; None detects it.
        encoding: Of a text file; None detects it.

    Raises:
        DataError: names file, line and column of what cannot be used.
    """
    wanted = LAYOUTS[layout]
    parts = [*wanted.texts, *([wanted.target] if wanted.target else [])]
    known = [name for _, names in parts for name in names]
    table = open_any(path, format, encoding, _PIECE, wanted=[*known, *columns])
    frame = concatenated(table.pieces, table.columns)
    if frame.empty:
        raise DataError(f"{table.source} has columns ({listing(table.columns)}) but no rows.")
    chosen = _choose(table, parts, columns)
    texts = [_texts(table, frame, name) for name in chosen[: len(wanted.texts)]]
    targets: Sequence[float | str | None] = [None] * len(frame)
    if wanted.target:
        read = _scores if layout == "regression" else _texts
        targets = read(table, frame, chosen[-1])
    return [SentenceRow(row, target) for row, target in zip(zip(*texts, strict=True), targets, strict=True)]


def _choose(table: Table, parts: Sequence[tuple[str, tuple[str, ...]]], columns: Sequence[str]) -> list[str]:
    if columns:
        if len(columns) != len(parts):
            raise DataError(
                f"--columns names {len(columns)} columns ({', '.join(columns)}), but {len(parts)} are "
                f"needed: {', '.join(part for part, _ in parts)}, in this order."
            )
        return [named_columns([name], table.columns, "--columns", table.source)[0] for name in columns]
    folded = {name.casefold(): name for name in table.columns}
    found = [next((folded[name] for name in names if name in folded), None) for _, names in parts]
    if all(found):
        return [name for name in found if name]
    left = [name for name in table.columns if name.casefold() not in INDEX]
    if not any(found) and len(left) == len(parts):
        _refuse_headless(table, left)
        return left
    missing = next(part for (part, _), name in zip(parts, found, strict=True) if not name)
    raise DataError(
        f"{table.source}: which column holds the {missing}? None has a well-known name. Columns: "
        f"{listing(table.columns)}. Name them with --columns "
        f"{','.join(part.replace(' ', '-') for part, _ in parts)} (in Python: columns=[...])."
    )


def _refuse_headless(table: Table, columns: Sequence[str]) -> None:
    long = next((name for name in columns if len(name) > 40 or name.count(" ") > 2), None)
    if long is not None:
        raise DataError(
            f"{table.source}, line 1: {long!r} looks like a sentence, not like a column's name. "
            "Put a line with the columns' names above, such as source<TAB>translation."
        )


def _texts(table: Table, frame: pd.DataFrame, column: str) -> list[str]:
    cells = frame[column].fillna("").astype("str").str.strip()
    blank = (cells == "").to_numpy()
    if blank.any():
        at = int(blank.argmax())
        raise DataError(
            f"{table.source}, {table.where(at)}: the column {column!r} is empty ({int(blank.sum())} such "
            "rows). Fill them in or leave these rows out."
        )
    return cells.tolist()


def _scores(table: Table, frame: pd.DataFrame, column: str) -> list[float]:
    cells = frame[column].fillna("").astype("str").str.strip()
    numbers = pd.to_numeric(cells, errors="coerce")
    wrong = [at for at, number in enumerate(numbers) if not math.isfinite(number) or number < 0]
    if wrong:
        raise DataError(
            f"{table.source}, {table.where(wrong[0])}: the column {column!r} holds {cells.iloc[wrong[0]]!r} "
            f"where a score of 0 or more is wanted ({len(wrong)} such rows). Repair them, or name another "
            "column with --columns."
        )
    return [float(number) for number in numbers]


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
