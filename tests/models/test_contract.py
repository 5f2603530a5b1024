"""The contract: scikit-learn's estimator checks, said again for texts, on every kind of classifier."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks as checks
from sklearn.utils.validation import check_is_fitted

from gallae.errors import DataError
from gallae.models.average import AverageClassifier
from gallae.models.calibration import CalibratedClassifier
from gallae.models.contract import State, check_fit_input, encode_labels
from gallae.models.ensemble import EnsembleClassifier
from gallae.models.linear import LinearClassifier

BLOCKS = ({"unit": "char_wb", "ngrams": [1, 3]},)
MAKERS = {
    **{
        name: lambda name=name: LinearClassifier(blocks=BLOCKS, classifier=name)
        for name in ("svm", "nbsvm", "sgd")
    },
    "calibrated": lambda: CalibratedClassifier(LinearClassifier(blocks=BLOCKS)),
    "average": lambda: AverageClassifier(LinearClassifier(blocks=BLOCKS), folds=3),
    **{
        method: lambda method=method: EnsembleClassifier(
            [LinearClassifier(blocks=BLOCKS, classifier=name) for name in ("svm", "complement_nb")], method, 3
        )
        for method in ("mean", "weighted", "stacking")
    },
}


@pytest.fixture(params=MAKERS)
def estimator(request):
    return MAKERS[request.param]()


@pytest.mark.parametrize(
    "check",
    [
        checks.check_estimator_cloneable,
        checks.check_estimator_repr,
        checks.check_estimator_tags_renamed,
        checks.check_valid_tag_types,
        checks.check_no_attributes_set_in_init,
        checks.check_do_not_raise_errors_in_init_or_set_params,
        checks.check_mixin_order,
        checks.check_get_params_invariance,
        checks.check_set_params,
        checks.check_parameters_default_constructible,
    ],
    ids=lambda check: check.__name__,
)
def test_scikit_learns_checks_that_need_no_table(estimator, check):
    check(type(estimator).__name__, estimator)


def test_fit_returns_self_and_leaves_parameters_alone(estimator, small):
    before = estimator.get_params()
    own = set(vars(estimator))
    assert estimator.fit(*small) is estimator
    assert estimator.get_params() == before
    assert all(name.endswith("_") for name in set(vars(estimator)) - own)
    assert is_classifier(estimator) and list(estimator.classes_) == sorted(set(small[1]))


def test_prediction_changes_nothing(estimator, small):
    estimator.fit(*small)
    before = dict(vars(estimator))
    estimator.predict(small[0])
    assert vars(estimator) == before


def test_fitting_twice_is_fitting_once(estimator, small, binary):
    once = clone(estimator).fit(*small).predict_proba(small[0])
    again = estimator.fit(*binary).fit(*small)
    assert np.array_equal(again.predict_proba(small[0]), once)
    assert np.array_equal(again.fit(*small).predict_proba(small[0]), once)


def test_order_and_batch_do_not_matter(estimator, small):
    texts = small[0]
    estimator.fit(*small)
    together = estimator.predict_proba(texts)
    assert np.array_equal(np.vstack([estimator.predict_proba([text]) for text in texts]), together)
    assert np.array_equal(estimator.predict_proba(texts[::-1])[::-1], together)


def test_before_fit_it_says_so(estimator, small, tmp_path):
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    for method in ("predict", "predict_proba", "scores"):
        with pytest.raises(
            NotFittedError, match=f"This {type(estimator).__name__} instance is not fitted yet"
        ):
            getattr(estimator, method)(small[0])
    with pytest.raises(NotFittedError, match="not fitted yet"):
        estimator.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    check_is_fitted(estimator.fit(*small))


def test_decides_by_the_largest_probability(estimator, small):
    estimator.fit(*small)
    expected = estimator.classes_[estimator.predict_proba(small[0]).argmax(axis=1)]
    assert np.array_equal(estimator.predict(small[0]), expected)
    assert estimator.score(*small) == np.mean(expected == small[1])


def test_arrays_and_series_are_sequences_too(estimator, small):
    import pandas as pd

    texts, labels = small
    expected = clone(estimator).fit(texts, labels).predict_proba(texts)
    for kind in (lambda values: np.array(values, dtype=object), np.array, pd.Series, tuple):
        found = clone(estimator).fit(kind(texts), kind(labels)).predict_proba(kind(texts))
        assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["가", "나"], ["a"], "2 texts but 1 labels"),
        (["가"], ["a", "b"], "1 texts but 2 labels"),
        ([], [], "no texts to learn from"),
        (["가", "나"], None, "requires y to be passed"),
        (["가", "나"], ["a", "a"], r"two classes, found only 'a'.*one class is not enough"),
        (["가", "나"], [("a",), ["a"]], "found only 'a'"),
        (["가", "나"], [(), ()], "found none"),
        ("가나", ["a", "b"], "not one string"),
        (["가", None], ["a", "b"], r"item 1 of the texts is None \(NoneType\).*missing values to ''"),
        (["가", float("nan")], ["a", "b"], r"item 1 of the texts is nan \(float\)"),
        ([3, "가"], ["a", "b"], r"item 0 of the texts is 3 \(int\)"),
        ([["가"], ["나"]], ["a", "b"], r"item 0 of the texts is \['가'\] \(list\)"),
        ([b"a", "b"], ["a", "b"], r"item 0.*bytes"),
        (["가", "나"], [0.5, 1.5], r"label 0 is 0.5 \(float\).*Unknown label type"),
        (["가", "나"], ["a", None], r"label 1 is None"),
        (["가", "나"], ["a", float("nan")], r"label 1 is nan"),
        (["가", "나"], [("a", None), ("b",)], r"label 0 is None"),
        (["가", "나"], ["a", 1], "strings and numbers mixed"),
        (["가", "나"], [("a",), 1], "strings and numbers mixed"),
        (["가", "나"], np.eye(2), r"label 0 is array"),
    ],
)
def test_wrong_input_is_named(estimator, texts, labels, message):
    with pytest.raises(DataError, match=message):
        estimator.fit(texts, labels)


@pytest.mark.parametrize(
    ("texts", "message"), [("가", r"Put it in a list: \[text\]"), (["가", None], "item 1"), ([1.5], "item 0")]
)
def test_wrong_texts_at_prediction_are_named(estimator, small, texts, message):
    estimator.fit(*small)
    for method in (estimator.predict, estimator.predict_proba, estimator.scores):
        with pytest.raises(DataError, match=message):
            method(texts)


def test_labels_of_several_kinds_of_row():
    _, array = check_fit_input(["a"] * 5, ["x", ("y", "x"), ["z"], {"y"}, ()])
    assert array.tolist() == [("x",), ("y", "x"), ("z",), ("y",), ()]
    classes, table, multilabel = encode_labels(array)
    assert multilabel and list(classes) == ["x", "y", "z"]
    assert table.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0]]
    _, single = check_fit_input(["a", "b"], [("x",), ("y",)])  # NumPy would make a table of it
    assert single.shape == (2,) and single.tolist() == [("x",), ("y",)]


def test_states_of_parts_do_not_mix():
    whole = State()
    whole.include("block1", State({"a": 1}, {"x": np.ones(1)}, {"f.skops": b"1"}))
    whole.include("block10", State({"a": 2}, {"x": np.zeros(1)}, {"f.skops": b"2"}))
    part = whole.part("block1")
    assert (part.values, part.files) == ({"a": 1}, {"f.skops": b"1"})
    assert list(part.tensors) == ["x"] and part.tensors["x"][0] == 1
