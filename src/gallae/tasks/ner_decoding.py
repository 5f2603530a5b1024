"""The best valid sequence of BIO tags (Viterbi 1967): an I only behind a B or I of its own type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gallae.tasks.bio import parse_tag

Floats = NDArray[np.floating]
_NEVER = -1e9


def log_shares(logits: Floats) -> NDArray[np.float64]:
    """Return log-probabilities (n, n_tags) of logits (n, n_tags)."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def transitions(tags: Sequence[str]) -> tuple[Floats, Floats]:
    """Return what a first tag (n_tags,) and a step from one to another (n_tags, n_tags) add: 0, or never.

    Args:
        tags: "O", "B-PS", "I-PS", ... in the order of the network's outputs.
    """
    parsed = [parse_tag(tag) or ("O", "") for tag in tags]
    inside = np.array([place == "I" for place, _ in parsed])
    kinds = np.array([kind for _, kind in parsed])
    fits = ~inside | (kinds[:, np.newaxis] == kinds)
    return np.where(inside, _NEVER, 0.0), np.where(fits, 0.0, _NEVER)


def best_path(scores: Floats, begin: Floats, step: Floats) -> NDArray[np.intp]:
    """Return the best sequence of tag numbers (n,).

    Args:
        scores: (n, n_tags) log-probabilities.
        begin: (n_tags,) of `transitions`.
        step: (n_tags, n_tags) of `transitions`.
    """
    if not len(scores):
        return np.zeros(0, dtype=np.intp)
    total = begin + scores[0]
    back = np.zeros(scores.shape, dtype=np.intp)
    for at in range(1, len(scores)):
        sums = total[:, np.newaxis] + step
        back[at] = sums.argmax(axis=0)
        total = sums.max(axis=0) + scores[at]
    path = np.zeros(len(scores), dtype=np.intp)
    path[-1] = total.argmax()
    for at in range(len(scores) - 1, 0, -1):
        path[at - 1] = back[at, path[at]]
    return path
