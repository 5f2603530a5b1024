"""Comparing recipes on the same rows."""

import json

import pandas as pd
import pytest

import gallae
from gallae.errors import OutputError, RecipeError
from gallae.workflows.comparing import COLUMNS, comparison_lines, pair_lines


@pytest.fixture(scope="module")
def comparison(topics_csv, tmp_path_factory):
    recipes = ["bow", "fast", "tfidf-word"]
    return gallae.compare(topics_csv, recipes, folds=2, output=tmp_path_factory.mktemp("c") / "c")


def test_the_folder_holds_what_is_promised(comparison):
    names = {path.name for path in comparison.folder.iterdir()}
    assert names == {"comparison.csv", "tests.json", "report.html", "bow", "fast", "tfidf-word"}
    assert (comparison.folder / "fast" / "report.html").exists()
    assert [path.name for path in comparison.folder.parent.iterdir()] == ["c"]


def test_the_table_is_sorted_and_saved(comparison):
    table = comparison.table
    assert tuple(table) == COLUMNS
    assert {"fit_seconds", "texts_per_second", "model_mb"} <= set(table)
    assert table["macro_f1"].is_monotonic_decreasing
    saved = pd.read_csv(comparison.folder / "comparison.csv")
    assert saved["recipe"].tolist() == table["recipe"].tolist()
    assert saved["macro_f1"].tolist() == pytest.approx(table["macro_f1"].tolist())
    assert comparison.best.recipe.name == table["recipe"][0]


def test_all_were_measured_on_the_same_rows(comparison):
    tables = [run.predictions[["index", "fold", "text", "label"]] for run in comparison.runs.values()]
    assert all(table.equals(tables[0]) for table in tables)


def test_every_two_are_tested(comparison):
    pairs = json.loads((comparison.folder / "tests.json").read_text(encoding="utf-8"))
    assert pairs == comparison.pairs
    assert len(pairs) == 3
    assert all(0 <= pair["p_value"] <= 1 and len(pair["macro_f1_difference_interval"]) == 2 for pair in pairs)


def test_lines_for_a_terminal(comparison):
    lines = comparison_lines(comparison.table)
    assert len(lines) == 4 and lines[1].split()[0] == comparison.table["recipe"][0]
    assert len({len(line) for line in lines}) == 1
    assert "McNemar p = " in pair_lines(comparison.pairs, comparison.table["recipe"].iloc[0])[0]


def test_models_are_usable(comparison):
    assert len(comparison.best.model.predict(["코스피 급락"])) == 1


def test_several_labels(several_csv, tmp_path):
    done = gallae.compare(several_csv, ["fast", "bow"], label_separator="|", output=tmp_path / "c")
    assert "subset_accuracy" in done.best.metrics and len(done.pairs) == 1
    assert done.best.metrics["split"].endswith("0.2")


@pytest.mark.parametrize(
    ("recipes", "part"),
    [
        (["fast"], "at least two"),
        (["fast", "fast"], "given twice"),
        (["fast", "fats"], "Did you mean 'fast'"),
        (["fast", gallae.Recipe(name="own", data={"text_column": "title"})], r"differ in their \[data\]"),
    ],
)
def test_impossible_comparisons(recipes, part, topics_csv, tmp_path):
    with pytest.raises(RecipeError, match=part):
        gallae.compare(topics_csv, recipes, output=tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_output_is_kept_unless_forced(comparison, topics_csv):
    with pytest.raises(OutputError, match="--force"):
        gallae.compare(topics_csv, ["fast", "bow"], output=comparison.folder)
