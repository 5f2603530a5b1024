"""Calibrated probabilities and thresholds."""

import warnings

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import GridSearchCV

from gallae.errors import DataError, RecipeError
from gallae.models.calibration import CalibratedClassifier, best_threshold
from gallae.models.contract import TextClassifier, check_fit_input, encode_labels
from gallae.models.linear import LinearClassifier
from gallae.models.persistence import load

BLOCKS = ({"unit": "char_wb", "ngrams": [1, 3]},)


def linear(**options):
    return LinearClassifier(**{"blocks": BLOCKS, **options})


class Fixed(TextClassifier):
    """A classifier whose scores are given: a text is its row of scores."""

    def fit(self, texts, labels):
        _, array = check_fit_input(texts, labels)
        self.classes_, _, self.multilabel_ = encode_labels(array)
        return self

    def scores(self, texts):
        width = len(self.classes_) if self.multilabel_ or len(self.classes_) > 2 else 1
        return np.array([[float(x) for x in text.split()[:width]] for text in texts]).reshape(-1, width)


def given(scores):
    return [" ".join(repr(float(x)) for x in row) for row in scores]


@pytest.fixture(scope="module")
def halves(headlines):
    texts, labels = headlines
    return texts[::2], labels[::2], texts[1::2], labels[1::2]


@pytest.mark.parametrize("method", ["multinomial", "temperature"])
@pytest.mark.parametrize("classifier", ["svm", "complement_nb"])
def test_log_loss_is_better_than_raw(halves, method, classifier, tmp_path):
    texts, labels, held_out, gold = halves
    fitted = CalibratedClassifier(linear(classifier=classifier), method).fit(texts, labels)
    probabilities = fitted.predict_proba(held_out)
    raw = fitted.estimator_.predict_proba(held_out)
    assert np.allclose(probabilities.sum(axis=1), 1) and (probabilities > 0).all()
    assert log_loss(gold, probabilities) < log_loss(gold, raw) - 0.02
    fitted.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(held_out), probabilities)


def test_multinomial_recovers_scales_and_shifts():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(3000, 3)) * 2
    target = (softmax(truth, axis=1).cumsum(axis=1) > rng.random((3000, 1))).argmax(axis=1)
    scores = truth / 4 + [1.0, -1.0, 0.0]
    fitted = CalibratedClassifier(Fixed()).fit(given(scores), target)
    assert np.abs(fitted.predict_proba(given(scores)) - softmax(truth, axis=1)).mean() < 0.02


def test_temperature_keeps_decisions_and_recovers_the_factor():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(3000, 3)) * 2
    target = (softmax(truth, axis=1).cumsum(axis=1) > rng.random((3000, 1))).argmax(axis=1)
    fitted = CalibratedClassifier(Fixed(), "temperature").fit(given(truth * 5), target)
    assert fitted.slopes_[0] == pytest.approx(0.2, rel=0.1)
    assert np.array_equal(fitted.predict(given(truth)), truth.argmax(axis=1))


@pytest.mark.parametrize("method", ["multinomial", "temperature"])
def test_two_classes(binary, method, tmp_path, elsewhere):
    texts, labels = binary
    fitted = CalibratedClassifier(linear(), method).fit(texts, labels)
    probabilities = fitted.predict_proba(texts)
    assert probabilities.shape == (45, 2) and np.allclose(probabilities.sum(axis=1), 1)
    assert (fitted.predict(texts) == labels).mean() > 0.95
    fitted.save(tmp_path / "model")
    assert np.array_equal(elsewhere(tmp_path / "model", texts), probabilities)


@pytest.mark.parametrize("method", ["multinomial", "temperature", "thresholds"])
def test_several_labels(several, method, tmp_path):
    texts, labels = several
    fitted = CalibratedClassifier(linear(C=10.0), method).fit(texts, labels)
    probabilities = fitted.predict_proba(texts)
    assert probabilities.shape == (60, 3) and ((probabilities >= 0) & (probabilities <= 1)).all()
    assert fitted.score(texts, labels) > 0.7
    fitted.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(texts), probabilities)
    assert list(again.predict(texts)) == list(fitted.predict(texts))


