"""Decisions that hold when labels are not as frequent in use as they were in training.

Training rows are often collected to be about equally many a label, while a day's news is not. What each
label's texts look like stays the same, how many there are does not (label shift; Saerens et al. 2002,
"Adjusting the Outputs of a Classifier to New a Priori Probabilities"). Where the balance to come is known,
Bayes' rule gives the correction; here it is not, so all balances count alike.
"""

from __future__ import annotations

import numpy as np

DRAWS, SEED = 200, 0
_STEPS = (0.8, 0.4, 0.2, 0.1, 0.05)
_ROUNDS = 20


def robust_biases(logits: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return what to add to each label's logit for the highest macro-F1, averaged over label balances.

    The balances are drawn from Dirichlet(1, ..., 1), where every one is as likely as any other. Under a
    balance q, a row of label k counts q[k] / n[k]: that is exact as long as the texts of a label stay alike.
    Found by moving one bias at a time in ever smaller steps, so the answer is the same every time.

    Args:
        logits: (n, n_classes) of rows that the classifier has not learned from.
        target: (n,) class numbers.

    Returns:
        (n_classes,) biases with mean 0; zeros if some class has no row.
    """
    count = logits.shape[1]
    biases = np.zeros(count)
    if len(np.unique(target)) < count:
        return biases
    balances = np.random.default_rng(SEED).dirichlet(np.ones(count), DRAWS)
    best = expected_macro_f1(logits, target, balances)
    for step in _STEPS:
        for _ in range(_ROUNDS):
            before = best
            for column in range(count):
                for move in (step, -step):
                    moved = biases.copy()
                    moved[column] += move
                    found = expected_macro_f1(logits + moved, target, balances)
                    if found > best:
                        best, biases = found, moved
            if best == before:
                break
    return np.asarray(biases - biases.mean())


def expected_macro_f1(logits: np.ndarray, target: np.ndarray, balances: np.ndarray) -> float:
    """Return the macro-F1 of deciding for the highest logit, averaged over label balances.

    Args:
        logits: (n, n_classes).
        target: (n,) class numbers, each class at least once.
        balances: (n_balances, n_classes) shares of the labels; rows sum to 1.
    """
    count = logits.shape[1]
    pairs = np.bincount(target * count + logits.argmax(axis=1), minlength=count * count)
    answers = pairs.reshape(count, count) / np.bincount(target, minlength=count)[:, None]
    given = balances @ answers  # (n_balances, n_classes) how often each label is the answer
    return float(np.mean(2 * balances * answers.diagonal() / (given + balances)))
