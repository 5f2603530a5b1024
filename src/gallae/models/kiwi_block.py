"""The block of Kiwi vectors: what the words of a text mean, beside how they are spelt."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any, Self

import numpy as np
import scipy.sparse as sp

from gallae.models.contract import State
from gallae.models.documents import Documents, TagFilter
from gallae.text import analyzer
from gallae.text.kiwi_vectors import DIMENSIONS, KiwiVectors, kiwi_vectors

log = logging.getLogger(__name__)

CONTENT_TAGS = ("N*", "V*", "M*", "XR", "SL", "SH", "XPN", "XSN")


class KiwiBlock:
    """The mean of a text's Kiwi vectors, weighted by inverse document frequency, of unit length.

    Only content morphemes count (nouns, verbs, adjectives, adverbs, roots, Latin, hanja).

    Args:
        weight: What the block's rows are multiplied by.
    """

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight
        self.tag_filter = TagFilter("morpheme_tag", (), CONTENT_TAGS)
        self.idf: dict[str, float] = {}
        self.vectors = np.zeros((0, DIMENSIONS), np.float32)
        self.landmarks = np.zeros(0, np.int64)
        self.version = ""
        self._unseen = 1.0
        self._place: dict[str, int] = {}

    def fit(self, documents: Documents) -> None:
        """Learn the document frequencies, and fetch the vectors of the texts' morphemes."""
        frequencies: dict[str, int] = {}
        for tokens in self.tag_filter(documents.tagged):
            for token in dict.fromkeys(tokens):  # not a set, whose order changes from process to process
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
        lists = self.tag_filter(documents.tagged)
        numbers: dict[str, int] = {}
        columns = [numbers.setdefault(token, len(numbers)) for tokens in lists for token in tokens]
        ends = np.cumsum([0, *map(len, lists)])
        ones = np.ones(len(columns), dtype=np.float32)
        # Not by way of COO, which would sort: a text's sum must not depend on the texts beside it.
        table = sp.csr_matrix((ones, columns, ends), shape=(len(lists), len(numbers)))
        sums = table @ self.weighted_vectors(list(numbers))
        norms = np.sqrt(np.einsum("ij,ij->i", sums, sums, dtype=np.float64))[:, None]
        scale = np.divide(self.weight, norms, out=np.zeros_like(norms), where=norms > 0)
        return sums * scale.astype(np.float32)

    def weighted_vectors(self, tokens: list[str]) -> np.ndarray:
        """Return (n_tokens, 256): each token's vector times its IDF."""
        place = np.array([self._place.get(token, -1) for token in tokens], dtype=np.int64)
        vectors = np.empty((len(tokens), DIMENSIONS), dtype=np.float32)
        seen = place >= 0
        vectors[seen] = self.vectors[place[seen]]
        unseen = np.flatnonzero(~seen)
        if len(unseen):
            vectors[unseen] = self._unseen_vectors([tokens[row] for row in unseen]) * np.float32(self._unseen)
        return vectors

    def _unseen_vectors(self, tokens: list[str]) -> np.ndarray:
        table = self._table
        return np.zeros((len(tokens), DIMENSIONS), np.float32) if table is None else table(tokens)

    @cached_property
    def _table(self) -> KiwiVectors | None:
        """Vectors of morphemes not met in training; none when another version of Kiwi is installed."""
        installed = analyzer("kiwi").version
        if installed == self.version:
            return kiwi_vectors(self.landmarks)
        log.warning(
            "this model was trained with Kiwi %s, installed is %s: words new since training get no vector, "
            "and its figures may differ a little from those measured",
            self.version,
            installed,
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
