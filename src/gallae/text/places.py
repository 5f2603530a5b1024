"""Where the tokens of a clean text stand in it: what `tokenize` and `TextTokenizer` split, with places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gallae.text.morphemes import analyzer as get_analyzer
from gallae.text.subwords import UNITS as SUBWORDS
from gallae.text.units import decompose_jamo, match_tags

if TYPE_CHECKING:
    from gallae.text.token_ids import TextTokenizer

Place = tuple[int, int]
_RUN = re.compile(r"\S+")


def word_places(text: str) -> list[Place]:
    """Return the places of the words between white space, as `str.split` finds them."""
    return [match.span() for match in _RUN.finditer(text)]


def letter_places(text: str) -> list[Place]:
    """Return the place of the character behind each letter of `decompose_jamo`."""
    return [(at, at + 1) for at, character in enumerate(text) for _ in decompose_jamo(character)]


def morpheme_places(
    text: str, drop_tags: Sequence[str] = (), keep_tags: Sequence[str] = (), analyzer: str = "kiwi"
) -> list[tuple[str, Place]]:
    """Return the morphemes chosen by their tags, as "form/TAG", with their places."""
    dropped, kept = match_tags(drop_tags), match_tags(keep_tags)
    found = []
    for tagged, start, end in get_analyzer(analyzer).located(text):
        tag = tagged.rpartition("/")[2]
        if tag not in dropped and (not kept or tag in kept):
            found.append((tagged, (start, end)))
    return found


def token_places(tokenizer: TextTokenizer, text: str) -> list[Place]:
    """Return the places of a clean text's tokens, before any are cut off or put around them."""
    unit = tokenizer.unit
    if unit == "word":
        return word_places(text)
    if unit == "char":
        return [(at, at + 1) for at in range(len(text))]
    if unit == "jamo":
        return letter_places(text)
    if unit in SUBWORDS and tokenizer.subwords_of == "word":
        return _piece_places(tokenizer, text)
    tags = tokenizer.drop_tags, tokenizer.keep_tags
    found = morpheme_places(text, *tags, tokenizer.analyzer)
    if unit not in SUBWORDS:
        return [place for _, place in found]
    forms = [tagged.rpartition("/")[0] for tagged, _ in found]
    joined = [place for form, place in zip(forms, (place for _, place in found), strict=True)
              for _ in range(len(form) + 1)]  # fmt: skip
    return [joined[start] for start, _ in _piece_places(tokenizer, " ".join(forms))]


def _piece_places(tokenizer: TextTokenizer, text: str) -> list[Place]:
    encoded = tokenizer.vocabulary.tokenizer.encode(
        text.encode("utf-8", "replace").decode("utf-8"), add_special_tokens=False
    )
    return list(encoded.offsets)
