import re
import threading
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from gallae.evaluation.charts import bar_plot, heat_map, histogram, terms_plot
from gallae.evaluation.clouds import word_cloud, word_cloud_pair
from gallae.evaluation.plots import (
    class_plot,
    confusion_plot,
    distribution_plot,
    model_plot,
    reliability_plot,
)
from gallae.evaluation.svg import draw

# "Glyph ... missing from font(s)" is a warning of matplotlib.
pytestmark = pytest.mark.filterwarnings("error")

LABELS = ["IT과학", "경제", "生活 문화", "$100$ <b>&", "아주아주 긴 이름이 붙은 분류라서 잘려야 하는 것"]
HREF = re.compile(r'href="#([^"]+)"')


def per_class(labels):
    return {
        label: {"f1": number / len(labels), "f1_interval": [0.1, 0.9], "support": number * 1000}
        for number, label in enumerate(labels)
    }


CURVE = [
    {"low": 0.4, "high": 0.5, "count": 3, "confidence": 0.45, "accuracy": 0.0},
    {"low": 0.9, "high": 1.0, "count": 9, "confidence": 0.97, "accuracy": 1.0},
]
DRAWINGS = {
    "confusion": lambda: confusion_plot(np.arange(25).reshape(5, 5), LABELS, language="ko"),
    "empty confusion": lambda: confusion_plot(np.zeros((5, 5), dtype=int), LABELS),
    "class": lambda: class_plot(per_class(LABELS), language="ko"),
    "models": lambda: model_plot([{"name": "기본", "macro_f1": 0.8, "macro_f1_interval": [0.7, 0.9]}, {"name": "b", "macro_f1": 0.5}]),  # noqa: E501
    "one model": lambda: model_plot([{"name": "기본", "macro_f1": 1.0, "macro_f1_interval": [1.0, 1.0]}]),
    "distribution": lambda: distribution_plot({label: {"gold": 3, "predicted": 0} for label in LABELS}),
    "balance": lambda: distribution_plot({label: {"gold": 0} for label in LABELS}),
    "reliability": lambda: reliability_plot(CURVE, 0.1, language="ko"),
    "lengths": lambda: histogram([1, 5, 5, 900], label="길이 (글자)", language="ko"),
    "equal": lambda: histogram([3.0, 3.0], label="a"),
    "nothing": lambda: histogram([], label="a"),
    "reals": lambda: histogram(np.linspace(0, 1, 99), label="a", marks=False),
    "bars": lambda: bar_plot({"한자 美": 0.0, "emoji \U0001f600": 3.5}, label="몫, %"),
    "terms": lambda: terms_plot({label: [("美 연준", 1.0), ("與", 0.2)] for label in LABELS}),
    "terms of none": lambda: terms_plot({"가": []}),
    "heat": lambda: heat_map([[0.1, 0.9]], ["모델"], ["가", "나"]),
    "cloud": lambda: word_cloud({"대통령": 9, "美": 5, "<b>": 3, "\U0001f600": 2, "없다": 0}),
    "no cloud": lambda: word_cloud({}),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawing_is_a_clean_svg_and_always_the_same(name):
    svg = DRAWINGS[name]()
    root = ElementTree.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert svg == DRAWINGS[name]()
    assert "<text" not in svg
    assert "<!--" not in svg
    assert "metadata" not in svg
    assert "http" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert set(HREF.findall(svg)) <= set(ids)


def test_korean_is_drawn_as_outlines_not_as_boxes():
    """Different syllables get different, detailed outlines; an unknown character gets the box."""

    def outlines(text):
        return re.findall(r'<path id="[^"]+" d="([^"]+)"', bar_plot({text: 1.0}, format=""))

    assert len(outlines("한글美靑與")) == 5
    assert all(len(path) > 150 for path in outlines("한글美靑與"))
    assert len(outlines("\U00020000\U00020001")) == 1


def test_two_plots_in_a_page_share_no_id():
    first, second = (set(re.findall(r' id="([^"]+)"', DRAWINGS[name]())) for name in ("class", "models"))
    assert first
    assert second
    assert not first & second


@pytest.mark.parametrize("n_classes", [2, 20, 60])
def test_many_classes(n_classes):
    labels = [f"{number}번째 분류 이름이 길어요" for number in range(n_classes)]
    size = ElementTree.fromstring(confusion_plot(np.eye(n_classes, dtype=int), labels)).attrib
    assert float(size["width"]) < 1800
    assert float(size["height"]) < 1800
    assert float(ElementTree.fromstring(class_plot(per_class(labels))).attrib["width"]) < 1000


def test_nothing_is_clipped():
    """Every glyph of the names lies inside the picture: the SVG's view box grows with them."""
    narrow, wide = (
        float(ElementTree.fromstring(class_plot(per_class(labels))).attrib["width"])
        for labels in (["가", "나"], ["가나다라마바사아자차카타파하", "나"])
    )
    assert wide > narrow + 100


def test_threads_draw_the_same():
    alone = DRAWINGS["class"]()
    drawn: list[str] = []
    threads = [threading.Thread(target=lambda: drawn.append(DRAWINGS["class"]())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == [alone] * 4


def test_png_of_the_same_figure():
    assert draw(lambda: Figure(figsize=(1, 1)), "empty", format="png")[:4] == b"\x89PNG"


def test_cloud_sizes_follow_the_counts():
    svg = word_cloud({"큰말": 100, "작은말": 10})
    sizes = [float(size) for size in re.findall(r"scale\(([\d.]+)\)", svg)]
    assert sizes[0] > sizes[1]
    before, after = word_cloud_pair({"전": 1}, {"후": 1})
    assert before != after
