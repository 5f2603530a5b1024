"""fastText's vectors of n-grams of characters, shared by hashing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NgramTable:
    """Rows of hashed n-grams.

    Attributes:
        rows: (buckets, dim) float32, in memory or on disk.
        min_n, max_n: Shortest and longest n-gram; `max_n` 0 for none.
    """

    rows: np.ndarray
    min_n: int
    max_n: int

    def rows_of(self, token: str) -> np.ndarray:
        """Return the rows of a token's n-grams, (n_ngrams, dim) float32."""
        if not len(self.rows) or self.max_n < 1 or token == "</s>":  # fastText's end of a line has none
            return np.zeros((0, self.rows.shape[1]), dtype=np.float32)
        buckets = [number % len(self.rows) for number in hashes(token, self.min_n, self.max_n)]
        return np.asarray(self.rows[buckets]) if buckets else self.rows[:0]


def hashes(token: str, min_n: int, max_n: int) -> Iterator[int]:
    """Yield the hash of every n-gram of "<token>", as fastText numbers them (FNV-1a over signed bytes)."""
    characters = [character.encode("utf-8", "replace") for character in f"<{token}>"]
    for start in range(len(characters)):
        number = 2166136261
        for length, character in enumerate(characters[start : start + max_n], 1):
            for byte in character:
                signed = byte if byte < 128 else byte | 0xFFFFFF00
                number = ((number ^ signed) * 16777619) & 0xFFFFFFFF
            at_edge = start == 0 or start + length == len(characters)
            if length >= min_n and not (length == 1 and at_edge):
                yield number
