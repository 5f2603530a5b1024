import json

import pandas as pd
import pytest

from gallae.data import Corpus, LabelSet, read
from gallae.errors import DataError, GallaeError, OutputError, TextError
from gallae.text import DEFAULT_STEPS, STEPS, TextPipeline
from gallae.workflows import clean as module
from gallae.workflows.clean import clean, clean_summary, run_steps
from gallae.workflows.showing import difference, one_line, percent, row_list, short_source

pytestmark = pytest.mark.filterwarnings("error")
SUFFIXES = ("csv", "tsv", "jsonl", "parquet")

# What breaks careless CSV writers: quotes, commas, line breaks of every kind, leading spaces, formulas.
TEXTS = [
    "<b>금리</b> &quot;동결&quot;, 물가↑",
    '"따옴표로 시작',
    "'작은따옴표', 쉼표",
    "줄\n바꿈\r캐리지\r\n둘 다",
    "\t탭으로 시작",
    "",
    "=1+2",
    "한글",
    '"전부"',
    "끝에 역슬래시\\",
]


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    monkeypatch.setenv("GALLAE_CACHE", "off")


def corpus(texts=TEXTS, labels=None, multilabel=False, **others):
    table = pd.DataFrame({"index": range(10, 10 + len(texts)), "text": pd.Series(texts, dtype="str")})
    label_set = None
    if labels is not None:
        table["label"] = pd.Series(labels, dtype=object if multilabel else "str")
        names = sorted({name for row in labels for name in (row if multilabel else (row,))})
        label_set = LabelSet(tuple(names), {}, multilabel)
    for name, values in others.items():
        table[name] = values
    return Corpus(table, label_set, "corpus")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("steps", [["nfc", "html", "symbols"], list(DEFAULT_STEPS)])
