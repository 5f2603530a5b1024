"""Search spaces: what a file may say, and what is refused before anything runs."""

from importlib import resources

import pytest

from gallae.errors import RecipeError
from gallae.recipes import Recipe, find_recipe, shipped_recipes
from gallae.recipes.space import Range, read_space

SPACES = sorted(file.name for file in (resources.files("gallae.recipes") / "spaces").iterdir())
FAST = find_recipe("fast")


def space_of(text, tmp_path, recipe=FAST):
    (tmp_path / "space.toml").write_text(text, encoding="utf-8")
    return read_space(tmp_path / "space.toml", recipe)


def test_a_file(tmp_path):
    space = space_of(
        """
        "model.C" = {low = 0.01, high = 10, log = true}
        "features.blocks.0.min_df" = {low = 1, high = 6, step = 2}
        "features.blocks.0.ngrams" = {choices = [[1, 3], [1, 4]]}
        "model.class_weight" = {choices = ["none", "balanced"]}
        """,
        tmp_path,
    )
    c, min_df, ngrams, _ = space.parameters
    assert (c.low, c.high, c.log, c.whole) == (0.01, 10.0, True, False)
    assert (min_df.ends, min_df.whole) == ((1, 5), True)  # 6 is no step of two from 1
    assert ngrams.names == ("[1, 3]", "[1, 4]") and ngrams.value("[1, 3]") == [1, 3]
    assert space.before() == {
        "model.C": 0.3,
        "features.blocks.0.min_df": 2,
        "features.blocks.0.ngrams": [1, 4],
        "model.class_weight": "none",
    }
    made = space.apply({"model.C": 2.0, "features.blocks.0.ngrams": [1, 3]})
    assert (made.model.C, made.features.blocks[0].ngrams, made.name) == (2.0, (1, 3), "fast")
    assert len(list(space.ends())) == 8


def test_nested_tables_and_mappings_are_the_same(tmp_path):
    nested = space_of("[model]\nC = {low = 1, high = 2}\n", tmp_path)
    assert nested.parameters == read_space({"model.C": Range(low=1, high=2)}, FAST).parameters
    assert nested.parameters[0].ends == (1.0, 2.0)
    assert isinstance(nested.parameters[0].low, float)  # integers, but of a field of real numbers


