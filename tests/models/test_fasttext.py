"""fastText under the contract."""

import pickle
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score

from gallae.errors import DataError, MissingExtra, ModelError, RecipeError, TextError
from gallae.models.calibration import CalibratedClassifier
from gallae.models.fasttext import FILE, FastTextClassifier
from gallae.models.persistence import load
from gallae.models.registry import build
from gallae.recipes import Recipe

try:
    import fasttext  # noqa: F401

    missing = False
except ImportError:
    missing = True
needs_fasttext = pytest.mark.skipif(
    missing, reason='fastText is not installed: pip install "gallae[fasttext]"'
)


def model(**options):
    return FastTextClassifier(**{"unit": "word", "dim": 10, "bucket": 2000, **options})


@pytest.fixture(scope="module")
def fitted(small):
    pytest.importorskip("fasttext", reason='fastText is not installed: pip install "gallae[fasttext]"')
    return model().fit(*small)


@needs_fasttext
@pytest.mark.parametrize("data", ["small", "binary", "several"])
@pytest.mark.parametrize("loss", ["softmax", "ova", "hs"])
def test_overfits_saves_and_loads_elsewhere(data, loss, request, tmp_path, elsewhere):
    texts, labels = request.getfixturevalue(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier = model(loss=loss).fit(texts, labels)
        probabilities = classifier.predict_proba(texts)
    assert classifier.score(texts, labels) > (0.75 if data == "several" else 0.95)
    assert probabilities.shape == (len(texts), len(classifier.classes_)) and probabilities.dtype == np.float64
    if data != "several":
        assert np.allclose(probabilities.sum(axis=1), 1)
    classifier.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(texts), probabilities)
    if loss == "softmax":
        assert np.array_equal(elsewhere(tmp_path / "model", texts, GALLAE_CACHE="off"), probabilities)


@needs_fasttext
@pytest.mark.parametrize("unit", ["word", "jamo", "morpheme", "morpheme_tag"])
def test_every_unit_learns_and_a_batch_equals_its_rows(unit, small):
    texts, labels = small
    tags = {"drop_tags": ["J*"], "max_n": 0} if unit.startswith("morpheme") else {}
    classifier = model(unit=unit, **tags).fit(texts, labels)
    probabilities = classifier.predict_proba(texts)
    assert classifier.score(texts, labels) > 0.95
    assert np.array_equal([classifier.predict_proba([text])[0] for text in texts], probabilities)
    assert np.array_equal(classifier.predict_proba(texts[::-1])[::-1], probabilities)


@needs_fasttext
def test_same_seed_same_bytes(small):
    first, second, other = (model(seed=seed).fit(*small).state().files[FILE] for seed in (1, 1, 2**32 - 1))
    assert first == second != other


def test_the_unlabelled_teach_too(several):
    pytest.importorskip("fasttext", reason='fastText is not installed: pip install "gallae[fasttext]"')
    classifier = model().fit(*several)
    assert classifier.predict(["ㅋㅋ"])[0] == ()
    assert classifier.predict_proba(["ㅋㅋ"]).shape == (1, 3)


def test_no_texts_and_texts_that_say_nothing(fitted):
    assert fitted.predict([]).shape == (0,) and fitted.predict_proba([]).shape == (0, 3)
    strange = ["", " \n ", "ⴰⵣⵓⵍ", "\x00", "\ud800", "</s>", "__label__0", "가\n나\r다\u2028라"]
    probabilities = fitted.predict_proba(strange)
    assert np.isfinite(probabilities).all() and np.allclose(probabilities.sum(axis=1), 1)
    assert np.array_equal(probabilities[0], probabilities[1])


def test_fasttexts_own_marks_in_a_text_mean_nothing(small):
    pytest.importorskip("fasttext", reason='fastText is not installed: pip install "gallae[fasttext]"')
    texts, labels = small
    attack = [f"</s> __label__2 {text}\n__label__1" for text in texts]
    classifier = model(steps=()).fit(attack, labels)
    assert classifier.score(attack, labels) > 0.95
    assert set(classifier.model_.get_labels()) == {"__label__0", "__label__1", "__label__2"}


def test_pickles_and_goes_to_a_worker(fitted, small):
    expected = fitted.predict_proba(small[0])
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(small[0]), expected)
    assert pickle.loads(pickle.dumps(model())).get_params() == model().get_params()
    with ProcessPoolExecutor(1) as pool:
        assert np.array_equal(pool.submit(fitted.predict_proba, small[0]).result(timeout=60), expected)


