"""Embeddings that begin with Kiwi's vectors instead of at random."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch

from gallae.errors import RecipeError
from gallae.pretraining.vocabularies import pieces_of
from gallae.text.piece_vectors import piece_vectors

log = logging.getLogger(__name__)
ROW_SIZE = 0.04
"""Root mean square of an embedding's components: twice that of random weights."""
_FEW = 0.1  # share of the vocabulary with a vector, below which a word is said


def use_kiwi_vectors(network: Any, tokenizer: Any) -> float:
    """Put Kiwi's vectors of a tokenizer's pieces into the embedding of a network, in place.

    Pieces that Kiwi knows nothing of, and special tokens, keep their rows. Networks that share the embedding,
    such as ELECTRA's generator and discriminator, begin with the vectors together. Where the embedding is
    not 256 wide, the vectors' principal components go into a narrower one, and a rotation of them into a
    wider one.

    Args:
        network: A `transformers.PreTrainedModel`.
        tokenizer: Its tokenizer, of transformers.

    Returns:
        The share of the pieces that have a vector.

    Raises:
        RecipeError: if none has one.
        MissingExtra: if the installed Kiwi has no CoNgram model.
    """
    pieces = pieces_of(tokenizer)
    vectors = piece_vectors(pieces)
    known = np.any(vectors, axis=1)
    share = float(known.mean())
    if not known.any():
        raise RecipeError(
            "Kiwi has a vector of no piece of this tokenizer, which seems not to be of Korean text: set "
            'network.vectors = "".'
        )
    if share < _FEW:
        log.warning("only %.1f %% of the vocabulary has a Kiwi vector: are its pieces Korean?", 100 * share)
    weight = network.get_input_embeddings().weight
    rows = to_width(vectors[known], weight.shape[1])
    rows *= ROW_SIZE / np.sqrt(np.mean(np.square(rows), axis=1, keepdims=True) + 1e-12)
    with torch.no_grad():
        weight[torch.from_numpy(np.flatnonzero(known))] = torch.from_numpy(rows).to(weight)
    return share


def to_width(vectors: np.ndarray, width: int) -> np.ndarray:
    """Return vectors of another width whose inner products are the same, or as near as can be.

    Args:
        vectors: (n, d) float32.
        width: Wanted: fewer than d are the principal components, more a rotation into the larger space.

    Returns:
        (n, width) float32.
    """
    own = vectors.shape[1]
    if width == own:
        return vectors.copy()
    if width < own:
        _values, axes = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)
        turn = axes[:, ::-1][:, :width]
        turn = turn * np.sign(turn[np.abs(turn).argmax(axis=0), np.arange(width)])  # their signs are free
    else:
        noise = np.random.default_rng(0).normal(size=(width, own))
        turn = np.linalg.qr(noise)[0].T
    return (vectors @ turn).astype(np.float32)
