"""N-gram counts, held against scikit-learn's."""

import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from gallae.models import ngrams
from gallae.models.ngrams import NgramVocabulary, batches, character_symbols, hashed_counts, token_symbols


def learned(texts, low=1, high=4, words=False, **options):
    vocabulary = NgramVocabulary(low, high, words, **options)
    symbols = character_symbols(texts, words)
    return vocabulary, vocabulary.learn(symbols), vocabulary.count(symbols)


def by_name(counts, names):
    """{(row, n-gram): count}"""
    cells = counts.tocoo()
    return {(int(r), names[c]): int(v) for r, c, v in zip(cells.row, cells.col, cells.data, strict=True) if v}


def sklearn_counts(texts, analyzer, ngram_range, min_df=1, **options):
    vectorizer = CountVectorizer(
        analyzer=analyzer, ngram_range=ngram_range, lowercase=False, min_df=min_df, **options
    )
    counts = vectorizer.fit_transform(texts)
    return vectorizer, by_name(counts, vectorizer.get_feature_names_out())


@pytest.mark.parametrize("min_df", [1, 2, 5])
def test_characters_equal_scikit_learn(headlines, min_df):
    texts = [*headlines[0][:300], "", " ", "가", "😀 emoji 😀", "  둘  칸  "]
    vocabulary, _, counts = learned(texts, min_df=min_df)
    stripped = [" ".join(text.split()) for text in texts]  # ours sees a run of white space as one space
    _, expected = sklearn_counts(stripped, "char", (1, 4), min_df)
    assert by_name(counts, vocabulary.names()) == expected


def test_document_frequencies_are_returned_in_column_order(headlines):
    _, frequencies, counts = learned(headlines[0][:300])
    assert np.array_equal(frequencies, np.bincount(counts.indices, minlength=counts.shape[1]))
    assert counts.has_sorted_indices and counts.dtype == np.float32


def test_characters_in_words_equal_scikit_learn_but_for_a_lone_space(headlines):
    texts = headlines[0][:300]
    vocabulary, _, counts = learned(texts, words=True, min_df=1)
    _, expected = sklearn_counts(texts, "char_wb", (1, 4))
    expected = {cell: count for cell, count in expected.items() if cell[1] != " "}
    assert by_name(counts, vocabulary.names()) == expected


def test_a_word_shorter_than_n_counts_for_scikit_learn_only():
    """scikit-learn adds a padded word that is shorter than the shortest n-gram, as if it were one."""
    vocabulary, _, counts = learned(["a bcd"], 4, 4, words=True, min_df=1)
    _, expected = sklearn_counts(["a bcd"], "char_wb", (4, 4))
    assert set(expected) - set(by_name(counts, vocabulary.names())) == {(0, " a ")}
    assert set(vocabulary.names()) == {" bcd", "bcd "}


def test_words_equal_scikit_learn(headlines):
    texts = headlines[0][:300]
    numbers: dict[str, int] = {}
    symbols = token_symbols([text.split() for text in texts], numbers, learn=True)
    vocabulary = NgramVocabulary(1, 3, min_df=1)
    vocabulary.learn(symbols)
    names = vocabulary.names(["", *numbers])
    _, expected = sklearn_counts(texts, "word", (1, 3), token_pattern=r"\S+")
    assert by_name(vocabulary.count(symbols), names) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("가나 ab\n\x00😀\ud800", max_size=12), min_size=1, max_size=6), st.booleans())
def test_any_text_counts_as_a_loop_would(texts, words):
    vocabulary, _, counts = learned(texts, 2, 3, words, min_df=1)
    expected: dict[tuple[int, str], int] = {}
    for row, text in enumerate(texts):
        runs = [f" {word} " for word in text.split()] if words else [" ".join(text.split())]
        for run in runs:
            for n in (2, 3):
                for start in range(len(run) - n + 1):
                    cell = row, run[start : start + n]
                    expected[cell] = expected.get(cell, 0) + 1
    assert by_name(counts, vocabulary.names()) == expected


