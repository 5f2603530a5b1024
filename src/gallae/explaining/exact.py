"""Exact shares for linear models: the score is a sum, and each summand is of some characters."""

from __future__ import annotations

from typing import Any

import numpy as np

from gallae.explaining.scoring import Target, inside
from gallae.models.features import NgramBlock
from gallae.models.heads import LinearHead
from gallae.models.linear import LinearClassifier
from gallae.models.tracing import TracedText, trace, traceable
from gallae.text.alignment import Alignment
from gallae.text.kiwi_vectors import DIMENSIONS


def is_exact(model: Any) -> bool:
    """Whether a model's score can be taken apart: linear weights over n-grams and Kiwi vectors."""
    linear = inside(model)
    return (
        isinstance(linear, LinearClassifier)
        and isinstance(linear.head_, LinearHead)
        and traceable(linear.blocks_)
    )


def exact_shares(target: Target, alignment: Alignment) -> tuple[np.ndarray, float]:
    """Return what each character of a clean text adds to the score, (n,), and the score without any.

    Args:
        target: Of a model for which `is_exact`.
        alignment: Of the text.
    """
    model = target.model
    text = TracedText(alignment.clean, model.analyzer)
    shares, start = np.zeros(len(alignment.clean)), 0
    for block in model.blocks_:
        shares += trace(block, text, _weights(model.head_, start, target.slopes))
        start += block.n_features if isinstance(block, NgramBlock) else DIMENSIONS
    return shares, float(model.head_.intercepts @ target.slopes + target.bias)


def _weights(head: LinearHead, start: int, slopes: np.ndarray) -> Any:
    """Return a function from a block's columns to their weights in the score."""
    return lambda columns: head.weights[start + columns].astype(np.float64) @ slopes
