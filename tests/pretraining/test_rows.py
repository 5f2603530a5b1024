"""Rows of format "lines": weights, lengths, windows."""

import numpy as np
import pytest

from gallae.pretraining.encoding import Encoded
from gallae.pretraining.options import CorpusOptions
from gallae.pretraining.rows import Row, plan


def corpus(lengths, weights=(1.0,), sources=None):
    """Return a corpus of sentences of these lengths, a document each; ids count up."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    count = len(lengths)
    return Encoded(
        np.arange(offsets[-1], dtype=np.int32),
        offsets,
        np.stack([np.arange(count), np.arange(count) + 1], axis=1),
        np.array(sources or [0] * count),
        np.array(weights),
    )


def test_a_row_is_a_sentence():
    rows = plan(corpus([5, 3, 7]), CorpusOptions(), 1, 0)
    assert rows.lengths.tolist() == [7, 5, 9]
    assert [rows[number].first.tolist() for number in range(3)] == [
        [0, 1, 2, 3, 4],
        [5, 6, 7],
        [8, 9, 10, 11, 12, 13, 14],
    ]
    assert len(rows[2]) == 9
    assert len(Row(np.arange(3), np.arange(4))) == 10


def test_short_sentences_are_left_out():
    rows = plan(corpus([2, 3, 1]), CorpusOptions(min_tokens=3), 1, 0)
    assert [rows[number].number for number in range(len(rows.lengths))] == [1]


def test_long_sentences_are_cut_to_windows_at_random():
    rows = [plan(corpus([50]), CorpusOptions(max_length=12), 1, epoch)[0].first for epoch in range(40)]
    assert {len(row) for row in rows} == {10}
    assert all((np.diff(row) == 1).all() for row in rows)
    starts = {int(row[0]) for row in rows}
    assert len(starts) > 15
    assert max(starts) <= 40


def test_weights_say_how_often_a_sentence_comes():
    encoded = corpus([4] * 1000, weights=(2.0, 0.3), sources=[0] * 500 + [1] * 500)
    epochs = [plan(encoded, CorpusOptions(), 7, epoch) for epoch in range(2)]
    counts = [
        np.bincount([rows[at].number for at in range(len(rows.lengths))], minlength=1000) for rows in epochs
    ]
    assert all((count[:500] == 2).all() for count in counts)
    assert all(set(count[500:]) == {0, 1} for count in counts)
    assert np.mean(counts[0][500:]) == pytest.approx(0.3, abs=0.06)
    assert (counts[0] != counts[1]).any()


def test_an_epoch_is_a_function_of_the_seed():
    encoded = corpus([40] * 50, weights=(1.5,))

    def told(seed):
        rows = plan(encoded, CorpusOptions(max_length=10), seed, 3)
        return [rows[number].first.tolist() for number in range(len(rows.lengths))]

    assert told(5) == told(5)
    assert told(5) != told(6)
