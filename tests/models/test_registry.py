"""Kinds of classifier, and recipes that become classifiers."""

import numpy as np
import pytest

from gallae.errors import ModelError
from gallae.models import registry
from gallae.models.calibration import CalibratedClassifier
from gallae.models.linear import LinearClassifier
from gallae.models.persistence import load
from gallae.models.registry import build, class_of, kind_of, register
from gallae.recipes import Recipe


class Shouting(LinearClassifier):
    """A classifier of one's own: it reads capitals only."""

    def scores(self, texts):
        return super().scores([text.upper() for text in texts])


@pytest.fixture(autouse=True)
def own_kinds(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})


def test_built_in_kinds_go_there_and_back():
    assert class_of("linear") is LinearClassifier
    assert kind_of(LinearClassifier()) == "linear"
    assert kind_of(CalibratedClassifier(LinearClassifier())) == "calibrated"


def test_an_own_kind_saves_and_loads_also_inside_a_wrapper(small, tmp_path):
    register("shouting", Shouting)
    for number, model in enumerate((Shouting(), CalibratedClassifier(Shouting()))):
        model.fit(*small).save(tmp_path / str(number))
        again = load(tmp_path / str(number))
        assert type(again) is type(model)
        assert np.array_equal(again.predict_proba(small[0]), model.predict_proba(small[0]))
    registry._registered.clear()
    with pytest.raises(ModelError, match="'shouting', which is neither built in nor registered"):
        load(tmp_path / "0")
    with pytest.raises(ModelError, match="'shouting'"):
        load(tmp_path / "1")


def test_built_in_names_are_taken():
    with pytest.raises(ModelError, match="built in"):
        register("linear", Shouting)


def test_a_recipe_becomes_a_classifier():
    recipe = Recipe.model_validate(
        {
            "seed": 7,
            "text": {"steps": ["nfc", "symbols"]},
            "features": {"blocks": [{"unit": "word", "ngrams": [1, 2]}]},
            "model": {"classifier": "logistic", "C": 2.0, "class_weight": "balanced"},
            "calibration": {"method": "temperature", "folds": 4},
        }
    )
    model = build(recipe)
    assert (model.method, model.folds, model.seed) == ("temperature", 4, 7)
    inner = model.estimator
    assert (inner.steps, inner.classifier, inner.C, inner.seed) == (("nfc", "symbols"), "logistic", 2.0, 7)
    assert inner.class_weight == "balanced" and inner.blocks[0]["unit"] == "word"
    assert isinstance(build(Recipe.model_validate({"calibration": {"method": "none"}})), LinearClassifier)


def test_what_a_recipe_builds_learns(small):
    model = build(Recipe()).fit(*small)
    assert (model.predict(small[0]) == small[1]).mean() > 0.95
