"""Rows that a network holds out of its own training rows, to see when to stop."""

from __future__ import annotations

import logging

import numpy as np

log = logging.getLogger(__name__)


def hold_out(rows: np.ndarray, target: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into those to learn from and a share to watch, stratified for single labels.

    Every class keeps at least one row to learn from.

    Args:
        rows: (n,) row numbers.
        target: (n_texts,) class numbers, or (n_texts, n_classes) bool.
        share: Of the rows, 0 for none.
        seed: Of the choice.

    Returns:
        Row numbers to learn from and held out, both sorted.
    """
    if not share:
        return rows, rows[:0]
    generator = np.random.default_rng(seed)
    if target.ndim == 2:
        chosen = generator.permutation(len(rows))[: round(share * len(rows))]
    else:
        classes = target[rows]
        parts = []
        for number in np.unique(classes):
            places = generator.permutation(np.flatnonzero(classes == number))
            parts.append(places[: min(round(share * len(places)), len(places) - 1)])
        chosen = np.concatenate(parts)
    if not len(chosen):
        log.warning("there are too few rows to hold any out for early stopping; all epochs are run")
    held = np.zeros(len(rows), dtype=bool)
    held[chosen] = True
    return rows[~held], rows[held]
