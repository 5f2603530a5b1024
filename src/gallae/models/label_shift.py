"""Labels that are not as frequent in use as they were in training.

Training rows are often collected to be about equally many a label, while a day's news is not. What each
label's texts look like stays the same, how many there are does not (label shift; Saerens et al. 2002,
"Adjusting the Outputs of a Classifier to New a Priori Probabilities"). Where the balance to come is known,
Bayes' rule gives the correction; where many texts are to be classified, it can be estimated from them.
"""

from __future__ import annotations

import numpy as np

_ROUNDS, _CLOSE, _LEAST = 1000, 1e-6, 1e-6


def rebalanced(probabilities: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return (n_texts, n_classes) probabilities meant for labels of other shares, by Bayes' rule.

    Args:
        probabilities: (n_texts, n_classes).
        before, after: (n_classes,) shares that they are meant for, and are to be meant for.
    """
    table = probabilities * (after / before)
    return np.asarray(table / table.sum(axis=1, keepdims=True))


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
        shares = rebalanced(probabilities, balance, found).mean(axis=0)
        before, found = found, np.clip(shares, _LEAST, None)
        if np.abs(found - before).max() < _CLOSE:
            break
    return np.asarray(found / found.sum())
