"""The Korean font that plots and pages carry with them, so that no machine needs one installed."""

from __future__ import annotations

import base64
import io
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

FAMILY = "Gallae Hangul"
FALLBACK = "DejaVu Sans"
FONT = Path(__file__).with_name("fonts") / "GallaeHangul.ttf"
UNKNOWN = "□"

# Matplotlib's settings belong to the whole process; one thread at a time changes them.
_settings = threading.RLock()


@cache
def _register() -> None:
    font_manager.fontManager.addfont(FONT)


@contextmanager
def plot_settings(**more: Any) -> Iterator[None]:
    """Matplotlib settings with our font while the block runs; the user's own are put back afterwards.

    Args:
        more: Further rcParams, with `_` for `.` (``svg_fonttype="path"``).
    """
    own: Any = {
        "font.family": [FAMILY, FALLBACK],
        "text.parse_math": False,
        "text.usetex": False,
        "axes.unicode_minus": True,
        **{key.replace("_", ".", 1): value for key, value in more.items()},
    }
    with _settings, matplotlib.rc_context():
        _register()
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(own)
        yield


@cache
def _drawn() -> frozenset[int]:
    fallback = font_manager.findfont(FALLBACK, fallback_to_default=False)
    return frozenset(FT2Font(FONT).get_charmap()) | frozenset(FT2Font(fallback).get_charmap())


def drawable(text: str) -> str:
    """`text` as plots can draw it: composed, on one line, and a box for what neither font has."""
    known = _drawn()
    composed = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(
        char if ord(char) in known else UNKNOWN
        for char in composed
        if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Mn")
    )


def subset_woff(characters: Iterable[str]) -> bytes:
    """The font with the glyphs of `characters` only, as WOFF (zlib); cached by the set of characters.

    Args:
        characters: Texts or single characters; what the font lacks is left out.
    """
    return _subset(frozenset().union(*(set(text) for text in characters)))


@lru_cache(maxsize=16)
def _subset(characters: frozenset[str]) -> bytes:
    options = subset.Options(
        hinting=False, layout_features=[], notdef_outline=True, recalc_timestamp=False, name_IDs=[0, 1, 2, 13]
    )
    with TTFont(FONT, lazy=True, recalcTimestamp=False) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=sorted(map(ord, characters)))
        subsetter.subset(font)
        font.flavor = "woff"
        buffer = io.BytesIO()
        font.save(buffer, reorderTables=True)
    return buffer.getvalue()


def font_face(characters: Iterable[str]) -> str:
    """A CSS rule that embeds the subset for `characters`; the family's name is `FAMILY`."""
    data = base64.b64encode(subset_woff(characters)).decode("ascii")
    return f'@font-face{{font-family:"{FAMILY}";src:url(data:font/woff;base64,{data}) format("woff")}}'
