"""Measuring a saved model: the same keys and numbers as training's, names or ids, no silent fallback."""

import pytest

import gallae
from gallae.errors import DataError, OutputError


def test_keys_and_figures_are_those_of_training(topics_run, tmp_path, write_table):
    table = topics_run.predictions
    path = write_table(
        tmp_path / "held.csv", ["title", "topic"], table[["text", "label"]].itertuples(index=False)
    )
    figures = gallae.evaluate(topics_run.folder, path)
    trained = topics_run.metrics
    assert set(figures) <= set(trained)
    assert {key: trained[key] for key in figures if key != "seconds"} == {
        key: value for key, value in figures.items() if key != "seconds"
    }
    assert gallae.evaluate(topics_run.folder / "model", gallae.read(path))["accuracy"] == figures["accuracy"]


def test_several_labels_have_the_same_keys_too(several_run, several_csv):
    figures = gallae.evaluate(several_run.folder, several_csv)
    assert set(figures) <= set(several_run.metrics)
    assert {"subset_accuracy", "micro_f1"} <= set(figures)
    assert figures["n"] == 96


def test_names_and_ids_are_the_same_labels(dacon_run, dacon_folder):
    names, ids = (
        gallae.evaluate(dacon_run.folder, dacon_folder / f"by_{kind}.csv") for kind in ("name", "id")
    )
    assert names["per_class"] == ids["per_class"]
    assert set(names["per_class"]) == {"경제", "세계", "스포츠"}


def test_a_page(topics_run, topics_csv, tmp_path):
    gallae.evaluate(topics_run.folder, topics_csv, output=tmp_path / "report.html", language="ko")
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(OutputError, match="--force"):
        gallae.evaluate(topics_run.folder, topics_csv, output=tmp_path / "report.html")


@pytest.mark.parametrize(("label", "hint"), [("경재", "Did you mean '경제'"), ("7", "Known labels")])
def test_an_unknown_label_is_named_with_its_line(topics_run, tmp_path, write_table, label, hint):
    path = write_table(tmp_path / "odd.csv", ["title", "topic"], [("환율", "경제"), ("금리", label)])
    with pytest.raises(DataError, match=f"line 3.*{label!r}.*{hint}"):
        gallae.evaluate(topics_run.folder, path)


def test_a_label_without_a_training_row_is_unknown(tmp_path, write_table):
    write_table(tmp_path / "topic_dict.csv", ["topic", "topic_idx"], [("가", 0), ("나", 1), ("다", 2)])
    rows = [(f"글 {n}", n % 2) for n in range(12)]
    run = gallae.train(
        write_table(tmp_path / "train.csv", ["title", "topic_idx"], rows), "fast", output=tmp_path / "run"
    )
    path = write_table(tmp_path / "test.csv", ["title", "topic_idx"], [("글", 0), ("글", 2)])
    with pytest.raises(DataError, match="다"):
        gallae.evaluate(run.folder, path)


@pytest.fixture(scope="module")
def own_columns(tmp_path_factory, write_table):
    """A run trained on columns that no one would guess, beside others that one would."""
    folder = tmp_path_factory.mktemp("own")
    rows = [
        (f"잡음 {n}", "x", f"{word} {n}", name)
        for n in range(8)
        for word, name in (("가가", "A"), ("나나", "B"))
    ]
    path = write_table(folder / "train.csv", ["text", "label", "속글", "갈래"], rows)
    run = gallae.train(
        path, "fast", text_column="속글", label_column="갈래", output=folder / "run", report=False
    )
    return run, path


def test_the_columns_of_training_are_taken(own_columns):
    run, path = own_columns
    assert gallae.evaluate(run.folder, path)["accuracy"] == 1.0


def test_a_real_mistake_is_not_hidden_by_other_columns(own_columns, tmp_path, write_table):
    run, _ = own_columns
    path = write_table(tmp_path / "t.csv", ["text", "label", "속글", "갈래"], [("나나", "B", "가가", "C")])
    with pytest.raises(DataError, match="'C'"):
        gallae.evaluate(run.folder, path)


def test_another_file_s_columns_are_found(own_columns, tmp_path, write_table):
    run, _ = own_columns
    path = write_table(tmp_path / "t.csv", ["title", "label"], [("가가 3", "A"), ("나나 4", "B")])
    assert gallae.evaluate(run.folder, path)["n"] == 2
    with pytest.raises(DataError, match="--text-column"):
        gallae.evaluate(run.folder, path, text_column="속글")


def test_an_unlabelled_file(topics_run, dacon_folder):
    with pytest.raises(DataError, match="--label-column"):
        gallae.evaluate(topics_run.folder, dacon_folder / "test_data.csv")
