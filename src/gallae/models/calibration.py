"""Probabilities that mean what they say, and thresholds: one wrapper for every family."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from gallae.errors import DataError, RecipeError
from gallae.models.contract import (
    Labels,
    State,
    TextClassifier,
    check_fit_input,
    check_soft_input,
    encode_labels,
    two_columns,
)
from gallae.models.folding import held_out_folds
from gallae.models.holding_out import hold_out
from gallae.training.soft_targets import SoftTargets

METHODS = ("multinomial", "temperature", "thresholds", "flat", "none")
_TENTH = 0.1


class CalibratedClassifier(TextClassifier):
    """A classifier whose probabilities are fitted on out-of-fold scores.

    Deciding by calibrated probabilities instead of raw margins also helps accuracy when the label balance
    shifts, since the margins of one-against-rest classifiers are not on one scale.

    Args:
        estimator: The classifier to calibrate.
        method: "multinomial" logistic regression from all scores to the classes (for multi-label: a
            logistic curve a label; Platt 1999); one "temperature" for all scores (Guo et al. 2017);
            "thresholds": as "multinomial", and each label's threshold maximises its F1 (multi-label only);
            "flat": as "multinomial", and then for labels that are all equally frequent, which is the best
            guess where nothing is known of their balance (not for multi-label).
        folds: Number of stratified folds for the out-of-fold scores. 1 takes the scores of the rows that a
            network held out to stop early; any other classifier is fitted without a stratified tenth, and
            that calibrates. A text whose label no other text has is never held out, and is scored by the
            classifier that has learned it.
        seed: Seed of the folds.

    Attributes:
        estimator_: The classifier fitted on all rows.
        balance_: (n_classes,) shares of the labels that the probabilities are meant for; with "multinomial"
            and "flat".
    """

    def __init__(
        self, estimator: TextClassifier, method: str = "multinomial", folds: int = 3, seed: int = 42
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.folds = folds
        self.seed = seed

    def fit(self, texts: Sequence[str], labels: Labels) -> Self:
        """Learn from texts and labels (see `TextClassifier.fit`)."""
        texts, array = check_fit_input(texts, labels)
        self.classes_, target, self.multilabel_ = encode_labels(array)
        self._check(self.multilabel_)
        self.estimator_ = clone(self.estimator)
        if self.folds == 1:
            held, scores = self._fit_but_some(texts, array, target)
            self._fit_calibrator(scores.astype(np.float64), target[held])
            return self
        splits = held_out_folds(target, self.folds, self.seed)
        self._calibrate(texts, target, _out_of_fold(self.estimator_, texts, array, splits))
        return self

    @classmethod
    def of(
        cls, estimator: TextClassifier, method: str, scores: np.ndarray, target: np.ndarray
    ) -> CalibratedClassifier:
        """Calibrate a classifier that is fitted already.

        Args:
            estimator: It; its classes are sorted.
            method: As of the class.
            scores: (n, n_scores) its scores of rows that it has not learned from.
            target: (n,) their class numbers, or (n, n_classes) for multi-label.

        Raises:
            RecipeError: for a method that is not known or does not fit.
        """
        model = cls(estimator, method)
        model._check(estimator.multilabel_)
        model.multilabel_ = estimator.multilabel_
        model.estimator_ = estimator
        model.classes_ = estimator.classes_
        model._fit_calibrator(scores.astype(np.float64), target)
        return model

    def _fit_but_some(
        self, texts: list[str], labels: np.ndarray, target: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fit without some rows, and return their numbers and scores."""
        if hasattr(self.estimator_, "held_out_scores"):
            return self.estimator_.fit(texts, labels).held_out_scores()
        keep, held = hold_out(np.arange(len(texts)), target, _TENTH, self.seed)
        if not len(held):
            raise DataError(
                f"{len(texts)} rows are too few to calibrate on a tenth of them; set calibration.folds to 2 "
                "or more, or calibration.method to none."
            )
        self.estimator_.fit([texts[row] for row in keep], labels[keep])
        return held, self.estimator_.scores([texts[row] for row in held])

    def fit_soft(self, texts: Sequence[str], targets: SoftTargets) -> Self:
        """Learn from a teacher's probabilities (see `TextClassifier.fit_soft`).

        The calibrator learns from the rows whose label is known.
        """
        texts = check_soft_input(texts, targets)
        self.classes_, self.multilabel_ = targets.classes, targets.multilabel
        self._check(self.multilabel_)
        self.estimator_ = clone(self.estimator)
        known = np.flatnonzero(targets.known)
        if self.folds == 1:
            if not hasattr(self.estimator_, "held_out_scores"):
                raise RecipeError("a student that is no network is calibrated in 2 folds or more, not 1.")
            held, scores = self.estimator_.fit_soft(texts, targets).held_out_scores()
            self._fit_calibrator(scores.astype(np.float64), targets.gold[held])
            return self
        rest = np.flatnonzero(~targets.known)
        folds = held_out_folds(targets.gold[known], self.folds, self.seed)
        splits = [(np.sort(np.concatenate([known[fit_on], rest])), known[held]) for fit_on, held in folds]
        scores = _soft_out_of_fold(self.estimator_, texts, targets, splits)
        self._calibrate([texts[row] for row in known], targets.gold[known], scores[known])
        return self

    def _calibrate(self, texts: list[str], target: np.ndarray, scores: np.ndarray) -> None:
        """Fit the calibrator on out-of-fold scores; NaN where there are none."""
        unknown = np.flatnonzero(np.isnan(scores).all(axis=1))
        scores[unknown] = self.estimator_.scores([texts[row] for row in unknown])
        self._fit_calibrator(scores.astype(np.float64), target)

    def _check(self, multilabel: bool) -> None:
        if self.method not in METHODS or self.method == "none":
            raise RecipeError(f"calibration method {self.method!r}: allowed are {', '.join(METHODS[:-1])}.")
        if self.method == "thresholds" and not multilabel:
            raise RecipeError("calibration by 'thresholds' is for several labels a text; use 'multinomial'.")
        if self.method == "flat" and multilabel:
            raise RecipeError("calibration by 'flat' is for one label a text; use 'thresholds'.")
        if self.folds < 1:
            raise RecipeError(f"calibration needs a fold or more, not {self.folds}.")

    def _fit_calibrator(self, scores: np.ndarray, target: np.ndarray) -> None:
        self.thresholds_ = np.full(len(self.classes_), 0.5)
        if self.method == "temperature":
            self.slopes_, self.biases_ = np.array([_temperature(scores, target)]), np.zeros(1)
        elif self.multilabel_:
            seen = ~np.isnan(scores)  # a fold may have been without a rare label
            pairs = [_platt(scores[s, k], target[s, k]) for k, s in enumerate(seen.T)]
            self.slopes_, self.biases_ = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
        else:
            fitted = LogisticRegression(C=1.0, max_iter=1000).fit(scores, target)
            self.slopes_, self.biases_ = fitted.coef_.T, fitted.intercept_
            counts = np.bincount(target, minlength=len(self.classes_)) + 0.5  # no share is 0
            self.balance_ = counts / counts.sum()
        if self.method == "flat":
            self._move(np.full(len(self.classes_), 1 / len(self.classes_)))
        if self.method == "thresholds":
            probabilities = self.probabilities(np.nan_to_num(scores))
            self.thresholds_ = np.array(
                [best_threshold(probabilities[:, k], target[:, k]) for k in range(len(self.classes_))]
            )

    def for_balance(self, balance: np.ndarray) -> Self:
        """Return a copy whose probabilities are meant for labels of other shares.

        Args:
            balance: (n_classes,) shares, none of them 0.

        Raises:
            RecipeError: if it was calibrated by another method than "multinomial" or "flat".
        """
        self.check_balance()
        model = copy.copy(self)
        model._move(np.asarray(balance, dtype=np.float64))
        return model

    def check_balance(self) -> None:
        """Make sure that the model knows which label balance its probabilities are meant for.

        Raises:
            RecipeError: if it was calibrated by another method than "multinomial" or "flat".
        """
        if not hasattr(self, "balance_"):
            raise RecipeError(
                "the model does not know which label balance its probabilities are meant for. Train it with "
                "calibration.method multinomial or flat, and one label a text."
            )

    def _move(self, balance: np.ndarray) -> None:
        shift = np.log(balance / self.balance_)
        self.biases_ = self.biases_ + (shift if len(shift) > 2 else shift[1:] - shift[:1])
        self.balance_ = balance

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Return the wrapped classifier's scores."""
        texts = self._ready_for(texts)
        return self.estimator_.scores(texts)

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n_texts, n_classes) calibrated probabilities."""
        return self.probabilities(self.scores(texts).astype(np.float64))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return (n, n_classes) calibrated probabilities of (n, n_scores) scores."""
        if self.multilabel_:
            return expit(scores * self.slopes_ + self.biases_)
        if self.method == "temperature":
            return softmax(two_columns(scores * self.slopes_), axis=1)
        return softmax(two_columns(self._logits(scores)), axis=1)

    def _logits(self, scores: np.ndarray) -> np.ndarray:
        # Not `@`: BLAS sums differently for one row and for many, and a batch must equal its rows.
        return np.asarray(np.einsum("ij,jk->ik", scores, self.slopes_) + self.biases_)

    def logits_from_scores(self) -> tuple[np.ndarray, np.ndarray]:
        """Return slopes (n_scores, n_logits) and biases (n_logits,): logits are scores @ slopes + biases.

        There is one logit a class; for two classes, the margin of the second.
        """
        if self.method != "temperature" and not self.multilabel_:
            return self.slopes_, self.biases_
        count = len(self.classes_) if self.multilabel_ or len(self.classes_) > 2 else 1
        return np.diag(np.broadcast_to(self.slopes_, count)), np.array(np.broadcast_to(self.biases_, count))

    @property
    def thresholds(self) -> np.ndarray:
        """(n_classes,) probability from which a label is given, for multi-label."""
        return self.thresholds_

    def state(self) -> State:
        """Return the calibrator and the wrapped classifier's state."""
        from gallae.models.registry import kind_of

        values = {
            "method": self.method,
            "folds": self.folds,
            "seed": self.seed,
            "kind": kind_of(self.estimator_),
            "multilabel": self.multilabel_,
        }
        tensors = {"slopes": self.slopes_, "biases": self.biases_, "thresholds": self.thresholds_}
        if hasattr(self, "balance_"):
            tensors["balance"] = self.balance_
        state = State(values, tensors)
        state.include("estimator", self.estimator_.state())
        return state

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted wrapper again; the caller sets `classes_`."""
        from gallae.models.registry import class_of

        values = state.values
        inner: Any = class_of(values["kind"]).restore(state.part("estimator"))
        model = cls(inner, values["method"], values["folds"], values["seed"])
        model.estimator_, model.multilabel_ = inner, values["multilabel"]
        model.slopes_, model.biases_ = state.tensors["slopes"], state.tensors["biases"]
        model.thresholds_ = state.tensors["thresholds"]
        if "balance" in state.tensors:
            model.balance_ = state.tensors["balance"]
        return model

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "classes_" and "estimator_" in self.__dict__:
            self.estimator_.classes_ = value


def _out_of_fold(
    estimator: Any, texts: list[str], labels: np.ndarray, splits: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Fit `estimator` on everything and return its out-of-fold scores; NaN where there are none."""
    if hasattr(estimator, "fit_with_scores"):
        return estimator.fit_with_scores(texts, labels, splits)
    estimator.fit(texts, labels)
    scores = np.full((len(texts), estimator.scores([]).shape[1]), np.nan)
    for fit_on, held_out in splits:
        part = clone(estimator).fit([texts[i] for i in fit_on], labels[fit_on])
        found = part.scores([texts[i] for i in held_out])
        columns = np.arange(scores.shape[1])
        if estimator.multilabel_:
            columns = np.searchsorted(estimator.classes_, part.classes_)
        scores[np.ix_(held_out, columns)] = found
    return scores


