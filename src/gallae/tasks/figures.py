"""Figures of tasks with 95 % bootstrap intervals over examples, as keys NAME and NAME_interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gallae.evaluation.bootstrap import interval, resampled_counts, resampled_sums
from gallae.evaluation.metrics import Hits, confusion_matrix, encode, resampled_macro_f1

RESAMPLES = 1000
Figures = dict[str, Any]
Floats = NDArray[np.float64]


def averages(values: Mapping[str, ArrayLike], seed: int = 0) -> Figures:
    """Return the mean of each figure over the examples, such as exact match (0 or 1) and F1.

    Args:
        values: Name to (n,) numbers, one an example.
        seed: Of the resampling.
    """
    table = np.stack([np.asarray(column, dtype=np.float64) for column in values.values()], axis=1)
    names = list(values)
    return from_sums(table, lambda sums: {n: sums[..., at] / len(table) for at, n in enumerate(names)}, seed)


def from_sums(table: Floats, figures: Callable[[Floats], Mapping[str, Floats]], seed: int = 0) -> Figures:
    """Return figures that are made of sums over the examples, such as an F1 over all entities.

    Args:
        table: (n, k) numbers to sum, such as right, predicted and gold entities of each example.
        figures: From sums (..., k) to name and (...); called with the sums and with (resamples, k) of them.
        seed: Of the resampling.
    """
    rng = np.random.default_rng(seed)
    points = figures(table.sum(axis=0))
    draws = figures(resampled_sums(lambda rows: table[rows], len(table), RESAMPLES, rng))
    return _joined({name: float(value) for name, value in points.items()}, draws)


def classification(gold: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> Figures:
    """Return accuracy and macro-F1 (see `gallae.evaluation.metrics.evaluate`).

    Raises:
        DataError: for a label that is not in `classes`.
    """
    truth, guess = encode(gold, classes), encode(predicted, classes)
    matrix = confusion_matrix(truth, guess, len(classes))
    whole = Hits.of_confusion(matrix)
    drawn = Hits.of_confusion(resampled_counts(matrix, RESAMPLES, np.random.default_rng(0)))
    points = {"accuracy": float((truth == guess).mean()), "macro_f1": float(whole.scores()["f1"].mean())}
    draws = {
        "accuracy": drawn.true_positive.sum(axis=-1) / len(truth),
        "macro_f1": resampled_macro_f1(drawn, whole),
    }
    return _joined(points, draws)


def correlations(gold: ArrayLike, predicted: ArrayLike) -> Figures:
    """Return Pearson's and Spearman's correlation and the root mean squared error.

    A correlation with what never varies is 0.

    Args:
        gold: (n,) scores.
        predicted: (n,) scores.
    """
    from scipy.stats import rankdata

    truth, guess = np.asarray(gold, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    rng = np.random.default_rng(0)
    draws: dict[str, list[float]] = {"pearson": [], "spearman": [], "rmse": []}
    for number in range(RESAMPLES + 1):
        rows = rng.integers(0, len(truth), len(truth)) if number else np.arange(len(truth))
        x, y = truth[rows], guess[rows]
        draws["pearson"].append(_correlation(x, y))
        draws["spearman"].append(_correlation(rankdata(x), rankdata(y)))
        draws["rmse"].append(float(np.sqrt(np.mean((x - y) ** 2))))
    points = {name: values[0] for name, values in draws.items()}
    return _joined(points, {name: np.array(values[1:]) for name, values in draws.items()})


def _correlation(x: Floats, y: Floats) -> float:
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum() / scale) if scale > 1e-12 else 0.0


def _joined(points: Mapping[str, float], draws: Mapping[str, Any]) -> Figures:
    figures: Figures = {}
    for name, value in points.items():
        figures[name] = value
        figures[f"{name}_interval"] = interval(np.asarray(draws[name]), value)
    return figures
