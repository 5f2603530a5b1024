"""What `audit` measures in words and morphemes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from gallae.data import Corpus
from gallae.data.statistics import lengths
from gallae.data.terms import telling_terms, vocabulary
from gallae.text import STUDY_DROP_TAGS, TAGS, match_tags

FREQUENT = 150  # words of a cloud
COVERED = (0.5, 0.8, 0.9, 0.95, 0.99)
LONG = 512  # tokens that most encoders read

_SIGNS = ("SW", "SO", "SB", "SP", "W_*")
_CONTENT = frozenset(TAGS) - match_tags((*STUDY_DROP_TAGS, *_SIGNS))
_TELLING = _CONTENT | {"SL"}
_VERBS = frozenset(("VV", "VA", "VX"))


@dataclass
class Words:
    """The tokens of a corpus.

    Attributes:
        raw: Words between white space, before cleaning.
        morphemes: Forms of all morphemes after cleaning.
        content: Those the YNAT study kept, verbs as in a dictionary (좋다), without signs.
        telling: The content and words in Latin letters.
    """

    raw: list[list[str]] = field(default_factory=list)
    morphemes: list[list[str]] = field(default_factory=list)
    content: list[list[str]] = field(default_factory=list)
    telling: list[list[str]] = field(default_factory=list)


def split_words(texts: Sequence[str], analyses: Iterable[Sequence[str]]) -> Words:
    """Sort the morphemes ("form/TAG") of each text by what they are used for."""
    known: dict[str, tuple[str, str, bool, bool]] = {}
    words = Words(raw=[text.split() for text in texts])
    for tagged in analyses:
        items = []
        for item in tagged:
            if item not in known:
                known[item] = _kind(item)
            items.append(known[item])
        words.morphemes.append([form for form, _, _, _ in items])
        words.content.append([term for _, term, content, _ in items if content])
        words.telling.append([term for _, term, _, telling in items if telling])
    return words


def _kind(tagged: str) -> tuple[str, str, bool, bool]:
    form, _, tag = tagged.rpartition("/")
    readable = any(char.isalnum() for char in form)
    term = f"{form}다" if tag in _VERBS else form
    return form, term, readable and tag in _CONTENT, readable and tag in _TELLING


def measure_words(corpus: Corpus, words: Words) -> dict[str, Any]:
    """Measure lengths in words and morphemes, vocabularies, telling terms, and words for the clouds."""
    sizes = [len(text) for text in words.morphemes]
    counts = np.sort(np.fromiter(Counter(chain.from_iterable(words.morphemes)).values(), dtype=np.int64))
    found: dict[str, Any] = {
        "words": lengths([len(text) for text in words.raw]),
        "morphemes": lengths(sizes) | {"longer_than_512": sum(size > LONG for size in sizes)},
        "vocabulary": vocabulary(words.morphemes) | {"coverage": coverage(counts)},
        "word_vocabulary": vocabulary(words.raw),
        "content_vocabulary": vocabulary(words.content),
        "frequent": {"before": _frequent(words.raw), "after": _frequent(words.content)},
    }
    if corpus.label_set is not None:
        found["telling_terms"] = telling_terms(words.telling, corpus.labels, corpus.label_set.names)
    return found


def coverage(counts: np.ndarray) -> dict[str, int]:
    """Return how many of the most frequent words make up each share in `COVERED` of all occurrences.

    Args:
        counts: Occurrences of each distinct word, int (n_words,), ascending.
    """
    if not len(counts):
        return {str(share): 0 for share in COVERED}
    covered = np.cumsum(counts[::-1]) / counts.sum()
    return {str(share): int(np.searchsorted(covered, share - 1e-12)) + 1 for share in COVERED}


def _frequent(tokens: Sequence[Sequence[str]]) -> list[list[Any]]:
    counts = Counter(chain.from_iterable(tokens))
    return [[word, count] for word, count in sorted(counts.items(), key=lambda i: (-i[1], i[0]))[:FREQUENT]]
