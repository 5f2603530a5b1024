import json

import pandas as pd

from gallae.data.corpus import Corpus
from gallae.data.labels import LabelSet
from gallae.data.statistics import conflicts, describe, duplicates, label_balance, lengths, overlap

TEXTS = [
    "대통령 선거 결과 오늘 밤 발표한다",
    "대통령 선거 결과 오늘 밤 발표한다",
    "대통령 선거결과, 오늘 밤 발표한다",
    "대통령 선거 결과 오늘 밤 발표한다 종합",
    "전혀 다른 이야기를 하는 문장",
    "",
    "  ",
]


def make(texts, labels, multilabel=False) -> Corpus:
    cells = pd.Series([*labels, None], dtype=object)[:-1]
    names = tuple(sorted({name for row in labels for name in (row if multilabel else (row,))}))
    table = pd.DataFrame({"index": range(len(texts)), "text": texts, "label": cells})
    return Corpus(table, LabelSet(names, {}, multilabel), "here.csv")


def test_duplicates_by_kind():
    found = duplicates(TEXTS)
    assert [found[kind]["rows"] for kind in ("exact", "normalised", "near")] == [1, 3, 4]
    assert found["near"]["groups"] == 2
    assert found["near"]["examples"][0]["count"] == 4
    assert len(found["near"]["examples"][0]["texts"]) == 3


def test_conflicts():
    found = conflicts(TEXTS[:5], ["정치", "경제", "정치", "경제", "경제"])
    assert found["texts"] == 1
    assert found["rows"] == 3
    assert found["examples"] == [{"text": TEXTS[0], "labels": {"정치": 2, "경제": 1}}]
    assert conflicts(["가", "가"], [("a", "b"), ()])["examples"][0]["labels"] == {"a + b": 1, "(none)": 1}


def test_balance():
    found = label_balance(make(["가", "나", "다"], ["a", "a", "b"]))
    assert found["counts"] == {"a": 2, "b": 1}
    assert found["imbalance"] == 2
    several = label_balance(make(["가", "나", "다"], [("a", "b"), (), ("a",)], True))
    assert several["per_row"] == 1
    assert several["none"] == 1
    assert several["combinations"] == 3


def test_lengths():
    found = lengths([1, 2, 9])
    assert (found["mean"], found["quantiles"]["0.5"], found["longest"], found["longest_row"]) == (
        4.0,
        2.0,
        9,
        2,
    )
    assert lengths([])["longest_row"] is None


def test_overlap():
    found = overlap([*TEXTS[:1], "새로운 소식 하나", TEXTS[3]], [TEXTS[2], "새로운 소식 하나"])
    assert (found["exact"], found["normalised"], found["near"]) == (1, 2, 3)
    assert found["near_share"] == 1.0
    assert found["examples"][0] == {"text": TEXTS[0], "other": TEXTS[2]}


def test_everything_at_once_is_json():
    corpus = make(TEXTS, ["정치", "정치", "경제", "정치", "경제", "경제", "경제"])
    found = describe(corpus, [text.split() for text in TEXTS], against=corpus)
    assert json.loads(json.dumps(found, ensure_ascii=False, allow_nan=False)) == found
    assert found["rows"] == 7
    assert (found["empty"], found["whitespace"]) == (1, 1)
    assert found["overlap"]["exact"] == 7
    assert found["tokens"]["longest"] == 7
    assert set(found["telling_terms"]) == {"정치", "경제"}


def test_without_labels_and_tokens():
    corpus = Corpus(pd.DataFrame({"index": [0], "text": ["가"]}), None, "x")
    found = describe(corpus)
    assert not {"labels", "conflicts", "tokens", "overlap"} & set(found)
