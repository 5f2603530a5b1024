"""BIO tags and the spans they stand for (Ramshaw and Marcus 1995; IOB2 as in CoNLL-2002)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

_TYPE = r"[^\W\d_][\w.-]*"
_PREFIXED = re.compile(rf"([BIESLU])[-_]({_TYPE})")
_SUFFIXED = re.compile(rf"({_TYPE})[-_]([BIESLU])")
_OUTSIDE = {"O", "-", "_"}
# The richer schemes (BIOES, BILOU) say no more about a span than BIO does.
_PLAIN = {"B": "B", "I": "I", "E": "I", "L": "I", "S": "B", "U": "B"}

Broken = Callable[[int, str], None]


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text are an entity of `type`."""

    start: int
    end: int
    type: str


class Tagged(NamedTuple):
    """A unit of a text, its characters and its tag; `line` is where it stands in the file."""

    start: int
    end: int
    tag: str
    line: int


def parse_tag(tag: str) -> tuple[str, str] | None:
    """Return ("B" or "I", type), ("O", ""), or None for what is no tag.

    Known are "B-PS", "B_PS", "PS_B", "PS-B", "O", "-", and a bare "I" that goes on with what stands before.
    """
    if tag in _OUTSIDE:
        return "O", ""
    if tag == "I":
        return "I", ""
    if match := _PREFIXED.fullmatch(tag):
        return _PLAIN[match[1]], match[2]
    if match := _SUFFIXED.fullmatch(tag):
        return _PLAIN[match[2]], match[1]
    return None


def spans_of(units: Iterable[Tagged], broken: Broken) -> tuple[Span, ...]:
    """Join tagged units to spans.

    Args:
        units: In the order of the text.
        broken: Called with line and reason where a tag does not go on with what stands before it. If it
            returns, the tag is taken as the first of a new span (a bare I as outside).

    Raises:
        ValueError: for what is no tag; the message names it.
    """
    spans: list[Span] = []
    current = ""
    for unit in units:
        parsed = parse_tag(unit.tag)
        if parsed is None:
            raise ValueError(unit.tag)
        place, kind = parsed
        if place == "I":
            if current and kind in ("", current):
                spans[-1] = spans[-1]._replace(end=unit.end)
                continue
            broken(unit.line, _why(unit.tag, current))
            place = "B" if kind else "O"
        current = kind if place == "B" else ""
        if current:
            spans.append(Span(unit.start, unit.end, current))
    return tuple(spans)


def _why(tag: str, current: str) -> str:
    before = f"an entity of type {current}" if current else "no entity"
    return f"the tag {tag} goes on with an entity, but {before} stands before it"


def spans_of_tags(tags: Sequence[str], units: Sequence[tuple[int, int]]) -> list[Span]:
    """Return the spans of tags that do not break, one a unit: what `tags_of` gave, say."""
    rows = (Tagged(*unit, tag, 0) for tag, unit in zip(tags, units, strict=True))
    return list(spans_of(rows, lambda line, why: None))


def tags_of(spans: Iterable[tuple[int, int, str]], units: Sequence[tuple[int, int]]) -> list[str]:
    """Return a BIO tag for each unit: a unit belongs to the span that it shares characters with.

    Args:
        spans: In any order, without overlaps; (start, end, type).
        units: Characters (start, end) of each unit, in order. A unit without characters is outside.
    """
    tags = ["O"] * len(units)
    ordered = sorted(spans)
    at = 0
    for start, end, kind in ordered:
        while at < len(units) and units[at][1] <= start:
            at += 1
        place = "B"
        while at < len(units) and units[at][0] < end:
            if units[at][0] < units[at][1] and tags[at] == "O":
                tags[at], place = f"{place}-{kind}", "I"
            at += 1
    return tags


def character_tags(spans: Iterable[tuple[int, int, str]], length: int) -> list[str]:
    """Return a BIO tag for each of `length` characters."""
    tags = ["O"] * length
    for start, end, kind in spans:
        tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return tags
