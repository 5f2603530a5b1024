"""Which rows come together in a batch, and in which order: a function of the seed and the epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import Sampler

NAMES = ("length", "shuffled", "sequential", "balanced")


class Batches(Sampler[Any]):
    """Batches of row numbers. A subclass says in which `order` the rows come.

    The numbers are drawn anew in each epoch, from a generator of their own, so an epoch is the same whatever
    happened before it.

    Args:
        n_rows: Number of rows.
        batch_size: Rows a batch; the last one may be smaller.
        seed: 0 or more.

    Attributes:
        epoch: The epoch that the next iteration gives, from 0.
    """

    drop_last = False

    def __init__(self, n_rows: int, batch_size: int, seed: int) -> None:
        self.n_rows = n_rows
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration, from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.n_rows // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        generator = np.random.default_rng([self.seed, self.epoch])
        yield from self.cut(self.order(generator), generator)

    def order(self, generator: np.random.Generator) -> np.ndarray:
        """Return the (n_rows,) row numbers of an epoch."""
        raise NotImplementedError  # pragma: no cover - every subclass has its own

    def cut(self, order: np.ndarray, generator: np.random.Generator) -> list[np.ndarray]:
        """Return the batches of an ordered epoch."""
        return [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]


class Sequential(Batches):
    """The rows as they are in the data."""

    def order(self, generator: np.random.Generator) -> np.ndarray:
        """Return 0, 1, 2, ..."""
        return np.arange(self.n_rows)


class Shuffled(Batches):
    """The rows in random order."""

    def order(self, generator: np.random.Generator) -> np.ndarray:
        """Return a permutation."""
        return generator.permutation(self.n_rows)


class Balanced(Batches):
    """As many rows as there are, drawn with replacement so that every class comes equally often.

    Args:
        labels: (n,) class numbers, or (n, n_classes) bool: then a row counts for its rarest label, and rows
            without a label are a class of their own.
        batch_size: Rows a batch.
        seed: 0 or more.
    """

    def __init__(self, labels: np.ndarray, batch_size: int, seed: int) -> None:
        super().__init__(len(labels), batch_size, seed)
        classes = _rarest(labels) if labels.ndim == 2 else labels
        _, numbers, counts = np.unique(classes, return_inverse=True, return_counts=True)
        self.shares = 1.0 / (counts[numbers] * len(counts))

    def order(self, generator: np.random.Generator) -> np.ndarray:
        """Return draws by the inverse of the class's size."""
        return generator.choice(self.n_rows, self.n_rows, p=self.shares)


class ByLength(Shuffled):
    """Random order, but rows of like length come together, so little is padded.

    The rows are shuffled, some batches' worth of them at a time is sorted by length and cut, and all batches
    are shuffled (Khomenko et al., "Accelerating Recurrent Neural Network Training Using Sequence Bucketing",
    2016).

    Args:
        lengths: (n,) tokens of each row.
        batch_size: Rows a batch.
        seed: 0 or more.
        pool: Batches sorted together: the more, the less padding and the less chance.
    """

    def __init__(self, lengths: np.ndarray, batch_size: int, seed: int, pool: int = 50) -> None:
        super().__init__(len(lengths), batch_size, seed)
        self.lengths = lengths
        self.pool = pool

    def cut(self, order: np.ndarray, generator: np.random.Generator) -> list[np.ndarray]:
        """Return the batches, in random order."""
        at_once = self.pool * self.batch_size
        pools = [order[start : start + at_once] for start in range(0, len(order), at_once)]
        by_length = [rows[np.argsort(self.lengths[rows], kind="stable")] for rows in pools]
        batches = [batch for rows in by_length for batch in super(ByLength, self).cut(rows, generator)]
        return [batches[number] for number in generator.permutation(len(batches))]


def make_batches(
    name: str, lengths: np.ndarray, labels: np.ndarray, batch_size: int, seed: int, pool: int = 50
) -> Batches:
    """Return the batch sampler of that name.

    Args:
        name: "length", "shuffled", "sequential" or "balanced".
        lengths: (n,) tokens of each row.
        labels: (n,) class numbers, or (n, n_classes) bool.
        batch_size: Rows a batch, 1 or more.
        seed: 0 or more.
        pool: For "length": batches sorted together.

    Raises:
        ValueError: for another name.
    """
    if name == "length":
        return ByLength(np.asarray(lengths), batch_size, seed, pool)
    if name == "balanced":
        return Balanced(np.asarray(labels), batch_size, seed)
    if name in NAMES:
        return (Sequential if name == "sequential" else Shuffled)(len(lengths), batch_size, seed)
    raise ValueError(f"sampler {name!r}: there are {', '.join(NAMES)}")


def _rarest(labels: np.ndarray) -> np.ndarray:
    """Return (n,) the number of each row's rarest label; -1 without a label."""
    counts = labels.sum(axis=0)
    sizes = np.where(labels, counts, np.iinfo(np.int64).max)
    return np.where(labels.any(axis=1), sizes.argmin(axis=1), -1)
