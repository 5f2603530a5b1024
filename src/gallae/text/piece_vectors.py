"""Kiwi vectors of sub-words, whatever tokenizer cut them.

A piece's vector is that of the morphemes which Kiwi finds in its surface. A piece that goes on within a word
(은, 에서, 었) says too little alone: Kiwi would take 은 for silver. It is read behind a few words, a person,
an eating, ..., and the reading counts that Kiwi finds the likeliest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from gallae.text.kiwi_vectors import DIMENSIONS, KiwiVectors, kiwi_vectors
from gallae.text.morphemes import KiwiAnalyzer, _kiwi_tag, analyzer
from gallae.text.subwords import CONTINUED
from gallae.text.vocabulary import SPACE

# Nouns and stems, with and without a final consonant; the noun of action makes 하 and 되 its suffixes.
CARRIERS = ("", "사람", "공부", "먹", "가")
"""What stands before a piece that goes on within a word, when Kiwi reads it."""
_BYTE_SPACE = "Ġ"
_SPECIAL = re.compile(r"\[[A-Za-z0-9_]+\]|<[^<>]+>")


class Surface(NamedTuple):
    """What a piece looks like in a text.

    Attributes:
        text: Without the tokenizer's marks; "" for a special token, or bytes that are no whole character.
        begins: Whether it begins a word.
    """

    text: str
    begins: bool


def piece_vectors(pieces: Sequence[str]) -> np.ndarray:
    """Return vectors of a vocabulary's pieces.

    Args:
        pieces: As the tokenizer names them, the whole vocabulary at once: whether "▁", "##" or byte-level
            "Ġ" marks words is read off them.

    Returns:
        (n, 256) float32 of unit length: the direction of the mean of the morphemes' vectors; zeros where
        Kiwi knows none.

    Raises:
        MissingExtra: if the installed Kiwi has no CoNgram model.
    """
    vectors, read = kiwi_vectors(), surfaces(pieces)
    words = sorted({surface.text for surface in read if surface.begins})
    parts = sorted({surface.text for surface in read if not surface.begins})
    found = _read_alone(words, vectors)
    behind = _read_behind(parts, vectors)
    result = np.zeros((len(read), DIMENSIONS), dtype=np.float32)
    for row, surface in enumerate(read):
        result[row] = (found if surface.begins else behind)[surface.text]
    return result


def surfaces(pieces: Sequence[str]) -> list[Surface]:
    """Return what a vocabulary's pieces look like in a text; see `piece_vectors`."""
    marked = (read for mark, read in _MARKS.items() if any(piece.startswith(mark) for piece in pieces))
    read = next(marked, _whole)
    return [Surface("", True) if _SPECIAL.fullmatch(piece) else read(piece) for piece in pieces]


def _spaced(piece: str) -> Surface:
    return Surface(piece.removeprefix(SPACE), piece.startswith(SPACE))


def _continued(piece: str) -> Surface:
    rest = piece.removeprefix(CONTINUED)
    return Surface(rest, False) if rest and rest != piece else Surface(piece, True)


def _of_bytes(piece: str) -> Surface:
    letters = _byte_letters()
    inside, begins = piece.removeprefix(_BYTE_SPACE), piece.startswith(_BYTE_SPACE)
    try:
        return Surface(bytes(letters[letter] for letter in inside).decode(), begins)
    except (KeyError, UnicodeDecodeError):
        return Surface("", begins)


def _whole(piece: str) -> Surface:
    return Surface(piece, True)


_MARKS = {SPACE: _spaced, CONTINUED: _continued, _BYTE_SPACE: _of_bytes}


@lru_cache
def _byte_letters() -> dict[str, int]:
    """Return the letters that byte-level tokenizers write bytes with (Radford et al., 2019)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [number for number in range(256) if number not in plain]
    return {chr(number): number for number in plain} | {chr(256 + n): b for n, b in enumerate(others)}


def _read_alone(texts: Sequence[str], vectors: KiwiVectors) -> dict[str, np.ndarray]:
    readings = list(analyzer("kiwi").tagged(texts))
    return dict(zip(texts, _means(readings, vectors), strict=True))


def _read_behind(texts: Sequence[str], vectors: KiwiVectors) -> dict[str, np.ndarray]:
    """Return the vector of the likeliest reading of each text behind one of `CARRIERS`."""
    likeliest = {text: -np.inf for text in texts}
    found = {text: np.zeros(DIMENSIONS, np.float32) for text in texts}
    for carrier in CARRIERS if texts else ():
        readings, scores = zip(*_readings(carrier, texts), strict=True)
        for text, score, vector in zip(texts, scores, _means(readings, vectors), strict=True):
            if score > likeliest[text] and vector.any():
                likeliest[text], found[text] = score, vector
    return found


def _readings(carrier: str, texts: Sequence[str]) -> Iterable[tuple[list[str], float]]:
    """Yield a text's morphemes behind a carrier, and how much likelier than the carrier alone they are."""
    kiwi = analyzer("kiwi")
    assert isinstance(kiwi, KiwiAnalyzer)
    alone = kiwi.kiwi.analyze(carrier)[0][1] if carrier else 0.0
    for results in kiwi.kiwi.analyze(carrier + text for text in texts):
        tokens, score = results[0]
        yield _behind(tokens, len(carrier)), score - alone


def _behind(tokens: Sequence[Any], start: int) -> list[str]:
    """Return the morphemes from `start` on; none where one goes across it."""
    if any(token.start < start < token.start + token.len for token in tokens):
        return []
    return [f"{token.form}/{_kiwi_tag(token.tag)}" for token in tokens if token.start >= start]


def _means(readings: Sequence[list[str]], vectors: KiwiVectors) -> list[np.ndarray]:
    """Return the direction of the mean of each reading's vectors; zeros where Kiwi knows none."""
    vectors(sorted({morpheme for reading in readings for morpheme in reading}))  # one by one is slow
    totals = [vectors(reading).sum(axis=0) for reading in readings]
    return [total / max(np.linalg.norm(total), np.float32(1e-6)) for total in totals]
