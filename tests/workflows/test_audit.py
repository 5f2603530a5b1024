import json
import re
from html import escape

import pandas as pd
import pytest

from gallae.data import Corpus, LabelSet
from gallae.errors import DataError, GallaeError, OutputError, TextError
from gallae.workflows.audit import audit, audit_summary
from gallae.workflows.audit_measures import expected_straddling, repeating
from gallae.workflows.audit_wording import LANGUAGES
from gallae.workflows.audit_words import coverage, split_words

pytestmark = pytest.mark.filterwarnings("error")

ROWS = [
    ("정부 내년 예산안 국회 제출", "정치"),  # 0
    ("정부 내년 예산안 국회 제출", "정치"),  # 1: equal to 0
    ("정부, 내년 예산안 국회 제출", "경제"),  # 2: equal to 0 when normalised, another label
    ("코스피 사흘째 올라 이천오백선 회복하며 마감했다", "경제"),  # 3
    ("코스피 사흘째 올라 이천오백선 회복하며 마감했다 종합", "사회"),  # 4: nearly 3, another label
    ("", "사회"),  # 5
    (" \t", "사회"),  # 6
    ("깨진 글자가 든 제목 \ufffd\ufffd", "사회"),  # 7
    ("<b>굵은</b> 제목 &amp; 사진", "경제"),  # 8
    ("!!! ...", "경제"),  # 9
    ("美 대통령 방한 일정 확정 <script>alert(1)</script>", "정치"),  # 10
    ("여당 원내대표 선출 투표 시작", "정치"),  # 11
]
PLANTED = {
    "blank": (2, [5, 6]),
    "damaged": (1, [7]),
    "conflicts": (1, [0, 1, 2]),
    "near_conflicts": (1, [3, 4]),
    "exact": (1, [1]),
    "near": (3, [1, 2, 4]),
    "signs_only": (1, [9]),
    "overlap": (2, [1, 2]),
    "small_labels": (3, []),
    "html": (2, []),
}
TEST_ROWS = [
    ("전혀 다른 제목 하나", "정치"),
    ("정부 내년 예산안 국회 제출", "스포츠"),
    ("코스피 사흘째 올라 이천오백선 회복하며 마감했다!", "경제"),
    ("", "경제"),
]


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    monkeypatch.setenv("GALLAE_CACHE", "off")


def write(path, rows):
    pd.DataFrame(rows, columns=["title", "topic"]).to_csv(path, index=False)
    return path


@pytest.fixture
def train(tmp_path):
    return write(tmp_path / "train.csv", ROWS)


@pytest.fixture
def test(tmp_path):
    return write(tmp_path / "test.csv", TEST_ROWS)


def by_kind(result):
    return {finding["kind"]: finding for finding in result["findings"]}


def corpus(texts, labels=None, multilabel=False):
    table = pd.DataFrame({"index": range(len(texts)), "text": pd.Series(texts, dtype="str")})
    if labels is None:
        return Corpus(table, None, "corpus")
    table["label"] = pd.Series(labels, dtype=object if multilabel else "str")
    names = sorted({name for row in labels for name in (row if multilabel else (row,))})
    return Corpus(table, LabelSet(tuple(names), {}, multilabel), "corpus")


def test_planted_defects_are_found(train, test):
    result = audit(train, against=test)
    found = by_kind(result)
    assert {kind: (found[kind]["count"], found[kind]["rows"]) for kind in PLANTED} == PLANTED
    assert result["duplicates"]["exact"]["rows"] == 1
    assert result["conflicts"]["outvoted"] == 1
    assert result["conflicts"]["examples"][0]["labels"] == {"정치": 2, "경제": 1}
    assert result["near_conflicts"]["examples"][0]["row_labels"] == ["경제", "사회"]
    assert result["overlap"]["there"] == {
        "exact": 1, "normalised": 2, "near": 2,
        "exact_share": 0.25, "normalised_share": 0.5, "near_share": 0.5,
    }  # fmt: skip
    assert {(pair["row"], pair["other_row"]) for pair in result["overlap"]["examples"]} == {(0, 1), (3, 2)}
    assert result["overlap"]["labels_differ"] == {"count": 1, "rows": [1]}
    assert found["unknown_labels"]["text"].startswith("Labels of")
    assert "스포츠" in found["unknown_labels"]["text"]
    assert "rows 0, 1, 2" in found["conflicts"]["text"]
    assert "50.0 %" in found["overlap"]["text"]


