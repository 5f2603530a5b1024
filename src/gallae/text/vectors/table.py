"""Vectors by token: looking them up, nearest neighbours, analogies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

import numpy as np

from gallae.errors import TextError
from gallae.text.vectors.ngrams import NgramTable


class Vectors:
    """Vectors of tokens.

    Args:
        tokens: (n,) distinct tokens, the most frequent first where that is known.
        matrix: (n, dim) float32, a row a token.

    Attributes:
        tokens: The tokens, a list.
    """

    def __init__(self, tokens: Sequence[str], matrix: np.ndarray) -> None:
        self.tokens = list(tokens)
        self._matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        self._place = {token: row for row, token in enumerate(self.tokens)}
        if self._matrix.ndim != 2 or len(self._matrix) != len(self._place) or len(self._place) != len(tokens):
            raise TextError(
                f"vectors of {len(self.tokens)} tokens, {len(self._place)} of them distinct, are a matrix of "
                f"shape {self._matrix.shape}: it needs one row for each token, and tokens must be distinct."
            )

    @property
    def matrix(self) -> np.ndarray:
        """(n, dim) float32, a row a token."""
        return self._matrix

    @property
    def dim(self) -> int:
        """Number of columns."""
        return int(self._matrix.shape[1])

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._place

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self):,} tokens, dim={self.dim})"

    def lookup(self, tokens: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return which tokens have a vector, (n,) bool, and the vectors, (n, dim) float32; zeros without."""
        rows = np.array([self._place.get(token, -1) for token in tokens], dtype=np.int64)
        found = rows >= 0
        result = np.zeros((len(rows), self.dim), dtype=np.float32)
        result[found] = self._matrix[rows[found]]
        return found, result

    def coverage(self, tokens: Iterable[str]) -> float:
        """Return the share of (running) tokens that have a vector of their own."""
        flags = [token in self._place for token in tokens]
        return sum(flags) / max(1, len(flags))

    def resolve(self, word: str) -> str:
        """Return the token that is meant: `word` itself, else the first token "word/TAG".

        Raises:
            TextError: if there is none; it names tokens spelt alike.
        """
        if word in self._place:
            return word
        if word in self._by_form:
            return self._by_form[word]
        raise TextError(f"there is no vector of {word!r}. {self._spelt_alike(word)}")

    def token_of(self, word: str) -> str:
        """Return the token whose vector stands for `word`.

        Raises:
            TextError: if there is none.
        """
        return self._vector(word)[0]

    @cached_property
    def _by_form(self) -> dict[str, str]:
        forms: dict[str, str] = {}
        for token in self.tokens:
            form, slash, tag = token.rpartition("/")
            if slash and form and tag:
                forms.setdefault(form, token)
        return forms

    def _spelt_alike(self, word: str) -> str:
        shared = [token for token in self.tokens if token[:1] == word[:1]]
        close = get_close_matches(word, shared, n=3, cutoff=0.5)
        return f"Spelt alike: {', '.join(close)}." if close else f"There are {len(self):,} others."

    def neighbours(self, token: str, n: int = 10) -> list[tuple[str, float]]:
        """Return the `n` tokens whose vectors are nearest, with their cosines, the nearest first.

        Raises:
            TextError: if `token` has no vector.
        """
        token, vector = self._vector(token)
        return self._nearest(vector, n, {token})

    def analogy(self, weights: Mapping[str, float], n: int = 10) -> list[tuple[str, float]]:
        """Return the `n` tokens nearest to a weighted sum, without the given ones, with their cosines.

        {"king": 1, "man": -1, "woman": 1} asks what is to woman as king is to man. Every vector is brought
        to unit length first (Mikolov et al., "Linguistic Regularities in Continuous Space Word
        Representations", 2013).

        Raises:
            TextError: if a token has no vector, or the sum is zero.
        """
        if not weights:
            raise TextError("an analogy needs at least one word.")
        total = np.zeros(self.dim, dtype=np.float64)
        given = set()
        for word, weight in weights.items():
            token, vector = self._vector(word)
            given.add(token)
            total += weight * vector.astype(np.float64) / (np.linalg.norm(vector.astype(np.float64)) or 1)
        if not np.linalg.norm(total) > 1e-6:
            raise TextError("these words and weights add up to a vector of zeros, which nothing is near to.")
        return self._nearest(total.astype(np.float32), n, given)

    def _vector(self, word: str) -> tuple[str, np.ndarray]:
        token = self.resolve(word)
        return token, self._matrix[self._place[token]]

    @cached_property
    def _lengths(self) -> np.ndarray:
        """(n,) float32 length of each vector; infinite for one of zeros, which is near to nothing."""
        lengths = np.sqrt(np.einsum("ij,ij->i", self.matrix, self.matrix, dtype=np.float64))
        return np.where(lengths > 0, lengths, np.inf).astype(np.float32)

    def _nearest(self, vector: np.ndarray, n: int, without: set[str]) -> list[tuple[str, float]]:
        if n < 1:
            raise TextError(f"n is {n}; the number of neighbours must be 1 or more.")
        cosines = self.matrix @ vector / self._lengths / (np.linalg.norm(vector) or 1)
        cosines[~np.isfinite(self._lengths)] = -np.inf
        cosines[[self._place[token] for token in without if token in self._place]] = -np.inf
        most = min(n, int((cosines > -np.inf).sum()))
        bound = np.partition(cosines, -most)[-most] if most else np.inf
        best = np.flatnonzero(cosines >= bound)
        best = best[np.lexsort((best, -cosines[best]))][:most]
        return [(self.tokens[row], float(cosines[row])) for row in best]

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the vectors in word2vec's format, which gensim reads too: as text, or binary if named .bin.

        Args:
            path: The file.
            force: Whether to replace an existing file.

        Raises:
            OutputError: if it exists or cannot be written.
        """
        if Path(path).suffix == ".bin":
            from gallae.text.vectors.word2vec_files import write_word2vec

            write_word2vec(self, path, force)
        else:
            from gallae.text.vectors.text_files import write_text

            write_text(self, path, force)


class FastTextVectors(Vectors):
    """Vectors of tokens and of their n-grams of characters: every token that has an n-gram has a vector.

    A token's vector is the mean of its own row and its n-grams' (Bojanowski et al., "Enriching Word Vectors
    with Subword Information", 2017), computed when asked for; the rows may be on disk.

    Args:
        tokens: (n,) distinct tokens.
        rows: (n, dim) float32, the tokens' own rows.
        ngrams: The n-grams' rows.
        counts: (n,) how often each token was found, for writing fastText's format; 1 without.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        rows: np.ndarray,
        ngrams: NgramTable,
        counts: Sequence[int] | None = None,
    ) -> None:
        self.tokens = list(tokens)
        self.rows = rows
        self.ngrams = ngrams
        self.counts = [1] * len(self.tokens) if counts is None else [int(count) for count in counts]
        self._place = {token: row for row, token in enumerate(self.tokens)}

    @property
    def dim(self) -> int:
        """Number of columns."""
        return int(self.rows.shape[1])

    @cached_property
    def matrix(self) -> np.ndarray:
        """(n, dim) float32, a row a token; computed for all of them."""
        return self.lookup(self.tokens)[1]

    def lookup(self, tokens: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return which tokens have a vector, (n,) bool, and the vectors, (n, dim) float32; zeros without."""
        found = np.zeros(len(tokens), dtype=bool)
        result = np.zeros((len(tokens), self.dim), dtype=np.float32)
        for number, token in enumerate(tokens):
            parts = self.ngrams.rows_of(token)
            row = self._place.get(token)
            if row is None and not len(parts):
                continue
            total = parts.sum(axis=0, dtype=np.float32)
            result[number] = (total if row is None else total + self.rows[row]) / (
                len(parts) + (row is not None)
            )
            found[number] = True
        return found, result

    def _vector(self, word: str) -> tuple[str, np.ndarray]:
        token = word if word in self._place else self._by_form.get(word, word)
        found, vector = self.lookup([token])
        if not found[0]:
            self.resolve(word)
        return token, vector[0]

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write fastText's own format if named .bin, else word2vec's text, which has no n-grams.

        Args:
            path: The file.
            force: Whether to replace an existing file.

        Raises:
            OutputError: if it exists or cannot be written.
        """
        if Path(path).suffix == ".bin":
            from gallae.text.vectors.fasttext_files import write_fasttext

            write_fasttext(self, path, force)
        else:
            super().save(path, force)
