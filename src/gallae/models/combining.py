"""How several models' probabilities become one: their mean, a weighted mean, or stacking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax
from threadpoolctl import threadpool_limits

from gallae.models.calibration import best_threshold
from gallae.models.contract import State
from gallae.models.folding import held_out_folds

METHODS = ("mean", "weighted", "stacking")
_SMALLEST = 1e-6  # probabilities below it count as this: one sure mistake must not outweigh all else

Tables = Sequence[np.ndarray]


@dataclass(frozen=True)
class Combination:
    """What was found for a number of members.

    Attributes:
        method: "mean", "weighted" or "stacking".
        weights: (n_members,) of the members' probabilities, not negative, with the sum 1; None for stacking.
        slopes: Stacking: (n_members * n_classes, n_classes) from the members' log-probabilities to the
            classes' logits; for multi-label (n_members, n_classes), a label's log-odds to its own.
        biases: Stacking: (n_classes,).
        thresholds: (n_classes,) probability from which a label is given, for multi-label.
    """

    method: str
    weights: np.ndarray | None
    slopes: np.ndarray | None
    biases: np.ndarray | None
    thresholds: np.ndarray

    def __call__(self, tables: Tables, multilabel: bool) -> np.ndarray:
        """Return the joint probabilities, (n, n_classes), of a table (n, n_classes) a member."""
        if self.weights is not None:
            # Summed one by one, so that a batch equals its rows to the last bit.
            joint = np.zeros(tables[0].shape)
            for weight, table in zip(self.weights, tables, strict=True):
                joint += weight * table
            return np.clip(joint, 0.0, 1.0)
        assert self.slopes is not None and self.biases is not None
        if multilabel:
            return expit(_label_logits(_log_odds(tables), self.slopes, self.biases))
        return softmax(np.einsum("ij,jk->ik", _logs(tables), self.slopes) + self.biases, axis=1)

    @property
    def used(self) -> list[bool] | None:
        """Whether a member has any weight; None for stacking, which looks at all of them."""
        return None if self.weights is None else (self.weights > 0).tolist()

    def state(self) -> State:
        """Return what `restore` needs."""
        tensors = {name: getattr(self, name) for name in ("weights", "slopes", "biases", "thresholds")}
        return State({"method": self.method}, {k: v for k, v in tensors.items() if v is not None})

    @classmethod
    def restore(cls, state: State) -> Combination:
        """Make the combination again."""
        tensors: dict[str, Any] = {name: state.tensors.get(name) for name in ("weights", "slopes", "biases")}
        return cls(state.values["method"], **tensors, thresholds=state.tensors["thresholds"])


def mean_of(thresholds: np.ndarray) -> Combination:
    """Return the plain mean; `thresholds` are the members', (n_members, n_classes)."""
    count = len(thresholds)
    return Combination("mean", np.full(count, 1 / count), None, None, thresholds.mean(axis=0))


def find_combination(method: str, tables: Tables, target: np.ndarray, thresholds: np.ndarray) -> Combination:
    """Find how to combine members from rows that none of them has learned from.

    "weighted": the weights whose mean has the least log loss; a convex problem, solved from equal weights.
    "stacking": multinomial logistic regression on the members' log-probabilities (Wolpert 1992, Stacked
    Generalization), for multi-label a logistic curve a label on its log-odds. Its coefficients are drawn by
    an L2 penalty of 1 to those of the members' geometric mean, not to 0, so few rows change little.

    Args:
        method: One of `METHODS`.
        tables: A member's probabilities each, (n, n_classes); NaN where a member has none.
        target: (n,) class numbers, or (n, n_classes) bool for multi-label.
        thresholds: (n_members, n_classes), the members'.
    """
    if method == "mean":
        return mean_of(thresholds)
    known = ~np.any(np.isnan(tables), axis=0)
    if target.ndim == 1:  # a row is known whole or not at all
        rows = known.all(axis=1)
        tables, target, known = [table[rows] for table in tables], target[rows], known[rows]
    if method == "weighted":
        weights = _best_weights(_of_what_is_right(tables, target, known))
        return Combination(method, weights, None, None, weights @ thresholds)
    if target.ndim == 1:
        return Combination(method, None, *_stack(tables, target), thresholds.mean(axis=0))
    slopes, biases = _stack_labels(tables, target, known)
    return Combination(
        method, None, slopes, biases, _limits(tables, target, known, thresholds, slopes, biases)
    )


