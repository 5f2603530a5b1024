"""What each character of a text adds to a linear score: features taken apart into what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import numpy as np

from gallae.models.documents import Block, Documents
from gallae.models.features import CHARACTER_UNITS, NgramBlock
from gallae.models.kiwi_block import KiwiBlock
from gallae.models.ngrams import character_places, find_hashed
from gallae.text import decompose_jamo
from gallae.text.morphemes import Located, analyzer
from gallae.text.places import Place, word_places

Weigh = Callable[[np.ndarray], np.ndarray]


class TracedText(Documents):
    """One clean text with its morphemes, which know where they stand.

    Args:
        text: After the recipe's steps.
        analyzer_name: "kiwi" or "mecab".
    """

    def __init__(self, text: str, analyzer_name: str = "kiwi") -> None:
        super().__init__([text], analyzer_name)
        self._located: list[Located] | None = None

    @property
    def text(self) -> str:
        """The clean text."""
        return self.texts[0]

    @property
    def located(self) -> list[Located]:
        """Its morphemes."""
        if self._located is None:
            self._located = analyzer(self._analyzer).located(self.text)
        return self._located

    @property
    def tagged(self) -> list[list[str]]:
        """Its morphemes as "form/TAG", in a list of one text."""
        return [[morpheme.tagged for morpheme in self.located]]


def traceable(blocks: Iterable[Block]) -> bool:
    """Whether `trace` can take all of the blocks apart; an encoder's vectors it cannot."""
    return all(isinstance(block, NgramBlock | KiwiBlock) for block in blocks)


def trace(block: Block, text: TracedText, weigh: Weigh) -> np.ndarray:
    """Return what each character adds to the score by way of a block, (n_characters,) float64.

    An n-gram's share is divided equally among its places in the text, and there among its characters that are
    not white space. A Kiwi vector's share belongs to its morpheme.

    Args:
        block: Fitted.
        text: One text.
        weigh: Takes (n,) columns of the block and returns (n,) weights.

    Returns:
        Shares whose sum is the block's row times the weights.
    """
    if isinstance(block, KiwiBlock):
        return _trace_vectors(block, text, weigh)
    return _trace_ngrams(cast(NgramBlock, block), text, weigh)


def _trace_ngrams(block: NgramBlock, text: TracedText, weigh: Weigh) -> np.ndarray:
    row = block.transform(text)
    added = row.data.astype(np.float64) * weigh(row.indices)
    symbols = block.symbols(text)
    found = list(
        find_hashed(symbols, *block.ngrams, block.vocabulary.words, block.hashing)
        if block.hashing
        else block.vocabulary.find(symbols)
    )
    found = [(n, at, np.searchsorted(row.indices, columns)) for n, at, columns in found]
    times = np.bincount(np.concatenate([numbers for _, _, numbers in found]), minlength=len(added))
    added = added / np.maximum(times, 1)
    places = _symbol_places(block, text)
    blank = np.array([start == end for start, end in places], dtype=bool)
    shares = np.zeros(len(symbols.codes) + 1)
    for n, at, numbers in found:
        inside = [~blank[at + step] for step in range(n)]
        count = np.sum(inside, axis=0)
        share = added[numbers] / np.maximum(count, 1)
        for step, solid in enumerate(inside):
            np.add.at(shares, at + step, np.where(solid, share, 0.0))
        np.add.at(shares, at, np.where(count == 0, added[numbers], 0.0))
    return _on_characters(shares[: len(places)], places, len(text.text))


def _symbol_places(block: NgramBlock, text: TracedText) -> list[Place]:
    """Return the place of each symbol of a block; empty for white space between words."""
    if block.unit in CHARACTER_UNITS:
        jamo = block.unit.startswith("jamo")
        lengths = [len(decompose_jamo(c)) if jamo else 1 for c in text.text]
        spaces = np.array([c.isspace() for c in text.text], dtype=bool)
        numbers = character_places(np.array(lengths, dtype=np.int64), spaces, block.vocabulary.words)
        return [(number, number + 1) if number >= 0 else (0, 0) for number in numbers.tolist()]
    if block.unit == "word":
        return word_places(text.text)
    return [(m.start, m.end) for m, _token in _chosen(block, text)]


def _chosen(block: Any, text: TracedText) -> list[tuple[Located, str]]:
    """Return the morphemes that a block looks at, with their tokens."""
    rows = block.tag_filter([[morpheme.tagged] for morpheme in text.located])
    return [(morpheme, row[0]) for morpheme, row in zip(text.located, rows, strict=True) if row]


def _on_characters(shares: np.ndarray, places: Sequence[Place], length: int) -> np.ndarray:
    """Divide each symbol's share among its characters; that of white space goes to the character before."""
    result = np.zeros(length)
    before = next(((start, end) for start, end in places if end > start), (0, min(length, 1)))
    for share, place in zip(shares.tolist(), places, strict=True):
        before = place if place[1] > place[0] else before
        if share:
            result[before[0] : before[1]] += share / (before[1] - before[0])
    return result


def _trace_vectors(block: KiwiBlock, text: TracedText, weigh: Weigh) -> np.ndarray:
    chosen = _chosen(block, text)
    result = np.zeros(len(text.text))
    if not chosen:
        return result
    vectors = block.weighted_vectors([token for _, token in chosen]).astype(np.float64)
    length = float(np.linalg.norm(vectors.sum(axis=0)))
    if not length:
        return result
    shares = vectors @ weigh(np.arange(vectors.shape[1])) * (block.weight / length)
    for share, (morpheme, _) in zip(shares, chosen, strict=True):
        end = max(morpheme.end, morpheme.start + 1)
        result[morpheme.start : end] += share / len(result[morpheme.start : end])
    return result
