"""Several classifiers as one."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from gallae.errors import DataError, RecipeError
from gallae.models import registry
from gallae.models.average import AverageClassifier
from gallae.models.calibration import CalibratedClassifier
from gallae.models.combining import METHODS, find_combination
from gallae.models.ensemble import EnsembleClassifier
from gallae.models.linear import LinearClassifier
from gallae.models.persistence import load
from gallae.models.registry import build
from gallae.recipes import Recipe, find_recipe

LETTERS = ({"unit": "char_wb", "ngrams": [1, 3]},)
WORDS = ({"unit": "word", "ngrams": [1, 1], "min_df": 1},)


def two():
    return [
        CalibratedClassifier(LinearClassifier(blocks=LETTERS), folds=2),
        LinearClassifier(blocks=WORDS, classifier="complement_nb"),
    ]


class Backwards(LinearClassifier):
    """A classifier of one's own whose labels are not sorted."""

    def fit(self, texts, labels):
        super().fit(texts, labels)
        self.classes_ = self.classes_[::-1].copy()
        return self

    def predict_proba(self, texts):
        return super().predict_proba(texts)[:, ::-1]


@pytest.fixture(params=["small", "binary", "several"])
def data(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("method", METHODS)
def test_it_learns_and_survives_saving(data, method, tmp_path):
    model = EnsembleClassifier(two(), method, folds=3).fit(*data)
    probabilities = model.predict_proba(data[0])
    assert model.score(*data) > 0.7
    if not model.multilabel_:
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(data[0])))
    rows = np.vstack([model.predict_proba([text]) for text in data[0]])
    assert np.array_equal(rows, probabilities)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(data[0]), probabilities)
    assert list(again.predict(data[0])) == list(model.predict(data[0]))
    assert (again.method, again.folds, again.seed) == (method, 3, 42)
    again.save(tmp_path / "again")  # and once more, and fitted anew
    assert np.array_equal(load(tmp_path / "again").predict_proba(data[0]), probabilities)
    assert np.array_equal(clone(again).fit(*data).predict_proba(data[0]), probabilities)


def test_another_process_gives_the_same(small, elsewhere, tmp_path):
    model = EnsembleClassifier(two(), "stacking", folds=2).fit(*small)
    model.save(tmp_path / "model")
    assert np.array_equal(elsewhere(tmp_path / "model", small[0]), model.predict_proba(small[0]))


def test_the_mean_is_the_mean(small):
    model = EnsembleClassifier(two()).fit(*small)
    fitted = [member.fit(*small).predict_proba(small[0]) for member in two()]
    assert model.predict_proba(small[0]) == pytest.approx(np.mean(fitted, axis=0))
    assert EnsembleClassifier.of(model.members_).predict_proba(small[0]) == pytest.approx(
        np.mean(fitted, axis=0)
    )


@pytest.mark.parametrize("method", ["weighted", "stacking"])
def test_what_is_learned_comes_from_rows_held_out(method):
    """A member that knows the training rows by heart, and nothing else, is not taken for a good one."""
    model = EnsembleClassifier([ByHeart(), LinearClassifier(blocks=LETTERS)], method, folds=3)
    texts = [f"{word} {number}" for number in range(20) for word in ("야구", "금리")]
    labels = ["스포츠", "경제"] * 20
    model.fit(texts, labels)
    assert (model.members_[0].predict(texts) == labels).all()
    assert (model.predict(["야구 중계", "금리 인상"]) == ["스포츠", "경제"]).all()
    if method == "weighted":
        assert model.combination_.weights[1] > 0.95


class ByHeart(LinearClassifier):
    """A classifier that has learned texts by heart, and is sure of the first label for every other."""

    def fit(self, texts, labels):
        super().fit(texts, labels)
        self.known_ = dict(zip(texts, labels, strict=True))
        return self

    def predict_proba(self, texts):
        table = np.zeros((len(texts), len(self.classes_)))
        for row, text in enumerate(texts):
            table[row, list(self.classes_).index(self.known_.get(text, self.classes_[0]))] = 1
        return table