def test_unknown_symbols_count_nothing():
    vocabulary, _, _ = learned(["가나다", "가나"], min_df=1)
    counts = vocabulary.count(character_symbols(["가힣나", "abc", "", "😀"], False))
    assert by_name(counts, vocabulary.names()) == {(0, "가"): 1, (0, "나"): 1}


def test_no_texts_and_only_empty_ones():
    vocabulary, _, _ = learned(["가나다", "가나"])
    assert vocabulary.count(character_symbols([], False)).shape == (0, vocabulary.n_features)
    empty, _, counts = learned(["", " "], min_df=1)
    assert (empty.n_features, counts.shape, empty.names()) == (0, (2, 0), [])


@pytest.mark.parametrize(("low", "high", "words"), [(1, 4, False), (3, 4, False), (1, 4, True), (2, 3, True)])
@pytest.mark.parametrize("limit", [1, 10, 200])
def test_pruning_keeps_the_commonest_and_a_whole_trie(headlines, low, high, words, limit):
    texts = headlines[0][:200]
    whole, frequencies, everything = learned(texts, low, high, words, min_df=1)
    pruned, kept, counts = learned(texts, low, high, words, min_df=1, max_features=limit)
    assert pruned.n_features == limit == len(kept) == len(set(pruned.names()))
    assert kept.min() >= np.sort(frequencies)[-limit]
    position = {name: column for column, name in enumerate(whole.names())}
    columns = [position[name] for name in pruned.names()]
    assert (counts != everything[:, columns]).nnz == 0
    for shorter, longer in zip(pruned.levels, pruned.levels[1:], strict=False):
        parents = longer // pruned.width
        assert len(longer) == 0 or parents.max() < len(shorter)
        assert (np.diff(longer) > 0).all()
    assert sum(map(len, pruned.levels)) <= limit * high  # nothing is kept that leads nowhere


def test_learning_again_forgets_the_old_alphabet():
    vocabulary, _, _ = learned(["가나", "가나"])
    symbols = character_symbols(["xyz", "xyz"], False)
    vocabulary.learn(symbols)
    assert set(vocabulary.names()) == {"x", "y", "z", "xy", "yz", "xyz"}
    assert vocabulary.count(symbols).sum() == 12


def test_a_pickle_is_equal_and_carries_no_look_up_table():
    vocabulary, _, counts = learned(["😀가나", "😀가나"])
    data = pickle.dumps(vocabulary)
    assert len(data) < 10_000
    copy = pickle.loads(data)
    assert (copy.count(character_symbols(["😀가나", "😀가나"], False)) != counts).nnz == 0


def test_hashed_counts_are_those_of_a_vocabulary_under_other_names(headlines):
    texts = headlines[0][:100]
    for words in (False, True):
        _, _, counts = learned(texts, 1, 3, words, min_df=1)
        hashed = hashed_counts(character_symbols(texts, words), 1, 3, words, 2**24)
        assert np.array_equal(hashed.sum(axis=1), counts.sum(axis=1))
        assert len(np.unique(hashed.indices)) >= counts.shape[1] * 0.999


def test_hashed_counts_do_not_depend_on_the_batch(headlines):
    texts = headlines[0][:20]
    together = hashed_counts(character_symbols(texts, True), 1, 4, True, 1000)
    for row, text in enumerate(texts):
        alone = hashed_counts(character_symbols([text], True), 1, 4, True, 1000)
        assert (alone != together[row]).nnz == 0


def test_batches_cover_everything_in_order(monkeypatch):
    monkeypatch.setattr(ngrams, "_BATCH_SYMBOLS", 10)
    lengths = np.array([3, 3, 3, 3, 50, 1, 1, 10, 10])
    slices = batches(lengths)
    assert [number for part in slices for number in range(part.start, part.stop)] == list(range(9))
    assert all(lengths[part].sum() <= 10 or part.stop - part.start == 1 for part in slices)
    assert batches(np.array([], dtype=int)) == []


def test_names_of_a_vocabulary_are_substrings(headlines):
    vocabulary, _, _ = learned(headlines[0][:50], words=True)
    padded = "".join(f" {word} " for text in headlines[0][:50] for word in text.split())
    assert all(re.search(re.escape(name), padded) for name in vocabulary.names())
