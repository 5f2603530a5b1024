"""Groups of texts by their vectors, with the texts in their middle and the words that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallae.data.terms import telling_terms
from gallae.errors import DataError
from gallae.text import tokenize

METHODS = ("kmeans", "agglomerative")
_MOST_AUTO = 20  # clusters that "auto" tries
_SAMPLE = 2000  # texts by which the silhouette is told
_MOST_AGGLOMERATIVE = 10_000  # texts: its distances are a table of all pairs
_STARTS = 10
_NOUNS = ("NN*", "SL", "SH", "XR")


@dataclass(frozen=True)
class Clusters:
    """Groups of texts.

    Attributes:
        texts: The texts.
        cluster: (n_texts,) int, the number of each text's cluster, from 1; 1 is the largest.
        centrality: (n_texts,) the cosine of each text to the middle of its cluster.
        silhouette: How well the clusters are apart, from -1 to 1 (Rousseeuw 1987), on at most 2,000 texts.
        tried: Number of clusters to silhouette, for each that "auto" tried.
    """

    texts: list[str]
    cluster: NDArray[np.int64]
    centrality: NDArray[np.float64]
    silhouette: float
    tried: dict[int, float]

    def central(self, number: int, count: int = 3) -> list[str]:
        """Return the texts nearest to the middle of a cluster, each once."""
        rows = np.flatnonzero(self.cluster == number)
        rows = rows[np.argsort(-self.centrality[rows], kind="stable")]
        return list(dict.fromkeys(self.texts[row] for row in rows))[:count]

    def words(self, count: int = 8) -> dict[int, list[str]]:
        """Return for each cluster the nouns that tell it from the others (see `gallae.data.terms`)."""
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        names = [str(number) for number in range(1, int(self.cluster.max()) + 1)]
        tokens = tokenize(self.texts, "morpheme", keep_tags=_NOUNS)
        tokens = [[t for token in row if (t := token.casefold()) not in ENGLISH_STOP_WORDS] for row in tokens]
        found = telling_terms(tokens, [str(number) for number in self.cluster], names, count, least=2)
        return {int(name): [term["term"] for term in terms] for name, terms in found.items()}

    def summary(self) -> list[dict[str, Any]]:
        """Return a dict a cluster: "cluster", "size", "words", "central" (its three most central texts)."""
        words = self.words()
        return [
            {
                "cluster": number,
                "size": int((self.cluster == number).sum()),
                "words": words[number],
                "central": self.central(number),
            }
            for number in words
        ]


def cluster_vectors(
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    k: int | str = "auto",
    method: str = "kmeans",
    seed: int = 42,
) -> Clusters:
    """Group texts by their vectors.

    Args:
        texts: The texts.
        vectors: (n_texts, n_dimensions), of unit length.
        k: How many clusters, or "auto": of 2 to 20 those with the highest silhouette.
        method: "kmeans", or "agglomerative" (average linkage of cosines).
        seed: Of k-means' starts, and of the texts by which the silhouette is told.

    Raises:
        DataError: for a `k` or method that is not allowed, or too few or too many texts.
    """
    check_clusters(len(texts), k, method)
    distinct = len(np.unique(vectors, axis=0))
    if distinct < 2:
        raise DataError("all texts have the same vector, so there is nothing to tell apart.")
    wanted = range(2, min(_MOST_AUTO, distinct - 1, len(texts) - 1) + 1) if k == "auto" else [int(k)]
    if k == "auto" and not wanted:
        wanted = [2]
    if wanted[0] > distinct:
        raise DataError(f"-k {k}: there are only {distinct} different texts. Ask for fewer clusters.")
    found = {count: _grouped(vectors, count, method, seed) for count in wanted}
    tried = {count: _silhouette(vectors, labels, seed) for count, labels in found.items()}
    best = max(tried, key=lambda count: tried[count])
    numbers = _by_size(found[best])
    return Clusters(
        list(texts), numbers, _centrality(vectors, numbers), tried[best], tried if k == "auto" else {}
    )


def check_clusters(n: int, k: int | str, method: str) -> None:
    """Refuse what `cluster_vectors` would refuse of `n` texts, before their vectors are computed.

    Raises:
        DataError: for a `k` or method that is not allowed, or too few or too many texts.
    """
    if method not in METHODS:
        raise DataError(f"there is no method {method!r} of clustering. Methods: {', '.join(METHODS)}.")
    if k != "auto" and (not str(k).isdecimal() or int(k) < 2):
        raise DataError(f"-k {k}: it is the number of clusters, 2 or more, or auto.")
    least = 3 if k == "auto" else int(k)
    if n < least:
        raise DataError(f"{n} texts are too few to group: at least {least} are needed for -k {k}.")
    if method == "agglomerative" and n > _MOST_AGGLOMERATIVE:
        raise DataError(
            f"{n:,} texts are too many for the method agglomerative, which compares all pairs (at most "
            f"{_MOST_AGGLOMERATIVE:,}). Use --method kmeans."
        )


def _grouped(vectors: NDArray[np.float32], count: int, method: str, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import AgglomerativeClustering, KMeans

    if method == "kmeans":
        made = KMeans(count, n_init=_STARTS, random_state=seed)
    else:
        made = AgglomerativeClustering(count, metric="cosine", linkage="average")
    return np.asarray(made.fit_predict(vectors), dtype=np.int64)


def _silhouette(vectors: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> float:
    from sklearn.metrics import silhouette_score

    rows = np.arange(len(labels))
    if len(rows) > _SAMPLE:
        rows = np.random.default_rng(seed).choice(len(rows), _SAMPLE, replace=False)
    if not 2 <= len(set(labels[rows].tolist())) < len(rows):
        return 0.0
    return float(silhouette_score(vectors[rows], labels[rows], metric="cosine"))


def _by_size(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the labels numbered from 1, the largest cluster first."""
    names, first, counts = np.unique(labels, return_index=True, return_counts=True)
    order = sorted(range(len(names)), key=lambda at: (-counts[at], first[at]))
    number = {names[at]: rank for rank, at in enumerate(order, 1)}
    return np.array([number[label] for label in labels], dtype=np.int64)


def _centrality(vectors: NDArray[np.float32], numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    centrality = np.zeros(len(numbers))
    for number in np.unique(numbers):
        rows = numbers == number
        middle = vectors[rows].mean(axis=0)
        centrality[rows] = vectors[rows] @ (middle / max(float(np.linalg.norm(middle)), 1e-12))
    return centrality
