"""Blocks of features over raw texts: n-grams of characters, jamo, words or morphemes, and Kiwi vectors."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
import scipy.sparse as sp

from gallae.errors import RecipeError, TextError
from gallae.models.contract import State
from gallae.models.ngrams import (
    NgramVocabulary,
    Symbols,
    batches,
    character_symbols,
    hashed_counts,
    token_symbols,
)
from gallae.text import analyses, analyzer, decompose_jamo, match_tags
from gallae.text.kiwi_vectors import DIMENSIONS, KiwiVectors, kiwi_vectors

log = logging.getLogger(__name__)

CHARACTER_UNITS = ("char", "char_wb", "jamo", "jamo_wb")
TOKEN_UNITS = ("word", "morpheme", "morpheme_tag")
CONTENT_TAGS = ("N*", "V*", "M*", "XR", "SL", "SH", "XPN", "XSN")


class Documents:
    """Clean texts together with their morphemes, analysed once for all the blocks that ask.

    Args:
        texts: Texts after the recipe's steps.
        analyzer_name: "kiwi" or "mecab".
        keep: Whether to keep the analyses for later calls (training does, prediction is a stream).
    """

    def __init__(self, texts: Sequence[str], analyzer_name: str = "kiwi", keep: bool = False) -> None:
        self.texts = texts
        self._analyzer = analyzer_name
        self._keep = keep

    @cached_property
    def tagged(self) -> list[list[str]]:
        """The morphemes of each text, as "form/TAG"."""
        if self._keep:
            return analyses(self.texts, self._analyzer)
        return list(analyzer(self._analyzer).tagged(self.texts))


class Block(Protocol):
    """One group of columns."""

    weight: float

    def fit(self, documents: Documents) -> Any:
        """Learn the columns; may return counts of the documents, to be given to `transform`."""
        ...

    def transform(self, documents: Documents, counts: Any = None) -> Any:
        """Return (n_texts, n_features) float32, sparse or dense, each row of length `weight` (or zero)."""
        ...

    def names(self) -> list[str]:
        """Return the name of each column."""
        ...

    def state(self) -> State:
        """Return what was learned."""
        ...

    def restore(self, state: State) -> Self:
        """Take over what was learned."""
        ...


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
        self.vocabulary = NgramVocabulary(low, high, unit.endswith("_wb"), min_df, max_features)
        self.tokens: dict[str, int] = {}
        self.idf = np.zeros(0, np.float32)
        self._tag_filter = _TagFilter(unit, self.drop_tags, self.keep_tags)

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
            frequencies = self.vocabulary.learn(self._symbols(documents, learn=True))
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
        parts = [self._count(self._symbols(documents, part=part)) for part in batches(lengths + 2)]
        if not parts:
            return sp.csr_matrix((0, self.n_features), dtype=np.float32)
        return parts[0] if len(parts) == 1 else sp.vstack(parts, format="csr")

    def _count(self, symbols: Symbols) -> sp.csr_matrix:
        if self.hashing:
            return hashed_counts(symbols, *self.ngrams, self.vocabulary.words, self.hashing)
        return self.vocabulary.count(symbols)

    def _symbols(self, documents: Documents, part: slice = slice(None), learn: bool = False) -> Symbols:
        texts = documents.texts[part]
        if self.unit in CHARACTER_UNITS:
            if self.unit.startswith("jamo"):
                texts = [decompose_jamo(text) for text in texts]
            return character_symbols(texts, self.vocabulary.words)
        if self.unit == "word":
            tokens: list[list[str]] = [text.split() for text in texts]
        else:
            tokens = self._tag_filter(documents.tagged[part])
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


class KiwiBlock:
    """The mean of a text's Kiwi vectors, weighted by inverse document frequency, of unit length.

    Only content morphemes count (nouns, verbs, adjectives, adverbs, roots, Latin, hanja).

    Args:
        weight: What the block's rows are multiplied by.
    """

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight
        self._tag_filter = _TagFilter("morpheme_tag", (), CONTENT_TAGS)
        self.idf: dict[str, float] = {}
        self.vectors = np.zeros((0, DIMENSIONS), np.float32)
        self.landmarks = np.zeros(0, np.int64)
        self.version = ""
        self._place: dict[str, int] = {}

    def fit(self, documents: Documents) -> None:
        """Learn the document frequencies, and fetch the vectors of the texts' morphemes."""
        frequencies: dict[str, int] = {}
        for tokens in self._tag_filter(documents.tagged):
            for token in set(tokens):
                frequencies[token] = frequencies.get(token, 0) + 1
        table = kiwi_vectors()
        self.landmarks, self.version = table.landmarks, table.version
        n = len(documents.texts)
        known = {token: df for token, df in frequencies.items() if token in table}
        self.idf = {token: float(np.log((1 + n) / (1 + df)) + 1) for token, df in known.items()}
        self._unseen = float(np.log(1 + n) + 1)
        self._set_vectors(list(self.idf), table(list(self.idf)))

    def _set_vectors(self, tokens: list[str], vectors: np.ndarray) -> None:
        self._place = {token: row for row, token in enumerate(tokens)}
        weights = np.array([self.idf[token] for token in tokens], dtype=np.float32)
        self.vectors = vectors * weights[:, None]

    def transform(self, documents: Documents, counts: Any = None) -> np.ndarray:
        """Return (n_texts, 256) float32."""
        lists = self._tag_filter(documents.tagged)
        place = self._place
        missing = dict.fromkeys(t for tokens in lists for t in tokens if t not in place)
        vectors = self.vectors
        if missing:
            extra = self._unseen_vectors(list(missing))
            place = _Chain(place, {token: len(vectors) + row for row, token in enumerate(missing)})
            vectors = np.vstack([vectors, extra * np.float32(self._unseen)])
        rows = np.repeat(np.arange(len(lists)), [len(tokens) for tokens in lists])
        columns = [place[token] for tokens in lists for token in tokens]
        ones = np.ones(len(columns), dtype=np.float32)
        sums = sp.csr_matrix((ones, (rows, columns)), shape=(len(lists), len(vectors))) @ vectors
        lengths = np.sqrt(np.einsum("ij,ij->i", sums, sums, dtype=np.float64))[:, None]
        scale = np.divide(self.weight, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        return sums * scale.astype(np.float32)

    def _unseen_vectors(self, tokens: list[str]) -> np.ndarray:
        table = self._table
        return np.zeros((len(tokens), DIMENSIONS), np.float32) if table is None else table(tokens)

    @cached_property
    def _table(self) -> KiwiVectors | None:
        """Vectors of morphemes not met in training; none when another version of Kiwi is installed."""
        table = kiwi_vectors(self.landmarks)
        if table.version == self.version:
            return table
        log.warning(
            "this model was trained with Kiwi %s, installed is %s: words new since training get no vector, "
            "and its figures may differ a little from those measured",
            self.version,
            table.version,
        )
        return None

    def names(self) -> list[str]:
        """Return the columns' names."""
        return [f"kiwi:{number}" for number in range(DIMENSIONS)]

    def state(self) -> State:
        """Return what was learned."""
        weights = np.array(list(self.idf.values()), dtype=np.float32)[:, None]
        values = {"idf": self.idf, "unseen": self._unseen, "version": self.version}
        vectors = (self.vectors / weights).astype(np.float16)
        return State(values, {"vectors": vectors, "landmarks": self.landmarks})

    def restore(self, state: State) -> Self:
        """Take over what was learned."""
        self.idf, self._unseen = state.values["idf"], state.values["unseen"]
        self.version, self.landmarks = state.values["version"], state.tensors["landmarks"]
        self._set_vectors(list(self.idf), state.tensors["vectors"].astype(np.float32))
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_table"}


def make_block(options: Mapping[str, Any]) -> NgramBlock | KiwiBlock:
    """Make a block from a recipe's table.

    Raises:
        RecipeError: for an unknown kind, unit or field.
    """
    options = dict(options)
    kind = options.get("kind", "tfidf")
    try:
        if kind == "kiwi":
            return KiwiBlock(**{key: value for key, value in options.items() if key != "kind"})
        return NgramBlock(**options)
    except TypeError as error:
        raise RecipeError(f"a feature block of kind {kind!r} has no such field: {error}") from error


class _TagFilter:
    """Choose and name the tokens of tagged morphemes, with each distinct morpheme looked at once."""

    def __init__(self, unit: str, drop_tags: Sequence[str], keep_tags: Sequence[str]) -> None:
        self._with_tag = unit == "morpheme_tag"
        self._dropped = match_tags(drop_tags)
        self._kept = match_tags(keep_tags)
        self._chosen: dict[str, str] = {}

    def __call__(self, tagged: Sequence[Sequence[str]]) -> list[list[str]]:
        chosen, choose = self._chosen, self._choose
        if len(chosen) > 500_000:
            chosen.clear()
        result = []
        for morphemes in tagged:
            row = []
            for morpheme in morphemes:
                token = chosen.get(morpheme)
                if token is None:
                    token = choose(morpheme)
                if token:
                    row.append(token)
            result.append(row)
        return result

    def _choose(self, morpheme: str) -> str:
        form, _, tag = morpheme.rpartition("/")
        wanted = tag not in self._dropped and (not self._kept or tag in self._kept)
        token = (morpheme if self._with_tag else form) if wanted else ""
        self._chosen[morpheme] = token
        return token


class _Chain(dict[str, int]):
    """Two dictionaries read as one, without copying the large one."""

    def __init__(self, first: Mapping[str, int], second: Mapping[str, int]) -> None:
        super().__init__(second)
        self._first = first

    def __missing__(self, key: str) -> int:
        return self._first[key]


def _hashed_tokens(tokens: Sequence[Sequence[str]]) -> Symbols:
    """Give tokens codes by CRC-32, which is the same in every process."""
    from zlib import crc32

    codes = [crc32(token.encode("utf-8", "surrogatepass")) for row in tokens for token in row]
    rows = np.repeat(np.arange(len(tokens), dtype=np.int32), [len(row) for row in tokens])
    return Symbols(np.asarray(codes, dtype=np.uint32), rows, len(tokens))


def _scale_rows(rows: sp.csr_matrix, weight: float) -> sp.csr_matrix:
    """Scale each row to length `weight`, in place."""
    counts = np.diff(rows.indptr)
    place = np.repeat(np.arange(len(counts)), counts)
    squares = np.bincount(place, weights=rows.data.astype(np.float64) ** 2, minlength=len(counts))
    factors = np.divide(weight, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)
    rows.data *= factors.astype(np.float32)[place]
    return rows
