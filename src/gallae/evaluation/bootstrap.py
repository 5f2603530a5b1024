"""Percentile bootstrap over rows, vectorised and in bounded memory.

Method: B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]

WEIGHTS_AT_ONCE = 16_000_000
ROWS_AT_ONCE = 8192


def resampled_counts(counts: Integers, resamples: int, rng: np.random.Generator) -> Integers:
    """Cell counts of resampled tables.

    Drawing the cells from a multinomial is the same as drawing rows with replacement and counting
    them, at a cost that does not grow with the number of rows.

    Args:
        counts: Rows in each cell, any shape.
        resamples: How many tables to draw.
        rng: Source of randomness.

    Returns:
        Array (resamples, *counts.shape) of integers.
    """
    flat = counts.ravel()
    filled = np.flatnonzero(flat)
    drawn = np.zeros((resamples, flat.size), dtype=np.int64)
    n = int(flat.sum())
    drawn[:, filled] = rng.multinomial(n, flat[filled] / n, size=resamples)
    return drawn.reshape(resamples, *counts.shape)


def resampled_sums(
    columns: Callable[[slice], Floats], n: int, resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Column sums of resampled rows.

    Args:
        columns: Gives the rows of a slice as an array (rows, n_columns); it is called once per slice for
            each group of resamples, so that a wide table never lies whole in memory.
        n: Number of rows.
        resamples: How many times to draw `n` rows with replacement.
        rng: Source of randomness.

    Returns:
        Array (resamples, n_columns).
    """
    at_once = max(1, WEIGHTS_AT_ONCE // n)
    groups = []
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        weights = np.empty((size, n), dtype=np.float32)
        for drawn in weights:
            drawn[:] = np.bincount(rng.integers(0, n, size=n), minlength=n)
        groups.append(_weighted_sums(columns, weights))
    return np.concatenate(groups)


def _weighted_sums(columns: Callable[[slice], Floats], weights: Floats) -> NDArray[np.float64]:
    total: NDArray[np.float64] | None = None
    for start in range(0, weights.shape[1], ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        part = (weights[:, rows] @ columns(rows).astype(np.float32)).astype(np.float64)
        total = part if total is None else total + part
    assert total is not None
    return total


def interval(values: Floats, point: float, level: float = 0.95) -> list[float]:
    """The percentile interval of `values`, NaN left out, widened where needed to hold `point`.

    Args:
        values: The figure in each resample, (resamples,); NaN where it is not defined there.
        point: The figure on all rows.
        level: Share of the resamples inside the interval.

    Returns:
        [low, high].
    """
    defined = values[np.isfinite(values)]
    if not defined.size:
        return [float(point), float(point)]
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return [float(min(low, point)), float(max(high, point))]


def unbiased_interval(values: Floats, point: float, level: float = 0.95) -> list[float]:
    """`interval` for a figure that resampling inflates: its mean excess over `point` is taken off first.

    A calibration error sums absolute gaps, and the noise that resampling adds to the gaps can only make
    them larger; a plain percentile interval may then lie wholly above the figure it belongs to.
    """
    low, high = interval(values - (values.mean() - point), point, level)
    return [max(0.0, low), high]
