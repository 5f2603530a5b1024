"""Near duplicates: MinHash over character shingles, locality-sensitive hashing, verified by true Jaccard.

Broder (1997), "On the resemblance and containment of documents"; banding as in Leskovec, Rajaraman and
Ullman, "Mining of Massive Datasets", chapter 3. Written over numpy because whole corpora are hashed at
once here: on short texts that is several times faster than `datasketch`, holds a signature only while
its block is hashed, and verifies every pair, which neither `datasketch` nor `rensa` does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gallae.errors import DataError

_PERMUTATIONS = 64
_BLOCK_CHARACTERS = 1 << 20
_KEPT_SETS = 1 << 15
_PAIRS = 1 << 17
_NEIGHBOURS = 8  # members of a bucket that each member is compared with
_DROPPED = re.compile(r"[\W_]+")


def normalised_key(text: str) -> str:
    """Return what two texts share that differ only in width, case, spaces, punctuation and symbols."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _DROPPED.sub("", folded) or "".join(folded.split())


def numbered(keys: Sequence[str]) -> np.ndarray:
    """Return a number a key, from 0 in order of appearance: equal keys, equal numbers; int64 (n,)."""
    known: dict[str, int] = {}
    return np.fromiter((known.setdefault(key, len(known)) for key in keys), dtype=np.int64, count=len(keys))


def near_duplicates(texts: Sequence[str], threshold: float = 0.8) -> np.ndarray:
    """Group texts that are nearly the same.

    Two texts are near duplicates when their sets of three-character shingles (of `normalised_key`) have
    a Jaccard similarity of at least `threshold`; groups are the connected components. Equal keys are
    always together; of very large buckets only neighbours are compared. Deterministic.

    Args:
        texts: The texts.
        threshold: Between 0.3 and 1.

    Returns:
        Group numbers, int64 (n_texts,), from 0 in order of first appearance.

    Raises:
        DataError: on a threshold out of range.
    """
    if not 0.3 <= threshold <= 1:
        raise DataError(f"threshold={threshold}: near duplicates need a similarity from 0.3 to 1.")
    keys = [normalised_key(text) for text in texts]
    exact = numbered(keys)
    distinct = list(dict.fromkeys(keys))
    if threshold == 1 or len(distinct) < 2:
        return exact
    groups = np.arange(len(distinct))
    edges = np.empty((0, 2), dtype=np.int64)
    bands, sketches = _hashed(distinct, _band_rows(threshold))
    for band in bands:
        pairs = _neighbours(band)
        pairs = pairs[groups[pairs[:, 0]] != groups[pairs[:, 1]]]
        pairs = pairs[_likely(sketches, pairs, threshold)]
        found = pairs[_similar(distinct, pairs, threshold)]
        if len(found):
            edges = np.concatenate([edges, found])
            groups = group_numbers(len(distinct), edges)
    return groups[exact]


def group_numbers(count: int, pairs: np.ndarray) -> np.ndarray:
    """Return the connected component of each of `count` nodes, numbered in order of appearance.

    Args:
        count: Number of nodes.
        pairs: Edges, int (n_pairs, 2).
    """
    graph = coo_matrix((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    component = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def _band_rows(threshold: float) -> int:
    """Return the most rows a band may have for a pair at the threshold to be found in 99.5 of 100 cases."""
    found = [r for r in range(1, 17) if 1 - (1 - threshold**r) ** (_PERMUTATIONS // r) >= 0.995]
    return max(found, default=1)


def _shingles(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the shingles of all texts as exact 63-bit numbers, uint64, and each text's first position."""
    padded = [text + "\0" * (3 - len(text)) if len(text) < 3 else text for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(
        np.uint64
    )
    lengths = np.fromiter(map(len, padded), dtype=np.int64, count=len(padded))
    all_shingles = codes[:-2] << np.uint64(42) | codes[1:-1] << np.uint64(21) | codes[2:]
    keep = np.ones(len(codes), dtype=bool)
    ends = np.cumsum(lengths)
    keep[ends - 1] = keep[ends - 2] = False
    return all_shingles[keep[: len(all_shingles)]], np.concatenate(([0], np.cumsum(lengths - 2)[:-1]))


def _blocks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    start = size = 0
    for at, text in enumerate(texts):
        size += len(text)
        if size >= _BLOCK_CHARACTERS:
            yield start, at + 1
            start, size = at + 1, 0
    if start < len(texts):
        yield start, len(texts)


def _hashed(texts: Sequence[str], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a hash a band and text, uint64 (n_bands, n_texts), and eight bits a permutation and text.

    The bits are uint8 (n_texts, n_permutations): "b-bit minwise hashing", Li and König (2010).
    """
    bands = _PERMUTATIONS // rows
    random = np.random.default_rng(20240229)
    factors = random.integers(1, 2**63, size=_PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
    mixers = random.integers(1, 2**63, size=rows, dtype=np.uint64) | np.uint64(1)
    keys = np.zeros((bands, len(texts)), dtype=np.uint64)
    sketches = np.empty((len(texts), bands * rows), dtype=np.uint8)
    for start, end in _blocks(texts):
        shingles, offsets = _shingles(texts[start:end])
        shingles ^= shingles >> np.uint64(31)
        shingles *= np.uint64(0x9E3779B97F4A7C15)
        shingles ^= shingles >> np.uint64(29)
        for band in range(bands):
            for row in range(rows):
                hashed = (shingles * factors[band * rows + row]) >> np.uint64(32)
                least = np.minimum.reduceat(hashed, offsets)
                keys[band, start:end] += least * mixers[row]
                sketches[start:end, band * rows + row] = least.astype(np.uint8)
    return keys, sketches


def _neighbours(band: np.ndarray) -> np.ndarray:
    """Return pairs of texts with the same key, int64 (n_pairs, 2); of large buckets only neighbours."""
    order = np.argsort(band, kind="stable")
    ordered = band[order]
    found = [np.empty((0, 2), dtype=np.int64)]
    for step in range(1, min(_NEIGHBOURS, len(band) - 1) + 1):
        same = ordered[step:] == ordered[:-step]
        if not same.any():
            break
        found.append(np.stack([order[:-step][same], order[step:][same]], axis=1))
    return np.concatenate(found)


def _likely(sketches: np.ndarray, pairs: np.ndarray, threshold: float) -> np.ndarray:
    """Return which pairs the sketches do not rule out (three standard errors below the threshold)."""
    least = threshold - 3 * (threshold * (1 - threshold) / sketches.shape[1]) ** 0.5
    likely = np.empty(len(pairs), dtype=bool)
    for at in range(0, len(pairs), _PAIRS):
        block = pairs[at : at + _PAIRS]
        likely[at : at + _PAIRS] = (sketches[block[:, 0]] == sketches[block[:, 1]]).mean(axis=1) >= least
    return likely


def _similar(texts: Sequence[str], pairs: np.ndarray, threshold: float) -> np.ndarray:
    """Return which pairs have a Jaccard similarity of at least `threshold`, bool (n_pairs,)."""
    similar = np.zeros(len(pairs), dtype=bool)
    sets: dict[int, frozenset[str]] = {}
    for at, (one, other) in enumerate(pairs.tolist()):
        if len(sets) > _KEPT_SETS:
            sets.clear()
        first, second = (
            sets.get(key) or sets.setdefault(key, _shingle_set(texts[key])) for key in (one, other)
        )
        common = len(first & second)
        similar[at] = common >= threshold * (len(first) + len(second) - common)
    return similar


def _shingle_set(text: str) -> frozenset[str]:
    return frozenset(text[at : at + 3] for at in range(max(1, len(text) - 2)))
