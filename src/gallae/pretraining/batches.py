"""Batches of so many tokens: which rows come together, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from gallae.errors import DataError
from gallae.pretraining.encoding import Encoded
from gallae.pretraining.objectives.base import Objective, padded_length
from gallae.pretraining.options import CorpusOptions
from gallae.pretraining.rows import Row, Rows, plan

_ORDER, _MASKS = 1, 2  # random numbers of their own


def cut(lengths: np.ndarray, tokens: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return batches of row numbers, in random order; the rows of one have the same padded length.

    Args:
        lengths: (n,) tokens of each row.
        tokens: Most tokens of a batch, padding counted, unless one row alone has more.
        rng: Of the order.
    """
    order, batches = rng.permutation(len(lengths)), []
    padded = padded_length(lengths)[order]
    for length in np.unique(padded):
        rows = order[padded == length]
        count = max(1, tokens // int(length))
        batches += [rows[start : start + count] for start in range(0, len(rows), count)]
    return [batches[number] for number in rng.permutation(len(batches))]


class Batches:
    """The batches of a whole training, numbered from 0 on; each is a function of its number and the seed.

    Every epoch has as many as the first: where random shares make one longer or shorter by a few, the last
    are left out, or the first come again.

    Args:
        encoded: The corpus.
        options: The recipe's [corpus] table.
        tokens: Of a batch.
        seed: 0 or more.

    Raises:
        DataError: if there is no row.
    """

    def __init__(self, encoded: Encoded, options: CorpusOptions, tokens: int, seed: int) -> None:
        self.encoded, self.options, self.tokens, self.seed = encoded, options, tokens, seed
        self._planned = lru_cache(2)(self._plan)  # two: a step may read of the next epoch already
        self.per_epoch = len(self._planned(0)[2])
        if not self.per_epoch:
            raise DataError(
                f"no sentence of the corpus has {options.min_tokens} tokens. Set corpus.min_tokens lower, or "
                "give more text."
            )

    def _plan(self, epoch: int) -> tuple[Rows, np.ndarray, list[np.ndarray]]:
        rows = plan(self.encoded, self.options, self.seed, epoch)
        lengths = np.asarray(rows.lengths)
        rng = np.random.default_rng([self.seed, epoch, _ORDER])
        return rows, lengths, cut(lengths, self.tokens, rng)

    def _batch(self, number: int) -> tuple[Rows, np.ndarray, np.ndarray]:
        """Return the rows of a batch's epoch, their lengths, and the numbers of the batch's own."""
        epoch, at = divmod(number, self.per_epoch)
        rows, lengths, batches = self._planned(epoch)
        return rows, lengths, batches[at % len(batches)]

    def rows(self, number: int) -> list[Row]:
        """Return the rows of a batch."""
        rows, _, chosen = self._batch(number)
        return [rows[int(row)] for row in chosen]

    def n_tokens(self, number: int) -> int:
        """Return the tokens of a batch, special ones counted, padding not."""
        _, lengths, chosen = self._batch(number)
        return int(lengths[chosen].sum())

    @property
    def all_tokens(self) -> int:
        """The tokens of an epoch."""
        return sum(map(self.n_tokens, range(self.per_epoch)))

    def rng(self, number: int) -> np.random.Generator:
        """Return random numbers of a batch's own."""
        return np.random.default_rng([self.seed, number, _MASKS])


class Examples:
    """What a DataLoader reads: batch numbers become tensors.

    Args:
        batches: Of the training.
        objective: It makes the tensors.
    """

    def __init__(self, batches: Batches, objective: Objective) -> None:
        self.batches, self.objective = batches, objective

    def __len__(self) -> int:
        return self.batches.per_epoch

    def __getitems__(self, numbers: list[int]) -> dict[str, Any]:
        """Return the batch whose number is the only one of the list."""
        (number,) = numbers
        rows = self.batches.rows(number)
        return self.objective.collate(rows, self.batches.rng(number))


class Numbers(Sampler[list[int]]):
    """The numbers of the batches that one of several processes learns from, one at a time.

    Args:
        count: Batches of one process.
        process: Number of this one.
        processes: How many there are.
    """

    def __init__(self, count: int, process: int = 0, processes: int = 1) -> None:
        self.count, self.process, self.processes = count, process, processes

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[list[int]]:
        for number in range(self.count):
            yield [number * self.processes + self.process]
