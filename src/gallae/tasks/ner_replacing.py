"""More training sentences: the same ones, with other names in them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from gallae.tasks.bio import Span
from gallae.tasks.ner_reading import Sentence

_SHARE = 0.5


def with_replaced(sentences: Sequence[Sentence], copies: int, seed: int) -> list[Sentence]:
    """Return the sentences, and behind them `copies` of each that has entities, with other names in them.

    In a copy each entity is replaced, at even odds, by one of its type from anywhere in the sentences, drawn
    as often as it stands there. So names are learnt apart from their sentences. A particle that depends on
    the name before it (은, 는) stays as it is. Method: mention replacement (Dai and Adel, "An Analysis of
    Simple Data Augmentation for Named Entity Recognition", 2020, arXiv:2010.11683).

    Args:
        sentences: Labelled.
        copies: How many of each.
        seed: Of the drawing.
    """
    rng = random.Random(seed)
    mentions: dict[str, list[str]] = defaultdict(list)
    for sentence in sentences:
        for start, end, kind in sentence.spans:
            mentions[kind].append(sentence.text[start:end])
    marked = [sentence for sentence in sentences if sentence.spans]
    return [*sentences, *(_other(sentence, mentions, rng) for _ in range(copies) for sentence in marked)]


def _other(sentence: Sentence, mentions: dict[str, list[str]], rng: random.Random) -> Sentence:
    pieces: list[str] = []
    spans: list[Span] = []
    at = length = 0
    for start, end, kind in sentence.spans:
        name = rng.choice(mentions[kind]) if rng.random() < _SHARE else sentence.text[start:end]
        pieces += (sentence.text[at:start], name)
        length += start - at
        spans.append(Span(length, length + len(name), kind))
        length += len(name)
        at = end
    return Sentence("".join([*pieces, sentence.text[at:]]), tuple(spans))
