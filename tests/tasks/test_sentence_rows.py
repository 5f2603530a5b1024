"""Reading pairs, triplets and translations."""

import pytest

from gallae.errors import DataError
from gallae.tasks.sentence_rows import SentenceRow, read_rows, unit_scores


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def test_korsts_and_kornli_layouts(tmp_path):
    sts = "genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\n"
    sts += 'main\tMSR\t2012\t1\t3.800\t비가 온다, "또"\t비\n'
    assert read_rows(write(tmp_path, "sts.tsv", sts), "regression") == [
        SentenceRow(('비가 온다, "또"', "비"), 3.8)
    ]
    nli = "sentence1\tsentence2\tgold_label\n비가 온다.\t맑다.\tcontradiction\n"
    wanted = [SentenceRow(("비가 온다.", "맑다."), "contradiction")]
    assert read_rows(write(tmp_path, "nli.tsv", nli), "classification") == wanted


def test_other_files_and_names(tmp_path):
    triplet = "anchor,positive,negative\n가,나,다\n"
    assert read_rows(write(tmp_path, "t.csv", triplet), "triplet") == [SentenceRow(("가", "나", "다"))]
    lines = '{"question1": "가", "question2": "나", "is_duplicate": 1}\n'
    assert read_rows(write(tmp_path, "q.jsonl", lines), "classification") == [SentenceRow(("가", "나"), "1")]
    assert read_rows(tmp_path / "q.jsonl", "ranking") == [SentenceRow(("가", "나"))]
    cp949 = write(tmp_path, "p.tsv", "English\tKorean\nrain\t비\nsun\t해\n", "cp949")
    assert read_rows(cp949, "distillation") == [SentenceRow(("rain", "비")), SentenceRow(("sun", "해"))]


def test_columns_can_be_named(tmp_path):
    path = write(tmp_path, "a.csv", "id,left,right,grade,label\n1,가,나,0.5,x\n")
    rows = read_rows(path, "regression", columns="right,left", label_column="grade")
    assert rows == [SentenceRow(("나", "가"), 0.5)]
    assert read_rows(path, "ranking", columns=["left", "label"]) == [SentenceRow(("가", "x"))]


@pytest.mark.parametrize(
    ("layout", "text", "says"),
    [
        ("regression", "sentence1,sentence2,score\na,b,1\na,b,hoch\n", "line 3: 'score' holds 'hoch'"),
        ("regression", "sentence1,sentence2,score\na,b,-1\n", "line 2.*from 0"),
        ("regression", "sentence1,sentence2,score\na,b,nan\n", "line 2.*from 0 up"),
        ("regression", "sentence1,sentence2,score\na,b,inf\n", "line 2"),
        ("regression", "sentence1,sentence2\na,b\n", "which column holds the score"),
        ("classification", "sentence1,sentence2,label\na,b,\n", "line 2.*'label' is empty"),
        ("triplet", "anchor,positive,negative\na,b,c\na,,c\n", "line 3.*'positive' is empty"),
        ("triplet", "anchor,positive\na,b\n", "which column holds the negative"),
        ("ranking", "sentence1,sentence2\n", "no rows"),
        (
            "distillation",
            "it is raining today again\t오늘 또 비가 온다고 하네요\nsun\t해\n",
            "line 1.*looks like a sentence",
        ),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path, layout, text, says):
    path = write(tmp_path, "x.tsv" if "\t" in text else "x.csv", text)
    with pytest.raises(DataError, match=says) as error:
        read_rows(path, layout)
    assert str(path) in str(error.value)


def test_named_columns_are_checked(tmp_path):
    path = write(tmp_path, "a.csv", "left,right,grade\n가,나,1\n")
    with pytest.raises(DataError, match="3 are needed: anchor, positive, negative"):
        read_rows(path, "triplet", columns=["left", "right"])
    with pytest.raises(DataError, match=r"'grad'.*--columns.*'grade'"):
        read_rows(path, "triplet", columns="left,right,grad")
    with pytest.raises(DataError, match="reads no label"):
        read_rows(path, "ranking", columns="left,right", label_column="grade")
    with pytest.raises(DataError, match="no objective 'rhyme'"):
        read_rows(path, "rhyme")
    with pytest.raises(DataError, match="no such file"):
        read_rows(tmp_path / "none.csv", "regression")


def test_scores_are_brought_between_0_and_1():
    assert unit_scores([0, 0.5, 1]) == [0, 0.5, 1]
    assert unit_scores([0, 2.5, 5]) == [0, 0.5, 1]
    assert unit_scores([0, 5], highest=10) == [0, 0.5]
    with pytest.raises(DataError, match="above 5"):
        unit_scores([7.0])
