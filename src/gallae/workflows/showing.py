"""Small wording for people: shares, lists of rows, and differences that the eye would miss."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_WINDOW = 70
_LEAD = 24


def percent(share: float) -> str:
    """Write a share: "12.3 %", "<0.1 %" instead of a nought that is none, "0 %" and "100 %" exactly."""
    if share == 0 or share == 1:
        return f"{share:.0%}".replace("%", " %")
    if share < 0.001:
        return "<0.1 %"
    return f"{min(share, 0.999) * 100:.1f} %"


def one_line(text: str, most: int = 80) -> str:
    """Write a text on one line, what cannot be seen as its code point, cut to `most` characters."""
    spaced = " ".join(text.split())
    text = "".join(char if char.isprintable() else _escaped(char) for char in spaced)
    return text if len(text) <= most else text[: most - 1] + "…"


def _escaped(char: str) -> str:
    return f"[U+{ord(char):04X}]"


def difference(before: str, after: str) -> tuple[str, str]:
    """Write two texts around the first place where they differ, so that the difference can be seen.

    Invisible characters are named; spaces are drawn (␣) where nothing but spaces differs; characters
    that look alike get their code point, conjoining letters a bar between them.
    """
    pairs = zip(before, after, strict=False)
    same = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(before), len(after)))
    longest = max(len(before), len(after))
    start = max(0, same - _LEAD) if longest > _WINDOW else 0
    shown = [_cut(text, start) for text in (before, after)]
    if before.split() == after.split():
        return _drawn_spaces(shown[0]), _drawn_spaces(shown[1])
    if unicodedata.normalize("NFC", before) == unicodedata.normalize("NFC", after):
        shown = ["".join(map(_code_point, text)) for text in shown]
    return one_line(shown[0], 10**6), one_line(shown[1], 10**6)


def _cut(text: str, start: int) -> str:
    end = start + _WINDOW
    return ("…" if start else "") + text[start:end] + ("…" if len(text) > end else "")


def _drawn_spaces(text: str) -> str:
    return "".join("␣" if char == " " else char if char.isprintable() else _escaped(char) for char in text)


def _code_point(char: str) -> str:
    if "\u1100" <= char <= "\u11ff":
        return f"|{char}"
    return char if unicodedata.is_normalized("NFC", char) else char + _escaped(char)


def short_source(source: str) -> str:
    """Return a file's name with its folder's ("ynat/train.csv"), other sources as they are."""
    parts = [part for part in source.replace("\\", "/").split("/") if part]
    return "/".join(parts[-2:]) if source.startswith(("/", ".")) and parts else source


def row_list(rows: Sequence[int], count: int, more: str, most: int = 6) -> str:
    """Write row numbers: "3, 17, 20 and 309 more".

    Args:
        rows: The first of them, in order.
        count: How many there are.
        more: What to say of the rest, such as "and {} more".
        most: How many to write.
    """
    shown = ", ".join(map(str, rows[:most]))
    left = count - min(len(rows), most)
    return f"{shown} {more.format(f'{left:,}')}" if left > 0 else shown