def test_thresholds_improve_f1():
    rng = np.random.default_rng(0)
    table = rng.random((2000, 3)) < [0.05, 0.2, 0.5]
    scores = given(rng.normal(size=(2000, 3)) + 1.5 * table)
    labels = [tuple(np.flatnonzero(row).tolist()) for row in table]
    half = CalibratedClassifier(Fixed()).fit(scores[:1000], labels[:1000])
    best = CalibratedClassifier(Fixed(), "thresholds").fit(scores[:1000], labels[:1000])

    def macro_f1(model):
        found = model.predict_proba(scores[1000:]) >= model.thresholds
        return f1_score(table[1000:], found, average="macro", zero_division=0)

    assert np.array_equal(half.thresholds, [0.5, 0.5, 0.5])
    assert macro_f1(best) > macro_f1(half) + 0.05


def test_thebest_threshold_is_the_best_of_all():
    rng = np.random.default_rng(1)
    for _ in range(30):
        probabilities = rng.integers(0, 6, 12) / 6
        positive = rng.random(12) < 0.4
        if not positive.any():
            continue
        f1 = [f1_score(positive, probabilities >= t, zero_division=0) for t in np.arange(13) / 12]
        found = f1_score(positive, probabilities >= best_threshold(probabilities, positive), zero_division=0)
        assert found == pytest.approx(max(f1))
    assert best_threshold(np.array([0.1, 0.9]), np.array([False, False])) == 0.5


@pytest.mark.parametrize("sizes", [(20, 20, 1), (20, 2, 2), (3, 1, 1), (1, 1), (2, 1), (1, 1, 1, 1)])
@pytest.mark.parametrize("method", ["multinomial", "temperature"])
def test_tiny_classes(sizes, method):
    words = ["축구", "금리", "총리", "드라마"]
    texts = [f"{words[k]} 소식 {words[k]} {n}" for k, size in enumerate(sizes) for n in range(size)]
    labels = [k for k, size in enumerate(sizes) for _ in range(size)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = CalibratedClassifier(linear(C=1.0, blocks=({"min_df": 1},)), method).fit(texts, labels)
    probabilities = fitted.predict_proba(texts)
    assert probabilities.shape == (len(texts), len(sizes))
    assert np.isfinite(probabilities).all() and np.allclose(probabilities.sum(axis=1), 1)


def test_a_lone_row_does_not_spoil_the_others(halves):
    texts, labels, held_out, gold = halves
    plain = CalibratedClassifier(linear()).fit(texts, labels)
    beside = CalibratedClassifier(linear()).fit([*texts, "아주 별난 제목"], [*labels, "기타"])
    columns = [list(beside.classes_).index(label) for label in plain.classes_]
    probabilities = beside.predict_proba(held_out)[:, columns]
    loss = log_loss(gold, probabilities / probabilities.sum(axis=1, keepdims=True))
    assert loss < log_loss(gold, plain.predict_proba(held_out)) + 0.05


@pytest.mark.parametrize("method", ["multinomial", "temperature", "thresholds"])
def test_a_rare_label_among_several(several, method):
    texts, labels = several
    for inner in (linear(C=10.0), Fixed()):
        rows = texts if isinstance(inner, LinearClassifier) else given(np.eye(60, 4))
        fitted = CalibratedClassifier(inner, method).fit(rows, [*labels[:-1], ("희귀",)])
        assert np.isfinite(fitted.predict_proba(rows)).all() and np.isfinite(fitted.thresholds).all()


def test_same_seed_same_numbers(halves):
    texts, labels, held_out, _ = halves
    first, second, other = (
        CalibratedClassifier(linear(), seed=seed).fit(texts, labels).predict_proba(held_out)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_nothing_to_say(small):
    fitted = CalibratedClassifier(linear()).fit(*small)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fitted.predict_proba([]).shape == (0, 3) and fitted.predict([]).shape == (0,)
        unknown = fitted.predict_proba(["", "ⴰⵣⵓⵍ"])
    assert np.isfinite(unknown).all() and np.array_equal(unknown[0], unknown[1])


def test_a_search_reaches_the_inner_parameters(halves):
    texts, labels, *_ = halves
    search = GridSearchCV(CalibratedClassifier(linear()), {"estimator__C": [0.01, 0.3], "folds": [2]}, cv=2)
    search.fit(texts, labels)
    assert search.best_params_["estimator__C"] == search.best_estimator_.estimator_.C
    assert clone(search.best_estimator_).get_params()["folds"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "isotonic"}, "allowed are multinomial, temperature, thresholds"),
        ({"method": "none"}, "allowed are"),
        ({"method": "thresholds"}, "several labels a text"),
        ({"folds": 0}, "a fold or more"),
    ],
)
def test_wrong_options_are_named(small, options, message):
    with pytest.raises(RecipeError, match=message):
        CalibratedClassifier(linear(), **options).fit(*small)


