"""The baselines of named entities: dictionaries of the names in the training texts, by longest match."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from gallae.tasks.bio import Span
from gallae.tasks.ner_reading import Sentence


def learn_names(sentences: Sequence[Sentence]) -> tuple[dict[str, str], list[str]]:
    """Return name to its most frequent type, and the names that are doubtful.

    Doubtful is what is an entity less than every second time that it begins a word: most syllables that are a
    name once are something else elsewhere.
    """
    types: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for start, end, kind in sentence.spans:
            types[sentence.text[start:end]][kind] += 1
    seen = _beginnings(types, [sentence.text for sentence in sentences])
    names = {
        name: min(counts, key=lambda kind: (-counts[kind], kind)) for name, counts in sorted(types.items())
    }
    return names, [name for name in names if 2 * types[name].total() < seen[name]]


def find_all(texts: Sequence[str], names: Mapping[str, str]) -> list[list[Span]]:
    """Return the names in each text; see `find_names`."""
    longest = max(map(len, names), default=0)
    return [find_names(text, names, longest) for text in texts]


def find_names(text: str, names: Mapping[str, str], longest: int) -> list[Span]:
    """Return the longest names that begin at a word's beginning, from left to right.

    Args:
        text: The raw text.
        names: Of `learn_names`.
        longest: Characters of the longest name.
    """
    spans: list[Span] = []
    behind = 0
    for start in _word_starts(text):
        if start < behind:
            continue
        for end in range(min(len(text), start + longest), start, -1):
            if kind := names.get(text[start:end]):
                spans.append(Span(start, end, kind))
                behind = end
                break
    return spans


def _word_starts(text: str) -> list[int]:
    """Where words begin: at what is no white space behind what is no letter or digit."""
    return [match.start() for match in re.finditer(r"(?<![^\W_])\S", text)]


def _beginnings(names: Mapping[str, object], texts: Sequence[str]) -> Counter[str]:
    """Count how often each name begins a word."""
    longest = max(map(len, names), default=0)
    seen: Counter[str] = Counter()
    for text in texts:
        for start in _word_starts(text):
            for end in range(start + 1, min(len(text), start + longest) + 1):
                if text[start:end] in names:
                    seen[text[start:end]] += 1
    return seen
