"""What callers from Python get wrong, and what is taken besides files."""

import pandas as pd
import pytest

import gallae
from gallae.errors import DataError, GallaeError, RecipeError


def test_a_table_instead_of_a_file_is_told_how_to_become_one():
    with pytest.raises(DataError, match="to_csv"):
        gallae.train(pd.DataFrame({"title": ["가"], "topic": ["나"]}), "fast")


def test_a_table_instead_of_texts_is_refused_and_a_column_is_taken(topics_run):
    table = pd.DataFrame({"title": ["야구 결승", "금리 인상"], "other": ["", ""]})
    with pytest.raises(DataError, match="not a table"):
        topics_run.model.predict(table)
    assert len(topics_run.model.predict(table["title"])) == 2


def test_a_list_goes_in_by_texts(topics_run, tmp_path):
    with pytest.raises(RecipeError, match="texts="):
        gallae.predict(topics_run.folder, ["야구 결승"], output=tmp_path / "out.csv")


def test_a_model_in_memory_is_evaluated_like_its_folder(topics_run, topics_csv):
    saved, held = (gallae.evaluate(model, topics_csv) for model in (topics_run.folder, topics_run.model))
    assert saved["macro_f1"] == held["macro_f1"]


def test_build_takes_a_name():
    assert hasattr(gallae.build("fast"), "fit")
    with pytest.raises(GallaeError, match="no recipe"):
        gallae.build("fsat")


def test_pandas_index_column_stands_beside_one_called_index(tmp_path):
    path = tmp_path / "x.csv"
    pd.DataFrame({"index": [7, 8], "title": ["가", "나"], "topic": ["a", "b"]}).to_csv(path)
    assert gallae.read(path).table["index"].tolist() in ([7, 8], ["7", "8"])
