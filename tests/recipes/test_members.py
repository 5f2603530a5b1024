"""Recipes of ensembles: members by name, file and table, their seeds, and mistakes."""

import pytest
from pydantic import ValidationError

from gallae.errors import RecipeError
from gallae.recipes import Recipe, find_recipe, parse_recipe

ENSEMBLE = """
seed = 7
[model]
family = "ensemble"
members = ["fast", "other.toml", "fast", {name = "mine", seed = 3, model = {C = 2.0}}]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "ensemble.toml").write_text(ENSEMBLE.replace("other", "deep/other"), encoding="utf-8")
    (tmp_path / "deep" / "other.toml").write_text(
        'seed = 5\n[text]\nsteps = ["abbreviations"]\ndictionary = "terms.toml"\n', encoding="utf-8"
    )
    (tmp_path / "deep" / "terms.toml").write_text('[abbreviations]\nGDP = "국내총생산"\n', encoding="utf-8")
    return tmp_path


def seeds(recipe):
    return [member.seed for member in recipe.model.members]


def test_names_files_and_tables_become_whole_recipes(folder):
    recipe = find_recipe(folder / "ensemble.toml")
    fast, other, again, mine = recipe.model.members
    assert (recipe.name, recipe.model.method, recipe.calibration.method) == ("ensemble", "mean", "none")
    assert (fast.name, other.name, mine.name) == ("fast", "other", "mine")
    assert fast.model.C == 0.3 and mine.model.C == 2.0 and fast.calibration.method == "multinomial"
    assert other.text.tables() == {"abbreviations": {"GDP": "국내총생산"}}
    assert again.features == fast.features
    assert parse_recipe(recipe.to_toml(), "again") == recipe
    assert find_recipe(recipe) == recipe


def test_dictionaries_of_tables_are_beside_the_file(folder):
    text = ENSEMBLE.replace('"other.toml"', '{text = {steps = ["abbreviations"], dictionary = "terms.toml"}}')
    (folder / "deep" / "both.toml").write_text(text, encoding="utf-8")
    member = find_recipe(folder / "deep" / "both.toml").model.members[1]
    assert member.text.tables() == {"abbreviations": {"GDP": "국내총생산"}}


def test_seeds_are_the_ensembles_unless_a_table_has_its_own(folder):
    recipe = find_recipe(folder / "ensemble.toml")
    assert seeds(recipe) == [7, 7, 8, 3]  # the same recipe twice would be one member twice
    assert seeds(find_recipe(recipe)) == [7, 7, 8, 3]
    assert seeds(find_recipe(recipe, seed=107)) == [107, 107, 108, 103]
    assert seeds(find_recipe(folder / "ensemble.toml", seed=107)) == [107, 107, 108, 99 + 4]
    assert seeds(find_recipe(folder / "ensemble.toml", ["seed=9"])) == [9, 9, 10, 3]
    assert seeds(Recipe(seed=5, model={"family": "ensemble", "members": ["fast", Recipe(seed=1)]})) == [5, 1]


def test_fields_of_members_are_overridden_by_their_place(folder):
    recipe = find_recipe(
        folder / "ensemble.toml", ["model.members.0.model.C=9", "model.method=stacking", "model.folds=3"]
    )
    assert (recipe.model.members[0].model.C, recipe.model.method, recipe.model.folds) == (9, "stacking", 3)
    assert recipe.model.members[2].model.C == 0.3
    shorter = find_recipe(folder / "ensemble.toml", ["model.members=['bow', 'bigram']"])
    assert [member.name for member in shorter.model.members] == ["bow", "bigram"]


def test_extras_are_the_members(folder):
    names = ["fast", "fasttext", "fasttext"]
    assert Recipe(model={"family": "ensemble", "members": names}).extras() == ("fasttext",)


def test_data_is_said_once(folder):
    table = 'text_column = "title"'
    (folder / "data.toml").write_text(f"[data]\n{table}\n", encoding="utf-8")
    (folder / "both.toml").write_text(
        f'[data]\n{table}\n[model]\nfamily = "ensemble"\nmembers = ["fast", "data.toml"]\n', encoding="utf-8"
    )
    recipe = find_recipe(folder / "both.toml", reading={"text_column": "head"})
    assert recipe.data.text_column == "head"
    assert [member.data.text_column for member in recipe.model.members] == ["", ""]
    members = f"model.members=['fast', '{folder}/data.toml']"
    with pytest.raises(RecipeError, match=r"model.members.1 \(data\) has another \[data\]"):
        find_recipe(folder / "both.toml", [members, "data.text_column=''"])


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ('members = ["fast"]', ["model.members", "at least two"]),
        ('members = ["fast", "fats"]', ["Did you mean 'fast'"]),
        ('members = ["fast", "gone.toml"]', ["no recipe file", "gone.toml"]),
        ('members = ["fast", {model = {CC = 1}}]', ["member 1", "model.CC", "Did you mean 'C'"]),
        ('members = ["fast", {text = {steps = ["nfx"]}}]', ["member 1", "Did you mean 'nfc'"]),
        ('members = ["fast", 3]', ["model.members.1", "a table", "3"]),
        ('members = "fast"', ["model.members", "a list"]),
        ('method = "mean"', ["model.members", "has to be given"]),
        ('members = ["fast", "bow"]\nmethod = "vote"', ["model.method", "stacking", "vote"]),
        ('members = ["fast", "bow"]\nfolds = 1', ["model.folds", "2"]),
        ('members = ["fast", "bow"]\nfold = 1', ["Did you mean 'folds'"]),
        ('members = ["fast", "ensemble.toml"]', ["ensemble.toml", "cannot be a member"]),
        ('members = ["fast", "self.toml"]', ["self.toml", "cannot be a member"]),
        (
            'members = ["fast", {model = {family = "ensemble", members = ["fast", "bow"]}}]',
            ["member 1", "cannot be a member"],
        ),
        ('members = ["fast", "bow"]\n[text]\nsteps = []', ["no [text] but its members'"]),
        ('members = ["fast", "bow"]\n[features]\nblocks = [{kind = "count"}]', ["no [features]"]),
    ],
)
def test_mistakes(folder, model, parts):
    (folder / "self.toml").write_text(f'[model]\nfamily = "ensemble"\n{model}\n', encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        find_recipe(folder / "self.toml")
    assert all(part in str(caught.value) for part in parts), str(caught.value)


def test_a_seed_that_is_none(folder):
    with pytest.raises(RecipeError, match=r"seed: .*abc"):
        find_recipe(folder / "ensemble.toml", ["seed=abc"])


def test_from_python_mistakes_are_named_too():
    with pytest.raises(ValidationError, match="fats"):
        Recipe(model={"family": "ensemble", "members": ["fast", "fats"]})
