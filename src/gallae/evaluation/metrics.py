"""The figures of a classifier on labelled rows, with 95 % bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gallae.errors import DataError
from gallae.evaluation.bootstrap import (
    ROWS_AT_ONCE,
    interval,
    resampled_counts,
    resampled_sums,
    unbiased_interval,
)

BINS = 15

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating]
Integers = NDArray[np.integer]
Labels = Sequence[str] | Sequence[tuple[str, ...]]


def evaluate(
    gold: Labels,
    probabilities: ArrayLike,
    classes: Sequence[str],
    *,
    multilabel: bool = False,
    predicted: Labels | None = None,
    thresholds: float | Sequence[float] | None = None,
    seconds: float | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure predictions against gold labels.

    Zero division: a class never predicted has precision 0, one without gold rows recall 0, and one with
    neither F1 0. `macro_f1` is the mean over all of `classes`, so a class of the model that has no row
    here and is never predicted counts as 0; this is scikit-learn's
    ``f1_score(labels=classes, average="macro", zero_division=0)``. In a resample that happens to draw no
    row of a class which the data does have, that class is left out of the resample's mean.

    `log_loss` is natural-log and clips like scikit-learn's, at the floating-point type's epsilon. `ece` is
    the expected calibration error of the predicted label's probability over 15 equal-width bins (Guo et
    al. 2017, On Calibration of Modern Neural Networks). Intervals are 95 % percentile bootstrap over rows,
    each holding its figure; that of `ece` is corrected for the bias of resampling.

    Multi-label: `accuracy` is the share of (row, label) cells that are right (Hamming accuracy);
    `subset_accuracy` the share of rows whose whole set is right; `log_loss` and `ece` are means over the
    labels of the binary figures; `micro_f1` pools the cells.

    Args:
        gold: The right labels, n strings; tuples of strings when `multilabel`.
        probabilities: (n, n_classes), columns in the order of `classes`, each value in [0, 1].
        classes: The model's labels.
        multilabel: Whether a row has a set of labels.
        predicted: The decided labels; by default `decide(probabilities, ...)`.
        thresholds: Multi-label only: a label is predicted from this probability on, one number (default
            0.5) or one per class.
        seconds: Wall time of the prediction, passed through.
        bootstrap: Number of resamples; 0 leaves the intervals out.
        seed: Seeds the resampling.

    Returns:
        The content of metrics.json: only dict, list, str, int, float and None, no NaN.

    Raises:
        DataError: for no rows, lengths that differ, an unknown label, values that are no probabilities.
    """
    table = check_probabilities(probabilities, len(gold), classes)
    truth = encode(gold, classes, multilabel)
    if predicted is None:
        guess = decide(table, multilabel=multilabel, thresholds=thresholds)
    elif len(predicted) != len(gold):
        raise DataError(f"{len(predicted)} predictions for {len(gold)} gold labels.")
    else:
        guess = encode(predicted, classes, multilabel)
    rng = np.random.default_rng(seed)
    measure = _measure_sets if multilabel else _measure_single
    figures = measure(truth, guess, table, classes, bootstrap, rng)
    return {**figures, "n": len(gold), "seconds": None if seconds is None else float(seconds)}


def check_probabilities(probabilities: ArrayLike, n: int, classes: Sequence[str]) -> Floats:
    """Return the probabilities as an array (n, n_classes) of floats.

    Raises:
        DataError: for no rows, another shape, NaN, or values outside [0, 1].
    """
    table = np.asarray(probabilities)
    if n == 0:
        raise DataError("there is no labelled row to evaluate on.")
    if table.shape != (n, len(classes)):
        raise DataError(f"probabilities have shape {table.shape}; {n} rows and {len(classes)} classes need "
                        f"({n}, {len(classes)}).")  # fmt: skip
    if table.dtype.kind != "f":
        table = table.astype(np.float64)
    # NaN fails both comparisons, so it is caught here too.
    if not ((table >= -1e-6) & (table <= 1 + 1e-6)).all():
        raise DataError("probabilities must be numbers between 0 and 1; some are not.")
    return table


def encode(labels: Labels, classes: Sequence[str], multilabel: bool = False) -> NDArray[Any]:
    """Labels as class numbers (n,) of intp, or as a 0/1 table (n, n_classes) of bool when `multilabel`.

    Raises:
        DataError: for a label that is not in `classes`, with its row.
    """
    number: dict[Any, int] = {label: column for column, label in enumerate(classes)}
    try:
        if not multilabel:
            return np.fromiter((number[label] for label in labels), dtype=np.intp, count=len(labels))
        table = np.zeros((len(labels), len(classes)), dtype=bool)
        for row, names in enumerate(labels):
            table[row, [number[name] for name in names]] = True
        return table
    except (KeyError, TypeError) as error:
        raise DataError(_unknown_label(labels, classes, multilabel)) from error


