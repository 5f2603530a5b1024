"""Texts to ids: the vocabulary of the corpus, cutting, padding, special tokens."""

import numpy as np
import pytest

from gallae.errors import TextError
from gallae.text.token_ids import TextTokenizer, TokenIds
from gallae.text.vocabulary import CLS, PAD, SEP, SPECIAL, UNK, Vocabulary

TEXTS = ["은행 이자 상승", "", "축구 경기 승리", "은행 경기"]


def rows(ids: TokenIds) -> list[list[int]]:
    return [ids.flat[a:b].tolist() for a, b in zip(ids.offsets, ids.offsets[1:], strict=False)]


def test_frequent_words_come_first_after_the_special_tokens():
    tokenizer = TextTokenizer("word", min_count=1)
    tokenizer.fit(TEXTS)
    assert tokenizer.vocabulary.tokens()[:7] == [*SPECIAL, "은행", "경기"]


def test_rare_words_are_unknown_and_size_bounds_the_vocabulary():
    tokenizer = TextTokenizer("word", min_count=2)
    assert rows(tokenizer.fit(TEXTS)) == [[5, UNK, UNK], [], [UNK, 6, UNK], [5, 6]]
    small = TextTokenizer("word", min_count=1, size=len(SPECIAL) + 1)
    small.fit(TEXTS)
    assert len(small.vocabulary) == 6


def test_tokens_with_vectors_are_taken_in_though_the_corpus_lacks_them_or_has_them_once():
    tokenizer = TextTokenizer("word", min_count=2)
    ids = tokenizer.fit(TEXTS, known=["이자", "금리"])
    assert "금리" in tokenizer.vocabulary and rows(ids)[0][1] == tokenizer.vocabulary.ids["이자"]
    assert rows(tokenizer.transform(["금리"]))[0] == [tokenizer.vocabulary.ids["금리"]]


@pytest.mark.parametrize("unit", ["word", "char", "jamo", "morpheme", "morpheme_tag"])
def test_the_same_texts_give_the_same_ids_at_prediction_and_after_saving(unit):
    tokenizer = TextTokenizer(unit, min_count=1, max_length=7, enclose=True)
    first = tokenizer.fit(TEXTS)
    again = TextTokenizer.restore(tokenizer.to_json(), tokenizer.vocabulary.to_json()).transform(TEXTS)
    assert rows(first) == rows(again)


@pytest.mark.parametrize("unit", ["bpe", "byte_bpe", "wordpiece", "unigram"])
@pytest.mark.parametrize("part", ["word", "morpheme"])
def test_subwords_are_trained_on_the_corpus_and_saved(unit, part):
    texts = ["은행 이자가 올랐다", "은행이 이자를 내렸다", "축구 경기에서 이겼다"] * 4
    tokenizer = TextTokenizer(unit, subwords_of=part, size=300, min_count=1)
    first = tokenizer.fit(texts)
    again = TextTokenizer.restore(tokenizer.to_json(), tokenizer.vocabulary.to_json()).transform(texts)
    assert rows(first) == rows(again)
    assert (first.lengths > 0).all() and first.flat.max() < len(tokenizer.vocabulary)


def test_long_texts_are_cut_and_counted():
    tokenizer = TextTokenizer("char", min_count=1, max_length=3)
    assert tokenizer.fit(["가나다라", "가"]).lengths.tolist() == [3, 1]
    assert tokenizer.truncated == 1
    tokenizer.transform(["가"])
    assert tokenizer.truncated == 0


def test_texts_are_enclosed_but_empty_ones_stay_empty():
    ids = TextTokenizer("word", min_count=1, enclose=True).fit(TEXTS)
    assert ids.lengths.tolist() == [5, 0, 5, 4]
    assert [(row[0], row[-1]) for row in rows(ids) if row] == [(CLS, SEP)] * 3


def test_padding_fills_up_to_the_longest_of_the_batch():
    ids = TextTokenizer("word", min_count=1).fit(TEXTS)
    padded, mask = ids.padded(np.array([3, 0, 1]))
    assert padded.shape == mask.shape == (3, 3)
    assert mask.sum(axis=1).tolist() == [2, 3, 0] and (padded[~mask] == PAD).all()
    assert rows(ids.take(np.array([3, 0]))) == [rows(ids)[3], rows(ids)[0]]


@pytest.mark.parametrize("unit", ["word", "char", "bpe", "wordpiece"])
def test_marks_and_half_characters_in_a_text_are_text(unit):
    texts = ["[PAD] [MASK] 은행", "반쪽 \ud83d 글자", "은행 이자"] * 3
    tokenizer = TextTokenizer(unit, min_count=1, size=300)
    first = tokenizer.fit(texts)
    assert not set(first.flat.tolist()) & {PAD, CLS, SEP, 4}
    assert rows(tokenizer.transform(texts)) == rows(first)


def test_a_vocabulary_of_unknowns_only_is_refused():
    with pytest.raises(TextError, match="every text would be unknown"):
        TextTokenizer("word", min_count=9).fit(TEXTS)
    with pytest.raises(TextError, match="no token is left"):
        Vocabulary.of_tokens([])
