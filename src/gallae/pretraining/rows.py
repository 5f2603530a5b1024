"""What a network reads at once: a row of tokens, or a pair, planned epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from gallae.pretraining.encoding import Encoded
    from gallae.pretraining.options import CorpusOptions

BREAK = -1
"""Stands among a row's ids where a document ends and the next begins; `special` puts a [SEP] there."""
NO_PAIR, IN_ORDER, OTHER = -1, 0, 1
"""What a row's second part is: none; what follows the first; something else (drawn at random, or swapped)."""


@dataclass(frozen=True)
class Row:
    """The tokens of a row.

    Attributes:
        first: (n,) ids without special tokens; `BREAK` between documents.
        second: (m,) ids of the second part, if it is a pair.
        pair: `NO_PAIR`, `IN_ORDER` or `OTHER`.
        number: The same for the same row in every epoch, where the format has such rows: static masks are
            made by it.
    """

    first: np.ndarray
    second: np.ndarray | None = None
    pair: int = NO_PAIR
    number: int = 0

    def __len__(self) -> int:
        """Return the tokens, [CLS] and each [SEP] counted."""
        return len(self.first) + 2 + (0 if self.second is None else len(self.second) + 1)


class Rows(Protocol):
    """The rows of an epoch, in no order that matters."""

    @property
    def lengths(self) -> np.ndarray:
        """(n,) tokens of each row, special ones counted."""

    def __getitem__(self, number: int) -> Row: ...


def plan(encoded: Encoded, options: CorpusOptions, seed: int, epoch: int) -> Rows:
    """Return the rows of an epoch: a function of these arguments alone.

    A source's weight says how often an epoch has each of its sentences (or documents): 2.5 is twice, and a
    random half of them a third time.

    Args:
        encoded: The corpus.
        options: The recipe's [corpus] table.
        seed: 0 or more.
        epoch: From 0.
    """
    rng = np.random.default_rng([seed, epoch])
    if options.format == "lines":
        return Lines(encoded, options, rng)
    from gallae.pretraining.formats import FORMATS

    return FORMATS[options.format](encoded, options, rng)


def repeated(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return how often each item comes in an epoch.

    Args:
        weights: (n,) the mean of it.
        rng: Decides over the fractions.
    """
    return (np.floor(weights) + (rng.random(len(weights)) < weights % 1)).astype(np.int64)


class Lines:
    """A sentence a row. Longer ones than fit are cut to a window at a random place.

    Args:
        encoded: The corpus.
        options: The recipe's [corpus] table.
        rng: Decides over fractions of weights, and the windows.
    """

    def __init__(self, encoded: Encoded, options: CorpusOptions, rng: np.random.Generator) -> None:
        self.encoded = encoded
        sentences, weights = encoded.sentence_weights()
        starts, tokens = encoded.sentences[sentences], encoded.lengths[sentences]
        kept = tokens >= options.min_tokens
        times = np.where(kept, repeated(weights, rng), 0)
        self.numbers = np.repeat(sentences, times)
        whole = np.repeat(tokens, times)
        most = options.max_length - 2
        self._starts = np.repeat(starts, times) + (
            rng.random(len(whole)) * (np.maximum(whole - most, 0) + 1)
        ).astype(np.int64)
        self._tokens = np.minimum(whole, most)

    @property
    def lengths(self) -> np.ndarray:
        """(n,) tokens of each row, special ones counted."""
        return self._tokens + 2

    def __getitem__(self, number: int) -> Row:
        start = self._starts[number]
        return Row(self.encoded.ids[start : start + self._tokens[number]], number=int(self.numbers[number]))
