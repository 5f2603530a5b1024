"""How a run holds rows out: a file of its own, a share, K folds, or not at all."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gallae.data import Corpus, check_trainable, folds, holdout, near_duplicates, read, straddling
from gallae.errors import DataError
from gallae.recipes import Recipe

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitOptions:
    """What the user asked for; at most one of the first three.

    Attributes:
        valid: A labelled file to validate on.
        holdout: Share of the rows to hold out.
        folds: Number of folds.
    """

    valid: str | Path | None = None
    holdout: float | None = None
    folds: int | None = None

    def __post_init__(self) -> None:
        given = [
            f"--{name}" for name in ("valid", "holdout", "folds") if getattr(self, name) not in (None, "")
        ]
        if len(given) > 1:
            raise DataError(f"{' and '.join(given)} contradict each other. Give one of them.")
        if self.holdout is not None and not 0 < self.holdout < 1:
            raise DataError(f"--holdout {self.holdout}: a share between 0 and 1, such as 0.2.")
        if self.folds is not None and self.folds < 2:
            raise DataError(f"--folds {self.folds}: 2 or more are needed.")

    @property
    def measures(self) -> bool:
        """Whether any rows are held out."""
        return bool(self.valid or self.holdout or self.folds)

    @property
    def parts(self) -> int:
        """Into how many parts each class must go."""
        return self.folds or (2 if self.holdout else 1)

    def describe(self) -> str:
        """Return the split in words."""
        if self.folds:
            return f"{self.folds} stratified folds"
        if self.holdout:
            return f"stratified hold-out of {self.holdout:g}"
        return f"file {Path(self.valid).name}" if self.valid else "none"


@dataclass(frozen=True)
class Split:
    """One pair of training and held-out rows.

    Attributes:
        number: Its number, from 0.
        train: Corpus to learn from.
        valid: Corpus held out.
    """

    number: int
    train: Corpus
    valid: Corpus


def make_splits(corpus: Corpus, options: SplitOptions, recipe: Recipe) -> tuple[list[Split], list[str]]:
    """Split a corpus.

    Args:
        corpus: What to split.
        options: How.
        recipe: For its seed, group column and whether near duplicates stay together.

    Returns:
        The splits (none without validation), and warnings for the user, which are logged too.

    Raises:
        DataError: if the corpus cannot be trained on, or not be split so.
    """
    check_trainable(corpus, options.parts)
    splits, warnings = _split(corpus, options, recipe)
    _check_labels(splits)
    for warning in warnings:
        log.warning(warning)
    return splits, warnings


def _check_labels(splits: list[Split]) -> None:
    """Refuse splits whose models would not know the same labels, or not those of the held-out rows."""
    known = [_labels(split.train) for split in splits]
    for split, labels in zip(splits, known, strict=True):
        lacking = sorted((_labels(split.valid) | set().union(*known)) - labels)
        if lacking:
            where = f"fold {split.number + 1}" if len(splits) > 1 else "the split"
            raise DataError(
                f"the training rows of {where} lack {', '.join(map(repr, lacking[:10]))}, which other rows "
                "have. Add rows, use fewer folds, another --seed or group column, or drop these labels with "
                "data.label_map."
            )


def _labels(corpus: Corpus) -> set[str]:
    if corpus.label_set is not None and corpus.label_set.multilabel:
        return {name for row in corpus.labels for name in row}
    return set(corpus.labels)


def _split(corpus: Corpus, options: SplitOptions, recipe: Recipe) -> tuple[list[Split], list[str]]:
    if options.valid:
        valid = read(options.valid, **recipe.data.reading(), label_set=corpus.label_set)
        groups = near_duplicates([*corpus.texts, *valid.texts])
        pair = np.split(np.arange(len(groups)), [len(corpus)])
        return [Split(0, corpus, valid)], _warn_about_duplicates(groups, [(pair[0], pair[1])])
    rows = _rows(corpus, options, recipe)
    splits = [
        Split(number, corpus.take(train), corpus.take(valid)) for number, (train, valid) in enumerate(rows)
    ]
    if not splits or recipe.data.keep_duplicates_together:
        return splits, []
    return splits, _warn_about_duplicates(near_duplicates(corpus.texts), rows)


def _rows(corpus: Corpus, options: SplitOptions, recipe: Recipe) -> list[tuple[np.ndarray, np.ndarray]]:
    grouping: dict[str, Any] = {
        "group_column": recipe.data.group_column or corpus.group_column or None,
        "keep_duplicates_together": recipe.data.keep_duplicates_together,
    }
    if options.folds:
        return folds(corpus, options.folds, recipe.seed, **grouping)
    if options.holdout:
        return [holdout(corpus, options.holdout, recipe.seed, **grouping)]
    return []


def _warn_about_duplicates(groups: np.ndarray, rows: list[tuple[np.ndarray, np.ndarray]]) -> list[str]:
    count = sum(straddling(groups, train, valid) for train, valid in rows)
    total = sum(len(valid) for _, valid in rows)
    if not count:
        return []
    return [
        f"{count} of {total} held-out rows ({count / total:.1%}) have a near duplicate among the rows "
        "trained on, which flatters the figures. To keep them together add "
        "--set data.keep_duplicates_together=true."
    ]
