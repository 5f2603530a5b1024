"""Reasons by trying: parts of a text are left out, and the model is asked again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import Ridge

from gallae.explaining.scoring import is_multilabel, log_odds
from gallae.explaining.units import merged
from gallae.text.places import Place

log = logging.getLogger(__name__)
_CHARACTERS = 2_000_000  # of all the variants of a text, which bounds the time
_FEWEST, _MOST = 20, 400  # parts of a long text that are left out one after the other
_SAMPLES = 600  # variants of a text for LIME
_AT_ONCE = 512  # texts that the model is asked about together
_WIDTH = 0.25  # of LIME's kernel, as in its authors' program for texts


def bounded(text: str, places: Sequence[Place]) -> list[Place]:
    """Return the places, joined where a long text has too many to try each of them."""
    most = min(_MOST, max(_FEWEST, _CHARACTERS // max(1, len(text))))
    if len(places) > most:
        log.warning(
            "a text of %d characters has %d parts: it is explained in %d stretches",
            len(text),
            len(places),
            most,
        )
    return merged(places, most)


def occlusion(model: Any, text: str, places: Sequence[Place], column: int) -> np.ndarray:
    """Return how far the score falls when each part is left out, (n_places,).

    Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (2014), for words as in Li et al.,
    "Understanding Neural Networks through Representation Erasure" (2016).

    Args:
        model: Any classifier over texts with `predict_proba`.
        text: The raw text.
        places: Of its parts.
        column: Of the label.
    """
    variants = [text, *(text[:start] + text[end:] for start, end in places)]
    scores = _scores(model, variants, column)
    return scores[0] - scores[1:]


def lime(model: Any, text: str, places: Sequence[Place], column: int, seed: int) -> np.ndarray:
    """Return the weights of a linear model of the score around the text, (n_places,).

    Ribeiro et al., "Why Should I Trust You?" (2016): parts are left out at random, variants nearer to the
    text weigh more (an exponential kernel over the cosine distance), and ridge regression finds the weights.

    Args:
        model: Any classifier over texts with `predict_proba`.
        text: The raw text.
        places: Of its parts.
        column: Of the label.
        seed: Of the choice of parts.
    """
    count = len(places)
    if not count:
        return np.zeros(0)
    samples = max(20, min(_SAMPLES, 2 * _CHARACTERS // max(1, len(text))))
    kept = _masks(samples, count, seed)
    scores = _scores(model, [_without(text, places, row) for row in kept], column)
    distances = 1 - np.sqrt(kept.mean(axis=1))
    nearness = np.sqrt(np.exp(-(distances**2) / _WIDTH**2))
    fitted = Ridge(alpha=1.0).fit(kept.astype(np.float64), scores, sample_weight=nearness)
    return np.asarray(fitted.coef_)


def _masks(samples: int, count: int, seed: int) -> np.ndarray:
    """Return (samples, count) bool, which parts are kept; the first row keeps all."""
    random = np.random.default_rng(seed)
    removed = random.integers(1, count + 1, samples)
    order = random.random((samples, count)).argsort(axis=1).argsort(axis=1)
    kept = order >= removed[:, None]
    kept[0] = True
    return kept


def _without(text: str, places: Sequence[Place], kept: np.ndarray) -> str:
    out, at = [], 0
    for (start, end), keep in zip(places, kept.tolist(), strict=True):
        out.append(text[at:start])
        if keep:
            out.append(text[start:end])
        at = end
    return "".join([*out, text[at:]])


def _scores(model: Any, texts: Sequence[str], column: int) -> np.ndarray:
    """Return the label's scores, (n_texts,); a variant that comes twice is asked once."""
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    tables = [np.asarray(model.predict_proba(chunk)) for chunk in _chunks(list(numbers))]
    scores = log_odds(np.concatenate(tables), column, is_multilabel(model))
    return scores[[numbers[text] for text in texts]]


def _chunks(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), _AT_ONCE):
        yield texts[start : start + _AT_ONCE]
