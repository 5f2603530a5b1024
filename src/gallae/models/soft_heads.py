"""Linear weights from shares of classes: how a linear student learns a teacher's probabilities.

A row whose share of a class is 0.7 counts there 0.7 times as an example and 0.3 times as a counterexample.
For a logistic classifier that is the cross entropy against the shares, exactly.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from gallae.errors import RecipeError
from gallae.models.heads import BINARY, HeadOptions, LinearHead, fit_binary, refuse_negative
from gallae.models.sgd import make_sgd

CLASSIFIERS = (*BINARY, "sgd")
SMALLEST = 0.02  # a smaller share is none, and one as near to 1 is 1: another copy of the row costs time


def fit_soft_head(
    name: str, rows: sp.csr_matrix, shares: np.ndarray, multilabel: bool, options: HeadOptions
) -> LinearHead:
    """Fit a linear classifier to shares, one class against the rest.

    Args:
        name: One of `CLASSIFIERS`.
        rows: (n_rows, n_features) float32.
        shares: (n_rows, n_classes) from 0 to 1.
        multilabel: Whether a row may have several labels; else its shares sum to 1.
        options: Regularisation and the like.

    Raises:
        RecipeError: for another classifier, which learns from whole labels alone.
    """
    check_classifier(name)
    if name == "nbsvm":
        refuse_negative(name, rows)
    n_rows, n_classes = rows.shape[0], shares.shape[1]
    rows = rows.astype(np.float64)

    def fit(number: int) -> tuple[np.ndarray, float]:
        chosen, positive, counts = copies(shares[:, number])
        classifier = make_sgd(options, n_rows) if name == "sgd" else BINARY[name](options)
        return fit_binary(classifier, rows[chosen], positive, counts)

    wanted = [1] if n_classes == 2 and not multilabel else range(n_classes)
    parts = [fit(number) for number in wanted]
    weights = np.stack([weight for weight, _ in parts], axis=1).astype(np.float32)
    return LinearHead(weights, np.array([bias for _, bias in parts], dtype=np.float32))


def check_classifier(name: str) -> None:
    """Make sure that a classifier can learn from shares.

    Raises:
        RecipeError: if it cannot.
    """
    if name not in CLASSIFIERS:
        raise RecipeError(
            f"the classifier {name!r} learns from labels alone, not from a teacher's probabilities. Set "
            f"model.classifier to one of {', '.join(CLASSIFIERS)}."
        )


def copies(share: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows as weighted examples and counterexamples of a class.

    Args:
        share: (n,) the class's share of each row, from 0 to 1.

    Returns:
        Row numbers, whether each is an example, and how much it counts, (n_copies,) each.
    """
    share = np.where(share < SMALLEST, 0.0, np.where(share > 1 - SMALLEST, 1.0, share))
    examples, others = np.flatnonzero(share > 0), np.flatnonzero(share < 1)
    chosen = np.concatenate([examples, others])
    positive = np.arange(len(chosen)) < len(examples)
    counts = np.concatenate([share[examples], 1 - share[others]])
    order = np.argsort(chosen, kind="stable")
    return chosen[order], positive[order], counts[order]
