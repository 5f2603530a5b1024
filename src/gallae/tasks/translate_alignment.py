"""Which words of a text and of its translation belong together, and where the two differ."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

_LOST = 0.9  # what a word without a counterpart costs; another word in its place costs at most 1
_JOINED = 0.15  # what it costs that one word has become two, or two have become one
_STEPS = ((1, 1), (1, 0), (0, 1), (1, 2), (2, 1))
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Link:
    """Words that belong together: source[first:last] has become target[begin:end]; one side may be empty."""

    first: int
    last: int
    begin: int
    end: int


@dataclass(frozen=True)
class Change:
    """A place where a translation differs, in characters of both texts.

    Attributes:
        start, end: In the source.
        target_start, target_end: In the translation.
        source: The source's words.
        target: The translation's words.
    """

    start: int
    end: int
    target_start: int
    target_end: int
    source: str
    target: str


def align(source: Sequence[str], target: Sequence[str]) -> list[Link]:
    """Return the links of two lists of words, in order, covering every word of both once.

    Equal words at both ends are linked first. Between them the cheapest way is taken: a word for a word (the
    less alike their letters, the dearer), one for two, two for one, or a word lost or added.
    """
    shared = min(len(source), len(target))
    head = next((at for at in range(shared) if source[at] != target[at]), shared)
    tail = 0
    while tail < shared - head and source[-1 - tail] == target[-1 - tail]:
        tail += 1
    links = [Link(at, at + 1, at, at + 1) for at in range(head)]
    inner = _cheapest(source[head : len(source) - tail], target[head : len(target) - tail])
    links += [Link(one.first + head, one.last + head, one.begin + head, one.end + head) for one in inner]
    for left in range(tail, 0, -1):
        links.append(
            Link(len(source) - left, len(source) - left + 1, len(target) - left, len(target) - left + 1)
        )
    return links


def _cheapest(source: Sequence[str], target: Sequence[str]) -> list[Link]:
    rows, columns = len(source) + 1, len(target) + 1
    costs = np.full((rows, columns), np.inf)
    came = np.zeros((rows, columns), dtype=np.int8)
    costs[0, 0] = 0.0
    for i in range(rows):
        for j in range(columns):
            for number, (down, right) in enumerate(_STEPS):
                if i >= down and j >= right and i + j:
                    cost = costs[i - down, j - right] + _cost(source[i - down : i], target[j - right : j])
                    if cost < costs[i, j] - 1e-9:
                        costs[i, j], came[i, j] = cost, number
    links, i, j = [], len(source), len(target)
    while i or j:
        down, right = _STEPS[came[i, j]]
        links.append(Link(i - down, i, j - right, j))
        i, j = i - down, j - right
    return links[::-1]


def _cost(source: Sequence[str], target: Sequence[str]) -> float:
    if not source or not target:
        return _LOST
    different = 0.0 if source == target else 1.0 - likeness("".join(source), "".join(target))
    return different + _JOINED * (len(source) + len(target) - 2)


def likeness(one: str, other: str) -> float:
    """Return how much of the letters (jamo) of two words is shared, in order, from 0 to 1."""
    letters = (unicodedata.normalize("NFD", one), unicodedata.normalize("NFD", other))
    return SequenceMatcher(None, *letters, autojunk=False).ratio()


def changes(source: str, translation: str) -> list[Change]:
    """Return where a translation differs from its source, neighbouring changes as one."""
    spans = [[match.span() for match in _WORD.finditer(text)] for text in (source, translation)]
    words = [source.split(), translation.split()]
    found: list[Change] = []
    touching = False
    for link in align(*words):
        if words[0][link.first : link.last] == words[1][link.begin : link.end]:
            touching = False
            continue
        own = _extent(spans[0], link.first, link.last)
        new = _extent(spans[1], link.begin, link.end)
        if touching:
            before = found.pop()
            own, new = (before.start, own[1]), (before.target_start, new[1])
        found.append(Change(*own, *new, source[slice(*own)], translation[slice(*new)]))
        touching = True
    return found


def _extent(spans: Sequence[tuple[int, int]], first: int, last: int) -> tuple[int, int]:
    """Return the characters of words; of none, the empty place before the next."""
    if first < last:
        return spans[first][0], spans[last - 1][1]
    at = spans[first - 1][1] if first else 0
    return at, at


def shared_words(reference: Sequence[str], other: Sequence[str]) -> set[int]:
    """Return the places of the reference's words in a longest common subsequence with other words."""
    rows, columns = len(reference), len(other)
    lengths = np.zeros((rows + 1, columns + 1), dtype=np.int32)
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            same = reference[i] == other[j]
            lengths[i, j] = lengths[i + 1, j + 1] + 1 if same else max(lengths[i + 1, j], lengths[i, j + 1])
    found, i, j = set(), 0, 0
    while i < rows and j < columns:
        if reference[i] == other[j]:
            found.add(i)
            i, j = i + 1, j + 1
        elif lengths[i + 1, j] >= lengths[i, j + 1]:
            i += 1
        else:
            j += 1
    return found
