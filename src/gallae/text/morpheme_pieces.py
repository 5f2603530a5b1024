"""Sub-words that are morphemes: the surfaces that Kiwi finds, with their frequencies, as a Unigram model."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Any

from gallae.errors import TextError
from gallae.progress import track
from gallae.text.morphemes import analyzer
from gallae.text.vocabulary import SPACE, SPECIAL

LONGEST = 16  # characters of a piece
_NEVER = 0.5  # what a character counts that is never a piece of its own, but has to be able to stand alone


class WeightedCounts:
    """Counts of tokens whose texts weigh differently; the same in whatever order they come."""

    def __init__(self) -> None:
        self._by_weight: dict[float, Counter[str]] = {}

    def update(self, tokens: Iterable[str], weight: float = 1.0) -> None:
        """Count tokens of a text."""
        self._by_weight.setdefault(weight, Counter()).update(tokens)

    def total(self) -> dict[str, float]:
        """Return tokens with their weighted counts."""
        found: dict[str, float] = {}
        for weight in sorted(self._by_weight):
            for token, count in self._by_weight[weight].items():
                found[token] = found.get(token, 0.0) + weight * count
        return found


def surfaces(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield each text cut at the borders of Kiwi's morphemes: 학교에 갔다 → "▁학교", "에", "▁갔", "다".

    "▁" stands before the first piece of a word. Morphemes that share a syllable stay together (갔: 가, 았).
    """
    kiwi: Any = analyzer("kiwi")
    found: Iterator[list[str]] = kiwi.cut(texts, _surfaces)
    return found


def _surfaces(text: str, tokens: Iterable[Any]) -> list[str]:
    spans: list[tuple[int, int]] = []
    for token in tokens:
        start, end = token.start, token.start + token.len
        if spans and (start < spans[-1][1] or start == end):
            spans[-1] = spans[-1][0], max(spans[-1][1], end)
        else:
            spans.append((start, end))
    found = []
    for start, end in spans:
        first = start == 0 or text[start - 1].isspace()
        for number, part in enumerate(text[start:end].split()):  # Kiwi knows names of several words
            found.append(SPACE + part if number or first else part)
    return found


def morpheme_scores(
    texts: Iterable[tuple[str, float]], size: int, min_count: float
) -> list[tuple[str, float]]:
    """Choose the pieces of a Unigram model (Kudo, 2018): surfaces of morphemes, and all frequent characters.

    The score of a piece is the logarithm of its share of the pieces that Kiwi cuts the texts into, so the
    best path through a word is near to what Kiwi would say, and needs no Kiwi.

    Args:
        texts: Texts and their weights, read once.
        size: Most pieces.
        min_count: Leave out characters and pieces with a smaller weighted count.

    Returns:
        Pieces and scores, the best first; a function of the texts, in whatever order.

    Raises:
        TextError: if no piece is frequent enough, or `size` has no room for the characters.
    """
    counts = _counted(texts)
    characters: dict[str, float] = {}
    for piece, count in counts.items():
        for character in piece:
            characters[character] = characters.get(character, 0.0) + count
    alphabet = {character for character, count in characters.items() if count >= min_count}
    alphabet -= {SPACE, "\ufffd"}  # half surrogate pairs come back as �
    if not alphabet:
        raise TextError(
            "the texts hold no word that a vocabulary could be made of. Look whether there is any text, and "
            f"whether characters come {min_count:g} times (min_count)."
        )
    chosen = {piece: max(_NEVER, counts.get(piece, 0.0)) for piece in (*alphabet, SPACE)}
    if size < len(chosen):
        least = len(chosen) + len(SPECIAL)
        raise TextError(
            f"a vocabulary of {size + len(SPECIAL):,} tokens has no room for the texts' {len(alphabet):,} "
            f"characters: set its size to {least:,} at least, or leave rare characters out by a larger "
            "min_count."
        )
    known = alphabet | {SPACE}
    for piece, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(chosen) >= size or count < min_count:
            break
        if piece not in chosen and len(piece) <= LONGEST and known.issuperset(piece):
            chosen[piece] = count
    total = sum(sorted(chosen.values()))
    scores = {piece: round(math.log(count / total), 4) for piece, count in chosen.items()}
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def _counted(texts: Iterable[tuple[str, float]]) -> dict[str, float]:
    weights: deque[float] = deque()  # of the texts that Kiwi has taken and not given back

    def feed() -> Iterator[str]:
        for text, weight in texts:
            weights.append(weight)
            yield text

    counts = WeightedCounts()
    for pieces in track(surfaces(feed()), "morphemes"):
        counts.update(pieces, weights.popleft())
    return counts.total()