def _unknown_label(labels: Labels, classes: Sequence[str], multilabel: bool) -> str:
    known = set(classes)
    for row, label in enumerate(labels):
        for name in label if multilabel and isinstance(label, tuple | list | set | frozenset) else (label,):
            if not isinstance(name, str) or name not in known:
                near = get_close_matches(str(name), classes, n=1, cutoff=0.5)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                some = ", ".join(list(classes)[:12]) + (", ..." if len(classes) > 12 else "")
                return f"row {row} (from 0): the label {name!r} is not one of the model's: {some}.{hint}"
    return "labels must be strings, or tuples of strings for a multi-label model."


def decide(
    probabilities: Floats, *, multilabel: bool = False, thresholds: float | Sequence[float] | None = None
) -> NDArray[Any]:
    """The most probable class number (n,), or bool (n, n_classes) from the thresholds on when `multilabel`.

    Args:
        probabilities: (n, n_classes).
        multilabel: Whether a row has a set of labels.
        thresholds: One number for all classes or one per class; 0.5 by default.

    Raises:
        DataError: for another number of thresholds.
    """
    if not multilabel:
        return probabilities.argmax(axis=1)
    bounds = np.asarray(0.5 if thresholds is None else thresholds, dtype=np.float64)
    if bounds.shape not in ((), (probabilities.shape[1],)):
        raise DataError(f"thresholds: give one, or one for each of the {probabilities.shape[1]} classes.")
    return np.asarray(probabilities >= bounds)


def confusion_matrix(truth: Integers, guess: Integers, n_classes: int) -> Integers:
    """Row counts (n_classes, n_classes): gold class by predicted class, from class numbers (n,)."""
    cells = truth * n_classes + guess
    return np.bincount(cells, minlength=n_classes * n_classes).reshape(n_classes, n_classes)


def calibration_bin(probability: Floats) -> Integers:
    """Number 0 to 14 of the equal-width bin that each probability falls in; a bin includes its upper edge."""
    return np.clip(np.ceil(probability * BINS).astype(np.intp) - 1, 0, BINS - 1)


@dataclass(frozen=True)
class Hits:
    """Right and wrong decisions per class; arrays (..., n_classes), leading axes for resamples."""

    true_positive: Floats | Integers
    predicted: Floats | Integers
    support: Floats | Integers

    @classmethod
    def of_confusion(cls, matrix: Integers) -> Hits:
        """From confusion matrices (..., n_classes, n_classes)."""
        diagonal = np.diagonal(matrix, axis1=-2, axis2=-1)
        return cls(diagonal, matrix.sum(axis=-2), matrix.sum(axis=-1))

    def scores(self) -> dict[str, NDArray[np.float64]]:
        """Precision, recall and F1 per class, (..., n_classes), 0 where nothing is to divide by."""
        return {
            "precision": _ratio(self.true_positive, self.predicted),
            "recall": _ratio(self.true_positive, self.support),
            "f1": _ratio(2 * self.true_positive, self.predicted + self.support),
        }

    def missed_by(self, resampled: Hits) -> Bools:
        """Which classes have gold rows here but none in the resample, (resamples, n_classes)."""
        return (self.support > 0) & (resampled.support == 0)

    def micro_f1(self) -> NDArray[np.float64]:
        """F1 over all classes' decisions pooled, (...)."""
        return _ratio(2 * self.true_positive.sum(-1), (self.predicted + self.support).sum(-1))


def _ratio(part: Any, whole: Any) -> NDArray[np.float64]:
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole > 0)


def resampled_macro_f1(resampled: Hits, whole: Hits) -> NDArray[np.float64]:
    """Macro-F1 of each resample, without the classes of which it drew no row, (resamples,)."""
    counted = ~whole.missed_by(resampled)
    return _ratio((resampled.scores()["f1"] * counted).sum(axis=-1), counted.sum(axis=-1))


def _class_figures(whole: Hits, resampled: Hits | None, classes: Sequence[str]) -> dict[str, Any]:
    points = whole.scores()
    draws = None if resampled is None else resampled.scores()
    figures: dict[str, Any] = {}
    for column, label in enumerate(classes):
        entry: dict[str, Any] = {name: float(values[column]) for name, values in points.items()}
        entry["support"] = int(whole.support[column])
        if resampled is not None and draws is not None:
            missed = whole.missed_by(resampled)[:, column]
            for name, values in draws.items():
                drawn = np.where(missed, np.nan, values[:, column])
                entry[f"{name}_interval"] = interval(drawn, entry[name])
        figures[label] = entry
    return figures