def test_gravest_first(train):
    levels = [finding["level"] for finding in audit(train)["findings"]]
    assert levels == sorted(levels, key=("problem", "warning", "note").index)
    assert {"problem", "warning", "note"} == set(levels)


@pytest.mark.parametrize("language", LANGUAGES)
def test_page(train, test, tmp_path, language):
    result = audit(train, against=test, output=tmp_path / "a.html", language=language)
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|<link|<b>굵은", html)
    assert "&lt;script&gt;alert(1)" in html
    assert "깨진 글자가 든 제목 \ufffd\ufffd" in html
    assert html.count("<svg") == 6
    assert "font/woff;base64" in html
    for finding in result["findings"]:
        assert escape(finding["text"]) in html
    audit(train, against=test, output=tmp_path / "b.html", language=language)
    assert (tmp_path / "b.html").read_bytes() == (tmp_path / "a.html").read_bytes()
    assert len(list(tmp_path.iterdir())) == 4


def test_result_is_json_and_deterministic(train, test):
    result = audit(train, against=test)
    assert json.loads(json.dumps(result, ensure_ascii=False, allow_nan=False)) == result
    assert audit(train, against=test) == result
    assert next(iter(result)) == "findings"


def test_lengths_words_and_scripts(train):
    result = audit(train)
    assert result["characters"]["longest_row"] == 10
    assert result["morphemes"]["shortest"] == 0
    assert result["scripts"]["hanja"]["texts"] == pytest.approx(1 / 12)
    assert result["frequent"]["before"][:3] == [["국회", 3], ["내년", 3], ["예산안", 3]]
    # After cleaning, hanja is read, markup is gone and signs are no words.
    after = dict(result["frequent"]["after"])
    assert after["미국"] == 1
    assert "정부" in after
    assert not {"!!!", "b", "script", "美"} & set(after)
    assert result["vocabulary"]["coverage"]["0.99"] <= result["vocabulary"]["words"]
    steps = {change["step"]: change["changed"] for change in result["cleaning"]}
    assert steps == {"hanja": 1, "nfc": 0, "html": 2, "control": 2, "spaces": 3}


def test_clean_data_has_no_complaint():
    texts = [f"{thing} 소식 {number}번째 이야기" for number in range(30) for thing in ("축구", "금리")]
    result = audit(corpus(texts, ["스포츠", "경제"] * 30))
    assert "problem" not in {finding["level"] for finding in result["findings"]}
    assert "no empty text, no damaged encoding, no repeated text" in by_kind(result)["fine"]["text"]
    assert result["telling_terms"]["스포츠"][0]["term"] == "축구"


def test_unlabelled(tmp_path):
    result = audit(corpus(["가나다 소식", "라마바 이야기"]), output=tmp_path / "a.html")
    assert not {"labels", "conflicts", "near_conflicts", "telling_terms"} & set(result)
    assert "--label-column" in by_kind(result)["no_labels"]["text"]


def test_multilabel(tmp_path):
    labels = [("a", "b"), (), ("a",), ("b",)]
    result = audit(
        corpus(["가나 소식", "가나 소식", "나무", "다리"], labels, True), output=tmp_path / "a.html"
    )
    found = by_kind(result)
    assert found["conflicts"]["rows"] == [0, 1]
    assert "sets of labels" in found["conflicts"]["text"]
    assert found["unlabelled_rows"]["count"] == 1
    assert result["together"]["a"] == {"a": 1.0, "b": 0.5}


def test_one_row_and_one_label(tmp_path):
    result = audit(corpus(["하나뿐인 글"], ["정치"]), output=tmp_path / "a.html")
    assert by_kind(result)["one_label"]["level"] == "problem"


@pytest.mark.parametrize("labels", [None, ["정치", "경제"]])
def test_empty_texts_only(tmp_path, labels):
    result = audit(corpus(["", "  "], labels), output=tmp_path / "a.html", against=corpus(["", "글"]))
    finding = result["findings"][0]
    assert (finding["kind"], finding["count"]) == ("blank", 2)
    assert "--text-column" in finding["text"]
    assert not {"exact", "near", "conflicts", "little_hangul", "overlap"} & set(by_kind(result))
    assert audit_summary(result)


def test_label_shift():
    result = audit(
        corpus(["하나", "두울", "세엣", "네엣"], ["a", "a", "a", "b"]),
        against=corpus(["다섯", "여섯"], ["a", "b"]),
    )
    assert result["overlap"]["labels"]["distance"] == 0.25
    assert "75.0 % here, 50.0 % there" in by_kind(result)["label_shift"]["text"]


