import json

import pytest

import gallae
from gallae.errors import DataError, GallaeError, OutputError, RecipeError


@pytest.fixture(scope="module")
def noisy(tmp_path_factory, topics_csv, write_table):
    """72 headlines, of which six have a wrong label, and their numbers."""
    corpus = gallae.read(topics_csv)
    others = {"경제": "세계", "세계": "스포츠", "스포츠": "경제"}
    wrong = {3, 17, 30, 41, 55, 66}
    rows = [
        (100 + number, text, others[label] if number in wrong else label)
        for number, (text, label) in enumerate(zip(corpus.texts, corpus.labels, strict=True))
    ]
    path = tmp_path_factory.mktemp("noisy") / "noisy.csv"
    return write_table(path, ["id", "title", "topic"], rows), wrong


def test_wrong_labels_come_first(noisy):
    path, wrong = noisy
    found = gallae.review(path, budget=6)
    assert found.kind == "labels" and found.looked_at == 72 and found.wrong >= 5
    assert len(wrong & set(found.table["row"])) >= 5
    first = found.table.iloc[0]
    assert first["cause"] == "wrong" and first["given"] != first["suggested"]
    assert first["given"] in first["reason"] and first["suggested"] in first["reason"]
    assert first["probability"] > first["given_probability"]
    assert found.table.equals(gallae.review(path, budget=6).table)


def test_a_runs_folds_are_used_instead(noisy, tmp_path):
    path, wrong = noisy
    run = gallae.train(path, "fast", folds=5, output=tmp_path / "run")
    found = gallae.review(path, run=run.folder, budget=6)
    assert found.model == "run" and len(wrong & set(found.table["row"])) >= 5
    part = gallae.train(path, "fast", holdout=0.5, output=tmp_path / "half")
    half = gallae.review(path, run=part.folder)
    assert half.looked_at == half.skipped == 36
    with pytest.raises(DataError, match="does not know the labels 'IT과학'"):
        gallae.review(gallae.sample("headlines"), run=tmp_path / "run")
    (tmp_path / "other.csv").write_text("text,label\n다른 글,경제\n새 글,세계\n", encoding="utf-8")
    with pytest.raises(DataError, match="held out none of the rows"):
        gallae.review(tmp_path / "other.csv", run=tmp_path / "run")


def test_rows_without_a_label_are_proposed(noisy, tmp_path, write_table):
    corpus = gallae.read(noisy[0])
    rows = [(text, label if at % 3 else "") for at, (text, label) in enumerate(
        zip(corpus.texts, corpus.labels, strict=True))]  # fmt: skip
    path = write_table(tmp_path / "partly.csv", ["text", "label"], rows)
    found = gallae.review(path, budget=5)
    assert found.kind == "unlabelled" and found.looked_at == 24 and found.regions is None
    assert len(found.table) == 5 and all(row % 3 == 0 for row in found.table["row"])
    assert set(found.table["given"]) == {""} and set(found.table["cause"]) == {"uncertain"}
    assert [rows[row][0] for row in found.table["row"]] == found.table["text"].tolist()


def test_a_file_of_texts_to_label(topics_csv, topics_run, tmp_path, caplog):
    path = tmp_path / "new.txt"
    path.write_text("손흥민 금리 동결\n美 의회 결승골\n\n손흥민 금리 동결\n", encoding="utf-8")
    for options in ({}, {"run": topics_run.folder}):
        found = gallae.review(topics_csv, unlabelled=path, budget=50, **options)
        assert sorted(found.table["text"]) == ["美 의회 결승골", "손흥민 금리 동결"]
    assert "the budget is 50 rows, and there are 2" in caplog.text


def test_several_labels_a_text(several_csv):
    found = gallae.review(several_csv, budget=4, label_separator="|", language="ko")
    assert found.looked_at == 96 and len(found.table) == 4 and found.regions.pairs == []
    assert found.table["reason"].str.contains("라벨|의심").any()


def test_a_label_that_stands_once_is_not_judged(noisy, tmp_path):
    path = tmp_path / "rare.csv"
    path.write_text(noisy[0].read_text(encoding="utf-8") + "999,혼자인 글,날씨\n", encoding="utf-8")
    found = gallae.review(path, budget=100)
    assert found.skipped == 1 and found.looked_at == len(found.table) == 72


def test_what_is_written(noisy, tmp_path):
    outputs = [tmp_path / f"review.{suffix}" for suffix in ("csv", "jsonl", "html")]
    found = gallae.review(noisy[0], budget=3, output=outputs)
    head, first, *_ = outputs[0].read_text(encoding="utf-8").splitlines()
    assert head.startswith("row,text,given,suggested,probability,given_probability,cause,reason")
    assert first.startswith(f"{found.table['row'][0]},")
    lines = [json.loads(line) for line in outputs[1].read_text(encoding="utf-8").splitlines()]
    assert [line["row"] for line in lines] == found.table["row"].tolist()
    page = outputs[2].read_text(encoding="utf-8")
    assert found.table["text"][0] in page and "Where the mistakes are" in page
    with pytest.raises(OutputError, match="exists already"):
        gallae.review(noisy[0], output=outputs[0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"budget": 0}, RecipeError, "budget is 0"),
        ({"folds": 1}, RecipeError, "folds is 1"),
        ({"output": "review.txt"}, OutputError, ".csv, .jsonl, .html"),
        ({"recipe": "no-such"}, RecipeError, "no-such"),
        ({"language": "fr"}, GallaeError, "en or ko"),
    ],
)
def test_mistakes_are_named(noisy, options, error, message):
    with pytest.raises(error, match=message):
        gallae.review(noisy[0], **options)


def test_files_without_labels(tmp_path, write_table):
    bare = write_table(tmp_path / "bare.csv", ["id", "text"], [(1, "가나"), (2, "다라")])
    with pytest.raises(DataError, match="--label-column"):
        gallae.review(bare)
    empty = write_table(tmp_path / "empty.csv", ["text", "label"], [("가나", ""), ("다라", "")])
    with pytest.raises(DataError, match=r"label .* is empty, in 2 of 2 rows"):
        gallae.review(empty)
    one = write_table(tmp_path / "one.csv", ["text", "label"], [("가나", "a"), ("다라", "")])
    with pytest.raises(DataError, match="at least two classes"):
        gallae.review(one)
