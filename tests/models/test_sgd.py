"""Stochastic gradient descent, at once and in chunks."""

import numpy as np
import pytest
from sklearn.base import clone

from gallae.errors import DataError, RecipeError
from gallae.models.linear import LinearClassifier

HASHED = ({"kind": "binary", "unit": "char_wb", "ngrams": [1, 3], "hashing": 2**14},)


def model(**options):
    return LinearClassifier(**{"classifier": "sgd", "blocks": HASHED, **options})


def learn(estimator, texts, labels, classes, size=16, rounds=8):
    for _ in range(rounds):
        for start in range(0, len(texts), size):
            part = slice(start, start + size)
            estimator.partial_fit(texts[part], labels[part], classes=classes)
    return estimator


def test_chunks_of_one_class_each(small, tmp_path, elsewhere):
    texts, labels = small
    fitted = learn(model(), texts, labels, sorted(set(labels)))
    assert (fitted.predict(texts) == labels).all()
    fitted.save(tmp_path / "model")
    assert np.array_equal(elsewhere(tmp_path / "model", texts), fitted.predict_proba(texts))


def test_two_classes(binary):
    texts, labels = binary
    fitted = learn(model(), texts, labels, ["예", "아니오"])
    assert fitted.predict_proba(texts).shape == (len(texts), 2)
    assert (fitted.predict(texts) == labels).all()


def test_same_seed_same_weights(small):
    texts, labels = small
    first, second = (learn(model(), texts, labels, sorted(set(labels)), rounds=2) for _ in range(2))
    assert np.array_equal(first.head_.weights, second.head_.weights)


def test_classes_that_have_not_come_yet_are_improbable(small):
    texts, labels = small
    fitted = model().partial_fit(texts[:15], labels[:15], classes=["경제", "세계", "스포츠"])
    assert list(fitted.classes_) == ["경제", "세계", "스포츠"]
    assert (fitted.predict(texts[:15]) == labels[:15]).all()


def test_what_it_needs_is_said(small):
    texts, labels = small
    with pytest.raises(RecipeError, match="classes="):
        model().partial_fit(texts, labels)
    with pytest.raises(DataError, match="two classes"):
        model().partial_fit(texts, labels, classes=["스포츠"])
    with pytest.raises(DataError, match="were not among"):
        model().partial_fit(texts, labels, classes=["스포츠", "경제"])
    with pytest.raises(DataError, match="one label a text"):
        model().partial_fit(texts, [(label,) for label in labels], classes=sorted(set(labels)))


@pytest.mark.parametrize(
    "options",
    [
        {"classifier": "svm"},
        {"blocks": ({"kind": "count", "unit": "char"},)},
        {"blocks": ({"unit": "char", "hashing": 64},)},
        {"blocks": ({"kind": "tfidf", "hashing": 64},)},
        {"blocks": (*HASHED, {"kind": "kiwi"})},
        {"class_weight": "balanced"},
    ],
)
def test_what_cannot_learn_in_chunks_is_refused(small, options):
    with pytest.raises(RecipeError, match="partial_fit needs"):
        model(**options).partial_fit(*small, classes=sorted(set(small[1])))


def test_fit_starts_over_and_cannot_be_continued(small, binary):
    fitted = learn(model(), *small, sorted(set(small[1])), rounds=1)
    fitted.fit(*binary)
    assert np.array_equal(fitted.head_.weights, clone(fitted).fit(*binary).head_.weights)
    with pytest.raises(RecipeError, match="cannot go on learning"):
        fitted.partial_fit(*binary, classes=["예", "아니오"])
