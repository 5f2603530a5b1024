"""What texts are made of: scripts, digits, emoji, and traces of a damaged encoding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

_BLOCK = 1 << 14

# First and last code point, both included. Emoji: those that are drawn as pictures by default
# (Emoji_Presentation of UTS 51), and the heart.
RANGES: dict[str, tuple[tuple[int, int], ...]] = {
    "hangul": ((0xAC00, 0xD7A3), (0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xD7B0, 0xD7FF)),
    "hanja": ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
    "latin": ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A)),
    "digits": ((0x30, 0x39), (0xFF10, 0xFF19)),
    "emoji": (
        (0x1F000, 0x1FAFF), (0x231A, 0x231B), (0x23E9, 0x23EC), (0x2614, 0x2615), (0x2648, 0x2653),
        (0x26A1, 0x26A1), (0x26BD, 0x26BE), (0x26C4, 0x26C5), (0x2705, 0x2705), (0x270A, 0x270B),
        (0x2728, 0x2728), (0x274C, 0x274C), (0x2753, 0x2755), (0x2757, 0x2757), (0x2764, 0x2764),
        (0x2795, 0x2797), (0x2B50, 0x2B50), (0x2B55, 0x2B55),
    ),
}  # fmt: skip
_SPACES = np.array([0x20, 0x09, 0x0A, 0x0D, 0xA0, 0x3000], dtype=np.uint32)

# UTF-8 read as Latin-1 or Windows-1252: a Korean syllable becomes a letter of ê-í and two of these.
_CONTINUATION = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_AS_LATIN = re.compile(f"[ê-í][{_CONTINUATION}]{{2}}|[ÃÂ][{_CONTINUATION}]|â€[{_CONTINUATION}]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HANGUL = re.compile("[가-힣]")


def script_shares(texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return per script the share of texts that hold any of it, and of characters (spaces apart) that are.

    Args:
        texts: The texts.

    Returns:
        {"hanja": {"texts": 0.14, "characters": 0.01}, ...} for hangul, hanja, latin, digits and emoji.
    """
    with_any = dict.fromkeys(RANGES, 0)
    of_characters = dict.fromkeys(RANGES, 0)
    characters = 0
    for start in range(0, len(texts), _BLOCK):
        # The space after each text keeps empty ones countable.
        block = [text + " " for text in texts[start : start + _BLOCK]]
        codes = np.frombuffer("".join(block).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        offsets = np.concatenate(([0], np.cumsum([len(text) for text in block])[:-1]))
        characters += int((~np.isin(codes, _SPACES)).sum())
        for name, ranges in RANGES.items():
            inside = np.zeros(len(codes), dtype=bool)
            for low, high in ranges:
                inside |= (codes >= low) & (codes <= high)
            of_characters[name] += int(inside.sum())
            with_any[name] += int(np.logical_or.reduceat(inside, offsets).sum())
    return {
        name: {
            "texts": with_any[name] / max(1, len(texts)),
            "characters": of_characters[name] / max(1, characters),
        }
        for name in RANGES
    }


def damage_of(text: str) -> str | None:
    """Return how a text is damaged, or None.

    "replacement": holds U+FFFD, the mark of bytes that did not decode. "latin": UTF-8 that was read as
    Latin-1 or Windows-1252. "cp949": UTF-8 that was read as CP949. "control": control characters.
    Lone jamo (ㅋㅋ, ㅠㅠ) are not damage.
    """
    if text.isascii():
        return "control" if _CONTROL.search(text) else None
    if "\ufffd" in text:
        return "replacement"
    if _AS_LATIN.search(text):
        return "latin"
    if _CONTROL.search(text):
        return "control"
    return "cp949" if _read_as_cp949(text) else None


def _read_as_cp949(text: str) -> bool:
    """Undoing the mistake gives Korean; true Korean encoded in CP949 is not valid UTF-8."""
    try:
        undone = text.encode("cp949").decode("utf-8")
    except UnicodeError:
        return False
    return _HANGUL.search(undone) is not None


def damaged(texts: Sequence[str], examples: int = 5) -> dict[str, Any]:
    """Count damaged texts by kind (see `damage_of`), with the row numbers and texts of the first few."""
    kinds: dict[str, int] = {}
    shown: list[dict[str, Any]] = []
    for row, text in enumerate(texts):
        kind = damage_of(text)
        if kind is not None:
            kinds[kind] = kinds.get(kind, 0) + 1
            if len(shown) < examples:
                shown.append({"row": row, "kind": kind, "text": text[:200]})
    return {"rows": sum(kinds.values()), "kinds": kinds, "examples": shown}
