"""Word vectors for a network's embedding: Kiwi's, trained on the corpus, or from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gallae.errors import RecipeError
from gallae.text.subwords import UNITS
from gallae.text.token_ids import TextTokenizer

TRAINED = ("word2vec", "fasttext", "glove")
SIZE = 0.5
"""Root mean square of the components of pretrained vectors in a network."""
Lookup = Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class PretrainedVectors:
    """Vectors by token.

    Attributes:
        width: Their dimension.
        lookup: Tokens to (found (n,) bool, vectors (n, width) float32).
        known: The tokens there are vectors of.
    """

    width: int
    lookup: Lookup
    known: Iterable[str] = ()


def find_vectors(
    options: Any, tokenizer: TextTokenizer, texts: Sequence[str], seed: int
) -> PretrainedVectors | None:
    """Return the vectors that a recipe names, or None.

    Args:
        options: The recipe's `EmbeddingOptions`.
        tokenizer: Splits the texts, where vectors are trained on them.
        texts: Clean texts of the corpus.
        seed: Of the training.

    Raises:
        RecipeError: if their width is not `embedding`.
        TextError, MissingExtra: for a file or package that is missing or damaged.
    """
    name = getattr(options, "vectors", "")
    if not name:
        return None
    if name == "kiwi":
        found = _of_pieces() if tokenizer.unit in UNITS else _kiwi()
    else:
        from gallae.text import vectors as word_vectors

        if name in TRAINED:
            word_vectors.check_vector_options(options.vector_options)
            rows = list(tokenizer.rows(texts, remember=True))
            usual = {"dim": options.embedding or 128, "min_count": options.min_count, "seed": seed}
            made = word_vectors.train_vectors(rows, name, **(usual | options.vector_options))
        else:
            made = word_vectors.load_vectors(name)
        found = PretrainedVectors(made.dim, made.lookup, made.tokens)
    if options.embedding not in (0, found.width):
        raise RecipeError(
            f"model.embedding is {options.embedding}, but the vectors {name!r} are of {found.width}. "
            f"Leave model.embedding 0, or set it to {found.width}."
        )
    return found


def scaled(matrix: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the vectors found, scaled so that their components' root mean square is `SIZE`.

    Networks learn best where embeddings are of the size of their other inputs, whatever the vectors' own.

    Args:
        matrix: (n, width) vectors.
        found: (n,) bool, which of them there are.
    """
    vectors = np.asarray(matrix[found], dtype=np.float32)
    size = float(np.sqrt(np.mean(np.square(vectors)))) if vectors.size else 0.0
    return vectors * np.float32(SIZE / size) if size else vectors


def _kiwi() -> PretrainedVectors:
    from gallae.text.kiwi_vectors import DIMENSIONS, kiwi_vectors

    vectors = kiwi_vectors()

    def lookup(tokens: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        return np.array([token in vectors for token in tokens], dtype=bool), vectors(tokens)

    return PretrainedVectors(DIMENSIONS, lookup, vectors.morphemes())


def _of_pieces() -> PretrainedVectors:
    from gallae.text.kiwi_vectors import DIMENSIONS
    from gallae.text.piece_vectors import piece_vectors

    def lookup(tokens: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        vectors = piece_vectors(tokens)
        return np.asarray(vectors.any(axis=1)), vectors

    return PretrainedVectors(DIMENSIONS, lookup)
