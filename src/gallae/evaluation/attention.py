"""Where an encoder-decoder looks while it writes, as a heat map."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gallae.evaluation.charts import heat_map

_FEW = 0.05  # shares below it are not written into their cells
_LETTER = re.compile("[\u1100-\u11ff]")
_STYLE = re.compile(r"<(from|to):(.*)>")


def attention_plot(
    weights: ArrayLike, rows: Sequence[str], columns: Sequence[str], *, language: str = "en"
) -> str:
    """Shares of attention: written tokens from top to bottom, read ones from left to right.

    Args:
        weights: (n_rows, n_columns), each row sums to 1.
        rows: Tokens that were written.
        columns: Tokens that were read.
        language: "en" or "ko".
    """
    table = np.asarray(weights, dtype=float)
    written = [
        [f"{share:.2f}".lstrip("0") if share >= _FEW else "" for share in row] for row in table.tolist()
    ]
    words = {"en": ("read", "written"), "ko": ("읽은 글", "쓴 글")}[language]
    return heat_map(
        table,
        [shown_token(token) for token in rows],
        [shown_token(token) for token in columns],
        written,
        xlabel=words[0],
        ylabel=words[1],
        description="attention",
        gamma=0.7,
    )


def shown_token(token: str) -> str:
    """Return a token as it is drawn: "_" for a space, a style as its name, letters of one syllable apart."""
    style = _STYLE.fullmatch(token)
    if style:
        return f"{style[2]} →" if style[1] == "from" else f"→ {style[2]}"
    return _LETTER.sub(_letter, token).replace("▁", "_")


def _letter(match: re.Match[str]) -> str:
    """Return the letter of the keyboard for a consonant or vowel within a syllable."""
    name = unicodedata.name(match[0], "").split(" ", 2)[-1]
    try:
        return unicodedata.lookup(f"HANGUL LETTER {name}")
    except KeyError:
        return match[0]
