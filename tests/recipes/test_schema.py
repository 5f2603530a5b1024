"""What a recipe may say, and how a mistake in one is answered."""

import tomllib

import pytest
from pydantic import ValidationError

from gallae.errors import RecipeError
from gallae.recipes import Recipe, find_recipe, parse_recipe


def test_defaults_are_written_out_and_read_back():
    recipe = Recipe()
    values = tomllib.loads(recipe.to_toml())
    assert set(values) == {"name", "summary", "seed", "data", "text", "features", "model", "calibration"}
    assert values["features"]["blocks"][0]["ngrams"] == [1, 4]
    assert parse_recipe(recipe.to_toml(), "again") == recipe


def test_a_recipe_cannot_be_changed():
    with pytest.raises(ValidationError):
        Recipe().seed = 3


def test_the_tag_filter_goes_to_morpheme_blocks_only():
    recipe = find_recipe("default")
    letters, morphemes, vectors = recipe.feature_blocks()
    assert "drop_tags" not in letters and "drop_tags" not in vectors
    assert "J*" in morphemes["drop_tags"]


def test_extras():
    assert find_recipe("default").extras() == ()
    assert find_recipe("fasttext").extras() == ("fasttext",)
    assert find_recipe("default", ["text.analyzer=mecab"]).extras() == ("mecab",)


def test_reading_says_only_what_is_set():
    data = find_recipe("fast", reading={"text_column": ["a", "b"], "encoding": "cp949", "format": None}).data
    assert data.reading() == {"text_column": "a,b", "encoding": "cp949"}
    assert data.kept() == {"text_column": "a,b"}


MISTAKES = {
    "model.C=-1": ["model.C", "greater than 0", "-1"],
    "model.C=nan": ["model.C", "finite"],
    "model.C=abc": ["model.C", "valid number", "abc"],
    "model.Cc=1": ["model.Cc", "Did you mean 'C'", "class_weight"],
    "model.family=linaer": ["model.family", "linaer", "linear", "fasttext"],
    "model=3": ["model", "a table", "3"],
    "txt.steps=[]": ["txt", "Did you mean 'text'"],
    "text.steps=['nfx']": ["nfx", "Did you mean 'nfc'"],
    "text.steps=nfc": ["text.steps", "a list"],
    "text.analyzer=komoran": ["text.analyzer", "kiwi", "mecab"],
    "text.keep_tags=['NNG']": ["drop_tags", "keep_tags", "contradict"],
    "text.dictionary=nowhere.toml": ["nowhere.toml", "does not exist"],
    "text.drop_tags=['QQ']": ["QQ"],
    "features.blocks=[]": ["features.blocks", "at least one"],
    'features.blocks=[{kind="kiwy"}]': ["tfidf", "kiwi"],
    "features.blocks.0.ngrams=[1, 99]": ["features.blocks.0.ngrams.1", "12", "99"],
    "features.blocks.0.ngrams=[3, 1]": ["shortest comes first"],
    "features.blocks.0.ngrms=[3, 1]": ["features.blocks.0.ngrms", "Did you mean 'ngrams'"],
    "features.blocks.2.unit=char": ["features.blocks.2.unit", "Allowed: kind, weight"],
    "features.blocks.9.weight=1": ["9", "list of 3"],
    "features.blocks.first.weight=1": ["first", "list of 3"],
    "calibration.method=platt": ["calibration.method", "multinomial", "platt"],
    "seed=-1": ["seed", "-1"],
    "name=a/b": ["name", "folder"],
    "data.colour=red": ["data.colour", "text_column"],
    "data.text_column=3": ["data.text_column", "text in quotes"],
    "model.C.x=1": ["'C' is a value"],
    "data.label_map={긍정='9-10'}": ["not valid TOML", "need quotes"],
    "text.steps=[nfc]": ["not valid TOML", "need quotes"],
    "model.C": ["KEY=VALUE"],
    "=1": ["KEY=VALUE"],
}


@pytest.mark.parametrize("override", MISTAKES)
def test_a_mistake_is_named(override):
    with pytest.raises(RecipeError) as caught:
        find_recipe("default", [override])
    for part in MISTAKES[override]:
        assert part in str(caught.value)


def test_contradicting_block_options():
    with pytest.raises(RecipeError, match="contradict"):
        find_recipe("fast", ["features.blocks.0.hashing=1024", "features.blocks.0.max_features=10"])
