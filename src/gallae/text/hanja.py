"""Hanja read in Korean, as headlines mean them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from gallae.text import tables

_RUN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_FIRST = 0xAC00
_Y_VOWELS = frozenset((2, 3, 6, 7, 12, 17, 20))  # ㅑ ㅒ ㅕ ㅖ ㅛ ㅠ ㅣ
_N, _D, _R, _IEUNG, _J = 2, 3, 5, 11, 12
_OPEN, _CLOSE = frozenset("(<[〈《【"), frozenset(")>]〉》】")
_RATE = {"렬": "열", "률": "율"}


def initial_sound(syllable: str) -> str:
    """Apply the initial-sound rule (두음법칙) to a word's first syllable: 녀 → 여, 론 → 논, 리 → 이."""
    consonant, rest = divmod(ord(syllable) - _FIRST, 588)
    y = rest // 28 in _Y_VOWELS
    if consonant == _N and y:
        consonant = _IEUNG
    elif consonant == _R:
        consonant = _IEUNG if y else _N
    return chr(_FIRST + consonant * 588 + rest)


def _opens_rate(before: str) -> bool:
    """Whether 렬 and 률 become 열 and 율 after this character: it ends in a vowel or in ㄴ."""
    return "가" <= before <= "힣" and (ord(before) - _FIRST) % 28 in (0, 4)


class Hanja:
    """A callable that turns every hanja of a text into hangul.

    A run of hanja that stands alone or opens what it is glued to is looked up among the headline
    abbreviations (美 → 미국); one glued to the hangul, letter or digit before it among the suffixes
    (重 → 중공업). Everything else is read character by character, with the initial-sound rule,
    the readings of 不, 列 and 率 that depend on their neighbours, and a list of exceptions.
    Characters without a known reading stay.
    """

    def __init__(self, headline: Mapping[str, str] | None = None) -> None:
        data = tables.shipped("hanja")
        self._headline = {**data["headline"], **(headline or {})}
        self._suffix = data["suffix"]
        self._words = data["words"]
        self._lengths: dict[str, list[int]] = {}
        for word in sorted(self._words, key=len, reverse=True):
            lengths = self._lengths.setdefault(word[0], [])
            if len(word) not in lengths:
                lengths.append(len(word))

    def __call__(self, text: str) -> str:
        """Return `text` without hanja."""
        return _RUN.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        typed, start = match[0], match.start()
        run = unicodedata.normalize("NFC", typed)
        before = match.string[start - 1] if start else ""
        if run == "中" and before in _OPEN and match.string[match.end() : match.end() + 1] in _CLOSE:
            return "중"  # the second of a series: (上) (中) (下)
        if before.isalnum():
            return self._suffix.get(run) or self._read(run, typed, before)
        return self._headline.get(run) or self._read(run, typed, "")

    def _read(self, run: str, typed: str, before: str) -> str:
        out: list[str] = []
        i = 0
        while i < len(run):
            word = self._word(run, i)
            if word:
                out.append(self._words[word])
                i += len(word)
            else:
                out.append(self._syllable(run, typed, i, out[-1][-1:] if out else before))
                i += 1
        return "".join(out)

    def _word(self, run: str, i: int) -> str | None:
        for length in self._lengths.get(run[i], ()):
            if run[i : i + length] in self._words:
                return run[i : i + length]
        return None

    @staticmethod
    def _syllable(run: str, typed: str, i: int, before: str) -> str:
        table = tables.readings()
        # A compatibility ideograph (not yet normalised) tells which reading its author typed.
        reading = table.get(typed[i]) or table.get(run[i])
        if reading is None:
            return run[i]
        if not before:
            reading = initial_sound(reading)
        elif reading in _RATE and _opens_rate(before):
            reading = _RATE[reading]
        if run[i] == "不" and _starts_with_d_or_j(table.get(run[i + 1 : i + 2], "")):
            return "부"
        return reading


def _starts_with_d_or_j(syllable: str) -> bool:
    return syllable != "" and (ord(syllable) - _FIRST) // 588 in (_D, _J)
