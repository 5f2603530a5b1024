"""Stochastic gradient descent: weights that can learn from a corpus larger than memory, part by part."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import SGDClassifier
from sklearn.multiclass import OneVsRestClassifier

from gallae.models.heads import HeadOptions, LinearHead


def make_sgd(options: HeadOptions, n_rows: int | None = None) -> SGDClassifier:
    """Make an averaged logistic SGD classifier; the same C means the same strength as for the SVM."""
    alpha = 1.0 / (options.C * n_rows) if n_rows else 1e-6
    return SGDClassifier(
        loss="log_loss",
        alpha=min(alpha, 1e-5),
        average=True,
        class_weight=options.class_weight,
        random_state=options.seed,
    )


def fit_sgd(rows: sp.csr_matrix, target: np.ndarray, n_classes: int, options: HeadOptions) -> LinearHead:
    """Fit all rows at once."""
    sgd = make_sgd(options, rows.shape[0])
    if target.ndim == 2:
        fitted = OneVsRestClassifier(sgd).fit(rows, target.astype(int))
        weights = np.stack([_binary(e, rows.shape[1])[0] for e in fitted.estimators_], axis=1)
        biases = np.array([_binary(e, rows.shape[1])[1] for e in fitted.estimators_])
        return LinearHead(weights.astype(np.float32), biases.astype(np.float32))
    return sgd_head(sgd.fit(rows, target), n_classes)


def _binary(estimator: Any, n_features: int) -> tuple[np.ndarray, float]:
    if hasattr(estimator, "coef_"):
        return estimator.coef_[0], float(estimator.intercept_[0])
    return np.zeros(n_features), 1.0 if estimator.y_[0] else -1.0


def sgd_head(sgd: SGDClassifier, n_classes: int) -> LinearHead:
    """Take the weights out of a fitted classifier; classes it has not met get none."""
    weights = np.zeros((sgd.coef_.shape[1], 1 if n_classes == 2 else n_classes), dtype=np.float32)
    biases = np.full(weights.shape[1], -10.0 if n_classes > 2 else 0.0, dtype=np.float32)
    if n_classes == 2:
        weights[:], biases[:] = sgd.coef_.T, sgd.intercept_
    elif len(sgd.classes_) == 2:
        first, second = sgd.classes_
        weights[:, second], weights[:, first] = sgd.coef_[0] / 2, -sgd.coef_[0] / 2
        biases[second], biases[first] = sgd.intercept_[0] / 2, -sgd.intercept_[0] / 2
    else:
        weights[:, sgd.classes_] = sgd.coef_.T
        biases[sgd.classes_] = sgd.intercept_
    return LinearHead(weights, biases)
