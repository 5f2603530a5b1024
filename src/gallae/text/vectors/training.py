"""Training word vectors on a corpus: word2vec and fastText by gensim, GloVe by `glove`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gallae.errors import TextError, require
from gallae.text.tables import nearest
from gallae.text.vectors.ngrams import NgramTable
from gallae.text.vectors.table import FastTextVectors, Vectors

METHODS = ("word2vec", "fasttext", "glove")
_LEAST = {"dim": 1, "window": 1, "min_count": 1, "epochs": 0, "seed": 0, "min_n": 1, "max_n": 0, "bucket": 1}
_ROW = 10_000  # tokens; gensim would drop the rest of a longer row
_UPDATES = 5_000_000  # tokens seen in all passes, where the number of passes is not given


def check_method(method: str) -> None:
    """Refuse a method that is not known, or whose package is missing.

    Raises:
        TextError: if there is no such method.
        MissingExtra: if gensim is not installed, and needed.
    """
    if method not in METHODS:
        raise TextError(f"there is no method {method!r} to train vectors. {nearest(str(method), METHODS)}")
    if method != "glove":
        require("gensim.models", "neural")


def check_vector_options(options: Mapping[str, Any]) -> None:
    """Refuse options that `train_vectors` does not take.

    Raises:
        TextError: naming the option, and what is allowed.
    """
    for name, value in options.items():
        if name == "skipgram":
            if not isinstance(value, bool):
                raise TextError(f"the option skipgram of vectors is {value!r}; it must be true or false.")
            continue
        if name not in _LEAST:
            raise TextError(
                f"training vectors has no option {name!r}. {nearest(str(name), [*_LEAST, 'skipgram'])}"
            )
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < _LEAST[name]:
            raise TextError(
                f"the option {name} of vectors is {value!r}; it must be a whole number >= {_LEAST[name]}."
            )


def train_vectors(
    token_rows: Iterable[Sequence[str]],
    method: str = "word2vec",
    *,
    dim: int = 100,
    window: int = 5,
    min_count: int = 5,
    epochs: int = 0,
    skipgram: bool = True,
    seed: int = 42,
    min_n: int = 2,
    max_n: int = 4,
    bucket: int = 200_000,
) -> Vectors:
    """Learn vectors from the company that tokens keep; the same rows, options and seed give the same ones.

    Args:
        token_rows: Tokens of each text; gone through several times, so an iterator is kept as a list.
        method: "word2vec" (Mikolov et al., 2013), "fasttext" (Bojanowski et al., 2017), whose vectors are
            `FastTextVectors`, or "glove" (Pennington et al., 2014).
        dim: Dimension of the vectors.
        window: Most tokens between two that are company to each other, plus one.
        min_count: Leave out tokens found less often.
        epochs: Passes over the rows; 0 for as many as see 5 million tokens, within 5 and 50 (glove: 25).
        skipgram: Predict the company from the token; else the token from its company (CBOW). Not for glove.
        seed: Of all that is random.
        min_n, max_n: Shortest and longest n-gram of characters (fasttext); `max_n` 0 for none.
        bucket: Rows that n-grams share by hashing (fasttext).

    Returns:
        The vectors, the most frequent token first.

    Raises:
        TextError: for an option that is not allowed, or if no token is frequent enough.
        MissingExtra: if gensim is not installed.
    """
    check_method(method)
    numbers = {"dim": dim, "window": window, "min_count": min_count, "epochs": epochs, "seed": seed}
    check_vector_options({**numbers, "skipgram": skipgram, "min_n": min_n, "max_n": max_n, "bucket": bucket})
    if 0 < max_n < min_n:
        raise TextError(f"min_n is {min_n} and max_n {max_n}: the shortest n-gram comes first.")
    rows = _Rows(token_rows)
    counts = rows.frequent(min_count)
    if method == "glove":
        from gallae.text.vectors.glove import train_glove

        return Vectors(list(counts), train_glove(rows, list(counts), dim, window, epochs or 25, seed))
    epochs = epochs or min(max(5, _UPDATES // rows.running), 50)
    common = {"vector_size": dim, "window": window, "min_count": min_count, "epochs": epochs, "workers": 1}
    common |= {"sg": int(skipgram), "seed": seed % 2**32}
    with _silent():
        if method == "word2vec":
            made = require("gensim.models", "neural").Word2Vec(rows, **common)
            return Vectors(made.wv.index_to_key, made.wv.vectors)
        n_grams = {"min_n": min_n, "max_n": max_n, "bucket": bucket} if max_n else {"max_n": 0, "bucket": 1}
        made = require("gensim.models", "neural").FastText(rows, **common, **n_grams)
    table = NgramTable(made.wv.vectors_ngrams[: bucket if max_n else 0], min_n, max_n)
    found = [counts[token] for token in made.wv.index_to_key]
    return FastTextVectors(made.wv.index_to_key, made.wv.vectors_vocab, table, found)


class _Rows:
    """Rows of tokens that can be gone through again, none too long, all tokens Unicode."""

    def __init__(self, rows: Iterable[Sequence[str]]) -> None:
        self._rows = list(rows) if iter(rows) is rows else rows
        self._bad: frozenset[str] = frozenset()
        self.running = 0

    def __iter__(self) -> Iterator[list[str]]:
        for row in self._rows:
            for start in range(0, len(row), _ROW):
                part = row[start : start + _ROW]
                yield [token for token in part if token not in self._bad] if self._bad else list(part)

    def frequent(self, min_count: int) -> dict[str, int]:
        """Return the tokens found often enough with their counts, the most frequent first."""
        counts: Counter[str] = Counter()
        for row in self._rows:
            counts.update(row)
        self._bad = frozenset(token for token in counts if not _is_unicode(token))
        self.running = sum(counts.values())
        kept = {
            token: count
            for token, count in counts.most_common()
            if count >= min_count and token not in self._bad
        }
        if not kept:
            most = counts.most_common(1)[0][1] if counts else 0
            raise TextError(
                f"no token is found {min_count} times (min_count), so there is no vector to train; the most "
                f"frequent of {len(counts):,} comes {most:,} times. Lower min_count, or give more texts."
            )
        return kept


def _is_unicode(token: str) -> bool:
    try:
        token.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _silent() -> Iterator[None]:
    """Keep gensim's warnings, which are about its own defaults, off the user's screen."""
    log = logging.getLogger("gensim")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
