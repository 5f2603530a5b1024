"""The linear family under the contract: every classifier, every unit, one, two or several labels."""

import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score

from gallae.errors import RecipeError, TextError
from gallae.models.heads import BUILT_IN
from gallae.models.linear import LinearClassifier
from gallae.models.persistence import load

CHARACTERS = {"unit": "char_wb", "ngrams": [1, 3]}
UNITS = [
    *[{"unit": unit} for unit in ("char", "char_wb", "jamo", "jamo_wb", "word", "morpheme", "morpheme_tag")],
    {"kind": "count", "unit": "char_wb"},
    {"kind": "binary", "unit": "morpheme", "drop_tags": ["J*", "E*"]},
    {"unit": "word", "hashing": 4096, "ngrams": [1, 2]},
    {"kind": "kiwi"},
]


def model(classifier="svm", blocks=(CHARACTERS,), **options):
    return LinearClassifier(
        **{"classifier": classifier, "blocks": blocks, "C": 10.0, "alpha": 0.1, **options}
    )


def hits(predicted, labels):
    def plain(label):
        return label if isinstance(label, str) else tuple(sorted(label))

    several = isinstance(predicted[0], tuple)
    gold = [(label,) if several and isinstance(label, str) else label for label in labels]
    return np.mean([plain(a) == plain(b) for a, b in zip(predicted, gold, strict=True)])


@pytest.mark.parametrize("data", ["small", "binary", "several"])
@pytest.mark.parametrize("classifier", BUILT_IN)
def test_overfits_saves_and_loads_elsewhere(data, classifier, request, tmp_path, elsewhere):
    texts, labels = request.getfixturevalue(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = model(classifier).fit(texts, labels)
        probabilities = fitted.predict_proba(texts)
    assert hits(fitted.predict(texts), labels) >= (0.75 if data == "several" else 0.95)
    assert probabilities.dtype == np.float64 and probabilities.shape == (len(texts), len(fitted.classes_))
    if data != "several":
        assert np.allclose(probabilities.sum(axis=1), 1)
    fitted.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert list(again.predict(texts)) == list(fitted.predict(texts))
    assert again.classes_.dtype == fitted.classes_.dtype
    if classifier == "svm":
        assert np.array_equal(elsewhere(tmp_path / "model", texts), probabilities)
    assert np.array_equal(again.predict_proba(texts), probabilities)


@pytest.mark.parametrize("block", UNITS, ids=lambda block: "-".join(map(str, block.values())))
def test_every_unit_learns_and_a_batch_equals_its_rows(block, small, tmp_path):
    texts, labels = small
    fitted = model(blocks=[block]).fit(texts, labels)
    probabilities = fitted.predict_proba(texts)
    assert hits(fitted.predict(texts), labels) >= 0.95
    assert np.array_equal([fitted.predict_proba([text])[0] for text in texts], probabilities)
    order = np.random.default_rng(0).permutation(len(texts))
    assert np.array_equal(fitted.predict_proba([texts[i] for i in order]), probabilities[order])
    fitted.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(texts), probabilities)


def test_blocks_together(headlines, tmp_path, elsewhere):
    texts, labels = headlines[0][:600], headlines[1][:600]
    blocks = [CHARACTERS, {"unit": "morpheme_tag", "ngrams": [1, 1], "weight": 0.5}, {"kind": "kiwi"}]
    fitted = model(blocks=blocks, C=0.15).fit(texts[::2], labels[::2])
    assert (fitted.predict(texts[1::2]) == labels[1::2]).mean() > 0.4
    probabilities = fitted.predict_proba(texts)
    assert np.array_equal([fitted.predict_proba([text])[0] for text in texts[:40]], probabilities[:40])
    fitted.save(tmp_path / "model")
    assert np.array_equal(elsewhere(tmp_path / "model", texts, GALLAE_CACHE="off"), probabilities)
    names = fitted.feature_names()
    assert len(names) == len(fitted.head_.weights) and names[-1].startswith("kiwi:")


