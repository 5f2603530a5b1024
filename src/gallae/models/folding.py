"""Folds inside a classifier's own fit: for calibrating, for the weights of an ensemble, for label errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold, StratifiedKFold

from gallae.progress import track


def held_out_folds(
    target: np.ndarray, folds: int, seed: int, every: bool = False
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split rows into stratified folds; a row whose class no other row has is never held out.

    Args:
        target: (n,) class numbers, or a (n, n_classes) table for multi-label, whose folds are random.
        folds: Number of folds, 2 or more; fewer are made if no class has so many rows.
        seed: Of the folds.
        every: Hold every row out, those too whose class is then missing among the rows to fit on.

    Returns:
        A pair a fold: row numbers to fit on, row numbers held out.
    """
    single = target.ndim == 1
    sizes = np.bincount(target)[target] if single else np.full(len(target), len(target))
    alone = np.zeros(len(target), dtype=bool) if every else sizes == 1
    shared = np.flatnonzero(~alone)
    if not len(shared):
        return []
    if every and sizes.max() < folds:
        single, sizes = False, np.full(len(target), len(target))
    kind = StratifiedKFold if single else KFold
    splitter = kind(min(folds, int(sizes.max())), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        pairs = list(splitter.split(shared, target[shared]))
    rest = np.flatnonzero(alone)
    return [(np.concatenate([shared[fit_on], rest]), shared[held_out]) for fit_on, held_out in pairs]


def out_of_fold(
    estimator: Any,
    texts: list[str],
    labels: np.ndarray,
    classes: np.ndarray,
    splits: list[tuple[np.ndarray, np.ndarray]],
) -> np.ndarray:
    """Return out-of-fold probabilities, (n, n_classes); NaN where no fold's model has one."""
    place = {label: column for column, label in enumerate(classes.tolist())}
    table = np.full((len(texts), len(classes)), np.nan)
    for fit_on, held_out in track(splits, "folds"):
        part = clone(estimator).fit([texts[row] for row in fit_on], labels[fit_on])
        columns = np.array([place[label] for label in part.classes_.tolist()])
        table[np.ix_(held_out, columns)] = part.predict_proba([texts[row] for row in held_out])
    return table
