"""Looking closer at predictions: tests between models, calibration, errors, label balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest, chi2

from gallae.errors import DataError
from gallae.evaluation.bootstrap import interval, resampled_sums
from gallae.evaluation.metrics import (
    BINS,
    Bools,
    Floats,
    Hits,
    Labels,
    calibration_bin,
    check_probabilities,
    decide,
    encode,
    resampled_macro_f1,
)

FEW_DISCORDANT = 25


def mcnemar(only_a_right: int, only_b_right: int) -> dict[str, Any]:
    """McNemar's test that two models on the same rows are equally often right.

    The exact binomial test below 25 discordant rows, else chi-square with one degree of freedom and
    Edwards' continuity correction (McNemar 1947; Edwards 1948; Dietterich 1998, Approximate Statistical
    Tests for Comparing Supervised Classification Learning Algorithms).

    Returns:
        {"test": "exact" or "chi2", "statistic": float or None, "p_value": float}.
    """
    discordant = only_a_right + only_b_right
    if discordant < FEW_DISCORDANT:
        p_value = binomtest(only_a_right, discordant, 0.5).pvalue if discordant else 1.0
        return {"test": "exact", "statistic": None, "p_value": float(p_value)}
    excess = max(0, abs(only_a_right - only_b_right) - 1)
    statistic = excess**2 / discordant
    return {"test": "chi2", "statistic": float(statistic), "p_value": float(chi2.sf(statistic, df=1))}


def compare_pair(
    gold: Labels,
    predicted_a: Labels,
    predicted_b: Labels,
    classes: Sequence[str],
    *,
    multilabel: bool = False,
    bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare two models on the same rows; `compare_models` for two without names.

    Returns:
        {n, only_a_right, only_b_right, test, statistic, p_value, accuracy_difference,
        macro_f1_difference and their ..._interval}; differences are a minus b.

    Raises:
        DataError: for no rows, lengths that differ, an unknown label.
    """
    both = {"a": predicted_a, "b": predicted_b}
    pair = compare_models(gold, both, classes, multilabel=multilabel, bootstrap=bootstrap, seed=seed)[0]
    return {key: value for key, value in pair.items() if key not in ("a", "b")}