def test_output_reads_back_to_the_same_texts(tmp_path, suffix, steps):
    path = tmp_path / f"out.{suffix}"
    labels = ["b", "a"] * 5
    result = clean(corpus(labels=labels), path, steps=steps)
    again = read(path)
    wanted = TextPipeline(steps).apply(TEXTS)
    if suffix == "tsv":  # which has no way to write them
        assert [text.split() for text in again.texts] == [text.split() for text in wanted]
    else:
        assert again.texts == wanted
        assert again.table["original"].fillna("").tolist() == TEXTS
    assert again.labels == labels
    assert again.table["index"].tolist() == list(range(10, 20))
    assert result["columns"] == ["index", "text", "original", "label"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_several_labels_and_other_columns(tmp_path, suffix):
    labels = [("a", "b"), (), ("b",)]
    made = corpus(["하나", "두울", "세엣"], labels, True, source=["x", None, "z"], n=[1, 2, 3])
    path = tmp_path / f"out.{suffix}"
    clean(made, path)
    again = read(path)
    assert again.labels == labels
    assert again.label_set is not None and again.label_set.multilabel
    assert again.table["source"].fillna("").tolist() == ["x", "", "z"]
    assert again.table["n"].tolist() == ["1", "2", "3"]


def test_file_keeps_its_column_names(tmp_path):
    source = tmp_path / "train.csv"
    source.write_text("id,title,topic_idx,press\n7,<b>하나</b>,1,가\n9,둘,0,나\n", encoding="utf-8")
    (tmp_path / "topic_dict.csv").write_text("topic,topic_idx\n정치,0\n경제,1\n", encoding="utf-8")
    folder = tmp_path / "elsewhere"
    result = clean(source, folder / "out.csv")
    assert result["columns"] == ["id", "title", "original", "topic_idx", "press"]
    again = read(folder / "out.csv")
    assert (again.texts, again.labels) == (["하나", "둘"], ["경제", "정치"])
    assert again.table["index"].tolist() == [7, 9]
    clean(source, tmp_path / "out.csv")  # beside the dictionary
    assert read(tmp_path / "out.csv").labels == ["경제", "정치"]


@pytest.mark.parametrize(
    ("header", "reading"),
    [
        ("text,title,label,topic", {"text_column": "title", "label_column": "topic"}),
        ("original,a,b,label", {"text_column": "original"}),
        ("a,b,c,d", {"text_column": "b", "label_column": "d"}),
        ("title,body,c,label", {"text_column": "title,body"}),
        ("file_text,text,c,label", {"text_column": "file_text"}),
    ],
)
def test_awkward_columns_still_read_back(tmp_path, header, reading):
    source = tmp_path / "a.csv"
    source.write_text(f"{header}\n<i>하나</i>,둘,셋,가\n넷,다섯,여섯,나\n", encoding="utf-8")
    wanted = read(source, **reading)
    result = clean(source, tmp_path / "out.csv", **reading)
    again = read(tmp_path / "out.csv")
    assert again.texts == TextPipeline(DEFAULT_STEPS).apply(wanted.texts)
    assert again.labels == wanted.labels
    assert again.table["original"].tolist() == wanted.texts
    # Index, text, original, label and every column that was not joined into the text.
    assert len(result["columns"]) == len(wanted.table.columns) + 1


def test_clean_twice(tmp_path):
    clean(corpus(["<b>가나</b>"], ["a"]), tmp_path / "a.csv", steps=["html"])
    result = clean(tmp_path / "a.csv", tmp_path / "b.csv")
    assert result["columns"] == ["index", "text", "original", "label", "file_original"]
    assert read(tmp_path / "b.csv").table["file_original"].tolist() == ["<b>가나</b>"]


def test_counts_examples_and_summary(tmp_path):
    texts = ["<b>가</b>", "나  다", "<i>라</i>  마", "바", "!!!"]
    result = clean(corpus(texts), tmp_path / "a.csv", steps=["html", "spaces", "hangul_only"], examples=1)
    assert [(step["step"], step["changed"]) for step in result["steps"]] == [
        ("html", 2),
        ("spaces", 2),
        ("hangul_only", 1),
    ]
    assert result["steps"][0]["examples"] == [["<b>가</b>", "가"]]
    assert result["steps"][0]["share"] == pytest.approx(0.4)
    assert (result["changed"], result["rows"]) == (4, 5)
    assert result["emptied"] == {"count": 1, "rows": [4]}
    assert result["examples"] == [{"row": 0, "before": "<b>가</b>", "after": "가"}]
    json.dumps(result, allow_nan=False)
    lines = "\n".join(clean_summary(result))
    assert "5 texts, 4 changed (80.0 %)" in lines
    assert "나␣␣다  →  나␣다" in lines
    assert "nothing left: 1 (rows 4, counted" in lines
    assert str(tmp_path / "a.csv") in lines


def test_units(tmp_path):
    made = corpus(["<b>학교에</b> 갔다"])
    tokens = {
        "word": "학교에 갔다",
        "jamo": "ㅎ ㅏ ㄱ ㄱ ㅛ ㅇ ㅔ   ㄱ ㅏ ㅆ ㄷ ㅏ",
        "morpheme": "학교 에 가 었 다",
    }
    for unit, text in tokens.items():
        result = clean(made, tmp_path / "a.csv", unit=unit, force=True)
        assert read(tmp_path / "a.csv", labels="none").texts == [text]
        assert result["unit"] == unit
    assert result["tokens"] == 5
    assert "unit morpheme: 5 tokens" in "\n".join(clean_summary(result))
    clean(made, tmp_path / "a.csv", unit="morpheme", drop_tags=["J*", "E*"], force=True)
    assert read(tmp_path / "a.csv", labels="none").texts == ["학교 가"]


def test_dictionary(tmp_path):
    clean(corpus(["KBO 개막"]), tmp_path / "a.csv", steps=["abbreviations"],
          dictionary={"abbreviations": {"KBO": "한국야구위원회"}})  # fmt: skip
    assert read(tmp_path / "a.csv", labels="none").texts == ["한국야구위원회 개막"]


@pytest.mark.parametrize("piece", [1, 3, 100])
def test_steps_one_by_one_are_the_pipeline(monkeypatch, piece):
    monkeypatch.setattr(module, "_PIECE", piece)
    pipeline = TextPipeline(list(STEPS))
    texts = [*TEXTS, "美 中", "ＫＢＳ　２", "ㅋㅋㅋㅋㅋ"]
    cleaned, changes = run_steps(texts, pipeline)
    assert cleaned == pipeline.apply(texts)
    wanted = pipeline.changes(texts)
    assert [(c["step"], c["changed"]) for c in changes] == [(c.step, c.changed) for c in wanted]


def test_refused_before_anything_is_read(tmp_path):
    missing = tmp_path / "missing.csv"
    with pytest.raises(OutputError, match=r"\.csv, \.tsv, \.jsonl, \.parquet, not as \.txt"):
        clean(missing, tmp_path / "a.txt")
    with pytest.raises(OutputError, match="without a suffix"):
        clean(missing, tmp_path / "a")
    (tmp_path / "a.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="exists already"):
        clean(missing, tmp_path / "a.csv")
    with pytest.raises(TextError, match="no text step"):
        clean(missing, tmp_path / "b.csv", steps=["htm"])
    with pytest.raises(TextError, match="no unit"):
        clean(missing, tmp_path / "b.csv", unit="morphem")
    with pytest.raises(TextError, match="unit 'morpheme'"):
        clean(missing, tmp_path / "b.csv", drop_tags=["J*"])
    with pytest.raises(GallaeError, match="format"):
        clean(corpus(), tmp_path / "b.csv", format="csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "mine"


def test_bad_input_and_failed_writing_leave_nothing(tmp_path, monkeypatch):
    source = tmp_path / "a.csv"
    source.write_text("text,label\n하나,가\n둘\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 3"):
        clean(source, tmp_path / "b.csv")
    with pytest.raises(OutputError, match=r"row 1 .*NUL"):
        clean(corpus(["가", "나\0"]), tmp_path / "b.csv")
    clean(corpus(["가", "나\0"]), tmp_path / "b.jsonl")
    assert read(tmp_path / "b.jsonl", labels="none").texts == ["가", "나"]

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "__getitem__", full)
    with pytest.raises(OutputError, match="No space left"):
        module.write_corpus_file(pd.DataFrame({"text": ["가"]}), tmp_path / "c.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.jsonl"]


def test_wording():
    assert [percent(share) for share in (0, 0.00001, 0.1234, 0.99999, 1)] == [
        "0 %", "<0.1 %", "12.3 %", "99.9 %", "100 %",
    ]  # fmt: skip
    assert row_list([1, 2, 3], 3, "and {} more") == "1, 2, 3"
    assert row_list(list(range(10)), 1234, "and {} more", 2) == "0, 1 and 1,232 more"
    assert one_line("가\n나\0 " + "다" * 100, 10) == "가 나[U+0000]…"[:9] + "…"
    assert difference("가  나", "가 나") == ("가␣␣나", "가␣나")
    assert difference("\uf933", "\u76e7") == ("\uf933[U+F933]", "\u76e7")
    assert difference("\u1112\u1161", "하") == ("|\u1112|\u1161", "하")
    long = "가" * 100
    old, new = difference(long + "나" + long, long + "다" + long)
    assert old == "…" + "가" * 24 + "나" + "가" * 45 + "…"
    assert new[25] == "다"
    assert short_source("/a/b/c.csv") == "b/c.csv"
    assert short_source("hf:a/b/c") == "hf:a/b/c"
