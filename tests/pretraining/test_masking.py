"""Masks have the rates they claim, leave special tokens alone, and keep words and spans together."""

import numpy as np
import pytest

from gallae.errors import RecipeError
from gallae.pretrained.scratch import write_checkpoint
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.pretraining.masking import CHOICES, IGNORED, Masking, Pieces, Spans, span_edges

VOCABULARY, MASK, LENGTH = 1000, 4, 42


@pytest.fixture(scope="module")
def pieces():
    """A vocabulary with five special tokens and 30 punctuation marks; two pieces of five begin a word."""
    special, alone = np.zeros((2, VOCABULARY), dtype=bool)
    special[:5] = True
    alone[10:40] = True
    first = np.random.default_rng(1).random(VOCABULARY) < 0.4
    return Pieces(MASK, np.arange(5, VOCABULARY), special, first, alone)


@pytest.fixture(scope="module")
def rows():
    """2,000 rows of 40 tokens between [CLS] and [SEP]; every second one is padded from the 30th on."""
    ids = np.random.default_rng(2).integers(5, VOCABULARY, (2000, LENGTH))
    ids[:, 0], ids[:, -1] = 2, 3
    ids[::2, 29], ids[::2, 30:] = 3, 0
    return ids


def masked(pieces, rows, kind, seed=0, **options):
    return Masking(pieces, kind, **options)(rows, np.arange(len(rows)), np.random.default_rng(seed))


@pytest.mark.parametrize("copies", [0, 10])
@pytest.mark.parametrize("kind", sorted(CHOICES))
def test_rates_are_those_claimed(pieces, rows, kind, copies):
    new, labels = masked(pieces, rows, kind, copies=copies)
    ordinary, chosen = rows >= 5, labels != IGNORED
    assert chosen[ordinary].mean() == pytest.approx(0.15, abs=0.005)
    assert not chosen[~ordinary].any()
    assert np.array_equal(labels[chosen], rows[chosen])
    assert np.array_equal(new[~chosen], rows[~chosen])
    assert (new[chosen] == MASK).mean() == pytest.approx(0.8, abs=0.03)
    assert (new[chosen] == labels[chosen]).mean() == pytest.approx(0.1, abs=0.03)
    assert (new[chosen] >= 4).all()  # a random token is never a special one


def test_another_rate_and_other_shares(pieces, rows):
    new, labels = masked(pieces, rows, "token", rate=0.4, masked=0.5, random=0.5)
    chosen = labels != IGNORED
    assert chosen[rows >= 5].mean() == pytest.approx(0.4, abs=0.005)
    assert (new[chosen] == MASK).mean() == pytest.approx(0.5, abs=0.02)


def test_every_row_has_its_share_of_tokens(pieces, rows):
    _, labels = masked(pieces, rows[1::2], "token")
    counts = (labels != IGNORED).sum(axis=1)
    assert set(counts) == {6}  # 15 % of 40


def words(pieces, rows):
    """Return for each token the number of its word in its row."""
    return np.cumsum(pieces.starts(rows), axis=1)


@pytest.mark.parametrize("kind", ["whole_word", "span"])
def test_pieces_of_a_word_are_chosen_together(pieces, rows, kind):
    _, labels = masked(pieces, rows, kind)
    chosen, number = labels != IGNORED, words(pieces, rows)
    same = (number[:, 1:] == number[:, :-1]) & (rows[:, 1:] >= 5) & (rows[:, :-1] >= 5)
    assert same.sum() > 10_000
    assert np.array_equal(chosen[:, 1:][same], chosen[:, :-1][same])


def test_long_words_are_chosen_as_often_as_short_ones(pieces):
    starts = np.zeros((20_000, 20), dtype=bool)
    starts[:, [0, 8, 9, 10, 12, 15]] = True  # words of 8, 1, 1, 2, 3 and 5 tokens
    chosen = CHOICES["whole_word"](np.ones_like(starts), starts, 0.15, np.random.default_rng(3))
    assert chosen.mean(axis=0) == pytest.approx(0.15, abs=0.012)


def test_spans_have_the_papers_lengths():
    lengths = Spans().lengths()
    assert len(lengths) == 10
    assert lengths.sum() == pytest.approx(1)
    assert lengths @ np.arange(1, 11) == pytest.approx(3.8, abs=0.05)
    eligible = np.ones((200, 500), dtype=bool)
    chosen = Spans()(eligible, eligible, 0.15, np.random.default_rng(4))
    runs = (chosen[:, 1:] & ~chosen[:, :-1]).sum() + chosen[:, 0].sum()
    assert chosen.mean() == pytest.approx(0.15, abs=0.002)
    assert 3.6 < chosen.sum() / runs < 4.6  # some stand side by side


