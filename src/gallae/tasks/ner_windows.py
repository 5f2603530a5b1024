"""Texts as a network reads them: windows of sub-words, and the characters that each sub-word stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallae.errors import RecipeError
from gallae.tasks.bio import Span, spans_of_tags, tags_of

_AT_ONCE = 256
Feature = dict[str, Any]


class Units(NamedTuple):
    """The sub-words of a text, each once, in order, without overlaps; arrays (n_units,) of int.

    Attributes:
        start: Its first character.
        end: The character behind its last one.
        feature: Number of the window in which it is read: where it has most tokens on both sides.
        token: Its number among the tokens of that window.
    """

    start: NDArray[np.int32]
    end: NDArray[np.int32]
    feature: NDArray[np.int32]
    token: NDArray[np.int32]

    @property
    def characters(self) -> list[tuple[int, int]]:
        """(start, end) of each."""
        return list(zip(self.start.tolist(), self.end.tolist(), strict=True))


def windows(tokenizer: Any, texts: Sequence[str], max_length: int, stride: int) -> list[Feature]:
    """Return a feature a window; a text has as many windows as it needs, and at least one.

    Args:
        tokenizer: A fast tokenizer.
        texts: The raw texts.
        max_length: Tokens of a window, special ones included.
        stride: Tokens that stand in two neighbouring windows.

    Returns:
        Features with `input_ids`, `token_type_ids` if the tokenizer has them, `example` (the text's number),
        and `places`: (n, 3) of int32, for each token with characters its number, first character, and end.

    Raises:
        RecipeError: if `stride` leaves no room for new tokens.
    """
    if max_length - tokenizer.num_special_tokens_to_add() - stride < 1:
        raise RecipeError(
            f"max_length = {max_length} leaves no room beside stride = {stride}. "
            "Raise max_length or lower stride."
        )
    tokenizer.truncation_side = "right"
    features: list[Feature] = []
    for at in range(0, len(texts), _AT_ONCE):
        part = list(texts[at : at + _AT_ONCE])
        encoded = tokenizer(
            part,
            truncation=True,
            max_length=max_length,
            stride=stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        for window, owner in enumerate(encoded["overflow_to_sample_mapping"]):
            feature = {
                "input_ids": encoded["input_ids"][window],
                "example": at + owner,
                "places": _places(part[owner], encoded, window),
            }
            if "token_type_ids" in encoded:
                feature["token_type_ids"] = encoded["token_type_ids"][window]
            features.append(feature)
    return features


def _places(text: str, encoded: Any, window: int) -> NDArray[np.int32]:
    """Return token, start and end of the tokens of a window that have characters of their own.

    White space at a token's edge is not its own; a character that several tokens share is the first's.
    """
    places: list[tuple[int, int, int]] = []
    before = 0
    offsets = encoded["offset_mapping"][window]
    for token, part in enumerate(encoded.sequence_ids(window)):
        if part is None:
            continue
        start, end = max(offsets[token][0], before), offsets[token][1]
        piece = text[start:end]
        start += len(piece) - len(piece.lstrip())
        end -= len(piece) - len(piece.rstrip())
        if start < end:
            places.append((token, start, end))
            before = end
    return np.array(places, dtype=np.int32).reshape(-1, 3)


def units_of(features: Sequence[Feature], count: int) -> list[Units]:
    """Return the sub-words of each of `count` texts, those of several windows brought together."""
    found: list[list[NDArray[np.int64]]] = [[] for _ in range(count)]
    for number, feature in enumerate(features):
        places = feature["places"].astype(np.int64)
        length = len(feature["input_ids"])
        context = np.minimum(places[:, 0], length - 1 - places[:, 0])
        found[feature["example"]].append(np.column_stack([places, np.full_like(context, number), context]))
    return [_merged(rows) for rows in found]


def _merged(windows: Sequence[NDArray[np.int64]]) -> Units:
    """Keep of each sub-word the row (token, start, end, feature, context) with most context."""
    rows = np.concatenate([*windows, np.zeros((0, 5), dtype=np.int64)])
    rows = rows[np.lexsort((rows[:, 3], -rows[:, 4], rows[:, 1]))]
    token, start, end, feature, _ = rows.astype(np.int32).T
    kept: list[int] = []
    before = 0
    for row in range(len(rows)):
        if start[row] >= before:
            kept.append(row)
            before = int(end[row])
    return Units(start[kept], end[kept], feature[kept], token[kept])


def add_labels(
    features: Sequence[Feature], spans: Sequence[Sequence[Span]], numbers: dict[str, int], ignored: int
) -> None:
    """Give each feature `labels`, a number a token: every sub-word of an entity has a tag, the first a B.

    Args:
        features: Of `windows`.
        spans: Of each text.
        numbers: Tag to number.
        ignored: The number of tokens without characters of their own.
    """
    by_start = [
        dict(zip(units.start.tolist(), tags_of(own, units.characters), strict=True))
        for units, own in zip(units_of(features, len(spans)), spans, strict=True)
    ]
    for feature in features:
        labels = [ignored] * len(feature["input_ids"])
        for token, start, _ in feature["places"].tolist():
            labels[token] = numbers.get(by_start[feature["example"]].get(start, ""), ignored)
        feature["labels"] = labels


def reachable(units: Sequence[Units], spans: Sequence[Sequence[Span]]) -> Iterator[list[Span]]:
    """Yield for each text the spans that a network without fault would give.

    They differ from `spans` where a sub-word holds characters of an entity and others: it cannot be parted.
    """
    for own, gold in zip(units, spans, strict=True):
        characters = own.characters
        yield spans_of_tags(tags_of(gold, characters), characters)
