"""Decisions that hold when labels are not as frequent in use as they were in training.

Training rows are often collected to be about equally many a label, while a day's news is not. What each
label's texts look like stays the same, how many there are does not (label shift; Saerens et al. 2002,
"Adjusting the Outputs of a Classifier to New a Priori Probabilities"). Where the balance to come is known,
Bayes' rule gives the correction. Where it is not, either all balances count alike (`robust_biases`), or it is
estimated from the texts to be classified, if there are many (`estimated_balance`).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax

DRAWS, SEED = 1000, 0
_ROUNDS, _CLOSE, _LEAST = 1000, 1e-6, 1e-6


def robust_biases(logits: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return what to add to each label's logit for the highest macro-F1, averaged over label balances.

    The balances are drawn from Dirichlet(1, ..., 1), where every one is as likely as any other. Under a
    balance q, a row of label k counts q[k] / n[k]: that is exact as long as the texts of a label stay alike.
    Probabilities stand in the place of decisions ("soft" F1), so that the mean is smooth in the biases and
    depends little on single rows.

    Args:
        logits: (n, n_classes) of rows that the classifier has not learned from.
        target: (n,) class numbers.

    Returns:
        (n_classes,) biases with mean 0; zeros if some class has no row.
    """
    count = logits.shape[1]
    rows = np.bincount(target, minlength=count)
    if not rows.all():
        return np.zeros(count)
    balances = draw_balances(count)
    members = np.eye(count)[target] / rows

    def loss(biases: np.ndarray) -> tuple[float, np.ndarray]:
        shares = softmax(logits + biases, axis=1)
        value, slopes = _macro_f1(members.T @ shares, balances)
        pull = members @ slopes
        pull -= (shares * pull).sum(axis=1, keepdims=True)
        return -value, -(shares * pull).sum(axis=0)

    biases = minimize(loss, np.zeros(count), jac=True, method="L-BFGS-B").x
    return np.asarray(biases - biases.mean())


def estimated_balance(probabilities: np.ndarray, balance: np.ndarray) -> np.ndarray:
    """Return how frequent each label is among texts, without their labels.

    Expectation maximisation of Saerens et al. (2002): correct the probabilities for the balance assumed so
    far, take their mean as the next, and so on.

    Args:
        probabilities: (n_texts, n_classes) of a calibrated classifier.
        balance: (n_classes,) shares of the labels that its probabilities are meant for.

    Returns:
        (n_classes,) shares, none of them 0.
    """
    found = balance
    for _ in range(_ROUNDS):
        corrected = probabilities * (found / balance)
        corrected /= corrected.sum(axis=1, keepdims=True)
        before, found = found, np.clip(corrected.mean(axis=0), _LEAST, None)
        if np.abs(found - before).max() < _CLOSE:
            break
    return np.asarray(found / found.sum())


def expected_macro_f1(logits: np.ndarray, target: np.ndarray, balances: np.ndarray) -> float:
    """Return the macro-F1 of deciding for the highest logit, averaged over label balances.

    Args:
        logits: (n, n_classes).
        target: (n,) class numbers, each class at least once.
        balances: (n_balances, n_classes) shares of the labels; rows sum to 1.
    """
    count = logits.shape[1]
    pairs = np.bincount(target * count + logits.argmax(axis=1), minlength=count * count)
    return _macro_f1(pairs.reshape(count, count) / np.bincount(target)[:, None], balances)[0]


def draw_balances(count: int, seed: int = SEED) -> np.ndarray:
    """Return (DRAWS, count) shares of labels; every balance is as likely as any other."""
    return np.random.default_rng(seed).dirichlet(np.ones(count), DRAWS)


def _macro_f1(answers: np.ndarray, balances: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the macro-F1, averaged over balances, and its slopes.

    Args:
        answers: (n_classes, n_classes) how often the label of a row is answered by that of a column.
        balances: (n_balances, n_classes).

    Returns:
        The mean, and its derivatives by `answers`.
    """
    right, both = answers.diagonal(), balances @ answers + balances
    slopes = -2 * balances.T @ (balances * right / both**2)
    slopes[np.diag_indices_from(slopes)] += (2 * balances / both).sum(axis=0)
    return float(np.mean(2 * balances * right / both)), slopes / balances.size
