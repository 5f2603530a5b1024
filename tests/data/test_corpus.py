import pickle
from dataclasses import replace

import pandas as pd
import pytest

from gallae.data.corpus import Corpus, sample
from gallae.data.labels import LabelSet
from gallae.errors import DataError


@pytest.fixture
def corpus() -> Corpus:
    table = pd.DataFrame(
        {"index": [7, 8], "text": ["가", "나"], "label": ["x", "y"], "file_text": ["1", "2"]}
    )
    return Corpus(table, LabelSet(("x", "y")), "here.csv")


def test_texts_and_labels_are_lists(corpus):
    assert corpus.texts == ["가", "나"]
    assert corpus.labels == ["x", "y"]
    assert len(corpus) == 2


def test_repeated_access_makes_no_new_list(corpus):
    assert corpus.texts is corpus.texts
    assert corpus.labels is corpus.labels


def test_nobody_alters_the_texts_of_a_corpus(corpus):
    texts, labels = corpus.texts, corpus.labels
    for alter in (
        lambda: texts.append("다"),
        lambda: texts.sort(reverse=True),
        lambda: texts.__setitem__(0, "다"),
        lambda: texts.__iadd__(["다"]),
        lambda: labels.pop(),
        lambda: labels.__delitem__(0),
    ):
        with pytest.raises(TypeError, match=r"take a copy, list\(\.\.\.\)"):
            alter()
    assert (corpus.texts, corpus.labels) == (["가", "나"], ["x", "y"])


def test_parts_and_copies_of_the_texts_are_lists_of_ones_own(corpus):
    for own in (corpus.texts[:], corpus.texts.copy(), list(corpus.texts), corpus.texts + corpus.labels):
        own.append("라")
        assert type(pickle.loads(pickle.dumps(own))) is list
    assert type(pickle.loads(pickle.dumps(corpus.texts))) is list
    assert corpus.texts == ["가", "나"]


@pytest.mark.parametrize("labels", [["y", "x"], [("y",), ("x", "y")]])
def test_texts_and_labels_follow_a_table_that_is_altered(corpus, labels):
    corpus = replace(corpus, table=corpus.table.assign(label=labels))
    assert corpus.labels == labels
    corpus.table.loc[0, "text"] = "다"
    corpus.table.at[0, "label"] = labels[1]
    assert (corpus.texts, corpus.labels) == (["다", "나"], [labels[1], labels[1]])


def test_a_corpus_that_was_read_is_the_same_as_before(corpus):
    fresh = replace(corpus)
    assert (len(corpus.texts), corpus.labels[0]) == (2, "x")
    assert corpus == fresh
    assert pickle.dumps(corpus) == pickle.dumps(fresh)
    assert pickle.loads(pickle.dumps(corpus)).texts == ["가", "나"]
    other = replace(corpus, table=corpus.table[::-1], source="there.csv")
    assert (other.texts, other.labels) == (["나", "가"], ["y", "x"])


def test_take_keeps_order_and_label_set(corpus):
    taken = corpus.take([1])
    assert taken.texts == ["나"]
    assert taken.label_set is corpus.label_set
    assert taken.table.index.tolist() == [0]


def test_a_column_is_found_by_its_name_in_the_file(corpus):
    assert corpus.column("text").tolist() == ["1", "2"]
    assert corpus.column("label").tolist() == ["x", "y"]
    with pytest.raises(DataError, match=r"no column 'b'\. Columns beside text and label: 'text'\."):
        corpus.column("b")


def test_labels_of_an_unlabelled_corpus():
    with pytest.raises(DataError, match="--label-column"):
        _ = Corpus(pd.DataFrame({"index": [0], "text": ["가"]}), None, "x.csv").labels


def test_unknown_sample():
    with pytest.raises(DataError, match="headlines, reviews"):
        sample("poems")
