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
