import logging

import pandas as pd
import pytest

from gallae.data.checks import check_trainable
from gallae.data.corpus import Corpus
from gallae.data.labels import LabelSet
from gallae.errors import DataError


def make(texts, labels, names=None, multilabel=False) -> Corpus:
    cells = pd.Series([*labels, None], dtype=object)[:-1]
    table = pd.DataFrame({"index": range(len(texts)), "text": texts, "label": cells})
    return Corpus(table, LabelSet(tuple(names or sorted(set(labels))), {}, multilabel), "here.csv")


def test_what_can_be_trained_on():
    check_trainable(make(["가", "나", "다", ""], ["a", "b", "a", "b"]), splits_wanted=2)


def test_a_label_without_rows_is_only_said(caplog):
    with caplog.at_level(logging.WARNING):
        check_trainable(make(["가", "나", "다", "라"], ["a", "b", "a", "b"], ["a", "b", "c"]))
    assert "no row has the label c" in caplog.text


@pytest.mark.parametrize(
    ("corpus", "splits", "message"),
    [
        (make(["가"], ["a"]), 1, "has 1 row. Training needs at least two rows"),
        (make(["가", "나"], ["a", "a"]), 1, "every row has the label 'a'"),
        (make(["가", "나", "다"], ["a", "a", "b"]), 1, "at least 2 rows for training; 'b' has 1"),
        (make(["가", "나", "다", "라"], list("abcd")), 1, "Is --label-column the right one"),
        (
            make(["가", "나", "다", "라"], list("aabb")),
            5,
            "at least 5 rows for 5 folds; 'a' has 2, .*fewer folds",
        ),
        (make(["", " ", "", ""], list("aabb")), 1, "all 4 texts are empty"),
        (make(["가", "나"], [("a",), ()], ["a"], True), 1, "each label needs at least 2 rows; 'a' has 1"),
        (make(["가", "나"], [("a",), ("a",)], ["a"], True), 1, "nothing to tell apart"),
        (Corpus(pd.DataFrame({"index": [0, 1], "text": ["가", "나"]}), None, "x"), 1, "has no labels"),
    ],
)
def test_what_cannot(corpus, splits, message):
    with pytest.raises(DataError, match=message):
        check_trainable(corpus, splits)
