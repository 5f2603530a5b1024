"""Cutting a raw text into the parts that an explanation speaks of."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from gallae.errors import GallaeError
from gallae.explaining.explanation import Part
from gallae.text.alignment import Alignment
from gallae.text.morphemes import analyzer
from gallae.text.places import Place

UNITS = ("word", "morpheme")
# A word is a run of letters and digits, with the points and commas of numbers, and & between letters (R&D);
# signs are parts of their own, as headlines join what belongs apart by … and ·, and so are HTML's.
_WORD = re.compile(
    r"&#?\w{2,31};|</?[A-Za-z][^<>\s]{0,40}>"
    r"|\w+(?:(?:(?<=\d)[.,](?=\d)|(?<=[A-Za-z])&(?=[A-Za-z]))\w+)*|(?:(?!&#?\w{2,31};|</?[A-Za-z])[^\w\s])+|\S"
)
_SOLID = re.compile(r"\S+")


def check_unit(unit: str) -> None:
    """Make sure that a unit is known.

    Raises:
        GallaeError: lists those that are.
    """
    if unit not in UNITS:
        raise GallaeError(f"unit is {unit!r}; allowed: {', '.join(UNITS)}.")


def cut(text: str, unit: str, alignment: Alignment, analyzer_name: str = "kiwi") -> list[Place]:
    """Return the places of a raw text's parts, in order and apart, with every character that is not blank.

    Morphemes are those of the clean text, which is what a model reads; those made of the same raw characters
    (미국 of 美, 갔 of 가 and 았) are one part.

    Args:
        text: The raw text.
        unit: "word" or "morpheme".
        alignment: Of the text with what the model reads.
        analyzer_name: "kiwi" or "mecab".
    """
    if unit == "word":
        return [match.span() for match in _WORD.finditer(text)]
    places: list[Place] = []
    for _tagged, start, end in analyzer(analyzer_name).located(alignment.clean):
        if start >= end:
            continue
        first, last = alignment.span(start, end)
        if places and first < places[-1][1]:
            places[-1] = (min(first, places[-1][0]), max(last, places[-1][1]))
        else:
            places.append((first, last))
    return _with_gaps(text, places)


def _with_gaps(text: str, places: Sequence[Place]) -> list[Place]:
    """Add what lies between the places and is not blank, and leave the blanks at their ends away."""
    found: list[Place] = []
    at = 0
    for start, end in [*places, (len(text), len(text))]:
        found += [match.span() for match in _SOLID.finditer(text, at, start)]
        solid = text[start:end]
        left, right = len(solid) - len(solid.lstrip()), len(solid) - len(solid.rstrip())
        if left < len(solid):
            found.append((start + left, end - right))
        at = end
    return found


def merged(places: Sequence[Place], most: int) -> list[Place]:
    """Join neighbours so that at most so many places are left, of about as many parts each."""
    if len(places) <= most:
        return list(places)
    groups = np.array_split(np.arange(len(places)), most)
    return [(places[group[0]][0], places[group[-1]][1]) for group in groups]


def weighed(text: str, places: Sequence[Place], values: np.ndarray) -> list[Part]:
    """Return parts with the sums of their characters' values.

    What white space between two parts has goes to the one before it.

    Args:
        text: The raw text.
        places: Of its parts.
        values: (n_characters,).
    """
    if not places:
        return []
    starts = np.array([start for start, _ in places])
    starts[0] = 0
    return parts_of(text, places, np.add.reduceat(values, starts))


def parts_of(text: str, places: Sequence[Place], weights: np.ndarray) -> list[Part]:
    """Return parts with their weights, (n_places,)."""
    return [
        Part(start, end, text[start:end], weight)
        for (start, end), weight in zip(places, weights.tolist(), strict=True)
    ]
