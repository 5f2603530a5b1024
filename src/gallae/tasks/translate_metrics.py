"""How good translations are that mostly repeat their source: chrF and BLEU, and the words that had to
change."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallae.errors import require
from gallae.tasks.figures import Figures, averages, from_sums
from gallae.tasks.translate_alignment import shared_words

FIGURES = {
    "changed_accuracy": "accuracy of changed words",
    "chrf": "chrF",
    "bleu": "BLEU",
    "exact_match": "exact match",
    "kept_accuracy": "accuracy of kept words",
}


def score_words(source: str, reference: str, said: str) -> tuple[int, int, int, int]:
    """Return the reference's changed words, those of them said, its kept words, those of them said.

    A word of the reference is kept if it stands in a longest common subsequence of reference and source, else
    it is changed. It is said if it stands in one of reference and translation. Words are parted by spaces.
    """
    words = reference.split()
    kept, right = shared_words(words, source.split()), shared_words(words, said.split())
    return len(words) - len(kept), len(right - kept), len(kept), len(right & kept)


def score_texts(sources: Sequence[str], references: Sequence[str], said: Sequence[str]) -> Figures:
    """Return the figures with 95 % bootstrap intervals over the texts.

    chrF (Popović 2015) and BLEU (Papineni et al. 2002) are sacrebleu's, from 0 to 100; the others go from 0
    to 1. Where no word had to change `changed_accuracy` is missing.

    Args:
        sources: (n,) texts.
        references: (n,) their right translations.
        said: (n,) translations.
    """
    rows = zip(sources, references, said, strict=True)
    words = np.array([score_words(*row) for row in rows], dtype=np.float64)
    found: Figures = {"changed_words": int(words[:, 0].sum())}
    found |= _shares(words)
    found |= averages(
        {"exact_match": [float(one == other) for one, other in zip(said, references, strict=True)]}
    )
    for name, metric in _metrics().items():
        found |= _of_corpus(name, metric, said, references)
    return found


def _shares(words: NDArray[np.float64]) -> Figures:
    found: Figures = {}
    for name, at in (("changed_accuracy", 0), ("kept_accuracy", 2)):
        if words[:, at].sum():
            found |= from_sums(words[:, at : at + 2], partial(_share, name))
    return found


def _share(name: str, sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {name: sums[..., 1] / np.maximum(sums[..., 0], 1)}


def _metrics() -> dict[str, Any]:
    metrics = require("sacrebleu.metrics", "tasks")
    return {"chrf": metrics.CHRF(), "bleu": metrics.BLEU(effective_order=False)}


def _of_corpus(name: str, metric: Any, said: Sequence[str], references: Sequence[str]) -> Figures:
    """Return a corpus figure, which sums n-gram counts over the texts, and resampled ones."""
    counts = np.array(metric._extract_corpus_statistics(list(said), [list(references)]), dtype=np.float64)

    def figure(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        rows = np.atleast_2d(sums).round().astype(int).tolist()
        scores = np.array([metric._compute_score_from_stats(row).score for row in rows])
        return {name: scores.reshape(sums.shape[:-1])}

    return from_sums(counts, figure)
