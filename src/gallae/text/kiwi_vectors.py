"""Kiwi vectors: Korean word vectors without any download.

Kiwi's CoNgram language model holds a 256-dimensional embedding of some 70,000 morphemes but only answers
`morpheme_similarity(a, b)`, their cosine. The cosines to 256 independent landmark morphemes give the
embeddings back, up to a rotation: with the landmarks' Gram matrix K = L L^T, the vector of m is
L^-1 k(m), a Nyström embedding (Williams & Seeger, "Using the Nyström Method to Speed Up Kernel Machines",
2000) that is exact here because the rank is 256. Landmarks come from a pivoted Cholesky decomposition,
so each is as far as can be from the span of those before.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular

from gallae.errors import MissingExtra
from gallae.files import write_beside
from gallae.text.cache import cache_folder
from gallae.text.morphemes import KiwiAnalyzer, _kiwi_tag, analyzer

log = logging.getLogger(__name__)

DIMENSIONS = 256
POOL = 4000  # the most frequent morphemes, among which landmarks are sought
_WORTH_WRITING = 500  # new vectors on disk from this many on


class KiwiVectors:
    """Vectors of morphemes given as "form/TAG"; unit length, or zero for one that Kiwi does not know.

    Similarities between vectors are Kiwi's cosines. They are computed when asked for (about 6,000
    morphemes a second), remembered in the process and kept in the cache folder.

    Args:
        landmarks: The landmarks of another table, to get vectors in its very coordinates.

    Attributes:
        landmarks: (256,) int64 numbers of the landmark morphemes in Kiwi's model.
        version: The versions of Kiwi and its model; landmarks hold for one version only.
    """

    def __init__(self, landmarks: np.ndarray | None = None) -> None:
        kiwi = analyzer("kiwi")
        assert isinstance(kiwi, KiwiAnalyzer)
        self.version = kiwi.version
        self._similarity: Callable[[int, int], float] = kiwi.kiwi.morpheme_similarity
        self._numbers = _numbers(kiwi.kiwi, self._similarity)
        if landmarks is None:
            landmarks = _choose_landmarks(self._similarity)
        self.landmarks = np.asarray(landmarks, dtype=np.int64)
        self._factor = np.linalg.cholesky(self._gram())
        self._known: dict[str, np.ndarray] = {}
        self._unsaved = 0
        self._lock = threading.Lock()
        self._read_cache()

    def __call__(self, morphemes: Sequence[str]) -> np.ndarray:
        """Return the vectors of `morphemes`, (n, 256) float32, of half precision."""
        result = np.zeros((len(morphemes), DIMENSIONS), dtype=np.float32)
        missing = [m for m in dict.fromkeys(morphemes) if m in self._numbers and m not in self._known]
        if missing:
            self._compute(missing)
        for row, morpheme in enumerate(morphemes):
            vector = self._known.get(morpheme)
            if vector is not None:
                result[row] = vector
        return result

    def __contains__(self, morpheme: str) -> bool:
        return morpheme in self._numbers

    def morphemes(self) -> list[str]:
        """Return all morphemes that have a vector, as "form/TAG"."""
        return list(self._numbers)

    def _compute(self, morphemes: Sequence[str]) -> None:
        columns = np.array(
            [[self._similarity(self._numbers[m], int(mark)) for mark in self.landmarks] for m in morphemes]
        )
        vectors = solve_triangular(self._factor, np.nan_to_num(columns).T, lower=True).T.astype(np.float16)
        with self._lock:
            self._known.update(zip(morphemes, vectors, strict=True))
            self._unsaved += len(morphemes)
            if self._unsaved >= _WORTH_WRITING:
                self._write_cache()

    def _gram(self) -> np.ndarray:
        gram = np.array([[self._similarity(int(a), int(b)) for b in self.landmarks] for a in self.landmarks])
        return (gram + gram.T) / 2 + 1e-6 * np.eye(len(gram))

    def _cache_path(self) -> Any:
        root = cache_folder()
        return root / f"kiwi-vectors-{self.version}.npz" if root else None

    def _read_cache(self) -> None:
        path = self._cache_path()
        if path is None or not path.exists():
            return
        try:
            with np.load(path, allow_pickle=False) as data:
                if not np.array_equal(data["landmarks"], self.landmarks):
                    return
                names = data["names"].tobytes().decode("utf-8").split("\n")
                vectors = data["vectors"]
            if vectors.shape != (len(names), DIMENSIONS) or vectors.dtype != np.float16:
                raise ValueError("its parts do not fit each other")
            self._known = dict(zip(names, vectors, strict=True))
        except Exception as error:  # zip, numpy and Unicode have a dozen ways to say "damaged"
            log.warning("the vector cache %s is damaged (%s) and is discarded", path, error)
            path.unlink(missing_ok=True)

    def _write_cache(self) -> None:
        path = self._cache_path()
        if path is None:
            return
        names = np.frombuffer("\n".join(self._known).encode("utf-8"), dtype=np.uint8)
        vectors = np.array(list(self._known.values()))
        try:
            with write_beside(path, force=True) as temporary, temporary.open("wb") as file:
                np.savez(file, landmarks=self.landmarks, names=names, vectors=vectors)
            self._unsaved = 0
        except (OSError, ValueError) as error:
            log.warning("the vector cache cannot be written (%s); going on without it", error)


_tables: dict[bytes, KiwiVectors] = {}


def kiwi_vectors(landmarks: np.ndarray | None = None) -> KiwiVectors:
    """Return the table of Kiwi vectors with these landmarks, one a process.

    Raises:
        MissingExtra: if the installed Kiwi has no CoNgram model.
    """
    key = b"" if landmarks is None else np.asarray(landmarks, np.int64).tobytes()
    if key not in _tables:
        table = KiwiVectors(landmarks)
        _tables[key] = _tables[table.landmarks.tobytes()] = table
    return _tables[key]


def _numbers(kiwi: Any, similarity: Callable[[int, int], float]) -> dict[str, int]:
    """Find the morphemes that the language model knows: "form/TAG" to the lowest number it has."""
    low, high = 1000, 1_000_000
    if not similarity(low, low) > 0:
        raise MissingExtra("Kiwi vectors need kiwipiepy's CoNgram model: pip install -U kiwipiepy")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _known(similarity, middle) else (low, middle)
    numbers: dict[str, int] = {}
    for number in range(low + 1):
        token = kiwi.morpheme(number)
        if token.form:
            numbers.setdefault(f"{token.form}/{_kiwi_tag(token.tag)}", number)
    return numbers


def _known(similarity: Callable[[int, int], float], number: int) -> bool:
    try:
        return similarity(number, number) > 0
    except (ValueError, IndexError):
        return False


def _choose_landmarks(similarity: Callable[[int, int], float]) -> np.ndarray:
    """Choose 256 independent morphemes by a pivoted Cholesky decomposition over the frequent ones."""
    pool = np.array([n for n in range(60, 60 + POOL) if _known(similarity, n)])
    rest = np.ones(len(pool))
    columns = np.zeros((DIMENSIONS, len(pool)))
    chosen = []
    for step in range(DIMENSIONS):
        pivot = int(rest.argmax())
        mark = int(pool[pivot])
        chosen.append(mark)
        cosines = np.array([similarity(mark, int(other)) for other in pool])
        column = (cosines - columns[:step, pivot] @ columns[:step]) / np.sqrt(rest[pivot])
        columns[step] = column
        rest = rest - column**2
        rest[pivot] = -1.0
    return np.array(chosen, dtype=np.int64)
