"""Splitting texts into the units that a model counts: words, characters, jamo, morphemes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from gallae.errors import TextError
from gallae.text import cache as morpheme_cache
from gallae.text.morphemes import TAGS
from gallae.text.morphemes import analyzer as get_analyzer
from gallae.text.tables import nearest

STUDY_DROP_TAGS = (
    *("NNB", "NP", "NR", "VCP", "VCN", "MM", "MAG", "MAJ", "IC", "J*", "E*", "XPN", "XSN", "XSV", "XSA"),
    *("SF", "SE", "SS", "SSO", "SSC", "SL", "SN", "Z_*"),
)
"""What the YNAT study removed: all but nouns, verbs, adjectives, roots, hanja and other signs.

Kiwi's brackets (SSO, SSC) are the study's SS; its split-off codas (Z_*) were part of an ending there.
"""
NOUNS_AND_VERBS = ("NNG", "NNP", "VV")
"""A keep list: common and proper nouns, and verbs."""

_CHOSEONG = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_JUNGSEONG = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_JONGSEONG = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_FIRST, _LAST = 0xAC00, 0xD7A3
_SYLLABLES = {
    _FIRST + (i * 21 + v) * 28 + f: initial + vowel + final
    for i, initial in enumerate(_CHOSEONG)
    for v, vowel in enumerate(_JUNGSEONG)
    for f, final in enumerate(_JONGSEONG)
}


def decompose_jamo(text: str) -> str:
    """Spell every Hangul syllable in the letters of a keyboard: "각하 A" → "ㄱㅏㄱㅎㅏ A".

    Syllable number n, counted from 가, has the initial n // 588, the vowel n // 28 % 21 and the final
    n % 28 (0: none), as the Unicode standard's section 3.12 has it. Compound letters (ㄲ, ㅘ, ㄳ) stay
    whole, an absent final leaves nothing, and other characters stay.
    """
    return text.translate(_SYLLABLES)


def compose_jamo(text: str) -> str:
    """Join letters to syllables, the inverse of `decompose_jamo`: "ㄱㅏㄱㅎㅏ A" → "각하 A".

    A consonant before a vowel opens a syllable; one after a vowel closes it, unless a vowel follows.
    The round trip is exact for texts without letters of their own: "하ㅋ" comes back as "핰".
    """
    out: list[str] = []
    i, end = 0, len(text)
    while i < end:
        initial = _CHOSEONG.find(text[i])
        vowel = _JUNGSEONG.find(text[i + 1]) if i + 1 < end else -1
        if initial < 0 or vowel < 0:
            out.append(text[i])
            i += 1
            continue
        final = _final(text, i + 2)
        out.append(chr(_FIRST + (initial * 21 + vowel) * 28 + final))
        i += 3 if final else 2
    return "".join(out)


def _final(text: str, i: int) -> int:
    if i >= len(text) or text[i] not in _JONGSEONG:
        return 0
    if text[i] in _CHOSEONG and i + 1 < len(text) and text[i + 1] in _JUNGSEONG:
        return 0
    return _JONGSEONG.index(text[i])


def match_tags(patterns: Sequence[str]) -> frozenset[str]:
    """Return the tags that patterns such as "NNG" or "J*" stand for.

    Raises:
        TextError: for a pattern that matches none of `gallae.text.TAGS`.
    """
    if isinstance(patterns, str):
        raise TextError(
            f"tags are a list of names or patterns such as 'J*', not the single text {patterns!r}."
        )
    found: set[str] = set()
    for pattern in patterns:
        start = pattern[:-1] if pattern.endswith("*") else None
        tags = {tag for tag in TAGS if tag == pattern or (start is not None and tag.startswith(start))}
        if not tags:
            raise TextError(f"there is no part-of-speech tag {pattern!r}. {nearest(pattern, TAGS)}")
        found |= tags
    return frozenset(found)


_CHARACTER_UNITS: dict[str, Callable[[str], list[str]]] = {
    "word": str.split,
    "char": list,
    "jamo": lambda text: list(decompose_jamo(text)),
}
UNITS = (*_CHARACTER_UNITS, "morpheme", "morpheme_tag")


class _Chosen(dict[str, str]):
    """ "form/TAG" to the token wanted, "" for a tag left out; worked out once a distinct morpheme."""

    def __init__(self, with_tag: bool, tags: frozenset[str]) -> None:
        self._with_tag = with_tag
        self._tags = tags

    def __missing__(self, tagged: str) -> str:
        if len(self) > 500_000:
            self.clear()
        form, _, tag = tagged.rpartition("/")
        token = "" if tag not in self._tags else tagged if self._with_tag else form
        self[tagged] = token
        return token


def iter_tokens(
    texts: Iterable[str],
    unit: str = "word",
    drop_tags: Sequence[str] = (),
    keep_tags: Sequence[str] = (),
    analyzer: str = "kiwi",
) -> Iterator[list[str]]:
    """Like `tokenize`, one text after the other, in constant memory and without the cache."""
    if _is_character_unit(unit, drop_tags, keep_tags):
        return map(_CHARACTER_UNITS[unit], texts)
    tags = _chosen_tags(drop_tags, keep_tags)
    return _select(get_analyzer(analyzer).tagged(texts), unit, tags)


def tokenize(
    texts: Sequence[str],
    unit: str = "word",
    drop_tags: Sequence[str] = (),
    keep_tags: Sequence[str] = (),
    analyzer: str = "kiwi",
) -> list[list[str]]:
    """Split texts into tokens.

    Args:
        texts: The texts.
        unit: "word" (between white space), "char" (every character, spaces too), "jamo" (the letters
            of `decompose_jamo`, spaces too), "morpheme" ("학교") or "morpheme_tag" ("학교/NNG").
        drop_tags: Tags of morphemes to leave out, such as "SF" or "J*" (`STUDY_DROP_TAGS`).
        keep_tags: Tags of the only morphemes to keep (`NOUNS_AND_VERBS`).
        analyzer: "kiwi" or "mecab". What it finds is kept on disk, see `gallae.text.cache`.

    Returns:
        One list of tokens a text.

    Raises:
        TextError: for an unknown unit, tag or analyzer, for tags to drop as well as tags to keep, and
            for either with a unit that has no tags.
    """
    if _is_character_unit(unit, drop_tags, keep_tags):
        return list(map(_CHARACTER_UNITS[unit], texts))
    tags = _chosen_tags(drop_tags, keep_tags)
    return list(_select(morpheme_cache.analyses(texts, analyzer), unit, tags))


def _is_character_unit(unit: str, drop_tags: Sequence[str], keep_tags: Sequence[str]) -> bool:
    if unit not in UNITS:
        raise TextError(f"there is no unit {unit!r}. {nearest(str(unit), UNITS)}")
    if unit in _CHARACTER_UNITS and (drop_tags or keep_tags):
        raise TextError(
            f"drop_tags and keep_tags choose among morphemes, but the unit is {unit!r}. "
            "Use the unit 'morpheme' or 'morpheme_tag', or leave the tags out."
        )
    return unit in _CHARACTER_UNITS


def _chosen_tags(drop_tags: Sequence[str], keep_tags: Sequence[str]) -> frozenset[str]:
    if drop_tags and keep_tags:
        raise TextError("drop_tags and keep_tags contradict each other. Give one of the two.")
    if keep_tags:
        return match_tags(keep_tags)
    return frozenset(TAGS) - match_tags(drop_tags)


def _select(analyses: Iterable[Sequence[str]], unit: str, tags: frozenset[str]) -> Iterator[list[str]]:
    chosen = _Chosen(unit == "morpheme_tag", tags)
    for morphemes in analyses:
        yield [token for tagged in morphemes if (token := chosen[tagged])]