def shifted_rows(rng, shares, count=6000):
    """Rows of three labels, of which the first is easily taken for the others."""
    target = rng.choice(3, size=count, p=shares)
    centres = np.array([[0.0, 0.0, 0.0], [0.0, 2.2, 0.0], [0.0, 0.0, 2.2]])
    return rng.normal(size=(count, 3)) + centres[target], target


def test_flat_decisions_hold_where_the_labels_are_balanced_otherwise():
    rng = np.random.default_rng(0)
    scores, target = shifted_rows(rng, [0.1, 0.45, 0.45])
    plain = CalibratedClassifier(Fixed()).fit(given(scores), target)
    flat = CalibratedClassifier(Fixed(), "flat").fit(given(scores), target)
    elsewhere, truth = shifted_rows(rng, [0.5, 0.25, 0.25])
    found = {
        name: f1_score(truth, model.predict(given(elsewhere)), average="macro")
        for name, model in (("plain", plain), ("flat", flat))
    }
    assert found["flat"] > found["plain"] + 0.1
    assert np.allclose(flat.predict_proba(given(scores)).sum(axis=1), 1)


@pytest.mark.parametrize("classes", [2, 3])
def test_another_balance_is_bayes_rule(classes):
    rng = np.random.default_rng(1)
    scores, target = shifted_rows(rng, [0.3, 0.3, 0.4])
    scores, target = scores[target < classes], target[target < classes]
    plain = CalibratedClassifier(Fixed()).fit(given(scores), target)
    balance = np.array([0.7, 0.2, 0.1])[:classes]
    balance /= balance.sum()
    moved = plain.for_balance(balance)
    expected = plain.predict_proba(given(scores)) * balance / plain.balance_
    expected /= expected.sum(axis=1, keepdims=True)
    assert np.allclose(moved.predict_proba(given(scores)), expected)
    assert np.allclose(moved.for_balance(plain.balance_).biases_, plain.biases_)
    with pytest.raises(RecipeError, match="multinomial or flat"):
        CalibratedClassifier(Fixed(), "temperature").fit(given(scores), target).for_balance(balance)


def test_a_classifier_fitted_elsewhere_is_calibrated_as_it_is(halves, tmp_path):
    texts, labels, held_out, gold = halves
    inner = linear().fit(texts, labels)
    target = np.searchsorted(inner.classes_, gold)
    model = CalibratedClassifier.of(inner, "flat", inner.scores(held_out), target)
    assert model.estimator_ is inner
    model.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(texts), model.predict_proba(texts))


def test_one_fold_is_a_tenth_held_out(headlines):
    texts, labels = headlines
    model = CalibratedClassifier(linear(), "flat", folds=1).fit(texts, labels)
    again = CalibratedClassifier(linear(), "flat", folds=1).fit(texts, labels)
    assert np.array_equal(model.predict_proba(texts[:50]), again.predict_proba(texts[:50]))
    assert model.score(texts, labels) > 0.9
    with pytest.raises(DataError, match="too few to calibrate"):
        CalibratedClassifier(linear(), folds=1).fit(["가나", "다라", "마바", "사아"], ["a", "b", "a", "b"])
    with pytest.raises(RecipeError, match="one label a text"):
        CalibratedClassifier(linear(), "flat").fit(["가", "나", "다"], [("a",), ("b",), ("a", "b")])
