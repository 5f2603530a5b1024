"""N-grams of symbols as integer arithmetic on whole batches of texts.

A text is a row of symbol codes: characters, or tokens by number. The vocabulary is a trie kept as one
sorted array of `prefix node * width + symbol` a level, so that looking up every n-gram of a batch is one
`searchsorted` a level instead of a Python loop over strings. Pruning by document frequency keeps the
trie whole, since a prefix is never rarer than what it begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp

SEPARATOR = 10  # a line feed ends every text; no n-gram may hold one
SPACE = 32
_BATCH_SYMBOLS = 4_000_000  # symbols looked up at once, which bounds the working memory

Integers = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Symbols:
    """Texts laid end to end as symbol codes.

    Attributes:
        codes: (n_symbols,) int32 or uint32; texts are closed by `SEPARATOR` where characters are used.
        rows: (n_symbols,) int32, the text each symbol belongs to; -1 for separators.
        n_rows: Number of texts.
    """

    codes: Integers
    rows: Integers
    n_rows: int


def character_symbols(texts: Sequence[str], words: bool) -> Symbols:
    """Lay texts end to end, a character a symbol.

    Args:
        texts: The texts.
        words: Pad every word by a space on both sides, for n-grams that stay inside words.
    """
    lines = [" ".join(text.split()) for text in texts]
    if words:
        lines = [f" {line} " if line else "" for line in lines]
    joined = "\n".join(lines) + "\n" if lines else ""
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    ends = codes == SEPARATOR
    rows = np.cumsum(ends, dtype=np.int32)
    rows -= ends
    rows[ends] = -1
    return Symbols(codes, rows, len(texts))


def character_places(lengths: Integers, spaces: Integers, words: bool) -> Integers:
    """Return the number of the character behind each symbol of `character_symbols` of one text; -1 for none.

    Args:
        lengths: (n,) letters that each character of the text was written in: 1, or those of its jamo.
        spaces: (n,) bool, which characters are white space.
        words: As for `character_symbols`.
    """
    written = np.repeat(np.arange(len(lengths)), lengths)
    blank = np.repeat(spaces, lengths)
    kept = ~blank
    kept[1:] |= blank[1:] & ~blank[:-1]  # of each run of white space the first
    places = np.where(blank, -1, written)[kept]
    inside = np.flatnonzero(places >= 0)
    if not len(inside):
        return np.array([-1])
    places = places[inside[0] : inside[-1] + 1]
    return np.pad(places, (1, 2) if words else (0, 1), constant_values=-1)


def token_symbols(tokens: Sequence[Sequence[str]], numbers: dict[str, int], learn: bool) -> Symbols:
    """Lay token lists end to end, a token a symbol; unknown tokens get code 0.

    Args:
        tokens: Tokens of each text.
        numbers: Token to code (from 1); extended in place if `learn`.
        learn: Whether unknown tokens get a code of their own.
    """
    lengths = np.fromiter((len(row) for row in tokens), dtype=np.int64, count=len(tokens))
    if learn:
        codes = [numbers.setdefault(token, len(numbers) + 1) for row in tokens for token in row]
    else:
        get = numbers.get
        codes = [get(token, 0) for row in tokens for token in row]
    rows = np.repeat(np.arange(len(tokens), dtype=np.int32), lengths)
    return Symbols(np.asarray(codes, dtype=np.uint32), rows, len(tokens))


@dataclass
class NgramVocabulary:
    """Which n-grams are features, and at which column.

    Args:
        low, high: Shortest and longest n-gram.
        words: Whether n-grams of characters stay inside space-padded words (scikit-learn's `char_wb`).
        min_df: Drop n-grams found in fewer texts.
        max_features: Keep only so many n-grams, those of most texts first; 0 keeps all.
    """

    low: int
    high: int
    words: bool = False
    min_df: int = 2
    max_features: int = 0
    alphabet: Integers = field(default_factory=lambda: np.zeros(0, np.uint32))
    levels: list[Integers] = field(default_factory=list)
    columns: list[Integers] = field(default_factory=list)
    n_features: int = 0

    @property
    def width(self) -> int:
        """Number of symbols that a node can be followed by, one spare included."""
        return len(self.alphabet) + 1

    def learn(self, symbols: Symbols) -> Integers:
        """Learn the vocabulary; return each feature's document frequency, (n_features,) int64."""
        self.alphabet = np.unique(symbols.codes[symbols.rows >= 0])
        self.__dict__.pop("_numbers", None)
        codes = self._encode(symbols.codes)
        node = np.zeros(len(codes), dtype=np.int64)
        alive = symbols.rows >= 0
        self.levels, frequencies = [], []
        for n in range(1, self.high + 1):
            at = self._starts(symbols, codes, alive, n)
            keys = node[at] * self.width + codes[at + n - 1]
            found, frequency, inverse = _document_frequencies(keys, symbols.rows[at])
            kept = frequency >= self.min_df
            self.levels.append(found[kept])
            frequencies.append(frequency[kept])
            position = np.cumsum(kept) - 1
            node = np.zeros(len(codes), dtype=np.int64)
            node[at] = position[inverse]
            alive = np.zeros(len(codes), dtype=bool)
            alive[at[kept[inverse]]] = True
        return self._number_columns(symbols, frequencies)

    def _number_columns(self, symbols: Symbols, frequencies: list[Integers]) -> Integers:
        keep = [np.full(len(frequency), n >= self.low) for n, frequency in enumerate(frequencies, 1)]
        if self.words and len(keep[0]):
            keep[0] &= self.alphabet[(self.levels[0] % self.width) - 1] != SPACE
        if self.max_features and sum(k.sum() for k in keep) > self.max_features:
            everything = np.concatenate([np.where(k, f, 0) for k, f in zip(keep, frequencies, strict=True)])
            order = np.argsort(-everything, kind="stable")[: self.max_features]
            chosen = np.zeros(len(everything), dtype=bool)
            chosen[order] = True
            bounds = np.cumsum([len(k) for k in keep])[:-1]
            keep = [k & c for k, c in zip(keep, np.split(chosen, bounds), strict=True)]
            keep, frequencies = self._drop_dead_ends(keep, frequencies)
        self.columns, offset = [], 0
        for k in keep:
            column = np.where(k, np.cumsum(k) - 1 + offset, -1).astype(np.int32)
            offset += int(k.sum())
            self.columns.append(column)
        self.n_features = offset
        return np.concatenate([f[k] for f, k in zip(frequencies, keep, strict=True)])

    def _drop_dead_ends(
        self, keep: list[Integers], frequencies: list[Integers]
    ) -> tuple[list[Integers], list[Integers]]:
        """Remove the nodes that are neither a feature nor lead to one; the rest keep their order."""
        needed = keep[-1]
        for n in range(self.high - 1, -1, -1):
            self.levels[n] = self.levels[n][needed]
            keep[n], frequencies[n] = keep[n][needed], frequencies[n][needed]
            if n == 0:
                break
            parents, symbol = np.divmod(self.levels[n], self.width)
            needed = keep[n - 1].copy()
            needed[parents] = True
            self.levels[n] = (np.cumsum(needed) - 1)[parents] * self.width + symbol
        return keep, frequencies

    def count(self, symbols: Symbols) -> sp.csr_matrix:
        """Count the known n-grams of each text: (n_rows, n_features) float32, columns sorted."""
        cells = [
            symbols.rows[at].astype(np.int64) * self.n_features + features
            for _n, at, features in self.find(symbols)
        ]
        return count_cells(np.concatenate(cells), symbols.n_rows, self.n_features)

    def find(self, symbols: Symbols) -> Iterator[tuple[int, Integers, Integers]]:
        """Yield for each length n where its known n-grams begin, and their columns."""
        codes = self._encode(symbols.codes)
        alive = (symbols.rows >= 0) & (codes > 0)
        node = np.zeros(len(codes), dtype=np.int64)
        for n, (level, column) in enumerate(zip(self.levels, self.columns, strict=True), 1):
            at = self._starts(symbols, codes, alive, n)
            keys = node[at] * self.width + codes[at + n - 1]
            position = np.searchsorted(level, keys)
            position[position == len(level)] = 0
            hit = level[position] == keys if len(level) else np.zeros(len(keys), dtype=bool)
            at, position = at[hit], position[hit]
            node[at] = position
            alive = np.zeros(len(codes), dtype=bool)
            alive[at] = True
            features = column[position]
            used = features >= 0
            yield n, at[used], features[used]

    def names(self, symbol_names: Sequence[str] | None = None) -> list[str]:
        """Return each feature's n-gram as text, in column order.

        Args:
            symbol_names: Token of each code, where symbols are tokens; characters otherwise.
        """
        if symbol_names is None:
            letters, joint = [chr(code) for code in self.alphabet], ""
        else:
            letters, joint = [symbol_names[code] for code in self.alphabet], " "
        result = [""] * self.n_features
        previous: list[str] = [""]
        for level, column in zip(self.levels, self.columns, strict=True):
            prefix, symbol = np.divmod(level, self.width)
            heads = (previous[p] + joint if previous[p] else "" for p in prefix)
            texts = [head + letters[s - 1] for head, s in zip(heads, symbol, strict=True)]
            for text, at in zip(texts, column, strict=True):
                if at >= 0:
                    result[at] = text
            previous = texts
        return result

    def _encode(self, codes: Integers) -> Integers:
        """Number the symbols from 1 in the alphabet's order; 0 is a symbol outside it."""
        if not len(self.alphabet):
            return np.zeros(len(codes), dtype=np.int64)
        return self._numbers[np.minimum(codes, len(self._numbers) - 1)]

    @cached_property
    def _numbers(self) -> Integers:
        """Each symbol's number by its code; the last place is for all codes beyond the alphabet."""
        table = np.zeros(int(self.alphabet[-1]) + 2, dtype=np.int64)
        table[self.alphabet] = np.arange(1, len(self.alphabet) + 1)
        return table

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_numbers"}

    def _starts(self, symbols: Symbols, codes: Integers, alive: Integers, n: int) -> Integers:
        """Positions where an n-gram of length `n` begins whose first `n - 1` symbols are known."""
        if n == 1:
            return np.flatnonzero(alive)
        at = np.flatnonzero(alive[: len(codes) - n + 1])
        last = at + n - 1
        fits = symbols.rows[last] == symbols.rows[at]
        if self.words and n > 2:
            fits &= symbols.codes[last - 1] != SPACE
        return at[fits & (codes[last] > 0)]


def hashed_counts(symbols: Symbols, low: int, high: int, words: bool, n_features: int) -> sp.csr_matrix:
    """Count n-grams in `n_features` hashed columns, which needs no vocabulary and so bounds memory.

    After Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (2009), without signs.
    """
    cells = [
        symbols.rows[at].astype(np.int64) * n_features + features
        for _n, at, features in find_hashed(symbols, low, high, words, n_features)
    ]
    return count_cells(np.concatenate(cells), symbols.n_rows, n_features)


def find_hashed(
    symbols: Symbols, low: int, high: int, words: bool, n_features: int
) -> Iterator[tuple[int, Integers, Integers]]:
    """Yield for each length n where the n-grams begin, and their hashed columns."""
    codes = symbols.codes.astype(np.uint64)
    state = np.full(len(codes), 0x9E3779B97F4A7C15, dtype=np.uint64)
    at = np.flatnonzero(symbols.rows >= 0)
    for n in range(1, high + 1):
        at = at[at + n - 1 < len(codes)]
        last = at + n - 1
        fits = symbols.rows[last] == symbols.rows[at]
        if words and n > 2:
            fits &= symbols.codes[last - 1] != SPACE
        at, last = at[fits], last[fits]
        state[at] = _mix(state[at] ^ codes[last])
        if n >= low:
            counted = at[symbols.codes[at] != SPACE] if words and n == 1 else at
            yield n, counted, (state[counted] % np.uint64(n_features)).astype(np.int64)


def _mix(value: Integers) -> Integers:
    """Scramble 64 bits (the finaliser of splitmix64, Steele et al. 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def count_cells(cells: Integers, n_rows: int, n_columns: int) -> sp.csr_matrix:
    """Turn `row * n_columns + column` occurrences into a CSR matrix of counts, float32."""
    cells = np.sort(cells)
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    counts = np.diff(first, append=len(cells)).astype(np.float32)
    rows, columns = np.divmod(cells[first], max(n_columns, 1))
    indptr = np.searchsorted(rows, np.arange(n_rows + 1)).astype(np.int32 if len(first) < 2**31 else np.int64)
    matrix = sp.csr_matrix((n_rows, n_columns), dtype=np.float32)
    matrix.data, matrix.indices, matrix.indptr = counts, columns.astype(indptr.dtype), indptr
    matrix.has_sorted_indices = True
    return matrix


def _document_frequencies(keys: Integers, rows: Integers) -> tuple[Integers, Integers, Integers]:
    """Distinct keys, the number of rows each occurs in, and each key's position among the distinct."""
    found, inverse = np.unique(keys, return_inverse=True)
    n_rows = int(rows.max()) + 1 if len(rows) else 1
    cells = np.sort(inverse.astype(np.int64) * n_rows + rows)
    distinct = cells[np.flatnonzero(np.diff(cells, prepend=-1))]
    return found, np.bincount(distinct // n_rows, minlength=len(found)), inverse


def batches(lengths: Integers) -> list[slice]:
    """Cut texts of these lengths into runs of at most some millions of symbols."""
    ends = np.cumsum(lengths)
    slices, start = [], 0
    while start < len(lengths):
        base = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, base + _BATCH_SYMBOLS, side="right"))
        stop = max(stop, start + 1)
        slices.append(slice(start, stop))
        start = stop
    return slices