def test_against_labels_as_ids_or_without_the_label_column(tmp_path):
    folder = tmp_path / "dacon"
    folder.mkdir()
    (folder / "train_data.csv").write_text(
        "index,title,topic_idx\n0,하나 둘,0\n1,셋 넷,1\n", encoding="utf-8"
    )
    (folder / "topic_dict.csv").write_text("topic,topic_idx\n정치,0\n경제,1\n", encoding="utf-8")
    other = tmp_path / "valid.csv"
    other.write_text("index,title,topic_idx\n7,다섯,1\n8,여섯,1\n", encoding="utf-8")
    result = audit(folder / "train_data.csv", against=other)
    assert result["overlap"]["labels"]["counts"] == {"정치": 0, "경제": 2}
    other.write_text("index,title\n7,하나 둘\n", encoding="utf-8")
    result = audit(folder / "train_data.csv", against=other, label_column="topic_idx")
    assert result["overlap"]["there"]["near"] == 1


def test_repeated_ids_and_rows_shown_with_them(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,text,label\n7,하나,a\n8,둘,b\n7,셋,a\n", encoding="utf-8")
    found = by_kind(audit(path))
    assert (found["repeated_index"]["count"], found["repeated_index"]["rows"]) == (1, [2])


def test_summary(train, test):
    lines = audit_summary(audit(train, against=test))
    text = "\n".join(lines)
    assert lines[0].endswith("train.csv: 12 rows")
    assert lines[1].startswith("!! ")
    assert "Rows are counted from 0" in text
    assert "near 3" in text
    assert not any("\n" in line for line in lines)


def test_existing_output_is_refused_before_anything_is_read(tmp_path):
    page = tmp_path / "a.html"
    page.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="exists already"):
        audit(tmp_path / "missing.csv", output=page)
    assert page.read_text(encoding="utf-8") == "mine"


def test_force_replaces_only_when_the_page_is_whole(train, tmp_path, monkeypatch):
    page = tmp_path / "a.html"
    page.write_text("mine", encoding="utf-8")
    audit(train, output=page, force=True)
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    monkeypatch.setattr(
        "pathlib.Path.write_text", lambda *_args, **_more: (_ for _ in ()).throw(OSError(28, "full"))
    )
    before = page.read_bytes()
    with pytest.raises(OutputError, match="full"):
        audit(train, output=page, force=True)
    assert page.read_bytes() == before
    assert not list(tmp_path.glob(".a.html*"))


def test_bad_input(tmp_path):
    damaged = tmp_path / "a.csv"
    damaged.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    page = tmp_path / "a.html"
    with pytest.raises(DataError):
        audit(damaged, output=page)
    with pytest.raises(DataError, match="no such file"):
        audit(tmp_path / "none.csv", output=page)
    with pytest.raises(DataError):
        audit(write(tmp_path / "b.csv", ROWS), against=damaged, output=page)
    with pytest.raises(TextError, match="no text step"):
        audit(corpus(["글"]), steps=["nfx"], output=page)
    with pytest.raises(GallaeError, match="en or ko"):
        audit(corpus(["글"]), language="fr", output=page)
    with pytest.raises(GallaeError, match="text_column"):
        audit(corpus(["글"]), text_column="title")
    assert not list(tmp_path.glob("*.html")) and not list(tmp_path.glob(".*"))


def test_parts():
    assert coverage(pd.Series([1, 1, 2, 6]).to_numpy())["0.5"] == 1
    assert coverage(pd.Series([1, 1, 2, 6]).to_numpy())["0.8"] == 2
    assert coverage(pd.Series([], dtype=int).to_numpy())["0.5"] == 0
    groups = pd.Series([0, 1, 0, 2, 0]).to_numpy()
    assert repeating(groups) == [2, 4]
    assert expected_straddling(groups, 0.5) == pytest.approx(3 * 0.75 / 5)
    words = split_words(["a b"], [["좋/VA", "다/EF", "AI/SL", "…/SE", "→/SW", "은행/NNG"]])
    assert words.content == [["좋다", "은행"]]
    assert words.telling == [["좋다", "AI", "은행"]]
    assert words.morphemes == [["좋", "다", "AI", "…", "→", "은행"]]


def test_both_languages_say_the_same_things():
    assert LANGUAGES["en"].keys() == LANGUAGES["ko"].keys()
    for key, text in LANGUAGES["en"].items():
        there = LANGUAGES["ko"][key]
        assert set(re.findall(r"{[a-z_]+", text)) == set(re.findall(r"{[a-z_]+", there)), key
