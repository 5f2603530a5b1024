"""Blocks of features over raw texts: n-grams of characters, jamo, words or morphemes; and vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self
from zlib import crc32

import numpy as np
import scipy.sparse as sp

from gallae.errors import RecipeError, TextError
from gallae.models.contract import State
from gallae.models.documents import Block, Documents, TagFilter
from gallae.models.encoder_block import EncoderBlock
from gallae.models.kiwi_block import KiwiBlock
from gallae.models.ngrams import (
    NgramVocabulary,
    Symbols,
    batches,
    character_symbols,
    hashed_counts,
    token_symbols,
)
from gallae.text import decompose_jamo

KINDS = ("tfidf", "count", "binary")
CHARACTER_UNITS = ("char", "char_wb", "jamo", "jamo_wb")
TOKEN_UNITS = ("word", "morpheme", "morpheme_tag")


class NgramBlock:
    """N-grams, counted, binary or weighted by TF-IDF, each row scaled to unit length.

    Args:
        kind: "tfidf", "count" or "binary".
        unit: Characters ("char", or "char_wb" inside words), letters ("jamo", "jamo_wb"), "word",
            "morpheme" or "morpheme_tag".
        ngrams: Shortest and longest n-gram.
        min_df: Leave out n-grams found in fewer texts.
        max_features: Keep only so many, those of most texts first; 0 keeps all.
        sublinear: Use 1 + log(count) instead of the count.
        hashing: Number of hashed columns instead of a vocabulary, for bounded memory; 0 for a vocabulary.
        weight: What the block's rows are multiplied by.
        drop_tags, keep_tags: Part-of-speech filter of morphemes.

    Raises:
        RecipeError: for a value that is not allowed.
        TextError: for an unknown part-of-speech tag.
    """

    def __init__(
        self,
        kind: str = "tfidf",
        unit: str = "char_wb",
        ngrams: tuple[int, int] = (1, 4),
        min_df: int = 2,
        max_features: int = 0,
        sublinear: bool = True,
        hashing: int = 0,
        weight: float = 1.0,
        drop_tags: Sequence[str] = (),
        keep_tags: Sequence[str] = (),
    ) -> None:
        self.kind, self.unit, self.ngrams = kind, unit, (ngrams[0], ngrams[1])
        self.sublinear, self.hashing, self.weight = sublinear, hashing, weight
        self.drop_tags, self.keep_tags = tuple(drop_tags), tuple(keep_tags)
        low, high = self.ngrams
        _check_one_of("kind", kind, KINDS)
        _check_one_of("unit", unit, (*CHARACTER_UNITS, *TOKEN_UNITS))
        if not 1 <= low <= high:
            raise RecipeError(
                f"ngrams is [{low}, {high}]: the shortest must be 1 or more, the longest no less."
            )
        if min_df < 1 or max_features < 0 or hashing < 0:
            raise RecipeError("min_df must be 1 or more, max_features and hashing 0 or more.")
        self.vocabulary = NgramVocabulary(low, high, unit.endswith("_wb"), min_df, max_features)
        self.tokens: dict[str, int] = {}
        self.idf = np.zeros(0, np.float32)
        self.tag_filter = TagFilter(unit, self.drop_tags, self.keep_tags)

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return self.hashing or self.vocabulary.n_features

    def fit(self, documents: Documents) -> sp.csr_matrix:
        """Learn vocabulary and document frequencies; return the counts."""
        if self.hashing:
            counts = self._counts(documents)
            frequencies = np.bincount(counts.indices, minlength=self.hashing)
        else:
            frequencies = self.vocabulary.learn(self.symbols(documents, learn=True))
            if not self.vocabulary.n_features:
                raise TextError(
                    f"no {self.unit} n-gram occurs in {self.vocabulary.min_df} texts or more, so there is "
                    "nothing to learn from. Lower min_df, or look at the texts with `gallae audit`."
                )
            counts = self._counts(documents)
        self._learn_idf(frequencies, counts.shape[0])
        return counts

    def _learn_idf(self, frequencies: np.ndarray, n_texts: int) -> None:
        """Smooth inverse document frequency as scikit-learn has it: log((1 + n) / (1 + df)) + 1."""
        self.idf = (np.log((1 + n_texts) / (1 + frequencies)) + 1).astype(np.float32)

    def transform(self, documents: Documents, counts: sp.csr_matrix | None = None) -> sp.csr_matrix:
        """Return weighted rows, (n_texts, n_features) float32 CSR."""
        rows = self._counts(documents) if counts is None else counts
        if self.kind == "binary":
            rows.data[:] = 1.0
        elif self.kind == "tfidf" and self.sublinear:
            repeated = rows.data > 1
            rows.data[repeated] = 1 + np.log(rows.data[repeated])
        if self.kind == "tfidf":
            rows.data *= self.idf[rows.indices]
        return _scale_rows(rows, self.weight)

    def _counts(self, documents: Documents) -> sp.csr_matrix:
        lengths = np.fromiter(map(len, documents.texts), dtype=np.int64, count=len(documents.texts))
        parts = [self._count(self.symbols(documents, part=part)) for part in batches(lengths + 2)]
        if not parts:
            return sp.csr_matrix((0, self.n_features), dtype=np.float32)
        return parts[0] if len(parts) == 1 else sp.vstack(parts, format="csr")

    def _count(self, symbols: Symbols) -> sp.csr_matrix:
        if self.hashing:
            return hashed_counts(symbols, *self.ngrams, self.vocabulary.words, self.hashing)
        return self.vocabulary.count(symbols)

    def symbols(self, documents: Documents, part: slice = slice(None), learn: bool = False) -> Symbols:
        """Return some of the texts as symbols: characters, letters or tokens."""
        texts = documents.texts[part]
        if self.unit in CHARACTER_UNITS:
            if self.unit.startswith("jamo"):
                texts = [decompose_jamo(text) for text in texts]
            return character_symbols(texts, self.vocabulary.words)
        if self.unit == "word":
            tokens: list[list[str]] = [text.split() for text in texts]
        else:
            tokens = self.tag_filter(documents.tagged[part])
        if self.hashing:
            return _hashed_tokens(tokens)
        return token_symbols(tokens, self.tokens, learn)

    def names(self) -> list[str]:
        """Return each column's n-gram; hashed columns have numbers."""
        if self.hashing:
            return [f"#{number}" for number in range(self.hashing)]
        return self.vocabulary.names(None if self.unit in CHARACTER_UNITS else ["", *self.tokens])

    def state(self) -> State:
        """Return what was learned."""
        tensors = {"idf": self.idf}
        if not self.hashing:
            tensors["alphabet"] = self.vocabulary.alphabet
            for n, (level, column) in enumerate(
                zip(self.vocabulary.levels, self.vocabulary.columns, strict=True), 1
            ):
                tensors[f"level{n}"], tensors[f"column{n}"] = level, column
        return State({"tokens": list(self.tokens), "n_features": self.n_features}, tensors)

    def restore(self, state: State) -> Self:
        """Take over what was learned."""
        self.idf = state.tensors["idf"]
        self.tokens = {token: code for code, token in enumerate(state.values["tokens"], 1)}
        if not self.hashing:
            numbers = range(1, self.ngrams[1] + 1)
            self.vocabulary.alphabet = state.tensors["alphabet"]
            self.vocabulary.levels = [state.tensors[f"level{n}"] for n in numbers]
            self.vocabulary.columns = [state.tensors[f"column{n}"] for n in numbers]
            self.vocabulary.n_features = state.values["n_features"]
        return self


