import logging

import pytest

from gallae.data.labels import LabelSet
from gallae.data.reading import read
from gallae.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write(content: str, name: str = "a.csv"):
        (tmp_path / name).write_text(content, encoding="utf-8")
        return tmp_path / name

    return write


def test_a_label_map_drops_and_counts(write, caplog):
    path = write("review,rating\n가,10\n나,5\n다,1\n라,\n")
    with caplog.at_level(logging.WARNING):
        corpus = read(path, label_map={"긍정": "9-10", "부정": "1-4"})
    assert corpus.labels == ["긍정", "부정"]
    assert corpus.label_set == LabelSet(("긍정", "부정"))
    assert "drops 2 of 4 rows (5: 1, (empty): 1)" in caplog.text


def test_a_label_map_that_matches_nothing(write):
    with pytest.raises(DataError, match=r"matches no row. Column 'rating' holds '10', '5'"):
        read(write("review,rating\n가,10\n나,5\n"), label_map={"긍정": "90-100"})


def test_a_label_map_and_a_file_that_has_the_labels_already(write):
    path = write("review,rating\n가,긍정\n나,10\n다,5\n")
    corpus = read(path, label_map={"긍정": "9-10"}, label_set=LabelSet(("긍정", "부정")))
    assert corpus.labels == ["긍정", "긍정"]


def test_missing_labels_name_the_line(write):
    with pytest.raises(
        DataError, match=r"a.csv, line 3: the label \(column 'label'\) is empty, in 1 of 3 rows"
    ):
        read(write("title,label\n가,x\n나,\n다,y\n"))


def test_integers_that_became_floats(write):
    assert read(write("title,label\n가,1.0\n나,0.0\n")).labels == ["1", "0"]
    assert read(write("title,label\n가,1.0\n나,0.5\n")).labels == ["1.0", "0.5"]


def test_names_or_ids_of_a_label_set(write):
    labels = LabelSet(("정치", "경제"), {"정치": "0", "경제": "1"})
    corpus = read(write("title,label\n가,0\n나,경제\n"), label_set=labels)
    assert corpus.labels == ["정치", "경제"]
    assert corpus.label_set is labels


def test_an_unknown_label_names_row_nearest_and_known(write):
    labels = LabelSet(("정치", "생활문화"), {"정치": "0", "생활문화": "1"})
    with pytest.raises(
        DataError, match=r"line 3: unknown label '생활 문화'. Did you mean '생활문화'\?.*'정치', '생활문화'"
    ):
        read(write("title,label\n가,0\n나,생활 문화\n"), label_set=labels)


def test_separated_labels(write):
    corpus = read(write("text,tags\n가,b|a\n나,a\n다,\n"), label_separator="|")
    assert corpus.labels == [("a", "b"), ("a",), ()]
    assert corpus.label_set == LabelSet(("a", "b"), {}, True)


def test_lists_in_csv_and_jsonl(write):
    assert read(write("text,labels\n가,\"['b', 'a']\"\n나,[]\n")).labels == [("a", "b"), ()]
    lines = '{"text": "가", "labels": ["a", "b"]}\n{"text": "나", "labels": ["b"]}\n'
    assert read(write(lines, "a.jsonl")).labels == [("a", "b"), ("b",)]


def test_lists_of_one_everywhere_are_single_labels(write):
    lines = '{"text": "가", "labels": ["a"]}\n{"text": "나", "labels": ["b"]}\n'
    path = write(lines, "a.jsonl")
    assert read(path).labels == ["a", "b"]
    assert read(path, label_set=LabelSet(("a", "b"), {}, True)).labels == [("a",), ("b",)]


def test_several_labels_for_a_single_label_model(write):
    path = write('{"text": "가", "labels": ["a", "b"]}\n', "a.jsonl")
    with pytest.raises(DataError, match="line 1: 2 labels, but the model gives exactly one"):
        read(path, label_set=LabelSet(("a", "b")))


def test_a_label_map_on_lists_drops_rows_left_bare(write):
    lines = '{"text": "가", "labels": [1, 2]}\n{"text": "나", "labels": [3]}\n{"text": "다", "labels": [1]}\n'
    corpus = read(write(lines, "a.jsonl"), label_map={"낮음": 1, "중간": 2})
    assert corpus.labels == [("낮음", "중간"), ("낮음",)]


FLAGS = "id,document,toxic,insult\n1,가,1,0\n2,나,1,1\n3,다,0,0\n"


def test_flags_are_found_and_named(write):
    for path, kwargs in ((write(FLAGS), {}), (write(FLAGS), {"label_column": "toxic,insult"})):
        corpus = read(path, **kwargs)
        assert corpus.labels == [("toxic",), ("toxic", "insult"), ()]
        assert corpus.label_set == LabelSet(("toxic", "insult"), {}, True)
    assert read(write(FLAGS), label_column=["insult"]).labels == ["0", "1", "0"]


def test_flags_for_a_model(write):
    labels = LabelSet(("insult", "toxic", "threat"), {}, True)
    corpus = read(write(FLAGS), label_set=labels)
    assert corpus.labels == [("toxic",), ("insult", "toxic"), ()]
    with pytest.raises(DataError, match="does not know: 'insult'"):
        read(write(FLAGS), label_set=LabelSet(("toxic",), {}, True))


def test_what_is_not_a_flag(write):
    with pytest.raises(DataError, match="line 3, column 'toxic': '2' is neither 0 nor 1"):
        read(write(FLAGS.replace("나,1", "나,2")), label_column="toxic,insult")
    with pytest.raises(DataError, match="label_map works on one label column"):
        read(write(FLAGS), label_column="toxic,insult", label_map={"a": 1})


def test_other_columns_keep_flags_from_being_guessed(write):
    with pytest.raises(DataError, match=r"which column holds the label.*'toxic', 'insult', 'date'"):
        read(write("document,toxic,insult,date\n가,1,0,2020\n"))


def test_fasttext_lines(write):
    single = read(write("__label__정치 선거 결과\n__label__경제 주가\n", "a.txt"))
    assert single.labels == ["정치", "경제"]
    assert single.texts == ["선거 결과", "주가"]
    several = read(write("__label__정치 __label__경제 예산\n__label__경제 주가\n", "b.txt"))
    assert several.labels == [("경제", "정치"), ("경제",)]
    assert several.label_set.multilabel
