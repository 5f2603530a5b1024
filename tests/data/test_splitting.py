from collections import Counter

import numpy as np
import pandas as pd
import pytest

from gallae.data.corpus import Corpus
from gallae.data.duplicates import near_duplicates
from gallae.data.labels import LabelSet, in_order
from gallae.data.splitting import folds, holdout, straddling
from gallae.errors import DataError


def make(labels, texts=None, **columns) -> Corpus:
    texts = texts or [f"글 {at} {'가나다라마바사'[at % 7] * (at % 11)}" for at in range(len(labels))]
    cells = pd.Series([*labels, None], dtype=object)[:-1]
    table = pd.DataFrame({"index": range(len(labels)), "text": texts, "label": cells, **columns})
    multilabel = isinstance(labels[0], tuple)
    names = {name for row in labels for name in row} if multilabel else set(labels)
    return Corpus(table, LabelSet(in_order(names), {}, multilabel), "here.csv")


LABELS = ["a"] * 60 + ["b"] * 30 + ["c"] * 10


def test_holdout_is_stratified_and_deterministic():
    corpus = make(LABELS)
    train, valid = holdout(corpus, 0.2, seed=1)
    assert Counter(LABELS[row] for row in valid) == {"a": 12, "b": 6, "c": 2}
    assert sorted([*train, *valid]) == list(range(100))
    assert np.array_equal(valid, holdout(corpus, 0.2, seed=1)[1])
    assert not np.array_equal(valid, holdout(corpus, 0.2, seed=2)[1])


def test_every_class_stands_on_both_sides():
    train, valid = holdout(make(["a"] * 50 + ["b"] * 2), 0.1, seed=0)
    assert train.max() >= 50
    assert valid.max() >= 50


def test_many_small_classes_keep_the_share():
    _, valid = holdout(make([str(at // 3) for at in range(300)]), 0.34, seed=0)
    assert 95 <= len(valid) <= 107


def test_folds_are_stratified_and_cover_each_row_once():
    parts = folds(make(LABELS), 5, seed=3)
    assert sorted(np.concatenate([valid for _, valid in parts])) == list(range(100))
    for train, valid in parts:
        assert Counter(LABELS[row] for row in valid) == {"a": 12, "b": 6, "c": 2}
        assert not {*train} & {*valid}


def test_groups_stay_whole():
    movies = [str(at % 17) for at in range(100)]
    corpus = make(LABELS, movie=movies)
    for train, valid in [holdout(corpus, 0.3, 0, "movie"), *folds(corpus, 4, 0, "movie")]:
        assert not {movies[row] for row in train} & {movies[row] for row in valid}
        assert len(valid) >= 15


def test_near_duplicates_stay_together_or_are_counted():
    base = [
        f"{word} 대통령 선거 결과 발표 {at}회차"
        for at in range(10)
        for word in ("서울", "부산", "제주", "광주", "대구")
    ]
    texts = [text for text in base for _ in (0, 1)]
    texts = [text + ("" if at % 2 else " 종합") for at, text in enumerate(texts)]
    corpus = make(["a", "a", "b", "b"] * 25, texts)
    groups = near_duplicates(texts)
    assert straddling(groups, *holdout(corpus, 0.5, 0)) > 0
    pairs = make(
        ["a", "a", "b", "b"] * 25,
        [f"{'가나다라마바사아자차'[at // 2 % 10] * (at // 20 + 3)}" for at in range(100)],
    )
    groups = near_duplicates(pairs.texts)
    for train, valid in [
        holdout(pairs, 0.4, 0, keep_duplicates_together=True),
        *folds(pairs, 3, 0, None, True),
    ]:
        assert straddling(groups, train, valid) == 0


def test_groups_and_duplicates_at_once():
    movies = ["m1", "m2", "m2", "m3", *map(str, range(36))]
    texts = [
        "같은 글입니다",
        "같은 글입니다!",
        "다른 글",
        "또 다른 이야기",
        *(f"{at}번째 별난 소리" * 2 for at in range(36)),
    ]
    corpus = make(["a", "b"] * 20, texts, movie=movies)
    train, valid = holdout(corpus, 0.4, 0, "movie", keep_duplicates_together=True)
    assert len({row in valid for row in (0, 1, 2)}) == 1
    assert len(train)


def test_label_combinations_are_stratified_and_rare_ones_pooled():
    labels = [("a",), ("a", "b"), (), ("b",)] * 20 + [("a", "b", "c"), ("c",)]
    _, valid = holdout(make(labels), 0.25, 0)
    counts = Counter(labels[row] for row in valid)
    assert all(counts[combination] == 5 for combination in [("a",), ("a", "b"), (), ("b",)])
    assert len(folds(make(labels), 4, 0)) == 4


def test_unlabelled_rows_can_be_split():
    corpus = Corpus(pd.DataFrame({"index": range(10), "text": list("가나다라마바사아자차")}), None, "x")
    assert len(holdout(corpus, 0.3, 0)[1]) == 3


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (lambda: holdout(make(LABELS), 0, 0), "--holdout 0: a share between 0 and 1"),
        (lambda: holdout(make(LABELS), 20, 0), "between 0 and 1"),
        (lambda: folds(make(LABELS), 1, 0), "--folds 1: 2 or more"),
        (lambda: folds(make(LABELS), 11, 0), "at least 11 rows; 'c' has 10. .*fewer folds"),
        (lambda: holdout(make(["a", "a", "b"]), 0.5, 0), "at least 2 rows; 'b' has 1"),
        (lambda: folds(make(LABELS, g=LABELS), 2, 0, "g"), "at least 2 groups of rows; 'a' has 1"),
        (lambda: folds(make(LABELS), 2, 0, "movie"), "no column 'movie'"),
        (lambda: folds(make(["a", "b"], g=["x", ""]), 2, 0, "g"), "group column 'g' has empty cells"),
    ],
)
def test_impossible_splits_say_why(split, message):
    with pytest.raises(DataError, match=message):
        split()