def test_clone_and_refit(fitted, small):
    again = clone(fitted)
    with pytest.raises(NotFittedError):
        again.predict(small[0])
    assert again.get_params() == fitted.get_params()
    assert np.array_equal(again.fit(*small).predict_proba(small[0]), fitted.predict_proba(small[0]))


@needs_fasttext
def test_calibration_and_searches(headlines, tmp_path):
    texts, labels = headlines
    calibrated = CalibratedClassifier(model(epochs=250)).fit(texts[::2], labels[::2])
    probabilities = calibrated.predict_proba(texts[1::2])
    raw = calibrated.estimator_.predict_proba(texts[1::2])
    assert log_loss(labels[1::2], probabilities) < log_loss(labels[1::2], raw)
    calibrated.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(texts[1::2]), probabilities)
    assert cross_val_score(model(), texts[:200], labels[:200], cv=2, n_jobs=2).shape == (2,)
    search = GridSearchCV(model(epochs=2), {"dim": [5, 10]}, cv=2).fit(texts[:200], labels[:200])
    assert search.best_params_["dim"] in (5, 10)


@needs_fasttext
def test_out_of_fold_scores(small):
    texts, labels = small
    rows = np.arange(45)
    scores = model().fit_with_scores(texts, labels, [(rows[:30], rows[30:])])  # the third topic is held out
    part = model().fit(texts[:30], labels[:30])
    assert np.isnan(scores[:30]).all()
    two = scores[30:][:, [list(sorted(set(labels))).index(label) for label in part.classes_]]
    assert np.allclose(two[:, 1:] - two[:, :1], part.scores(texts[30:]), atol=1e-6)


@needs_fasttext
def test_small_corpora_get_more_passes(small):
    assert np.array_equal(model().fit(*small).scores(small[0]), model(epochs=50).fit(*small).scores(small[0]))
    assert not np.array_equal(
        model().fit(*small).scores(small[0]), model(epochs=5).fit(*small).scores(small[0])
    )


@needs_fasttext
def test_a_recipe_becomes_it(small):
    recipe = Recipe.model_validate({"model": {"family": "fasttext", "unit": "word", "epochs": 30}, "seed": 5})
    built = build(recipe)
    assert isinstance(built.estimator, FastTextClassifier)
    assert (built.estimator.seed, built.estimator.epochs) == (5, 30)
    assert (built.fit(*small).predict(small[0]) == small[1]).mean() > 0.9


def test_the_recipes_defaults_are_the_classs():
    built = build(Recipe.model_validate({"model": {"family": "fasttext"}, "calibration": {"method": "none"}}))
    assert built.get_params() == FastTextClassifier(seed=built.seed).get_params()


def test_the_size_is_bounded(fitted, small):
    words = {word for text in small[0] for word in text.split()}
    assert len(fitted.state().files[FILE]) < 4 * 10 * (2000 + len(words)) + 100 * len(words) + 5000


def test_an_altered_file_is_refused(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    path = tmp_path / "model" / FILE
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match=f"{FILE} is damaged or was altered"):
        load(tmp_path / "model")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "ns"}, RecipeError, "allowed: softmax, ova, hs"),
        ({"dim": 0}, RecipeError, "dim is 0; it must be 1 or more"),
        ({"epochs": -1}, RecipeError, "epochs"),
        ({"bucket": 0}, RecipeError, "bucket"),
        ({"learning_rate": 0.0}, RecipeError, "learning_rate"),
        ({"unit": "syllable"}, TextError, "no unit 'syllable'"),
        ({"drop_tags": ["J*"]}, TextError, "the unit is 'word'"),
        ({"steps": ["nope"]}, TextError, "no text step"),
    ],
)
def test_wrong_options_are_named(small, options, error, message):
    with pytest.raises(error, match=message):
        model(**options).fit(*small)


def test_wrong_input_is_named(small):
    with pytest.raises(DataError, match="at least two classes"):
        model().fit(["가", "나"], ["a", "a"])
    with pytest.raises(DataError, match="1 labels"):
        model().fit(["가", "나"], ["a"])
    with pytest.raises(TextError, match="nothing to learn from"):
        model().fit(["", " "], ["a", "b"])


def test_without_the_extra_it_says_what_to_install(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "fasttext", None)
    with pytest.raises(MissingExtra, match=r'pip install "gallae\[fasttext\]"'):
        model().fit(*small)