def _soft_out_of_fold(
    estimator: Any, texts: list[str], targets: SoftTargets, splits: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Do as `_out_of_fold`, with a teacher's targets in the place of labels."""
    if hasattr(estimator, "fit_soft_with_scores"):
        return estimator.fit_soft_with_scores(texts, targets, splits)
    estimator.fit_soft(texts, targets)
    scores = np.full((len(texts), estimator.scores([]).shape[1]), np.nan)
    for fit_on, held_out in splits:
        part = clone(estimator).fit_soft([texts[i] for i in fit_on], targets.take(fit_on))
        scores[held_out] = part.scores([texts[i] for i in held_out])
    return scores


def _temperature(scores: np.ndarray, target: np.ndarray) -> float:
    """Return the factor on the scores that minimises the log loss."""

    def loss(log_factor: float) -> float:
        scaled = scores * np.exp(log_factor)
        if target.ndim == 2:
            p = np.clip(expit(scaled), 1e-12, 1 - 1e-12)
            return float(-np.nanmean(target * np.log(p) + (1 - target) * np.log(1 - p)))
        return float(log_loss(target, softmax(two_columns(scaled), axis=1)))

    return float(np.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded").x))


def _platt(scores: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    """Return slope and bias of the logistic curve through one label's scores."""
    if positive.all() or not positive.any():
        return 1.0, 0.0
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(scores[:, None], positive)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def best_threshold(probabilities: np.ndarray, positive: np.ndarray) -> float:
    """Return the threshold of the best F1, midway between two neighbouring probabilities.

    Args:
        probabilities: (n,) of one label.
        positive: (n,) bool, whether the label is right.
    """
    if not positive.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    ranked, hits = probabilities[order], np.cumsum(positive[order])
    following = np.append(ranked[1:], 0.0)
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + positive.sum())
    f1[:-1][ranked[:-1] == ranked[1:]] = -1.0  # no threshold comes between equals
    best = int(f1.argmax())
    return float((ranked[best] + following[best]) / 2)