def test_what_a_range_holds():
    steps, log, choice = read_space(
        {
            "features.blocks.0.min_df": {"low": 1, "high": 7, "step": 3},
            "model.C": {"low": 0.1, "high": 1, "log": True},
            "features.blocks.0.ngrams": {"choices": [[1, 2], [1, 3]]},
        },
        FAST,
    ).parameters
    assert [steps.holds(value) for value in (1, 4, 5, 8, True, "4")] == [True, True, *[False] * 4]
    assert [log.holds(value) for value in (0.1, 0.5, 1, 2)] == [True, True, True, False]
    assert choice.holds([1, 3]) and not choice.holds([1, 4])


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ('"model.CC" = {low = 1, high = 2}', "no field 'model.CC'. Did you mean 'model.C'. Allowed: model"),
        ('"C" = {low = 1, high = 2}', "Did you mean 'model.C'"),
        ('"modell.class_weigth" = {choices = ["none"]}', "Did you mean 'model.class_weight'"),
        ('"features.blocks.7.min_df" = {low = 1, high = 2}', "Did you mean 'features.blocks.0.min_df'"),
        ('"model.C" = {lo = 1, high = 2}', "no option 'lo'. Did you mean 'low'"),
        ('"model.C" = 3', r"model.C: it should be a table such as \{low = 1, high = 10\}, not 3"),
        ('"model.C" = {low = 1}', "give low and high, or choices"),
        ('"model.C" = {low = "a", high = 2}', "low: it should be a number, not 'a'$"),
        ('"model.C" = {low = nan, high = 2}', "low: it should be a number"),
        ('"model.C" = {low = 3, high = 2}', "low = 3 is above high = 2"),
        ('"model.C" = {low = 1, high = 2, step = 0}', "step: it should be greater than 0"),
        ('"model.C" = {low = 0, high = 2, log = true}', "a log scale needs a low above 0"),
        ('"model.C" = {low = 1, high = 2, log = true, step = 1}', "takes no step"),
        ('"model.C" = {choices = [1], low = 1}', "choices stand alone"),
        ('"model.C" = {choices = []}', "at least one value"),
        ('"model.C" = {choices = [1, 1]}', "none twice"),
        ('"model.C" = {low = 0, high = 2}', "model.C = 0.0 is not allowed in .*'fast': .*greater than 0"),
        ('"model.class_weight" = {choices = ["none", "some"]}', "class_weight = some is not allowed"),
        ('"features.blocks.0.ngrams.1" = {low = 2, high = 99}', "features.blocks.0.ngrams.1 = 99 is not"),
        ('"features.blocks.0.min_df" = {low = 1, high = 2.5}', "takes whole numbers"),
        ('"features.blocks.0.sublinear" = {low = 0, high = 1}', "not a number: give choices"),
        ('"seed" = {low = 1, high = 2}', "no better recipe"),
        ('"data.text_column" = {choices = ["a"]}', "the same rows. Set it by --set"),
        ("", "is empty"),
        ('"model.C" = {low = 1', "not valid TOML"),
    ],
)  # fmt: skip
def test_refused(line, part, tmp_path):
    with pytest.raises(RecipeError, match=part) as refused:
        space_of(line, tmp_path)
    assert "space.toml" in str(refused.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(RecipeError, match=r"no space file .*absent.toml"):
        read_space(tmp_path / "absent.toml", FAST)


@pytest.mark.parametrize(
    "name", [name for name, recipe in shipped_recipes().items() if recipe.model.family != "ensemble"]
)
def test_default_spaces_hold_the_shipped_recipes(name):
    recipe = find_recipe(name)
    space = read_space(None, recipe)
    before = space.before()
    assert all(parameter.holds(before[parameter.key]) for parameter in space.parameters)
    assert space.apply(before) == recipe
    assert len(list(space.ends())) >= 2


def test_default_spaces_are_of_known_families_and_no_recipes():
    families = {"linear", "fasttext", "mlp", "bag", "recurrent", "convolutional", "branched", "transformer",
                "from_config", "encoder"}  # fmt: skip
    assert {name.removesuffix(".toml").partition("-")[0] for name in SPACES} == families
    assert not {"linear", "recurrent", "linear-nbsvm"} & set(shipped_recipes())


@pytest.mark.parametrize(
    "family", ["mlp", "bag", "recurrent", "convolutional", "branched", "transformer", "encoder"]
)
def test_networks_have_default_spaces(family):
    keys = {p.key for p in read_space(None, Recipe.model_validate({"model": {"family": family}})).parameters}
    assert {"model.dropout", "training.learning_rate", "training.epochs"} <= keys and len(keys) > 5


def test_a_default_widens_to_the_recipe_and_leaves_out_what_it_refuses():
    wide = read_space(None, find_recipe("fast", ["model.C=99", "features.blocks.0.ngrams=[2, 9]"]))
    by_key = {parameter.key: parameter for parameter in wide.parameters}
    assert by_key["model.C"].high == 99 and by_key["features.blocks.0.ngrams.1"].high == 9
    assert "features.blocks.1.weight" not in by_key


def test_a_family_without_a_default():
    recipe = Recipe.model_validate({"model": {"family": "ensemble", "members": ["fast", "bow"]}})
    with pytest.raises(RecipeError, match=r"no default space .*--space"):
        read_space(None, recipe)
    assert read_space({"model.members.0.model.C": {"low": 0.1, "high": 1.0}}, recipe).before() == {
        "model.members.0.model.C": 0.3
    }