def cross_combined(
    method: str, tables: Tables, target: np.ndarray, thresholds: np.ndarray, folds: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Combine rows by what was found on other rows, so that they may be measured.

    Args:
        method, tables, target, thresholds: As for `find_combination`, without NaN.
        folds: Into how many parts to split the rows.
        seed: Of the parts.

    Returns:
        Probabilities (n, n_classes), the thresholds for them (n, n_classes), and the part of each row (n,).
    """
    joint, limits = np.zeros(tables[0].shape), np.zeros(tables[0].shape)
    parts = np.zeros(len(target), dtype=np.int64)
    if method == "mean":
        pairs = [(np.arange(0), np.arange(len(target)))]
    else:
        pairs = held_out_folds(target, folds, seed, every=True)
    for number, (others, rows) in enumerate(pairs):
        found = find_combination(method, [t[others] for t in tables], target[others], thresholds)
        joint[rows] = found([table[rows] for table in tables], target.ndim == 2)
        limits[rows], parts[rows] = found.thresholds, number
    return joint, limits, parts


def _of_what_is_right(tables: Tables, target: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the probabilities of the right answer of each row, or known label of a row, (n_members, n)."""
    if target.ndim == 1:
        return np.array([table[np.arange(len(target)), target] for table in tables])
    return np.array([np.where(target, table, 1 - table)[known] for table in tables])


def _best_weights(right: np.ndarray) -> np.ndarray:
    """Return the weights (n_members,) whose mean of `right` (n_members, n) has the least log loss."""
    count = len(right)
    equal, right = np.full(count, 1 / count), np.maximum(right, _SMALLEST)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        joint = np.maximum(weights @ right, _SMALLEST)
        return float(-np.log(joint).mean()), -(right / joint).mean(axis=1)

    whole = {"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": np.ones_like}
    found = minimize(
        loss,
        equal,
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * count,
        constraints=whole,
        options={"ftol": 1e-9},
    ).x
    found = np.where(found > 1e-3, found, 0.0)  # what is next to nothing need not be computed
    found /= found.sum()
    return found if loss(found)[0] <= loss(equal)[0] else equal


def _logs(tables: Tables) -> np.ndarray:
    """Return (n, n_members * n_classes) log-probabilities."""
    return np.hstack([np.log(np.clip(table, _SMALLEST, 1.0)) for table in tables])


def _log_odds(tables: Tables) -> np.ndarray:
    """Return (n_members, n, n_classes) log-odds."""
    clipped = np.clip(tables, _SMALLEST, 1 - _SMALLEST)
    return np.log(clipped) - np.log1p(-clipped)


def _stack(tables: Tables, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes (n_members * n_classes, n_classes) and biases (n_classes,) of penalised regression."""
    classes = tables[0].shape[1]
    inputs = np.hstack([_logs(tables), np.ones((len(target), 1))])
    gold = np.eye(classes)[target]
    prior = np.vstack([np.tile(np.eye(classes), (len(tables), 1)) / len(tables), np.zeros((1, classes))])
    first = inputs @ prior
    axes = _round_axes(inputs, softmax(first, axis=1))
    turned = inputs @ axes

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        steps = flat.reshape(prior.shape)
        change = axes @ steps
        logs = log_softmax(first + turned @ steps, axis=1)
        slope = turned.T @ (np.exp(logs) - gold) + axes.T @ change
        return float(-(logs * gold).sum() + (change**2).sum() / 2), slope.ravel()

    found = prior + axes @ _least(loss, prior.size).reshape(prior.shape)
    return found[:-1], found[-1]


def _round_axes(inputs: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return axes (n_inputs, n_inputs) along which the loss curves about alike, for fewer steps to its least.

    Members mostly agree, so along the raw axes it is a long narrow valley: 7 times as many steps on YNAT.
    """
    spread = (probabilities * (1 - probabilities)).mean(axis=1)
    curvature = (inputs * spread[:, None]).T @ inputs + np.eye(inputs.shape[1])
    return np.linalg.inv(np.linalg.cholesky(curvature)).T


def _least(loss: Callable[[np.ndarray], tuple[float, np.ndarray]], size: int) -> np.ndarray:
    """Return where a smooth convex loss is least, (size,), from the origin."""
    with threadpool_limits(1, "blas"):  # small products, which several threads only make slower
        return minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B", options={"ftol": 1e-10}).x


def _label_logits(odds: np.ndarray, slopes: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """Return (n, n_classes) logits of (n_members, n, n_classes) log-odds."""
    logits = np.tile(biases, (odds.shape[1], 1))
    for slope, table in zip(slopes, odds, strict=True):
        logits += slope * table
    return logits


def _stack_labels(tables: Tables, target: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes (n_members, n_classes) and biases (n_classes,) of a penalised logistic curve a label."""
    odds = np.where(known, _log_odds(tables), 0.0)
    prior = np.full((len(tables) + 1, target.shape[1]), 1 / len(tables))
    prior[-1] = 0.0

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        change = flat.reshape(prior.shape)
        logits = _label_logits(odds, (prior + change)[:-1], (prior + change)[-1])
        losses = np.logaddexp(0.0, logits) - target * logits
        error = np.where(known, expit(logits) - target, 0.0)
        slope = np.vstack([(odds * error).sum(axis=1), error.sum(axis=0)]) + change
        return float(losses[known].sum() + (change**2).sum() / 2), slope.ravel()

    found = prior + _least(loss, prior.size).reshape(prior.shape)
    return found[:-1], found[-1]


def _limits(
    tables: Tables,
    target: np.ndarray,
    known: np.ndarray,
    thresholds: np.ndarray,
    slopes: np.ndarray,
    biases: np.ndarray,
) -> np.ndarray:
    """Return each label's threshold: that of the best F1, if the members have other thresholds than 0.5."""
    if (thresholds == 0.5).all():
        return thresholds[0]
    joint = expit(_label_logits(np.where(known, _log_odds(tables), 0.0), slopes, biases))
    return np.array([best_threshold(joint[rows, k], target[rows, k]) for k, rows in enumerate(known.T)])
