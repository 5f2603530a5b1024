"""The mean of K folds' models."""

import numpy as np
import pytest

from gallae.data import sample
from gallae.errors import DataError
from gallae.models.average import AverageClassifier
from gallae.models.linear import LinearClassifier
from gallae.models.persistence import load


@pytest.fixture(scope="module")
def corpus():
    return sample("headlines").take(range(0, 1000, 4))


def test_probabilities_are_the_members_mean_and_survive_saving(corpus, tmp_path):
    model = AverageClassifier(LinearClassifier(), folds=3).fit(corpus.texts, corpus.labels)
    texts = corpus.texts[:20]
    expected = np.mean([member.predict_proba(texts) for member in model.members_], axis=0)
    assert len(model.members_) == 3
    assert np.array_equal(model.predict_proba(texts), expected)
    model.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(texts), expected)


def test_same_seed_same_numbers(corpus):
    first, second = (
        AverageClassifier(LinearClassifier(), folds=2, seed=7).fit(corpus.texts, corpus.labels)
        for _ in range(2)
    )
    assert np.array_equal(first.predict_proba(corpus.texts), second.predict_proba(corpus.texts))


def test_more_folds_than_rows_of_a_class_are_refused():
    with pytest.raises(DataError, match="at most the 2 rows"):
        AverageClassifier(LinearClassifier(), folds=3).fit(["가 나", "가 다", "라 마", "라 바"], list("aabb"))


def test_members_of_other_classes_are_refused():
    texts = ["가 나", "가 다", "라 마", "라 바"]
    one = LinearClassifier().fit(texts, list("aabb"))
    other = LinearClassifier().fit(texts, list("aacc"))
    with pytest.raises(DataError, match="b, c"):
        AverageClassifier.of([one, other])
