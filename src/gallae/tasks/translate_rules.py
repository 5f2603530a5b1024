"""What is known of words and their translations: counts of words in their places, rules between letters.

A rule says that some letters (jamo) become others between letters on both sides: 하드라고 → 하더라고
teaches ㅡ → ㅓ between ㄷ and ㄹ, with more or less of what stands around, up to the whole word.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gallae.tasks.translate_alignment import align

CONTEXTS = (0, 1, 2, 3, 5, 99)  # letters on either side of a change
BEGIN, END = "\x02", "\x03"  # of a word; as a neighbour: of a text
_LEAST = 2  # letters of a rule's left side with its contexts
_LETTERS = re.compile("[\u1100-\u11ff]")
_ALL = ""  # stands for every direction of a way
_ORDERS = 4
_SYMBOLS = 2000  # a syllable of an unseen kind has the chance 1 in so many


@dataclass(frozen=True)
class Place:
    """A word in a text: what it is, what it becomes, and its neighbours."""

    word: str
    target: str
    before: str
    after: str


def places(source: str, target: str | None) -> list[Place]:
    """Return the words of a text with what each becomes ("" for a word that is lost, several for one that
    splits).

    Where two words become one, the first becomes it and the second is lost. A word that is added joins the
    word before it. Without a target, every word becomes itself.
    """
    words = source.split()
    turned = list(words) if target is None else _turned(words, target.split())
    around = [BEGIN, *words, END]
    return [Place(word, turned[at], around[at], around[at + 2]) for at, word in enumerate(words)]


def _turned(words: list[str], others: list[str]) -> list[str]:
    turned = [""] * len(words)
    early = ""
    for link in align(words, others):
        text = " ".join(others[link.begin : link.end])
        if link.first < link.last:
            turned[link.first] = f"{early} {text}".strip() if early else text
            early = ""
        elif link.first:
            turned[link.first - 1] = f"{turned[link.first - 1]} {text}".strip()
        else:
            early = f"{early} {text}".strip()
    return turned


def spelt(word: str) -> str:
    """Return a word in letters, between marks of its beginning and end."""
    return BEGIN + unicodedata.normalize("NFD", word) + END


def rules_between(word: str, target: str) -> Iterator[tuple[str, int, int, str]]:
    """Yield the rules that a changed word teaches: its letters in context, where they change, how many, and
    into what."""
    own, new = spelt(word), spelt(target)
    begin = next(at for at in range(len(own)) if own[at] != new[at : at + 1])
    most = min(len(own), len(new)) - begin
    tail = next((at for at in range(most) if own[-1 - at] != new[-1 - at]), most)
    end, into = len(own) - tail, new[begin : len(new) - tail]
    found = {(max(0, begin - left), min(len(own), end + right)) for left in CONTEXTS for right in CONTEXTS}
    for first, last in sorted(found):
        if last - first >= _LEAST:
            yield own[first:last], begin - first, end - begin, into


_TABLES = ("words", "around", "sources", "targets", "rules", "seen", "syllables")


def _counts() -> defaultdict[str, Counter[str]]:
    return defaultdict(Counter)


@dataclass
class Knowledge:
    """Counts over the training texts; every table is a mapping of a joined key to counts.

    A direction is "jeju>standard"; its way is "to standard" or "from standard" where all directions share
    that style, else the direction itself. What one dialect teaches is evidence for its neighbours, too.

    Attributes:
        pivot: The style that all directions share; "" without.
        directions: All of them.
        words: direction and word: what it became.
        around: direction, word and a neighbour: what it became; only of words that ever changed.
        sources: way: words on the source's side.
        targets: way: words on the target's side.
        rules: way and letters: "place, number, letters" of a rule and its direction: how often it was
            applied.
        seen: way and letters of a rule: direction: how often they stood in a source word.
        syllables: way and the syllables before: the next one.
    """

    pivot: str = ""
    directions: Sequence[str] = ()
    words: Any = field(default_factory=_counts)
    around: Any = field(default_factory=_counts)
    sources: Any = field(default_factory=_counts)
    targets: Any = field(default_factory=_counts)
    rules: Any = field(default_factory=_counts)
    seen: Any = field(default_factory=_counts)
    syllables: Any = field(default_factory=_counts)

    def __post_init__(self) -> None:
        self._totals: dict[str, int] = {}

    def way(self, direction: str) -> str:
        """Return the way of a direction."""
        source, _, target = direction.partition(">")
        if self.pivot and self.pivot in (source, target):
            return f"to {self.pivot}" if target == self.pivot else f"from {self.pivot}"
        return direction

    def learn(self, texts: Iterable[tuple[str, list[Place]]], least: int = 1) -> None:
        """Count texts: directions and their words in place.

        Args:
            texts: Of the training.
            least: Rules that were applied less often are forgotten.
        """
        kept = list(texts)
        self.directions = sorted({direction for direction, _ in kept})
        for direction, words in kept:
            for place in words:
                self._count(direction, place)
        moving = {key for key, found in self.words.items() if set(found) != {key.partition("\t")[2]}}
        for direction, words in kept:
            for place in words:
                if f"{direction}\t{place.word}" in moving:
                    for key in neighbours(direction, place):
                        self.around[key][place.target] += 1
        self._forget(least)
        self._count_letters()
        self._count_syllables()

    def _count(self, direction: str, place: Place) -> None:
        way = self.way(direction)
        self.words[f"{direction}\t{place.word}"][place.target] += 1
        self.sources[way][place.word] += 1
        self.targets[way].update(place.target.split())
        if place.word != place.target:
            for letters, at, count, into in rules_between(place.word, place.target):
                self.rules[f"{way}\t{letters}"][f"{at}\t{count}\t{into}\t{direction}"] += 1

    def _forget(self, least: int) -> None:
        for key in [key for key, found in self.rules.items() if sum(found.values()) < least]:
            del self.rules[key]

    def _count_letters(self) -> None:
        for key, found in self.words.items():
            direction, _, word = key.partition("\t")
            way, often = self.way(direction), sum(found.values())
            for letters in {letters for _, letters in self.windows(way, spelt(word))}:
                self.seen[f"{way}\t{letters}"][direction] += often
                self.seen[f"{way}\t{letters}"][_ALL] += often

    def _count_syllables(self) -> None:
        for way, found in self.targets.items():
            for word, often in found.items():
                for before, syllable in _grams(word):
                    for order in range(_ORDERS):
                        self.syllables[f"{way}\t{before[len(before) - order :]}"][syllable] += often

    def windows(self, way: str, word: str) -> Iterator[tuple[int, str]]:
        """Yield the places and letters of a spelt word for which there is a rule."""
        for first in range(len(word)):
            for last in range(first + _LEAST, len(word) + 1):
                if f"{way}\t{word[first:last]}" in self.rules:
                    yield first, word[first:last]

    def fluency(self, way: str, text: str) -> float:
        """Return the log probability of words among the target's, by interpolated syllable n-grams."""
        total = 0.0
        for word in text.split():
            for before, syllable in _grams(word):
                chance = 1.0 / _SYMBOLS
                for order in range(_ORDERS):
                    key = f"{way}\t{before[len(before) - order :]}"
                    counted = self._total(key)
                    if counted:
                        chance = (self.syllables[key].get(syllable, 0) + 2 * chance) / (counted + 2)
                total += math.log(chance)
        return total

    def _total(self, key: str) -> int:
        if key not in self._totals:
            self._totals[key] = sum(self.syllables[key].values()) if key in self.syllables else 0
        return self._totals[key]

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {
            "pivot": self.pivot,
            "directions": self.directions,
            **{name: getattr(self, name) for name in _TABLES},
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Knowledge:
        """Make it again from `to_json`."""
        return cls(values["pivot"], values["directions"], **{name: values[name] for name in _TABLES})


def neighbours(direction: str, place: Place) -> tuple[str, str]:
    """Return the keys of a word with the word before it, and with the word after it."""
    return f"{direction}\t{place.word}\t<{place.before}", f"{direction}\t{place.word}\t>{place.after}"


def _grams(word: str) -> Iterator[tuple[str, str]]:
    padded = BEGIN * (_ORDERS - 1) + word + END
    for at in range(_ORDERS - 1, len(padded)):
        yield padded[at - _ORDERS + 1 : at], padded[at]


def written(letters: str) -> str | None:
    """Return spelt letters as a word again; None if they make none."""
    if letters[:1] != BEGIN or letters[-1:] != END:
        return None
    word = unicodedata.normalize("NFC", letters[1:-1])
    return None if _LETTERS.search(word) else word
