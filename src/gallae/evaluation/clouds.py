"""Word clouds with our font, as SVG paths."""

from __future__ import annotations

import html
import io
import random
import threading
from collections.abc import Mapping
from functools import cache

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont
from PIL import ImageFont
from wordcloud import WordCloud

from gallae.evaluation.font import FONT, drawable
from gallae.evaluation.svg import BLUE, GREEN, INK, ORANGE, THEMED, name_ids

MOST_WORDS = 120
COLOURS = (BLUE, BLUE, INK, GREEN, ORANGE)

# fontTools unpacks a glyph when it is first asked for, which two threads must not do at once.
_unpacking = threading.Lock()


def word_cloud(
    frequencies: Mapping[str, float],
    *,
    width: int = 720,
    height: int = 320,
    seed: int = 0,
    description: str = "word cloud",
) -> str:
    """Words sized by how frequent they are, as an SVG string; the same input gives the same bytes.

    Args:
        frequencies: Word to count or weight; what is not above 0 is left out, as are words that the font
            cannot draw. The 120 heaviest are tried, words that find no room are left out too.
        width: In CSS pixels.
        height: In CSS pixels.
        seed: Seeds the places.
        description: For screen readers.
    """
    words = _drawable_words(frequencies)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{html.escape(drawable(description))}">'
    )
    if not words:
        return head + "</svg>"
    cloud = WordCloud(
        font_path=str(FONT),
        width=width,
        height=height,
        margin=3,
        max_words=MOST_WORDS,
        max_font_size=round(height * 0.28),
        min_font_size=9,
        prefer_horizontal=1.0,
        relative_scaling=0.4,
        random_state=random.Random(seed),
    ).generate_from_frequencies(words)
    outlines: dict[str, str] = {}
    drawn = [
        _word(word, size, left, top, COLOURS[number % len(COLOURS)], outlines)
        for number, ((word, _), size, (top, left), _, _) in enumerate(cloud.layout_)
    ]
    shapes = "".join(f'<path id="u{ord(char):x}" d="{path}"/>' for char, path in outlines.items())
    return name_ids(f"{head}<defs>{shapes}</defs>{''.join(drawn)}</svg>")


def word_cloud_pair(
    before: Mapping[str, float],
    after: Mapping[str, float],
    *,
    width: int = 470,
    height: int = 300,
    seed: int = 0,
) -> tuple[str, str]:
    """Two clouds of one size, to lay side by side: words before and after a step of cleaning."""
    return (
        word_cloud(before, width=width, height=height, seed=seed, description="words before"),
        word_cloud(after, width=width, height=height, seed=seed, description="words after"),
    )


@cache
def _font() -> tuple[TTFont, dict[int, str]]:
    font = TTFont(io.BytesIO(FONT.read_bytes()))
    return font, font.getBestCmap()


def _drawable_words(frequencies: Mapping[str, float]) -> dict[str, float]:
    known = _font()[1]
    words: dict[str, float] = {}
    for raw, weight in sorted(frequencies.items(), key=lambda item: (-item[1], item[0])):
        word = drawable(raw)
        if word and weight > 0 and len(word) <= 30 and all(ord(char) in known for char in word):
            words[word] = words.get(word, 0.0) + float(weight)
        if len(words) == MOST_WORDS:
            break
    return words


def _outline(char: str) -> tuple[str, float]:
    """SVG path of a character with y downwards, and its advance; both in thousandths of the font size."""
    font, known = _font()
    with _unpacking:
        glyphs, scale = font.getGlyphSet(), 1000 / font["head"].unitsPerEm
        glyph = glyphs[known[ord(char)]]
        pen = SVGPathPen(glyphs, ntos=lambda number: str(round(number)))
        glyph.draw(TransformPen(pen, (scale, 0, 0, -scale, 0, 0)))
        return pen.getCommands(), glyph.width * scale


def _word(word: str, size: int, left: int, top: int, colour: str, outlines: dict[str, str]) -> str:
    # WordCloud places the top left corner of the ink; outlines start at a pen position on the baseline.
    font = ImageFont.truetype(str(FONT), size)
    box = font.getbbox(word, anchor="ls")
    pen, baseline = int(left) - box[0], int(top) - box[1]
    parts, at = [], 0.0
    for char in word:
        path, advance = _outline(char)
        if path:
            outlines[char] = path
            parts.append(f'<use href="#u{ord(char):x}" x="{at:.0f}"/>')
        at += advance
    place = f"translate({pen:g} {baseline:g}) scale({size / 1000:g})"
    return f'<g transform="{place}" style="fill:{THEMED.get(colour, colour)}">{"".join(parts)}</g>'
