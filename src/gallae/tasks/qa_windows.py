"""Questions and passages as a network reads them: windows, and where in each the answer stands."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallae.errors import RecipeError
from gallae.tasks.qa_reading import NOWHERE, Question

log = logging.getLogger(__name__)
_AT_ONCE = 256
Feature = dict[str, Any]


def windows(
    tokenizer: Any,
    examples: Sequence[Question],
    *,
    max_length: int,
    stride: int,
    max_question: int,
    takes_kinds: bool,
    labelled: bool,
) -> list[Feature]:
    """Return a feature a window: the question, and as much of the passage as fits.

    With `labelled`, a window has `start_positions` and `end_positions`, the tokens where the first answer
    that is found begins and ends; both are the first special token where the window does not hold all of it.
    Questions whose answers are not found in the passage are left out then.

    Args:
        tokenizer: A fast tokenizer.
        examples: The questions.
        max_length: Tokens of a window, question and special tokens included.
        stride: Tokens of the passage that stand in two neighbouring windows.
        max_question: Tokens of the question; the rest is cut off.
        takes_kinds: Whether the network takes `token_type_ids`.
        labelled: Whether to look for the answers.

    Returns:
        Features with `input_ids`, `token_type_ids` if the tokenizer has them too, `example` (its number),
        `special` (the token that stands for "no answer"), `first` (the passage's first token in the window)
        and `offsets` ((n, 2) of int32: the characters of the passage that each of its tokens covers).

    Raises:
        RecipeError: if `max_length` leaves no room for the passage.
    """
    room = max_length - tokenizer.num_special_tokens_to_add(pair=True) - stride
    if room < 2:
        raise RecipeError(
            f"max_length = {max_length} leaves no room for question and passage beside stride = {stride}. "
            "Raise max_length or lower stride."
        )
    chosen = [
        (number, example)
        for number, example in enumerate(examples)
        if not labelled or not example.answers or _place(example) is not None
    ]
    questions = _cut(tokenizer, [example.question for _, example in chosen], min(max_question, room // 2))
    features: list[Feature] = []
    for at in range(0, len(chosen), _AT_ONCE):
        part = slice(at, at + _AT_ONCE)
        encoded = tokenizer(
            questions[part],
            [example.context for _, example in chosen[part]],
            truncation="only_second",
            max_length=max_length,
            stride=stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_token_type_ids=takes_kinds and "token_type_ids" in tokenizer.model_input_names,
        )
        for window, owner in enumerate(encoded["overflow_to_sample_mapping"]):
            number, example = chosen[at + owner]
            feature = _window(tokenizer, encoded, window, number)
            features.append(feature | _targets(feature, example) if labelled else feature)
    return features


def _cut(tokenizer: Any, questions: Sequence[str], most: int) -> list[str]:
    if not questions:
        return []
    encoded = tokenizer(list(questions), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    cut = [
        question[: offsets[most - 1][1]] if len(offsets) > most else question
        for question, offsets in zip(questions, encoded["offset_mapping"], strict=True)
    ]
    shorter = sum(len(one) < len(other) for one, other in zip(cut, questions, strict=True))
    if shorter:
        log.warning("%d of %d questions are cut to %d tokens", shorter, len(questions), most)
    return cut


def _window(tokenizer: Any, encoded: Any, window: int, number: int) -> Feature:
    parts = encoded.sequence_ids(window)
    inside = [token for token, part in enumerate(parts) if part == 1]
    first, last = (inside[0], inside[-1] + 1) if inside else (0, 0)
    ids = encoded["input_ids"][window]
    feature: Feature = {
        "input_ids": ids,
        "example": number,
        "special": ids.index(tokenizer.cls_token_id) if tokenizer.cls_token_id in ids else 0,
        "first": first,
        "offsets": np.array(encoded["offset_mapping"][window][first:last], dtype=np.int32).reshape(-1, 2),
    }
    if "token_type_ids" in encoded:
        feature["token_type_ids"] = encoded["token_type_ids"][window]
    return feature


def _place(example: Question) -> tuple[int, int] | None:
    """Return the characters of the first answer that is found."""
    for answer in example.answers:
        if answer.start != NOWHERE:
            return answer.start, answer.start + len(answer.text)
    return None


def _targets(feature: Feature, example: Question) -> Feature:
    place, offsets = _place(example), feature["offsets"]
    first = last = feature["special"]
    if place is not None and len(offsets) and offsets[0, 0] <= place[0] and place[1] <= offsets[-1, 1]:
        begin, end = _tokens(offsets, *place)
        if begin <= end:
            first, last = feature["first"] + begin, feature["first"] + end
    return {"start_positions": first, "end_positions": last}


def coverable(tokenizer: Any, examples: Sequence[Question]) -> list[str]:
    """Return what the tokens that cover each question's answer spell: the best that a network can say.

    A Korean answer often ends inside a token that also holds the particle behind it. Without an answer, or
    where it is not found, the text is "".
    """
    contexts = list(dict.fromkeys(example.context for example in examples))
    options = {"add_special_tokens": False, "return_offsets_mapping": True, "verbose": False}
    found = tokenizer(contexts, **options)["offset_mapping"] if contexts else []
    offsets = {context: np.array(rows).reshape(-1, 2) for context, rows in zip(contexts, found, strict=True)}
    return [_covered(example, offsets[example.context]) for example in examples]


def _covered(example: Question, offsets: NDArray[np.int_]) -> str:
    place = _place(example)
    if place is None or not len(offsets):
        return ""
    begin, end = _tokens(offsets, *place)
    return example.context[offsets[begin, 0] : offsets[end, 1]].strip() if begin <= end else ""


def _tokens(offsets: NDArray[np.int_], start: int, end: int) -> tuple[int, int]:
    """Return the first and last token that have some of the characters from `start` up to `end`."""
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))
    return first, int(np.searchsorted(offsets[:, 0], end, side="left")) - 1


def spans(
    starts: NDArray[np.float32], ends: NDArray[np.float32], longest: int, most: int
) -> Iterator[tuple[float, int, int]]:
    """Yield the best spans of a window, the best first: score, first and last token.

    Args:
        starts: (n_tokens,) how well the answer begins at each token of the passage.
        ends: (n_tokens,) how well it ends there.
        longest: Most tokens of an answer.
        most: How many to yield.
    """
    size = len(starts)
    if not size:
        return
    longest = min(longest, size)
    padded = np.concatenate([ends, np.full(longest - 1, -np.inf, dtype=np.float32)])
    table = starts[:, np.newaxis] + np.lib.stride_tricks.sliding_window_view(padded, longest)
    flat = table.ravel()
    most = min(most, flat.size)
    best = np.argpartition(-flat, most - 1)[:most]
    for place in best[np.lexsort((best, -flat[best]))]:
        begin, length = divmod(int(place), longest)
        if np.isfinite(flat[place]):
            yield float(flat[place]), begin, begin + length
