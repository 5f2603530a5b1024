"""Prediction of files, pipes and texts, a chunk at a time."""

import io
import json

import numpy as np
import pandas as pd
import pytest

import gallae
from gallae.errors import DataError, OutputError, RecipeError
from gallae.workflows import predicting

TEXTS = ["코스피 급락", "손흥민 결승골", "", 'a,"b"\tc']


def predicted(run, **options):
    target = io.StringIO()
    count = gallae.predict(run.folder, target=target, **options)
    table = pd.read_csv(io.StringIO(target.getvalue()), keep_default_na=False)
    assert len(table) == count
    return table


def test_texts(topics_run):
    table = predicted(topics_run, texts=TEXTS)
    assert list(table) == ["text", "label", "probability"]
    assert table["text"].tolist() == TEXTS
    assert table["label"].tolist() == topics_run.model.predict(TEXTS).tolist()
    assert np.array_equal(table["probability"], topics_run.model.predict_proba(TEXTS).max(axis=1))
    assert len(predicted(topics_run, texts="하나")) == 1


def test_all_probabilities_are_those_of_python(topics_run):
    table = predicted(topics_run, texts=TEXTS, top_k=0)
    assert list(table) == ["text", "label", "probability", "p_경제", "p_세계", "p_스포츠"]
    assert np.array_equal(table.iloc[:, 3:], topics_run.model.predict_proba(TEXTS))


@pytest.mark.parametrize("top_k", [2, 3, 99])
def test_the_best_labels(topics_run, top_k):
    table = predicted(topics_run, texts=TEXTS, top_k=top_k)
    probabilities = topics_run.model.predict_proba(TEXTS)
    assert len(list(table)) == 1 + 2 * min(top_k, 3)
    assert np.array_equal(table["probability_2"], np.sort(probabilities, axis=1)[:, -2])
    assert (table["label"] != table["label_2"]).all()


def test_several_labels(several_run):
    texts = ["한국은행, 금리 동결에 상승 손흥민, 결승골로 승리", "환율"]
    table = predicted(several_run, texts=texts)
    decided = several_run.model.predict(texts)
    assert table["label"].tolist() == ["|".join(labels) for labels in decided]
    ranked = predicted(several_run, texts=texts, top_k=2)
    assert set(ranked) == {"text", "label", "probability", "label_2", "probability_2"}
    assert "p_경제" in predicted(several_run, texts=texts, top_k=0)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_files(topics_run, topics_csv, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(predicting, "CHUNK_ROWS", 10)
    out = tmp_path / f"out{suffix}"
    assert gallae.predict(topics_run.folder, topics_csv, output=out, top_k=0) == 72
    if suffix == ".jsonl":
        table = pd.DataFrame([json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()])
    else:
        table = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    texts = gallae.read(topics_csv).texts
    assert table["text"].tolist() == texts
    assert np.array_equal(table.iloc[:, 3:], topics_run.model.predict_proba(texts))
    with pytest.raises(OutputError, match="--force"):
        gallae.predict(topics_run.folder, topics_csv, output=out)
    assert gallae.predict(topics_run.folder, topics_csv, output=out, force=True) == 72
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_pipe(topics_run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("코스피 급락\n\n손흥민\n".encode())))
    assert predicted(topics_run, data="-")["text"].tolist() == ["코스피 급락", "", "손흥민"]


def test_a_pipe_with_columns(topics_run, monkeypatch):
    lines = "id,본문\n1,코스피 급락\n2,손흥민\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert predicted(topics_run, data="-", text_column="본문")["text"].tolist() == ["코스피 급락", "손흥민"]


def test_the_text_column_of_training_is_taken(tmp_path, write_table):
    rows = [("x", f"{word} {n}", name) for n in range(8) for word, name in (("가가", "A"), ("나나", "B"))]
    path = write_table(tmp_path / "t.csv", ["text", "속글", "label"], rows)
    run = gallae.train(path, "fast", text_column="속글", output=tmp_path / "run")
    assert predicted(run, data=path)["text"][0] == "가가 0"
    other = write_table(tmp_path / "o.csv", ["제목"], [("나나",)])
    assert predicted(run, data=other)["label"].tolist() == ["B"]


def test_broken_characters_are_written_as_marks(topics_run, tmp_path):
    for suffix in (".csv", ".jsonl", ".parquet"):
        gallae.predict(topics_run.folder, texts=["\udcff코스피", "\ud800"], output=tmp_path / f"o{suffix}")
    assert "코스피" in (tmp_path / "o.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        ({}, RecipeError, "either a file"),
        ({"data": "x.csv", "texts": ["a"]}, RecipeError, "either a file"),
        ({"texts": ["a"], "top_k": -1}, RecipeError, "--top-k -1"),
        ({"texts": ["a"], "output": "out.xlsx"}, OutputError, r"\.csv, \.jsonl, \.parquet"),
        ({"data": "nowhere.csv", "output": "deep/out.csv"}, DataError, "nowhere.csv"),
    ],
)
def test_mistakes(topics_run, tmp_path, monkeypatch, options, error, part):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=part):
        gallae.predict(topics_run.folder, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_far_down_leaves_no_half_of_a_file(topics_run, tmp_path, monkeypatch):
    monkeypatch.setattr(predicting, "CHUNK_ROWS", 100)
    path = tmp_path / "long.csv"
    path.write_text("title,b\n" + "코스피,1\n" * 1000 + "환율,1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 1002"):
        gallae.predict(topics_run.folder, path, output=tmp_path / "out.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["long.csv"]