def compare_models(
    gold: Labels,
    predicted: Mapping[str, Labels],
    classes: Sequence[str],
    *,
    multilabel: bool = False,
    bootstrap: int = 1000,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Compare every two of some models on the same rows.

    Figures are those of `evaluate` (multi-label: accuracy over label cells); "right" for McNemar's test
    is the whole row. Intervals are a paired 95 % percentile bootstrap: all models are measured on the
    same resampled rows.

    Args:
        gold: The right labels, n strings; tuples of strings when `multilabel`.
        predicted: Model name to its n labels.
        classes: The models' labels.
        multilabel: Whether a row has a set of labels.
        bootstrap: Number of resamples; 0 leaves the intervals out.
        seed: Seeds the resampling.

    Returns:
        One dict a pair, in the order of `predicted`, with the keys of `compare_pair` and the names `a`, `b`.

    Raises:
        DataError: for no rows, lengths that differ, an unknown label.
    """
    n = len(gold)
    if n == 0:
        raise DataError("there is no labelled row to compare models on.")
    for name, labels in predicted.items():
        if len(labels) != n:
            raise DataError(f"{len(labels)} predictions of {name!r} for {n} gold labels.")
    truth = _table(gold, classes, multilabel)
    models = {name: _Model.of(truth, _table(labels, classes, multilabel), multilabel)
              for name, labels in predicted.items()}  # fmt: skip
    points = {name: model.point(truth) for name, model in models.items()}
    draws = _resampled(truth, models, bootstrap, seed) if bootstrap else None
    return [
        {
            **{"a": a, "b": b, "n": n},
            **_discordance(models[a].exact, models[b].exact),
            **_differences(points, draws, a, b),
        }
        for a, b in combinations(models, 2)
    ]


def _table(labels: Labels, classes: Sequence[str], multilabel: bool) -> Bools:
    codes = encode(labels, classes, multilabel)
    return codes if multilabel else codes[:, np.newaxis] == np.arange(len(classes))


class _Pair(NamedTuple):
    accuracy: Any
    macro_f1: Any


class _Model(NamedTuple):
    """What a model said, (n, n_classes); which rows it got wholly right, (n,); their part of its accuracy."""

    said: Bools
    exact: Bools
    share: Floats

    @classmethod
    def of(cls, truth: Bools, said: Bools, multilabel: bool) -> _Model:
        right = truth == said
        exact = np.all(right, axis=1)
        return cls(said, exact, np.asarray(np.mean(right, axis=1) if multilabel else exact, dtype=np.float64))

    def hits(self, truth: Bools) -> Hits:
        return Hits((truth & self.said).sum(axis=0), self.said.sum(axis=0), truth.sum(axis=0))

    def point(self, truth: Bools) -> _Pair:
        return _Pair(self.share.mean(), self.hits(truth).scores()["f1"].mean())


def _resampled(truth: Bools, models: Mapping[str, _Model], bootstrap: int, seed: int) -> dict[str, _Pair]:
    n, k = truth.shape

    def columns(rows: slice) -> NDArray[Any]:
        """Gold per label; then for each model true positives and predicted per label, and its share."""
        parts: list[NDArray[Any]] = [truth[rows]]
        for model in models.values():
            said = model.said[rows]
            parts += [truth[rows] & said, said, model.share[rows, np.newaxis]]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    sums = resampled_sums(columns, n, bootstrap, np.random.default_rng(seed))
    drawn = {}
    for number, (name, model) in enumerate(models.items()):
        at = k + number * (2 * k + 1)
        hits = Hits(sums[:, at : at + k], sums[:, at + k : at + 2 * k], sums[:, :k])
        drawn[name] = _Pair(sums[:, at + 2 * k] / n, resampled_macro_f1(hits, model.hits(truth)))
    return drawn


def _discordance(right_a: Bools, right_b: Bools) -> dict[str, Any]:
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    return {"only_a_right": only_a, "only_b_right": only_b, **mcnemar(only_a, only_b)}


def _differences(
    points: Mapping[str, _Pair], draws: Mapping[str, _Pair] | None, a: str, b: str
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name in ("accuracy", "macro_f1"):
        point = float(getattr(points[a], name) - getattr(points[b], name))
        figures[f"{name}_difference"] = point
        if draws is not None:
            values = getattr(draws[a], name) - getattr(draws[b], name)
            figures[f"{name}_difference_interval"] = interval(values, point)
    return figures


def calibration_curve(
    gold: Labels,
    probabilities: ArrayLike,
    classes: Sequence[str],
    *,
    multilabel: bool = False,
    predicted: Labels | None = None,
) -> list[dict[str, Any]]:
    """The filled ones of `evaluate`'s 15 bins of confidence, in rising order.

    A single label's confidence is the probability of the predicted one; for label sets every (row,
    label) cell counts with the probability that the label applies.

    Returns:
        [{low, high, count, confidence (mean), accuracy (share right; multi-label: share that apply)}, ...].
    """
    table = check_probabilities(probabilities, len(gold), classes)
    truth = encode(gold, classes, multilabel)
    if multilabel:
        confidence, right = table.ravel(), truth.ravel()
    else:
        guess = table.argmax(axis=1) if predicted is None else encode(predicted, classes)
        confidence, right = table[np.arange(len(table)), guess], guess == truth
    bins = calibration_bin(confidence)
    counts = np.bincount(bins, minlength=BINS)
    sums, hits = np.bincount(bins, confidence, BINS), np.bincount(bins, right, BINS)
    return [
        {
            "low": number / BINS,
            "high": (number + 1) / BINS,
            "count": int(counts[number]),
            "confidence": float(sums[number] / counts[number]),
            "accuracy": float(hits[number] / counts[number]),
        }
        for number in np.flatnonzero(counts).tolist()
    ]


def confident_errors(
    texts: Sequence[str],
    gold: Labels,
    probabilities: ArrayLike,
    classes: Sequence[str],
    top: int = 20,
    *,
    multilabel: bool = False,
    predicted: Labels | None = None,
    thresholds: float | Sequence[float] | None = None,
) -> list[dict[str, Any]]:
    """The wrong rows of which the model was surest: where to look for wrong labels and blind spots.

    Returns:
        [{row, text, gold, predicted, probability, gold_probability}, ...], surest first; `probability` is
        that of the predicted label. Multi-label: `gold` and `predicted` are lists, `label` is the row's
        surest wrong decision, `probability` the confidence in it (in leaving it out, too).
    """
    table = check_probabilities(probabilities, len(gold), classes)
    truth = encode(gold, classes, multilabel)
    guess = (
        decide(table, multilabel=multilabel, thresholds=thresholds)
        if predicted is None
        else encode(predicted, classes, multilabel)
    )
    # Lists, so that a pandas column is counted by row, not by its index.
    texts, answers = list(texts), list(gold)
    every = np.arange(len(table))
    if multilabel:
        sureness = np.where(guess == truth, -1.0, np.where(guess, table, 1 - table))
        label = sureness.argmax(axis=1)
        confidence = sureness[every, label]
    else:
        label = guess
        confidence = np.where(guess == truth, -1.0, table[every, guess])
    order = np.argsort(-confidence, kind="stable")[:top]
    errors = []
    for row in order[confidence[order] >= 0].tolist():
        error: dict[str, Any] = {"row": row, "text": texts[row], "probability": float(confidence[row])}
        if multilabel:
            error["gold"] = [classes[column] for column in np.flatnonzero(truth[row]).tolist()]
            error["predicted"] = [classes[column] for column in np.flatnonzero(guess[row]).tolist()]
            error["label"] = classes[int(label[row])]
        else:
            error["gold"], error["predicted"] = answers[row], classes[int(guess[row])]
            error["gold_probability"] = float(table[row, truth[row]])
        errors.append(error)
    return errors


def label_distribution(
    gold: Labels | None, predicted: Labels | None, classes: Sequence[str]
) -> dict[str, dict[str, int]]:
    """How often each class is gold and how often it is predicted: {label: {"gold": n, "predicted": n}}.

    Either side may be None and is then left out. Rows may hold one label or a tuple of them.
    """
    sides = {"gold": gold, "predicted": predicted}
    counts: dict[str, dict[str, int]] = {label: {} for label in classes}
    for side, labels in sides.items():
        if labels is None:
            continue
        multilabel = any(not isinstance(label, str) for label in labels)
        totals = _table(labels, classes, multilabel).sum(axis=0)
        for label, total in zip(classes, totals, strict=True):
            counts[label][side] = int(total)
    return counts
