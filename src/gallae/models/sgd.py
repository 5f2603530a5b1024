"""Stochastic gradient descent: weights that can learn from a corpus larger than memory, part by part."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import SGDClassifier

from gallae.models.heads import HeadOptions, LinearHead, one_against_rest


def make_sgd(options: HeadOptions, n_rows: int | None = None) -> SGDClassifier:
    """Make an averaged logistic SGD classifier; C acts as for the SVM, up to a largest strength.

    Args:
        options: C, class weight and seed.
        n_rows: How many rows there will be, if that is known.
    """
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
    n_rows = rows.shape[0]
    if target.ndim == 2 or (target == target[0]).all():
        return one_against_rest(lambda o: make_sgd(o, n_rows), rows, target, n_classes, options)
    return sgd_head(make_sgd(options, n_rows).fit(rows, target), n_classes)


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
