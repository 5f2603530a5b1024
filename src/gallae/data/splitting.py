"""Splits: stratified hold-out and folds, by group, with near duplicates kept together; deterministic by seed.

Multi-label rows are stratified by their combination of labels; combinations with too few rows for every
part are pooled into one stratum. Iterative stratification (Sechidis et al. 2011) balances each label a
little better, but needs a pass a label and row; on combinations that are frequent enough to matter the
two agree, and the rare rest is spread at random by both.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from gallae.data.corpus import Corpus
from gallae.data.duplicates import group_numbers, near_duplicates, numbered
from gallae.errors import DataError

Split = tuple[np.ndarray, np.ndarray]


def holdout(
    corpus: Corpus,
    share: float,
    seed: int,
    group_column: str | None = None,
    keep_duplicates_together: bool = False,
) -> Split:
    """Hold out a share of the rows, the same share of each class.

    Args:
        corpus: A labelled corpus.
        share: Held-out share, between 0 and 1.
        seed: Same seed, same split.
        group_column: Rows with the same value stay on one side.
        keep_duplicates_together: Near duplicates stay on one side.

    Returns:
        Row numbers to train on and row numbers held out, int64, ascending.

    Raises:
        DataError: on an impossible share, or a class with too few rows (or groups) to stand on both sides.
    """
    if not 0 < share < 1:
        raise DataError(f"--holdout {share}: a share between 0 and 1, such as 0.2.")
    groups = _groups(corpus, group_column, keep_duplicates_together)
    strata = _strata(corpus, groups, 2, "a hold-out")
    held = np.zeros(int(groups.max()) + 1, dtype=bool)
    carried = 0.0
    for members, sizes in _shuffled(groups, strata, seed):
        rows = int(sizes.sum())
        carried += rows * share
        target = min(max(round(carried), 1), rows - 1) if len(members) > 1 else round(carried)
        taken = _filled(members, sizes, target)
        held[taken] = True
        carried -= int(sizes[np.isin(members, taken)].sum())
    out = held[groups]
    if out.all() or not out.any():
        raise DataError(
            f"{corpus.source}: {len(corpus)} rows in {held.size} groups cannot be split with a share of "
            f"{share}. Choose another share or group column."
        )
    return np.flatnonzero(~out), np.flatnonzero(out)


def folds(
    corpus: Corpus,
    k: int,
    seed: int,
    group_column: str | None = None,
    keep_duplicates_together: bool = False,
) -> list[Split]:
    """Split into `k` folds, each with the same share of each class.

    Args:
        corpus: A labelled corpus.
        k: Number of folds, 2 or more.
        seed: Same seed, same folds.
        group_column: Rows with the same value stay in one fold.
        keep_duplicates_together: Near duplicates stay in one fold.

    Returns:
        Per fold the row numbers to train on and those to validate on, int64, ascending; each row is
        validated once.

    Raises:
        DataError: if `k` is below 2, or a class has fewer than `k` rows (or groups).
    """
    if k < 2:
        raise DataError(f"--folds {k}: 2 or more are needed.")
    groups = _groups(corpus, group_column, keep_duplicates_together)
    strata = _strata(corpus, groups, k, f"{k} folds")
    fold_of = np.zeros(int(groups.max()) + 1, dtype=np.int64)
    total = np.zeros(k, dtype=np.int64)
    for members, sizes in _shuffled(groups, strata, seed):
        here = np.zeros(k, dtype=np.int64)
        for member, size in zip(members[np.argsort(-sizes, kind="stable")], -np.sort(-sizes), strict=True):
            fold = int(np.lexsort((total, here))[0])
            fold_of[member] = fold
            here[fold] += size
            total[fold] += size
    row_fold = fold_of[groups]
    if len(np.unique(row_fold)) < k:
        raise DataError(f"{corpus.source}: too few rows or groups for {k} folds. Use fewer folds.")
    return [(np.flatnonzero(row_fold != fold), np.flatnonzero(row_fold == fold)) for fold in range(k)]


def straddling(groups: np.ndarray, train: np.ndarray, valid: np.ndarray) -> int:
    """Count the held-out rows that have a member of their group among the training rows.

    Args:
        groups: Group number of each row, such as from `near_duplicates`.
        train: Row numbers trained on.
        valid: Row numbers held out.
    """
    return int(np.isin(groups[valid], groups[train]).sum())


def _groups(corpus: Corpus, group_column: str | None, keep_duplicates_together: bool) -> np.ndarray:
    """Return the unit of each row that must not be torn apart, numbered from 0."""
    count = len(corpus)
    if count == 0:
        raise DataError(f"{corpus.source} has no rows to split.")
    kinds = []
    if group_column is not None:
        column = corpus.column(group_column)
        if column.isna().any() or (column.astype("str") == "").any():
            raise DataError(
                f"{corpus.source}: the group column {group_column!r} has empty cells. Fill them in."
            )
        kinds.append(numbered([str(value) for value in column]))
    if keep_duplicates_together:
        kinds.append(near_duplicates(corpus.texts))
    if not kinds:
        return np.arange(count)
    if len(kinds) == 1:
        return kinds[0]
    edges = [
        np.stack([np.unique(kind, return_index=True)[1][kind], np.arange(count)], axis=1) for kind in kinds
    ]
    return group_numbers(count, np.concatenate(edges))


def _strata(corpus: Corpus, groups: np.ndarray, parts: int, wanted: str) -> np.ndarray:
    """Return the stratum of each group: the class most of its rows have, -1 pooling rare combinations."""
    if corpus.label_set is None:
        return np.zeros(int(groups.max()) + 1, dtype=np.int64)
    labels: list[Any] = corpus.labels
    multilabel = corpus.label_set.multilabel
    classes = list(dict.fromkeys(labels))
    numbers = {label: at for at, label in enumerate(classes)}
    codes = np.fromiter((numbers[label] for label in labels), dtype=np.int64, count=len(labels))
    votes = np.unique(np.stack([groups, codes], axis=1), axis=0, return_counts=True)
    order = np.lexsort((votes[0][:, 1], -votes[1], votes[0][:, 0]))
    first = np.unique(votes[0][order, 0], return_index=True)[1]
    stratum = votes[0][order, 1][first]
    if multilabel:
        counts = Counter(stratum.tolist())
        return np.array([code if counts[code] >= parts else -1 for code in stratum.tolist()])
    _refuse_small(corpus, classes, codes, groups, parts, wanted)
    return stratum


def _refuse_small(
    corpus: Corpus, classes: list[Any], codes: np.ndarray, groups: np.ndarray, parts: int, wanted: str
) -> None:
    units = np.unique(np.stack([codes, groups], axis=1), axis=0)[:, 0]
    counts = np.bincount(units, minlength=len(classes))
    grouped = len(np.unique(groups)) < len(groups)
    small = [f"{classes[at]!r} has {counts[at]}" for at in np.flatnonzero(counts < parts)]
    if small:
        what = "groups of rows" if grouped else "rows"
        raise DataError(
            f"{corpus.source}: for {wanted} each class needs at least {parts} {what}; "
            f"{', '.join(small[:10])}. Add rows, merge classes with data.label_map, or use "
            f"{'fewer folds' if parts > 2 else 'no split'}."
        )


def _shuffled(groups: np.ndarray, strata: np.ndarray, seed: int) -> list[Split]:
    """Return per stratum, the largest first, its groups in random order, and their sizes."""
    random = np.random.default_rng(seed)
    sizes = np.bincount(groups)
    found = []
    for stratum in np.unique(strata):
        members = random.permutation(np.flatnonzero(strata == stratum))
        found.append((members, sizes[members]))
    return sorted(found, key=lambda entry: -int(entry[1].sum()))


def _filled(members: np.ndarray, sizes: np.ndarray, target: int) -> np.ndarray:
    """Return groups that together have about `target` rows, at least one and not all where there are two."""
    if sizes.max() == 1:
        return members[:target]
    taken: list[int] = []
    rows = 0
    for member, size in zip(members.tolist(), sizes.tolist(), strict=True):
        if rows + size <= target:
            taken.append(member)
            rows += size
    if not taken and target > 0:
        taken = [int(members[np.argmin(sizes)])]
    if len(taken) == len(members) > 1:
        taken.pop()
    return np.array(taken, dtype=np.int64)
