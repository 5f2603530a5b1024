"""Active learning: which texts teach most if they are labelled next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

_POOL = 10  # texts looked at for each one chosen
_WIDTH = 64  # of the texts' vectors
_MOST = 20_000  # texts that are clustered


def uncertainty(probabilities: np.ndarray, multilabel: bool) -> np.ndarray:
    """Return how unsure a model is, (n,), from 0 to 1.

    One label: 1 minus the margin between the two most probable ones (Scheffer et al. 2001). Several: that of
        the
    label nearest to one half.

    Args:
        probabilities: (n, n_classes).
        multilabel: Whether a text may have several labels.
    """
    if multilabel:
        return np.asarray(1 - 2 * np.abs(probabilities - 0.5).min(axis=1))
    ranked = np.sort(probabilities, axis=1)
    return np.asarray(1 - (ranked[:, -1] - ranked[:, -2]))


def select(texts: Sequence[str], doubts: np.ndarray, budget: int, seed: int) -> np.ndarray:
    """Return the rows to label next, the most uncertain first, (budget,) or all there are.

    Of the most uncertain texts, ten for each one wanted, clusters are made, in which uncertain texts weigh
    more; from each the text nearest to its centre is taken, so that they differ from each other. Zhdanov,
    "Diverse mini-batch Active Learning" (2019). Of texts that are the same one is taken.

    Args:
        texts: (n,) texts without a label.
        doubts: (n,) as `uncertainty` gives them.
        budget: How many to choose.
        seed: Of the clusters.
    """
    order = np.argsort(-doubts, kind="stable")
    distinct = list({texts[row].strip(): row for row in order[::-1].tolist()}.values())[::-1]
    ranked = np.array([row for row in distinct if texts[row].strip()], dtype=np.int64)
    if len(ranked) <= budget:
        return ranked
    pool = ranked[: min(max(_POOL * budget, budget), max(_MOST, budget))]
    chosen = _spread([texts[row] for row in pool], doubts[pool], budget, seed)
    return pool[np.sort(chosen)]


def _spread(texts: list[str], doubts: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return `count` numbers of texts that lie apart."""
    vectors = text_vectors(texts, seed)
    weights = np.maximum(doubts, 1e-3)
    with threadpool_limits(1):  # the same on any number of cores
        found = KMeans(count, n_init=1, random_state=seed, max_iter=25).fit(vectors, sample_weight=weights)
    distances = ((vectors - found.cluster_centers_[found.labels_]) ** 2).sum(axis=1)
    nearest = np.lexsort((distances, found.labels_))
    _, first = np.unique(found.labels_[nearest], return_index=True)
    chosen = nearest[first]
    rest = np.setdiff1d(np.arange(len(texts)), chosen)  # where clusters came out empty
    return np.concatenate([chosen, rest[: count - len(chosen)]])


def text_vectors(texts: Sequence[str], seed: int) -> np.ndarray:
    """Return (n, width) vectors of unit length: TF-IDF of n-grams of characters in fewer dimensions.

    Deerwester et al., "Indexing by Latent Semantic Analysis" (1990).
    """
    rows = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3), max_features=20_000, dtype=np.float32)
    try:
        table = rows.fit_transform(texts)
    except ValueError:  # no text has a letter
        return np.zeros((len(texts), 1))
    width = min(_WIDTH, table.shape[1] - 1, table.shape[0] - 1)
    if width < 2:
        return np.asarray(normalize(table).todense())
    with threadpool_limits(1):
        return np.asarray(normalize(TruncatedSVD(width, n_iter=2, random_state=seed).fit_transform(table)))
