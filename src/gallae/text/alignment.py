"""Where each character of a clean text comes from in the raw one.

A text step says only what it makes of a text. But it works on one place at a time: cut a text anywhere but
inside such a place, and what it makes of the two halves is what it makes of the whole. So a text is halved
until the halves stay as they are, or cannot be halved further.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from gallae.text.pipeline import TextPipeline
from gallae.text.steps import Step

_NEAR = 16  # characters around the middle where a cut is tried, one after the other; then ever further away
_COMPARED = 500  # characters of a place that cannot be halved, up to which it is compared letter by letter

Block = tuple[int, int, int, int]


@dataclass(frozen=True)
class Alignment:
    """The places in the raw text of a clean text's characters.

    Attributes:
        clean: The text after the steps.
        starts, ends: (n,) int64: character i of `clean` was made of the raw text's [starts[i], ends[i]).
        raw_length: Characters of the raw text.
    """

    clean: str
    starts: np.ndarray
    ends: np.ndarray
    raw_length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the raw text's stretch that the clean text's [start, end), not empty, was made of."""
        return int(self.starts[start:end].min()), int(self.ends[start:end].max())

    def to_raw(self, values: np.ndarray) -> np.ndarray:
        """Share (n,) values of the clean text's characters among the raw text's, (raw_length,) float64."""
        lengths = self.ends - self.starts
        shares = np.repeat(np.asarray(values, dtype=np.float64) / lengths, lengths)
        places = np.repeat(self.starts - np.cumsum(lengths) + lengths, lengths) + np.arange(len(shares))
        return np.bincount(places, shares, minlength=self.raw_length)


def identity(text: str) -> Alignment:
    """Return the alignment of a text with itself."""
    places = np.arange(len(text), dtype=np.int64)
    return Alignment(text, places, places + 1, len(text))


def aligned(pipeline: TextPipeline, text: str) -> Alignment:
    """Run the steps over a text, and find where the characters of what comes out were."""
    found = identity(text)
    starts, ends = found.starts, found.ends
    before = text
    for step, after in pipeline.stages(text):
        if after != before:
            first, last = _sources(step, before, after)
            starts, ends = starts[first], ends[last]
            before = after
    return Alignment(before, starts, ends, len(text))


def _sources(step: Step, before: str, after: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last character of `before` behind each one of `after`, (len(after),)."""
    first = np.zeros(len(after), dtype=np.int64)
    last = np.zeros(len(after), dtype=np.int64)
    for i1, i2, j1, j2 in _blocks(step, before, after):
        if i2 - i1 == j2 - j1:
            first[j1:j2] = last[j1:j2] = np.arange(i1, i2)
        elif i1 < i2:
            first[j1:j2], last[j1:j2] = i1, i2 - 1
        else:  # made of nothing: it belongs to what stands before
            first[j1:j2] = last[j1:j2] = max(i1 - 1, 0)
    return first, last


def _blocks(step: Step, before: str, after: str) -> Iterator[Block]:
    """Yield stretches [i1, i2) of `before` and the [j1, j2) of `after` that the step makes of them."""
    left = [(before, after, 0, 0)]
    while left:
        old, new, i, j = left.pop()
        if old == new or len(old) < 2 or not new:
            yield i, i + len(old), j, j + len(new)
            continue
        cut = _cut(step, old, new)
        if cut is None:
            yield from _compared(old, new, i, j)
            continue
        at, to = cut
        left += [(old[at:], new[to:], i + at, j + to), (old[:at], new[:to], i, j)]


def _cut(step: Step, old: str, new: str) -> tuple[int, int] | None:
    """Return where both can be cut so that the step makes the new halves of the old ones."""
    for at in _places(len(old)):
        head = step(old[:at])
        if new.startswith(head) and step(old[at:]) == new[len(head) :]:
            return at, len(head)
    return None


def _places(length: int) -> Iterator[int]:
    """Yield places within a text, from its middle outwards."""
    middle, distance = length // 2, 0
    while distance <= length // 2:
        for at in {middle - distance, middle + distance}:
            if 0 < at < length:
                yield at
        distance += 1 if distance < _NEAR else distance // 2


def _compared(old: str, new: str, i: int, j: int) -> list[Block]:
    """Return the blocks of a place that cannot be halved: one within a word, several around white space."""
    whole = not any(map(str.isspace, old)) or max(len(old), len(new)) > _COMPARED
    if whole or len(old) == len(new):
        return [(i, i + len(old), j, j + len(new))]
    matches = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(i + i1, i + i2, j + j1, j + j2) for _, i1, i2, j1, j2 in matches]
