"""Finding recipes: shipped ones, a user's file, overrides; and every shipped one in use."""

from importlib import resources

import pytest

import gallae
from gallae.errors import MissingExtra, RecipeError
from gallae.models.registry import build
from gallae.recipes import Recipe, find_recipe, parse_recipe, shipped_recipes

FILES = sorted(
    file.name for file in resources.files("gallae.recipes").iterdir() if file.name.endswith(".toml")
)
PROMISED = {
    "default", "fast", "bow", "bigram", "tfidf-word", "tfidf-char", "tfidf-morph", "nbsvm", "fasttext",
}  # fmt: skip


def test_what_is_shipped():
    recipes = shipped_recipes()
    assert set(recipes) >= PROMISED
    assert next(iter(recipes)) == "default"
    assert {f"{name}.toml" for name in recipes} == set(FILES)
    assert all(recipe.name == name and recipe.summary for name, recipe in recipes.items())


LIGHT = [
    file
    for file in FILES  # networks take two steps in test_networks.py
    if "neural" not in shipped_recipes()[file.removesuffix(".toml")].extras()
]


@pytest.mark.parametrize("file", LIGHT)
def test_every_shipped_recipe_trains_saves_and_loads(file, topics_csv, several_csv, tmp_path):
    recipe = find_recipe(file.removesuffix(".toml"))
    data = topics_csv
    if recipe.calibration.method == "thresholds":  # for several labels a text
        data, recipe = several_csv, find_recipe(recipe, ["data.label_separator=|"])
    try:
        run = gallae.train(data, recipe, holdout=0.25, report=False, output=tmp_path / "run")
    except MissingExtra as missing:
        pytest.skip(str(missing))
    assert run.recipe == recipe
    assert 0 <= run.metrics["macro_f1"] <= 1
    texts = run.predictions["text"].tolist()
    columns = [column for column in run.predictions if column.startswith("p_")]
    assert (run.model.predict_proba(texts) == run.predictions[columns].to_numpy()).all()


def test_overrides_and_seed():
    recipe = find_recipe(
        "fast", ["model.C = 2", "model.class_weight=balanced", "features.blocks.0.weight=2"], 7
    )
    assert (recipe.model.C, recipe.model.class_weight, recipe.seed) == (2, "balanced", 7)
    assert recipe.features.blocks[0].weight == 2
    assert find_recipe(recipe, ["model.C=3"]).model.C == 3
    assert find_recipe(Recipe(), ["data.label_map={'긍정'='9-10'}"]).data.label_map == {"긍정": "9-10"}
    assert find_recipe(Recipe(), ["data.label_map.긍정=9-10"]).data.label_map == {"긍정": "9-10"}


def test_a_recipe_file(tmp_path):
    (tmp_path / "mine.toml").write_text('summary = "mine"\n[model]\nC = 0.7\n', encoding="utf-8")
    recipe = find_recipe(tmp_path / "mine.toml")
    assert (recipe.name, recipe.model.C, recipe.calibration.method) == ("mine", 0.7, "multinomial")


def test_a_dictionary_beside_the_recipe_becomes_part_of_it(tmp_path, monkeypatch):
    (tmp_path / "terms.toml").write_text('[abbreviations]\nGDP = "국내총생산"\n', encoding="utf-8")
    (tmp_path / "mine.toml").write_text(
        '[text]\nsteps = ["abbreviations"]\ndictionary = "terms.toml"\n', encoding="utf-8"
    )
    recipe = find_recipe(tmp_path / "mine.toml")
    assert recipe.text.tables() == {"abbreviations": {"GDP": "국내총생산"}}
    assert parse_recipe(recipe.to_toml(), "again") == recipe
    monkeypatch.chdir(tmp_path)
    steps = ["text.steps=['abbreviations']"]
    assert find_recipe("fast", [*steps, "text.dictionary=terms.toml"]).text.tables() == recipe.text.tables()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("defualt", ["defualt", "Did you mean 'default'", "tfidf-word", ".toml file"]),
        ("nowhere.toml", ["no recipe file", "nowhere.toml"]),
    ],
)
def test_an_unknown_recipe(name, parts):
    with pytest.raises(RecipeError) as caught:
        find_recipe(name)
    assert all(part in str(caught.value) for part in parts)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"[model\nC = 1", "line 1"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"[model]\nCC = 1", "Did you mean 'C'"),
        (b"[features]\nblocks = 3", "a list"),
        (b'[text]\ndictionary = "gone.toml"', "gone.toml does not exist"),
        (b"data = 3", "a table"),
    ],
)
def test_a_broken_recipe_file(tmp_path, content, part):
    (tmp_path / "broken.toml").write_bytes(content)
    with pytest.raises(RecipeError, match=part) as caught:
        find_recipe(tmp_path / "broken.toml", reading={"text_column": "title"})
    assert "broken.toml" in str(caught.value)


def test_a_folder_is_no_recipe(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(RecipeError, match="cannot be read"):
        find_recipe(tmp_path / "folder.toml")


def test_an_unknown_classifier_is_refused_when_built():
    with pytest.raises(RecipeError, match="svm"):
        build(find_recipe("fast", ["model.classifier=forest"]))
