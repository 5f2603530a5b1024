import io
import time

import matplotlib
import pytest
from fontTools.ttLib import TTFont

from gallae.evaluation.font import FAMILY, FONT, drawable, font_face, plot_settings, subset_woff


def ks_x_1001():
    """The 4,888 hanja of the standard, 美 靑 與 among them, and its 2,350 syllables."""
    rows = [*range(0xB0, 0xC9), *range(0xCA, 0xFE)]
    return "".join(bytes([row, cell]).decode("euc-kr") for row in rows for cell in range(0xA1, 0xFF))


def test_the_font_has_korean_hanja_and_symbols():
    with TTFont(FONT) as font:
        known = font.getBestCmap()
        names = [record.toUnicode() for record in font["name"].names]
    assert {"美", "靑", "與"} < set(ks_x_1001())
    assert not [char for char in ks_x_1001() if ord(char) not in known]
    assert all(number in known for number in range(0xAC00, 0xD7A4))
    assert not [char for char in "→·…①㈜℃‘’“”↑↓㎞あア" if ord(char) not in known]
    # The licence reserves the original's name for the unmodified font.
    assert FAMILY in names
    assert not any(name.lower().startswith("nanum") for name in names)
    assert "SIL Open Font License, Version 1.1" in (FONT.parent / "OFL.txt").read_text(encoding="utf-8")


def test_subset_holds_what_is_asked_for():
    data = subset_woff(["한글 美", "abc"])
    assert data[:4] == b"wOFF"
    assert len(data) < 10_000
    with TTFont(io.BytesIO(data)) as font:
        assert set(font.getBestCmap()) == set(map(ord, "한글 美abc"))


def test_subset_is_fast_cached_and_the_same():
    texts = ["".join(map(chr, range(0xAC00, 0xAC00 + 800)))]
    start = time.process_time()
    first = subset_woff(texts)
    assert time.process_time() - start < 1.5
    assert subset_woff(["".join(reversed(texts[0]))]) is first


def test_subset_of_nothing_and_of_unknown_characters():
    assert subset_woff([])[:4] == b"wOFF"
    assert subset_woff(["\U0001f600"])[:4] == b"wOFF"
    assert "data:font/woff;base64," in font_face(["가"])


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("가\n나\t다", "가 나 다"),
        ("\u1112\u1161\u11ab글", "한글"),
        ("a\u200b\ufeff\x00b", "ab"),
        ("\U00020000 가", "□ 가"),
        ("美·與→靑", "美·與→靑"),
    ],
)
def test_drawable(text, drawn):
    assert drawable(text) == drawn


def test_settings_are_put_back():
    matplotlib.rcParams["font.size"] = 17.0
    before = dict(matplotlib.rcParams)
    with plot_settings(font_size=5):
        assert matplotlib.rcParams["font.family"][0] == FAMILY
        assert matplotlib.rcParams["font.size"] == 5
    assert dict(matplotlib.rcParams) == before
    matplotlib.rcParams["font.size"] = 10.0