def test_members_without_weight_are_not_asked(small):
    model = EnsembleClassifier(two()).fit(*small)
    tables = [member.predict_proba(small[0]) for member in model.members_]
    wrong = np.roll(tables[0], 1, axis=1)
    target = np.searchsorted(model.classes_, small[1])
    found = find_combination("weighted", [tables[0], wrong], target, np.full((2, 3), 0.5))
    model = EnsembleClassifier.of(model.members_, found)
    model.members_[1].predict_proba = None
    assert np.array_equal(model.predict_proba(small[0]), tables[0])


def test_labels_in_another_order(small, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    registry.register("backwards", Backwards)
    plain, other = LinearClassifier(blocks=LETTERS), Backwards(blocks=LETTERS)
    model = EnsembleClassifier([other, plain]).fit(*small)
    expected = plain.fit(*small).predict_proba(small[0])
    assert np.array_equal(model.predict_proba(small[0]), expected)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(small[0]), expected)
    assert list(again.members_[0].classes_) == list(model.classes_)[::-1]


def test_averages_and_calibrated_ones_are_members_too(several, tmp_path):
    fitted = AverageClassifier(LinearClassifier(blocks=LETTERS), folds=2).fit(*several)
    tuned = CalibratedClassifier(LinearClassifier(blocks=LETTERS), "thresholds").fit(*several)
    model = EnsembleClassifier.of([fitted, tuned])
    assert model.thresholds == pytest.approx((tuned.thresholds + 0.5) / 2)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert list(again.predict(several[0])) == list(model.predict(several[0]))
    assert np.array_equal(again.thresholds, model.thresholds)


def test_an_ensemble_may_be_calibrated_and_cross_validated(several, small):
    model = CalibratedClassifier(EnsembleClassifier(two(), "mean"), "thresholds", folds=2).fit(*several)
    assert model.score(*several) > 0.7
    assert cross_val_score(EnsembleClassifier(two()), *small, cv=2).mean() > 0.5


@pytest.mark.parametrize("method", ["weighted", "stacking"])
def test_labels_of_a_single_row(small, method):
    texts, labels = [*small[0], "태풍 북상"], [*small[1], "날씨"]
    model = EnsembleClassifier(two(), method, folds=3).fit(texts, labels)
    assert "날씨" in model.classes_ and np.isfinite(model.predict_proba(texts)).all()


@pytest.mark.parametrize(
    ("model", "part"),
    [
        (EnsembleClassifier(two()[:1]), "at least two members, not 1"),
        (EnsembleClassifier(two(), "vote"), "mean, weighted, stacking, not 'vote'"),
        (EnsembleClassifier([*two(), "fast"]), "gallae.build"),
        (EnsembleClassifier(two(), "weighted", folds=1), "2 folds"),
    ],
)
def test_what_cannot_be_an_ensemble(model, part, small):
    with pytest.raises(RecipeError, match=part):
        model.fit(*small)


def test_members_of_other_labels_are_refused(small, several):
    one, other = (LinearClassifier(blocks=WORDS) for _ in range(2))
    one.fit(*small)
    with pytest.raises(DataError, match="not all know 날씨, 세계"):
        EnsembleClassifier.of(
            [one, other.fit(small[0], ["날씨" if topic == "세계" else topic for topic in small[1]])]
        )
    with pytest.raises(DataError, match="others several"):
        EnsembleClassifier.of([one, clone(other).fit(*several)])


# ---- recipes


def test_a_recipe_becomes_an_ensemble(small):
    recipe = Recipe(
        seed=7,
        model={"family": "ensemble", "members": ["fast", "naive-bayes"], "method": "weighted", "folds": 2},
    )
    model = build(recipe)
    assert (model.method, model.folds, model.seed) == ("weighted", 2, 7)
    assert [member.seed for member in model.members] == [7, 7]
    assert [member.estimator.classifier for member in model.members] == ["svm", "complement_nb"]
    assert model.fit(*small).score(*small) > 0.8
    calibrated = build(find_recipe(recipe, ["calibration.method=temperature"]))
    assert isinstance(calibrated, CalibratedClassifier) and calibrated.estimator.method == "weighted"
