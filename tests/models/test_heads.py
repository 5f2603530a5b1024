"""What turns feature rows into scores."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from gallae.errors import RecipeError
from gallae.models import heads
from gallae.models.heads import (
    BUILT_IN,
    HeadOptions,
    classifiers,
    fit_head,
    register_classifier,
    restore_head,
    stack,
)
from gallae.models.linear import LinearClassifier
from gallae.models.persistence import load


@pytest.fixture(scope="module")
def rows():
    """90 non-negative sparse rows of three classes, each with five columns of its own."""
    rng = np.random.default_rng(0)
    table = rng.random((90, 20)) * (rng.random((90, 20)) < 0.1)
    target = np.arange(90) % 3
    for row, number in enumerate(target):
        table[row, number * 5 + rng.permutation(5)[:2]] += 2.0
    return sp.csr_matrix(table.astype(np.float32)), target


def fit(name, rows, target, n_classes=3, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fit_head(name, rows, target, n_classes, HeadOptions(C=1.0, **options))


@pytest.mark.parametrize("name", BUILT_IN)
def test_three_classes_two_classes_and_several_labels(name, rows):
    features, target = rows
    head = fit(name, features, target)
    assert head.scores([features]).shape == (90, 3)
    assert (head.scores([features]).argmax(axis=1) == target).mean() > 0.95
    two = fit(name, features, (target == 0).astype(int), 2).scores([features])
    assert two.shape == (90, 1)
    assert ((two[:, 0] > 0) == (target == 0)).mean() > 0.9
    table = np.stack([target == 0, target != 0, target == 2], axis=1)
    several = fit(name, features, table).scores([features])
    assert several.shape == (90, 3)
    assert ((several > 0) == table).mean() > 0.9


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("present", [(0, 2), (1,)])
def test_classes_absent_from_a_fold_are_never_chosen(name, rows, present):
    features, target = rows
    here = np.isin(target, present)
    scores = fit(name, features[here], target[here]).scores([features])
    assert scores.shape == (90, 3) and np.isfinite(scores).all()
    assert np.isin(scores.argmax(axis=1), present).all()


@pytest.mark.parametrize("name", BUILT_IN)
def test_one_class_of_two_in_a_fold(name, rows):
    features, _ = rows
    for only in (0, 1):
        scores = fit(name, features, np.full(90, only), 2).scores([features])
        assert np.isfinite(scores).all() and ((scores > 0) == (only == 1)).all()


@pytest.mark.parametrize("name", BUILT_IN)
def test_labels_that_all_or_none_have(name, rows):
    features, target = rows
    table = np.stack([np.ones(90, bool), np.zeros(90, bool), target == 1], axis=1)
    scores = fit(name, features, table).scores([features])
    assert (scores[:, 0] > 0).all() and (scores[:, 1] < 0).all()


@pytest.mark.parametrize("name", BUILT_IN)
def test_same_seed_same_weights_also_beside_other_fits(name, rows):
    features, target = rows
    first = fit(name, features, target)
    with ThreadPoolExecutor(4) as pool:
        others = list(pool.map(lambda _: fit_head(name, features, target, 3, HeadOptions(C=1.0)), range(8)))
    for other in others:
        assert np.array_equal(first.weights, other.weights)
        assert np.array_equal(first.intercepts, other.intercepts)


@pytest.mark.parametrize("name", BUILT_IN)
def test_no_rows_and_rows_alone(name, rows):
    features, target = rows
    head = fit(name, features, target)
    assert head.scores([features[:0]]).shape == (0, 3)
    together = head.scores([features])
    for number in range(5):
        assert np.array_equal(head.scores([features[number]])[0], together[number])


def test_blocks_are_read_side_by_side(rows):
    features, target = rows
    dense = np.random.default_rng(1).random((90, 4)).astype(np.float32)
    head = fit("svm", stack([features, dense]), target)
    assert np.allclose(head.scores([features, dense]), head.scores([stack([features, dense])]), atol=1e-5)
    assert np.array_equal(head.scores([features[:1], dense[:1]])[0], head.scores([features, dense])[0])


def test_the_svm_is_scikit_learns(rows):
    features, target = rows
    expected = LinearSVC(C=1.0, random_state=42).fit(features.astype(np.float64), target)
    found = fit("svm", features, target).scores([features])
    assert np.allclose(found, expected.decision_function(features), atol=1e-3)


def test_complement_nb_decides_as_scikit_learns(rows):
    features, target = rows
    expected = ComplementNB(alpha=1.0, norm=True).fit(features, target).predict(features)
    assert np.array_equal(fit("complement_nb", features, target).scores([features]).argmax(axis=1), expected)


@pytest.mark.parametrize("name", ["svm", "logistic", "nbsvm", "sgd"])
def test_balanced_weights_help_the_rare_class(name, rows):
    features, target = rows
    keep = np.concatenate([np.flatnonzero(target != 0), np.flatnonzero(target == 0)[:3]])
    noisy, labels = features[keep], target[keep]
    plain = fit(name, noisy, labels).scores([features])[:, 0]
    balanced = fit(name, noisy, labels, class_weight="balanced").scores([features])[:, 0]
    assert balanced[target == 0].mean() > plain[target == 0].mean()


@pytest.mark.parametrize("name", ["nbsvm", "complement_nb"])
def test_negative_features_are_refused_by_what_counts(name, rows):
    with pytest.raises(RecipeError, match=f"'{name}' counts features"):
        fit(name, -rows[0], rows[1])


def test_an_unknown_classifier_names_the_known():
    with pytest.raises(RecipeError, match=r"no classifier 'svn'\. Allowed: svm, logistic"):
        fit_head("svn", sp.csr_matrix((1, 1)), np.zeros(1, int), 2, HeadOptions())
    assert classifiers()[: len(BUILT_IN)] == BUILT_IN


def test_built_in_names_are_taken():
    with pytest.raises(RecipeError, match="built in"):
        heads.register_classifier("svm", LinearSVC())


@pytest.mark.parametrize(
    "options", [{"C": 0}, {"C": float("nan")}, {"alpha": -1.0}, {"class_weight": "even"}]
)
def test_impossible_options_are_refused(options):
    with pytest.raises(RecipeError, match=r"must be|allowed"):
        HeadOptions(**options)


def test_state_comes_back(rows):
    head = fit("svm", *rows)
    copy = restore_head(head.state())
    assert np.array_equal(copy.scores([rows[0]]), head.scores([rows[0]]))


def test_an_estimator_whose_fitted_parts_skops_does_not_know_is_registered_in_one_line(tmp_path, monkeypatch):
    from sklearn.ensemble import RandomForestClassifier

    monkeypatch.setattr(heads, "_OWN", {})
    register_classifier("forest", RandomForestClassifier(n_estimators=5, random_state=0))
    texts, labels = ["가을 하늘", "가을 바람", "야구 결승", "야구 개막"] * 4, list("ccss") * 4
    model = LinearClassifier(classifier="forest").fit(texts, labels)
    model.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(texts), model.predict_proba(texts))
