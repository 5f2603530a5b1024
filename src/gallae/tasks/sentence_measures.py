"""How well the cosines of sentence vectors tell what people say of the sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from gallae.errors import DataError
from gallae.evaluation.bootstrap import interval
from gallae.tasks.figures import RESAMPLES, averages, correlations
from gallae.tasks.pair_reading import Pair
from gallae.tasks.pairs import bigrams_of, cosine_of
from gallae.tasks.sentence_rows import SentenceRow

FIGURES = {
    "spearman": "Spearman",
    "pearson": "Pearson",
    "auc": "area under the ROC curve",
    "accuracy": "positive nearer than negative",
    "accuracy_at_1": "partner found first",
    "mean_reciprocal_rank": "mean reciprocal rank",
}
Floats = NDArray[np.float64]
_BASELINES: dict[str, tuple[str, Callable[[str], list[str]]]] = {
    "baseline": ("cosine of words", str.split),
    "bigram_baseline": ("cosine of character bigrams", bigrams_of),
}


def kind_of(rows: Sequence[SentenceRow]) -> str:
    """Return which layout rows have: "triplet", "ranking", "regression" or "classification"."""
    if len(rows[0].texts) == 3:
        return "triplet"
    target = rows[0].target
    return "ranking" if target is None else "regression" if isinstance(target, float) else "classification"


def measure(
    rows: Sequence[SentenceRow], cosines: Floats, among: Floats | None, seed: int = 0
) -> dict[str, Any]:
    """Return figures with 95 % percentile bootstrap intervals, and the trivial baseline's beside them.

    Scored pairs: "spearman" and "pearson" of cosine and score. Labelled pairs: "cosine_by_label", the mean
    of each label, and for two labels "auc", that a pair of the second has the higher cosine. Triplets:
    "accuracy", the share with the positive nearer than the negative. Positive pairs: "accuracy_at_1" and
    "mean_reciprocal_rank" of the right partner among all partners. Baselines are the cosines of the counts of
    words and of character bigrams; for positive pairs it is chance.

    Args:
        rows: All of one layout.
        cosines: (n_rows, 1), or (n_rows, 2) of triplets.
        among: For positive pairs, (n_rows,) the rank of the right partner, from 1.
        seed: Of the resampling.

    Raises:
        DataError: if there are fewer than two rows.
    """
    if len(rows) < 2:
        raise DataError(f"{len(rows)} row is too little to measure on; give two or more.")
    kind = kind_of(rows)
    figures: dict[str, Any] = {"n": len(rows), "kind": kind}
    if kind == "ranking":
        assert among is not None
        chance = {"name": "chance", "accuracy_at_1": 1 / len({row.texts[1] for row in rows})}
        return (
            figures
            | averages({"accuracy_at_1": among == 1, "mean_reciprocal_rank": 1 / among}, seed)
            | {"baseline": chance}
        )
    measured = {"triplet": _triplets, "regression": _scored, "classification": _labelled}[kind]
    simple = {
        key: {"name": name, **measured(rows, _shared(rows, parts), seed)}
        for key, (name, parts) in _BASELINES.items()
    }
    return figures | measured(rows, cosines, seed) | simple


def _shared(rows: Sequence[SentenceRow], parts: Callable[[str], list[str]]) -> Floats:
    """Return the cosines of the counts of the texts' parts, such as their words, shaped as `cosines`."""
    values = [[cosine_of(Pair(row.texts[0], other), parts) for other in row.texts[1:]] for row in rows]
    return np.array(values, dtype=np.float64)


def _triplets(rows: Sequence[SentenceRow], cosines: Floats, seed: int) -> dict[str, Any]:
    gap = cosines[:, 0] - cosines[:, 1]
    return averages({"accuracy": (gap > 0) + 0.5 * (gap == 0)}, seed)


def _scored(rows: Sequence[SentenceRow], cosines: Floats, seed: int) -> dict[str, Any]:
    found = correlations(np.array([row.target for row in rows], dtype=np.float64), cosines[:, 0])
    return {key: value for key, value in found.items() if not key.startswith("rmse")}


def _labelled(rows: Sequence[SentenceRow], cosines: Floats, seed: int) -> dict[str, Any]:
    labels = np.array([str(row.target) for row in rows])
    names = sorted(set(labels.tolist()))
    found: dict[str, Any] = {
        "cosine_by_label": {name: float(cosines[labels == name].mean()) for name in names}
    }
    if len(names) != 2:
        return found
    positive = (labels == names[1]).astype(np.float64)
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(rows), len(rows)) for _ in range(RESAMPLES)]
    values = np.array([auc(positive[draw], cosines[draw, 0]) for draw in draws])
    point = auc(positive, cosines[:, 0])
    return found | {"auc": point, "auc_interval": interval(values, point)}


def auc(positive: Floats, values: Floats) -> float:
    """Return how often a positive's value is above a negative's, ties half; NaN where one kind is missing."""
    n = float(positive.sum())
    if n in (0.0, float(len(positive))):
        return float("nan")
    return float((rankdata(values) @ positive - n * (n + 1) / 2) / (n * (len(positive) - n)))
