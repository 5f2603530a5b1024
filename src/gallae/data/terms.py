"""Vocabulary, and the terms that tell classes apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from gallae.data.duplicates import numbered

_TELLING = 1.96  # of z: beyond chance at 95 %


def vocabulary(tokens: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Describe the vocabulary of tokenised texts.

    Args:
        tokens: The tokens of each text.

    Returns:
        "tokens" and "words" (distinct tokens); "once": words seen once, "once_share": their share of the
        vocabulary, "once_occurrences": their share of all tokens; "longest_word".
    """
    flat = list(chain.from_iterable(tokens))
    if not flat:
        return dict.fromkeys(("tokens", "words", "once"), 0) | {
            "once_share": 0.0,
            "once_occurrences": 0.0,
            "longest_word": "",
        }
    counts = np.bincount(numbered(flat))
    once = int((counts == 1).sum())
    return {
        "tokens": len(flat),
        "words": len(counts),
        "once": once,
        "once_share": once / len(counts),
        "once_occurrences": once / len(flat),
        "longest_word": max(flat, key=len),
    }


def telling_terms(
    tokens: Sequence[Sequence[str]],
    labels: Sequence[Any],
    classes: Sequence[str],
    top: int = 15,
    least: int = 3,
) -> dict[str, list[dict[str, Any]]]:
    """Return the terms that tell each class from the rest.

    Log-odds ratio with an informative Dirichlet prior, as z-scores: Monroe, Colaresi and Quinn (2008),
    "Fightin' Words", equations 16, 18 and 22. The prior has each term's frequency in the whole corpus and
    a tenth of an average class's mass, so that rare terms do not win by chance.

    Args:
        tokens: The tokens of each text.
        labels: The label of each text, or a tuple of them; a text counts for each of its labels.
        classes: Labels to report, in order.
        top: Terms a class.
        least: A term must occur this often in the class.

    Returns:
        Class to its terms with z above 1.96, most telling first: {"term", "z", "count" (in the class),
        "total"}.
    """
    numbers: dict[str, int] = {}
    rows = [np.array([numbers.setdefault(t, len(numbers)) for t in text], dtype=np.int64) for text in tokens]
    words = list(numbers)
    if not words or not classes:
        return {name: [] for name in classes}
    total = np.bincount(np.concatenate(rows), minlength=len(words)).astype(float)
    prior = total * (0.1 / len(classes))
    members: dict[str, list[np.ndarray]] = {name: [] for name in classes}
    for row, label in zip(rows, labels, strict=True):
        for name in (label,) if isinstance(label, str) else label:
            if name in members:
                members[name].append(row)
    return {name: _terms(words, total, prior, members[name], top, least) for name in classes}


def _terms(
    words: list[str], total: np.ndarray, prior: np.ndarray, rows: list[np.ndarray], top: int, least: int
) -> list[dict[str, Any]]:
    if not rows:
        return []
    inside = np.bincount(np.concatenate(rows), minlength=len(words)).astype(float)
    outside = np.maximum(total - inside, 0.0)
    if outside.sum() == 0:
        return []
    mass = prior.sum()
    here = inside + prior
    there = outside + prior
    # Masses less the term itself; a corpus of one term would leave nothing.
    rest_here = np.maximum(inside.sum() + mass - here, 1e-9)
    rest_there = np.maximum(outside.sum() + mass - there, 1e-9)
    z = (np.log(here / rest_here) - np.log(there / rest_there)) / np.sqrt(1 / here + 1 / there)
    z[inside < least] = -np.inf
    best = np.argsort(-z, kind="stable")[:top]
    return [
        {"term": words[at], "z": float(z[at]), "count": int(inside[at]), "total": int(total[at])}
        for at in best
        if z[at] > _TELLING
    ]
