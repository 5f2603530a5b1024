"""Batches: how many tokens, how little padding, and the same after a resume."""

import numpy as np
import pytest

from gallae.errors import DataError
from gallae.pretraining.batches import Batches, Numbers, cut
from gallae.pretraining.encoding import Encoded
from gallae.pretraining.options import CorpusOptions


def corpus(lengths, weight=1.0):
    """Return one document of sentences of these lengths; ids count up."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Encoded(
        np.arange(offsets[-1], dtype=np.int32),
        offsets,
        np.array([[0, len(lengths)]]),
        np.zeros(1, dtype=int),
        np.array([weight]),
    )


LENGTHS = np.random.default_rng(3).integers(3, 60, 3000)


def test_every_row_comes_once_in_batches_of_so_many_tokens():
    batches = cut(LENGTHS, 512, np.random.default_rng(1))
    assert sorted(np.concatenate(batches)) == list(range(3000))
    padded = np.array([len(batch) * LENGTHS[batch].max() for batch in batches])
    assert padded.max() <= 512
    assert np.mean(padded) > 440
    assert LENGTHS.sum() / padded.sum() > 0.92


def test_a_row_longer_than_a_batch_is_one():
    batches = cut(np.array([5, 900, 5]), 100, np.random.default_rng(1))
    assert sorted(map(len, batches)) == [1, 2]


def test_a_batch_is_a_function_of_its_number():
    encoded = corpus(LENGTHS, weight=1.3)
    options = CorpusOptions()
    first, second = (Batches(encoded, options, 512, 9) for _ in range(2))
    wanted = [first.per_epoch + 3, 0, 2 * first.per_epoch, 5]
    told = [[row.first.tolist() for row in first.rows(number)] for number in wanted]
    again = [[row.first.tolist() for row in second.rows(number)] for number in sorted(wanted)]
    assert [told[wanted.index(number)] for number in sorted(wanted)] == again
    assert told[0] != told[1]
    assert first.rng(4).random() == second.rng(4).random() != first.rng(5).random()


def test_tokens_are_counted_without_padding():
    batches = Batches(corpus(LENGTHS), CorpusOptions(), 512, 9)
    assert batches.all_tokens == LENGTHS.sum() + 2 * len(LENGTHS)
    assert batches.n_tokens(3) == sum(map(len, batches.rows(3)))


def test_processes_share_the_batches():
    assert [list(Numbers(3, process, 2)) for process in range(2)] == [[[0], [2], [4]], [[1], [3], [5]]]


def test_a_corpus_of_too_short_sentences():
    with pytest.raises(DataError, match="no sentence of the corpus has 5 tokens"):
        Batches(corpus([2, 2]), CorpusOptions(min_tokens=5), 512, 9)
