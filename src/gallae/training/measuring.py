"""What is said of the watched rows while a network learns."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_softmax
from sklearn.metrics import accuracy_score, f1_score


def measured(logits: np.ndarray, targets: np.ndarray, multilabel: bool) -> dict[str, float]:
    """Return loss, accuracy and macro-F1 of (n, n_classes) logits, without class weights or smoothing."""
    scores = logits.astype(np.float64)
    if multilabel:
        chances = np.clip(expit(scores), 1e-12, 1 - 1e-12)
        loss = -np.where(targets, np.log(chances), np.log1p(-chances)).mean()
        predicted: np.ndarray = scores >= 0
    else:
        loss = -log_softmax(scores, axis=1)[np.arange(len(targets)), targets].mean()
        predicted = scores.argmax(axis=1)
    return {
        "loss": float(loss),
        "accuracy": float(accuracy_score(targets, predicted)),
        "macro_f1": float(f1_score(targets, predicted, average="macro", zero_division=0)),
    }
