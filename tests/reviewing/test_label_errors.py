import numpy as np
import pytest

from gallae.reviewing.label_errors import label_quality
from gallae.reviewing.regions import find_regions

CLASSES = ["경제", "세계", "스포츠"]


def test_planted_errors_come_first():
    generator = np.random.default_rng(0)
    true = generator.integers(0, 3, 300)
    table = np.eye(3)[true] * 0.7 + generator.dirichlet(np.ones(3), 300) * 0.3
    given = true.copy()
    given[:15] = (true[:15] + 1) % 3
    found = label_quality([CLASSES[at] for at in given], table, CLASSES, multilabel=False)
    assert set(found.ranked()[:15]) == set(range(15))
    assert found.wrong[:15].mean() > 0.9 and not found.wrong[15:].any()
    assert found.quality[0] == pytest.approx(table[0, given[0]])


def test_several_labels_a_text():
    labels = [("경제",), ("세계", "스포츠"), (), ("스포츠",)] * 20
    table = np.array([[name in row for name in CLASSES] for row in labels]) * 0.8 + 0.1
    labels[0] = ("세계",)
    found = label_quality(labels, table, CLASSES, multilabel=True)
    assert found.ranked()[0] == 0 and found.wrong[0] and not found.wrong[1:].any()


def test_regions_name_pairs_and_words():
    texts = ["코스피 급락", "축구 결승"] * 10 + ["로봇 청소기"] * 6
    labels = ["경제", "스포츠"] * 10 + ["경제"] * 6
    predicted = ["경제", "스포츠"] * 10 + ["스포츠"] * 6
    table = np.tile([0.5, 0.0, 0.45], (26, 1))
    regions = find_regions(texts, labels, predicted, table, multilabel=False)
    assert (regions.rows, regions.errors, regions.close, regions.close_errors) == (26, 6, 26, 6)
    assert regions.pairs == [{"given": "경제", "predicted": "스포츠", "rows": 6, "share": 6 / 16}]
    assert {word["word"] for word in regions.words} == {"로봇", "청소기"}
    assert regions.words[0]["share"] == 1.0
    assert find_regions(texts, labels, labels, table, multilabel=False).words == []
