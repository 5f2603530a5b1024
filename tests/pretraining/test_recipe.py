"""Pretraining recipes: shipped ones, overrides, and what is wrong with them."""

import pytest

from gallae.errors import RecipeError
from gallae.pretraining.recipe import pretraining_recipe, shipped_pretraining


def test_shipped_recipes_say_who_they_are():
    shipped = shipped_pretraining()
    assert {"mlm", "electra"} <= shipped.keys()
    for name, recipe in shipped.items():
        assert recipe.name == name
        assert recipe.summary


def test_a_recipe_survives_its_file(tmp_path):
    recipe = pretraining_recipe("electra", ["training.steps=7", "corpus.max_length=64"], seed=3)
    (tmp_path / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    assert pretraining_recipe(tmp_path / "recipe.toml") == recipe
    assert (recipe.training.steps, recipe.corpus.max_length, recipe.seed) == (7, 64, 3)
    assert recipe.objective.kind == "rtd"


def test_options_replace_fields():
    recipe = pretraining_recipe("mlm", tokenizer="here", checkpoint="klue/bert-base")
    assert (recipe.tokenizer, recipe.network.checkpoint) == ("here", "klue/bert-base")


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("elektra", [], "Did you mean 'electra'"),
        ("missing.toml", [], "there is no recipe file"),
        ("mlm", ["corpus.max_lenght=9"], "Did you mean 'max_length'"),
        ("mlm", ["objective.kind=guess"], "'guess' is not allowed"),
        ("mlm", ["objective.weight=2"], "there is no field 'objective.weight'"),
        ("mlm", ["corpus.max_length=600"], "more than network.positions = 512"),
        ("mlm", ["training.batch_tokens=64"], "less than one row"),
        ("mlm", ["training.epochs=0"], "training.epochs"),
        ("mlm", ["training.betas=[0.9, 2]"], "training.betas"),
    ],
)
def test_mistakes_are_named(name, overrides, message):
    with pytest.raises(RecipeError, match=message):
        pretraining_recipe(name, overrides)