@pytest.mark.parametrize("classifier", BUILT_IN)
def test_same_seed_same_numbers(small, classifier):
    first, second = (model(classifier).fit(*small).predict_proba(small[0]) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("classifier", BUILT_IN)
def test_no_texts_and_texts_that_say_nothing(small, several, classifier):
    texts, labels = small
    keep = slice(0, 35)  # 15 of sport, 15 of economy, 5 of the world
    for fitted in (model(classifier).fit(texts[keep], labels[keep]), model(classifier).fit(*several)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert fitted.predict([]).shape == (0,)
            assert fitted.predict_proba([]).shape == (0, 3)
            unknown = fitted.predict_proba(["", " ", "ⴰⵣⵓⵍ", "\x00"])
            fitted.predict(["", "ⴰⵣⵓⵍ"])
        assert np.isfinite(unknown).all() and (unknown == unknown[0]).all()
        if not fitted.multilabel_ and classifier not in ("complement_nb", "sgd"):
            assert unknown[0].argmin() == list(fitted.classes_).index("세계")


def test_integers_and_booleans_are_labels_too(binary, tmp_path):
    texts, labels = binary
    for number, kind in enumerate((lambda label: 7 if label == "예" else -1, lambda label: label == "예")):
        fitted = model().fit(texts, [kind(label) for label in labels])
        fitted.save(tmp_path / str(number))
        again = load(tmp_path / str(number))
        assert again.classes_.dtype == fitted.classes_.dtype
        assert list(again.predict(texts)) == list(fitted.predict(texts)) == [kind(label) for label in labels]


def test_parameters_come_back(small, tmp_path):
    dictionary = {"symbols": {"…": " 줄임 "}}
    fitted = model(
        steps=("nfc", "symbols", "spaces"), dictionary=dictionary, C=np.float64(2), seed=np.int64(3)
    )
    fitted.fit(*small).save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.get_params() == {
        **fitted.get_params(),
        "steps": ["nfc", "symbols", "spaces"],
        "blocks": [CHARACTERS],
    }
    assert again.pipeline_("끝…") == "끝 줄임"
    assert np.array_equal(clone(again).fit(*small).predict_proba(small[0]), fitted.predict_proba(small[0]))


def test_out_of_fold_scores(small):
    texts, labels = small
    rows = np.arange(len(texts))
    splits = [(rows[rows % 3 != k], rows[rows % 3 == k]) for k in (0, 1)]
    fitted = model()
    scores = fitted.fit_with_scores(texts, labels, splits)
    assert np.isnan(scores[rows % 3 == 2]).all() and np.isfinite(scores[rows % 3 != 2]).all()
    assert not np.allclose(scores[rows % 3 == 0], fitted.scores(texts)[rows % 3 == 0])
    assert np.array_equal(fitted.scores(texts), model().fit(texts, labels).scores(texts))


def probabilities_of(estimator, texts):
    return estimator.predict_proba(texts)


def fit_elsewhere(estimator, texts, labels):
    return estimator.fit(texts, labels)


def test_goes_to_a_worker_process_and_back(small):
    texts, labels = small
    for blocks in ([CHARACTERS], [{"kind": "kiwi"}, {"unit": "morpheme"}]):
        fitted = model(blocks=blocks).fit(texts, labels)
        fitted.predict_proba(["처음 보는 주식"])
        with ProcessPoolExecutor(1) as pool:
            there = pool.submit(probabilities_of, fitted, texts).result(timeout=60)
            back = pool.submit(fit_elsewhere, model(blocks=blocks), texts, labels).result(timeout=60)
        assert np.array_equal(there, fitted.predict_proba(texts))
        assert np.array_equal(back.predict_proba(texts), fitted.predict_proba(texts))
        assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(texts), there)


def test_scikit_learns_tools(headlines):
    texts, labels = headlines[0][:400], headlines[1][:400]
    scores = cross_val_score(model(C=1.0), texts, labels, cv=3, n_jobs=2, scoring="f1_macro")
    assert scores.shape == (3,) and (scores > 0.2).all()
    search = GridSearchCV(model(), {"C": [0.01, 1.0], "classifier": ["svm", "logistic"]}, cv=2).fit(
        texts, labels
    )
    assert set(search.best_params_) == {"C", "classifier"}
    assert search.predict(texts).shape == (400,)
    members = [("characters", model(C=1.0)), ("bayes", model("complement_nb"))]
    voting = VotingClassifier(members, voting="soft").fit(texts, labels)
    expected = np.mean([member.predict_proba(texts) for member in voting.estimators_], axis=0)
    assert np.allclose(voting.predict_proba(texts), expected)
    assert voting.score(texts, labels) > 0.9


def test_cross_validation_of_several_labels(several):
    from sklearn.model_selection import KFold

    scores = cross_val_score(model(), *several, cv=KFold(3, shuffle=True, random_state=0))
    assert ((scores > 0.1) & (scores <= 1)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classifier": "svn"}, "no classifier 'svn'"),
        ({"C": 0.0}, "C and alpha"),
        ({"class_weight": "even"}, "class_weight"),
        ({"blocks": [{"kind": "tfdif"}]}, "allowed: tfidf"),
        ({"steps": ("nfcc",)}, "no text step 'nfcc'"),
        ({"analyzer": "komoran", "blocks": [{"unit": "morpheme"}]}, "no analyzer 'komoran'"),
        ({"classifier": "nbsvm", "blocks": [{"kind": "kiwi"}]}, "negative values"),
    ],
)
def test_wrong_parameters_are_refused_at_fit(small, options, message):
    with pytest.raises((RecipeError, TextError), match=message):
        model(**options).fit(*small)


def test_nothing_to_learn_from_is_said():
    with pytest.raises(TextError, match="nothing to learn from"):
        model().fit(["", " ", ""], ["a", "b", "a"])