def test_a_span_shares_one_fate(pieces, rows):
    new, labels = masked(pieces, rows, "span")
    chosen = labels != IGNORED
    together = chosen[:, 1:] & chosen[:, :-1]
    assert np.array_equal((new == MASK)[:, 1:][together], (new == MASK)[:, :-1][together])


def test_static_masks_come_in_copies_that_never_change(pieces, rows):
    row = rows[1:2]
    static = Masking(pieces, copies=10)
    seen = {static(row, np.array([7]), np.random.default_rng(seed))[0].tobytes() for seed in range(200)}
    assert len(seen) == 10
    padded = np.pad(row, ((0, 0), (0, 5)))  # in a batch with longer rows
    same = static(padded, np.array([7]), np.random.default_rng(0))[0][:, :LENGTH]
    assert same.tobytes() in seen
    assert static(row, np.array([8]), np.random.default_rng(0))[0].tobytes() not in seen
    assert (
        Masking(pieces, copies=10, seed=1)(row, np.array([7]), np.random.default_rng(0))[0].tobytes()
        not in seen
    )
    fresh = Masking(pieces)
    assert len({fresh(row, np.array([7]), np.random.default_rng(s))[0].tobytes() for s in range(30)}) == 30


def test_the_same_generator_gives_the_same_mask(pieces, rows):
    for kind in CHOICES:
        first, second = masked(pieces, rows, kind, seed=5), masked(pieces, rows, kind, seed=5)
        assert np.array_equal(first[0], second[0])
        assert not np.array_equal(first[0], masked(pieces, rows, kind, seed=6)[0])


@pytest.mark.parametrize("kind", sorted(CHOICES))
def test_rows_without_a_word_stay_as_they_are(pieces, kind):
    empty = np.array([[2, 3, 0, 0], [2, 3, 0, 0]])
    new, labels = masked(pieces, empty, kind)
    assert np.array_equal(new, empty)
    assert (labels == IGNORED).all()
    assert all(not len(edge) for edge in span_edges(labels))


def test_the_edges_of_spans():
    labels = np.full((2, 9), IGNORED)
    labels[0, [2, 3, 4, 6]] = 50
    labels[1, [1, 2]] = 60
    left, right, place = span_edges(labels)
    assert left.tolist() == [1, 1, 1, 5, 0, 0]
    assert right.tolist() == [5, 5, 5, 7, 3, 3]
    assert place.tolist() == [0, 1, 2, 0, 0, 1]


TEXTS = ["코스피 2% 급락 마감, 환율 상승", "축구 대표팀 결승골로 승리", "한국은행 금리 동결에 상승"] * 3


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "byte_bpe", "unigram", "char"])
def test_words_of_every_kind_of_tokenizer(kind, tmp_path):
    folder = write_checkpoint(
        tmp_path,
        TEXTS,
        tokenizer=kind,
        vocabulary=300 if kind == "byte_bpe" else 100,
        **dict.fromkeys(("hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size"), 1),
    )
    tokenizer = load_tokenizer(folder)
    pieces = Pieces.of(tokenizer)
    ids = np.array([tokenizer(TEXTS[0], add_special_tokens=False)["input_ids"]])
    begins = [
        tokenizer.decode(part).strip() for part in np.split(ids[0], np.flatnonzero(pieces.starts(ids)[0])[1:])
    ]
    assert [word for word in begins if word] == ["코스피", "2", "%", "급락", "마감", ",", "환율", "상승"]
    assert pieces.special[tokenizer.all_special_ids].all()
    assert len(pieces.ordinary) == len(tokenizer) - len(tokenizer.all_special_ids)


def test_tokenizers_without_masks_or_marks_are_refused(pieces):
    class Bare:
        mask_token_id = None

    with pytest.raises(RecipeError, match="no mask token"):
        Pieces.of(Bare())
    unmarked = Pieces(MASK, pieces.ordinary, pieces.special, None, pieces.alone)
    ids = np.arange(5, 15)[None]
    assert (Masking(unmarked)(ids, np.arange(1), np.random.default_rng(0))[1] != IGNORED).any()
    with pytest.raises(RecipeError, match="masking=token"):
        Masking(unmarked, "whole_word")(ids, np.arange(1), np.random.default_rng(0))
