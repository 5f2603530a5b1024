"""Every text classification data set of $GALLAE_DATA is read as its README says."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from gallae.data import describe, folds, holdout, near_duplicates, read, straddling, stream

ROOT = Path(os.environ.get("GALLAE_DATA", Path(__file__).parents[3] / "shared" / "data"))
pytestmark = pytest.mark.skipif(
    not (ROOT / "ynat").is_dir(), reason=f"no data sets in {ROOT} (set GALLAE_DATA to their folder)"
)
TOPICS = ("IT과학", "경제", "사회", "생활문화", "세계", "스포츠", "정치")
FLAGS = ("toxic", "obscene", "threat", "insult", "identity_hate")


@pytest.mark.parametrize(
    ("file", "rows", "labels", "options"),
    [
        ("ynat/train_data.csv", 36_547, TOPICS, {}),
        ("section_headlines/train.csv", 76_227, TOPICS[:5] + TOPICS[6:], {}),
        ("nsmc/ratings_train.txt", 150_000, ("0", "1"), {}),
        ("nsmc/ratings_test.txt", 20_000, ("0", "1"), {}),
        ("ag_news/train_part.csv", 28_935, ("1", "2", "3", "4"), {}),
        ("toxic_comment_ko/ko_train_label.csv", 9_999, FLAGS, {}),
        (
            "korean_hate_speech/labeled__train.tsv",
            7_896,
            ("hate", "none", "offensive"),
            {"label_column": "hate"},
        ),
        ("korean_hate_speech/labeled__dev.tsv", 471, ("gender", "none", "others"), {"label_column": "bias"}),
        ("intent_3i4k/fci_train_val.txt", 55_134, tuple("0123456"), {}),
        ("intent_3i4k/fci_test.txt", 6_121, tuple("0123456"), {}),
    ],
)
def test_labelled_files(file, rows, labels, options):
    corpus = read(ROOT / file, **options)
    assert len(corpus) == rows
    assert corpus.label_set.names == labels
    assert sum(len(chunk) for chunk in stream(ROOT / file)) == rows


def test_unsmile_is_multilabel():
    corpus = read(ROOT / "unsmile" / "unsmile_train_v1.0.tsv")
    assert len(corpus) == 15_005
    assert corpus.label_set.multilabel
    assert {"여성/가족", "clean"} < set(corpus.label_set.names)
    ten = [name for name in corpus.label_set.names if name != "개인지칭"]
    assert len(read(ROOT / "unsmile" / "unsmile_train_v1.0.tsv", label_column=ten).label_set.names) == 10


def test_ynat_keeps_the_ids_and_its_test_file_has_no_labels():
    train = read(ROOT / "ynat" / "train_data.csv")
    assert train.label_set.ids == {name: str(at) for at, name in enumerate(TOPICS)}
    test = read(ROOT / "ynat" / "test_data.csv", labels="optional")
    assert len(test) == 9_131
    assert test.label_set is None
    assert (
        test.table["index"].tolist()
        == read(ROOT / "ynat" / "sample_submission.csv", text_column="index", label_column="topic_idx")
        .table["text"]
        .astype(int)
        .tolist()
    )


def test_ynat_is_split_and_described_in_seconds():
    corpus = read(ROOT / "ynat" / "train_data.csv")
    started = time.perf_counter()
    groups = near_duplicates(corpus.texts)
    train, valid = holdout(corpus, 0.2, seed=0)
    assert len(valid) == 7_309
    assert 0 < straddling(groups, train, valid) < 500
    assert all(
        straddling(groups, *split) == 0 for split in folds(corpus, 5, 0, keep_duplicates_together=True)
    )
    found = describe(corpus, [text.split() for text in corpus.texts])
    assert found["duplicates"]["near"]["rows"] == len(groups) - len(np.unique(groups))
    assert 0.13 < found["scripts"]["hanja"]["texts"] < 0.17
    assert time.perf_counter() - started < 20
