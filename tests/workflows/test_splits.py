"""Held-out rows: which, and what is refused or warned of."""

import pytest

import gallae
from gallae.errors import DataError
from gallae.recipes import find_recipe
from gallae.workflows.splits import SplitOptions, make_splits


@pytest.fixture
def corpus(topics_csv):
    return gallae.read(topics_csv)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"holdout": 0.2, "folds": 3}, ["--holdout", "--folds", "contradict"]),
        ({"valid": "x.csv", "holdout": 0.2}, ["--valid", "--holdout", "contradict"]),
        ({"holdout": 1.5}, ["--holdout 1.5", "between 0 and 1"]),
        ({"holdout": 0.0}, ["--holdout 0.0"]),
        ({"holdout": float("nan")}, ["--holdout nan"]),
        ({"folds": 1}, ["--folds 1", "2 or more"]),
        ({"folds": 0}, ["--folds 0"]),
    ],
)
def test_impossible_options(options, parts):
    with pytest.raises(DataError) as caught:
        SplitOptions(**options)
    assert all(part in str(caught.value) for part in parts)


def test_no_split(corpus):
    assert make_splits(corpus, SplitOptions(), find_recipe("fast")) == ([], [])
    assert not SplitOptions().measures


def test_a_holdout_is_stratified_and_seeded(corpus):
    first, _ = make_splits(corpus, SplitOptions(holdout=0.25), find_recipe("fast"))
    again, _ = make_splits(corpus, SplitOptions(holdout=0.25), find_recipe("fast"))
    other, _ = make_splits(corpus, SplitOptions(holdout=0.25), find_recipe("fast", seed=1))
    assert [len(first[0].train), len(first[0].valid)] == [54, 18]
    assert {first[0].valid.labels.count(label) for label in set(corpus.labels)} == {6}
    assert first[0].valid.texts == again[0].valid.texts != other[0].valid.texts


def test_folds_hold_each_row_out_once(corpus):
    splits, _ = make_splits(corpus, SplitOptions(folds=4), find_recipe("fast"))
    assert [split.number for split in splits] == [0, 1, 2, 3]
    assert sorted(text for split in splits for text in split.valid.texts) == sorted(corpus.texts)
    assert all(not set(split.train.texts) & set(split.valid.texts) for split in splits)


def test_groups_stay_together(corpus):
    recipe = find_recipe("fast", reading={"group_column": "source"})
    for split in make_splits(corpus, SplitOptions(folds=3), recipe)[0]:
        assert not set(split.train.table["source"]) & set(split.valid.table["source"])


def test_near_duplicates_are_warned_of_or_kept_together(tmp_path, write_table, caplog):
    rows = [
        (f"{word} 그리고 거의 똑같은 긴 문장이 하나 더 있다{end}", label)
        for label, words in {"a": "가나다라마바", "b": "사아자차카타"}.items()
        for word in (letter * 9 for letter in words)
        for end in ("", ".", "!")
    ]
    corpus = gallae.read(write_table(tmp_path / "double.csv", ["text", "label"], rows))
    _, warnings = make_splits(corpus, SplitOptions(folds=3), find_recipe("fast"))
    assert "near duplicate" in warnings[0] and "keep_duplicates_together" in warnings[0]
    assert warnings[0] in caplog.text
    recipe = find_recipe("fast", ["data.keep_duplicates_together=true"])
    splits, warnings = make_splits(corpus, SplitOptions(folds=3), recipe)
    assert warnings == []
    assert all(not {t[:9] for t in s.train.texts} & {t[:9] for t in s.valid.texts} for s in splits)


def test_a_file_to_validate_on(corpus, topics_csv, tmp_path, write_table):
    path = write_table(
        tmp_path / "valid.csv", ["title", "topic"], [("환율 상승", "경제"), ("류현진 승리", "스포츠")]
    )
    splits, _ = make_splits(corpus, SplitOptions(valid=path), find_recipe("fast"))
    assert splits[0].train is corpus and splits[0].valid.labels == ["경제", "스포츠"]
    write_table(path, ["title", "topic"], [("환율 상승", "경재")])
    with pytest.raises(DataError, match=r"line 2.*'경재'.*Did you mean '경제'"):
        make_splits(corpus, SplitOptions(valid=path), find_recipe("fast"))


def test_labels_that_training_rows_lack_are_refused_before_training(tmp_path, write_table):
    rows = [(f"글 {n}", label, n) for n, label in enumerate(["a", "a|b", "b"] * 4)]
    rows += [("차카타", "a|c", "one"), ("파하카", "b|c", "one")]
    path = write_table(tmp_path / "rare.csv", ["text", "labels", "group"], rows)
    corpus = gallae.read(path, label_separator="|", group_column="group")
    recipe = find_recipe("fast", reading={"group_column": "group"})
    with pytest.raises(DataError, match=r"training rows of fold \d lack 'c'.*fewer folds"):
        make_splits(corpus, SplitOptions(folds=2), recipe)


def test_folds_need_as_many_rows_of_each_class(tmp_path, write_table):
    rows = [("하나", "a")] * 5 + [("둘", "b")] * 2
    corpus = gallae.read(write_table(tmp_path / "few.csv", ["text", "label"], rows))
    with pytest.raises(DataError, match="'b' has 2"):
        make_splits(corpus, SplitOptions(folds=3), find_recipe("fast"))