_OTHERS: dict[str, Callable[..., Block]] = {"kiwi": KiwiBlock, "encoder": EncoderBlock}


def make_block(options: Mapping[str, Any]) -> Block:
    """Make a block from a recipe's table.

    Raises:
        RecipeError: for an unknown kind, unit or field.
    """
    options = dict(options)
    kind = options.get("kind", "tfidf")
    _check_one_of("kind", kind, (*KINDS, *_OTHERS))
    try:
        if kind in _OTHERS:
            return _OTHERS[kind](**{key: value for key, value in options.items() if key != "kind"})
        return NgramBlock(**options)
    except TypeError as error:
        raise RecipeError(f"a feature block of kind {kind!r} has no such field: {error}") from error


def _check_one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise RecipeError(f"a feature block's {name} is {value!r}; allowed: {', '.join(allowed)}.")


def _hashed_tokens(tokens: Sequence[Sequence[str]]) -> Symbols:
    """Give tokens codes by CRC-32, which is the same in every process."""
    codes = [crc32(token.encode("utf-8", "surrogatepass")) for row in tokens for token in row]
    lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    rows = np.repeat(np.arange(len(tokens), dtype=np.int32), lengths)
    return Symbols(np.asarray(codes, dtype=np.uint32), rows, len(tokens))


def _scale_rows(rows: sp.csr_matrix, weight: float) -> sp.csr_matrix:
    """Scale each row to length `weight`, in place."""
    counts = np.diff(rows.indptr)
    place = np.repeat(np.arange(len(counts)), counts)
    squares = np.bincount(place, weights=rows.data.astype(np.float64) ** 2, minlength=len(counts)).astype(
        float
    )
    factors = np.divide(weight, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)
    rows.data *= factors.astype(np.float32)[place]
    return rows
