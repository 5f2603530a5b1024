import numpy as np

from gallae.reviewing.selecting import select, uncertainty

TOPICS = ["금리 동결 한국은행", "손흥민 결승골 축구", "미국 대통령 회담"]


def test_uncertainty_is_of_the_margin():
    table = np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.4, 0.3, 0.3]])
    assert np.allclose(uncertainty(table, False), [1.0, 0.2, 0.9])
    assert np.allclose(uncertainty(np.array([[0.5, 0.0], [0.9, 0.2], [1.0, 0.0]]), True), [1.0, 0.4, 0.0])


def test_what_is_chosen_differs():
    """Of three topics each gets a text, though the most uncertain ones are all of the first."""
    texts = [f"{topic} {number}" for topic in TOPICS for number in range(10)]
    doubts = np.repeat([0.99, 0.9, 0.8], 10)
    chosen = select(texts, doubts, 3, seed=0)
    assert sorted(row // 10 for row in chosen) == [0, 1, 2]
    assert list(chosen) == list(select(texts, doubts, 3, seed=0))


def test_the_sure_ones_are_left():
    texts = [f"글 {number} {number * 7}" for number in range(400)]
    doubts = np.where(np.arange(400) % 2, 0.9, 0.1)
    chosen = select(texts, doubts, 10, seed=0)
    assert len(chosen) == 10 and (chosen % 2 == 1).all()


def test_same_texts_are_labelled_once_and_empty_ones_never():
    texts = ["같은 글", "같은 글 ", "", "  ", "다른 글"]
    assert sorted(select(texts, np.array([0.1, 0.9, 1.0, 1.0, 0.5]), 10, seed=0)) == [1, 4]
    assert len(select(["", " "], np.ones(2), 5, seed=0)) == 0
    assert len(select(["!", "?", ".", "-"], np.ones(4), 2, seed=0)) == 2