def _measure_single(
    truth: Integers, guess: Integers, table: Floats, classes: Sequence[str], bootstrap: int,
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    n, n_classes = table.shape
    matrix = confusion_matrix(truth, guess, n_classes)
    whole = Hits.of_confusion(matrix)
    every = np.arange(n)
    losses = _losses(table[every, truth])
    confidence = table[every, guess].astype(np.float64)
    bins, gaps = calibration_bin(confidence), confidence - (truth == guess)

    def columns(rows: slice) -> Floats:
        wide = np.zeros((losses[rows].size, BINS + 1), dtype=np.float32)
        wide[np.arange(len(wide)), bins[rows]] = gaps[rows]
        wide[:, BINS] = losses[rows]
        return wide

    figures: dict[str, Any] = {
        "accuracy": float((truth == guess).mean()),
        "macro_f1": float(whole.scores()["f1"].mean()),
        "log_loss": float(losses.mean()),
        "ece": float(np.abs(np.bincount(bins, gaps, BINS)).sum() / n),
    }
    resampled = None
    if bootstrap:
        draws = resampled_counts(matrix, bootstrap, rng)
        resampled = Hits.of_confusion(draws)
        sums = resampled_sums(columns, n, bootstrap, rng) / n
        _add_intervals(figures, {
            "accuracy": resampled.true_positive.sum(axis=-1) / n,
            "macro_f1": resampled_macro_f1(resampled, whole),
            "log_loss": sums[:, BINS],
            "ece": np.abs(sums[:, :BINS]).sum(axis=1),
        })  # fmt: skip
    return {**figures, "per_class": _class_figures(whole, resampled, classes)}


def _measure_sets(
    truth: Bools, guess: Bools, table: Floats, classes: Sequence[str], bootstrap: int,
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    n, n_classes = table.shape
    k = n_classes

    def columns(rows: slice) -> Floats:
        """Per label true positives, predicted, support; row exact; row loss; gap per label and bin."""
        gold, said, p = truth[rows], guess[rows], table[rows]
        wide = np.zeros((len(p), 3 * k + 2 + k * BINS), dtype=np.float32)
        wide[:, :k], wide[:, k : 2 * k], wide[:, 2 * k : 3 * k] = gold & said, said, gold
        wide[:, 3 * k] = (gold == said).all(axis=1)
        wide[:, 3 * k + 1] = _losses(np.where(gold, p, 1 - p)).mean(axis=1)
        gap_columns = 3 * k + 2 + np.arange(k) * BINS + calibration_bin(p)
        wide[np.arange(len(p))[:, np.newaxis], gap_columns] = p - gold
        return wide

    def figures_of(sums: Floats) -> tuple[Hits, dict[str, Any]]:
        hits = Hits(sums[..., :k], sums[..., k : 2 * k], sums[..., 2 * k : 3 * k])
        wrong = (hits.predicted + hits.support - 2 * hits.true_positive).sum(axis=-1)
        return hits, {
            "accuracy": 1 - wrong / (n * k),
            "macro_f1": hits.scores()["f1"].mean(axis=-1),
            "log_loss": sums[..., 3 * k + 1] / n,
            "ece": np.abs(sums[..., 3 * k + 2 :]).sum(axis=-1) / (n * k),
            "subset_accuracy": sums[..., 3 * k] / n,
            "micro_f1": hits.micro_f1(),
        }

    blocks = (columns(slice(at, at + ROWS_AT_ONCE)) for at in range(0, n, ROWS_AT_ONCE))
    whole, points = figures_of(np.sum([block.sum(axis=0, dtype=np.float64) for block in blocks], axis=0))
    figures = {name: float(value) for name, value in points.items()}
    resampled = None
    if bootstrap:
        resampled, draws = figures_of(resampled_sums(columns, n, bootstrap, rng))
        draws["macro_f1"] = resampled_macro_f1(resampled, whole)
        _add_intervals(figures, draws)
    return {**figures, "per_class": _class_figures(whole, resampled, classes)}


def _losses(probability: Floats) -> NDArray[np.float64]:
    tiny = np.finfo(probability.dtype).eps
    return -np.log(np.clip(probability, tiny, 1 - tiny).astype(np.float64))


def _add_intervals(figures: dict[str, Any], draws: dict[str, Floats]) -> None:
    for name, values in draws.items():
        make = unbiased_interval if name == "ece" else interval
        figures[f"{name}_interval"] = make(values, figures[name])
