"""Folds inside a classifier's own fit: for calibrating, and for the weights of an ensemble."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold


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
