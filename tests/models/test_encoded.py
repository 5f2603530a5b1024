"""Texts as rows for a checkpoint: special tokens, cutting, windows and their pooling, padding."""

import logging

import numpy as np
import pytest
import tokenizers
from scipy.special import expit, softmax

from gallae.models.contract import State
from gallae.models.encoded import CheckpointInputs, Layout, Reading, cut, pool_windows

WORDS = {
    word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefgh", "[", "]"])
}
LAYOUT = Layout(prefix=(2,), suffix=(3,), pad_id=0, unk_id=1)


def make(layout=LAYOUT, **reading):
    """Return inputs whose tokens are single letters: a is 4, b is 5, ..."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.enable_truncation(2)
    files = {"tokenizer.json": tokenizer.to_str().encode()}
    return CheckpointInputs(tokenizer, layout, Reading(**reading), files)


def rows(inputs, texts):
    """Return the ids and the mask of all rows of texts, as lists."""
    taken = inputs.transform(texts).take(np.arange(len(texts)))
    found = taken.arrays(np.arange(len(taken)))
    return found["input_ids"].tolist(), found["attention_mask"].tolist()


def test_special_tokens_stand_around_a_text_and_padding_on_the_right():
    inputs = make()
    ids, mask = rows(inputs, ["a b c", "d", "z"])
    assert ids == [[2, 4, 5, 6, 3], [2, 7, 3, 0, 0], [2, 1, 3, 0, 0]]
    assert mask == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0]]
    assert inputs.transform(["a b c", "", "d"]).lengths.tolist() == [3, 0, 1]
    assert inputs.size == len(WORDS)


def test_special_tokens_written_in_a_text_are_text():
    assert rows(make(), ["[SEP] a"])[0] == [[2, 12, 1, 13, 4, 3]]


def test_half_a_surrogate_pair_is_no_error():
    assert rows(make(), ["a \ud800 b"])[0] == [[2, 4, 1, 5, 3]]


@pytest.mark.parametrize(
    ("truncation", "expected"),
    [("head", [4, 5, 6, 7]), ("tail", [8, 9, 10, 11]), ("head_tail", [4, 9, 10, 11])],
)
def test_long_texts_keep_their_special_tokens(truncation, expected):
    inputs = make(max_length=6, truncation=truncation)
    ids, _mask = rows(inputs, ["a b c d e f g h", "a b c d"])
    assert ids == [[2, *expected, 3], [2, 4, 5, 6, 7, 3]]
    assert inputs.truncated == 1
    inputs.transform(["a"])
    assert inputs.truncated == 0


def test_head_and_tail_share_the_room_one_to_three():
    assert cut(range(512), 508, "head_tail") == [*range(127), *range(512 - 381, 512)]
    assert cut([1, 2, 3], 3, "head_tail") == [1, 2, 3]


def test_windows_read_the_whole_text_and_overlap():
    inputs = make(max_length=6, windows=True, stride=2)
    texts = ["a b c d e f g", "h", "a b c d"]
    read = inputs.transform(texts)
    taken = read.take(np.array([0, 1, 2]))
    assert taken.counts.tolist() == [3, 1, 1] and len(taken) == 5
    ids = taken.arrays(np.arange(5))["input_ids"].tolist()
    assert ids == [
        [2, 4, 5, 6, 7, 3],
        [2, 6, 7, 8, 9, 3],
        [2, 8, 9, 10, 3, 0],
        [2, 11, 3, 0, 0, 0],
        [2, 4, 5, 6, 7, 3],
    ]
    assert taken.repeated(np.array([7, 8, 9])).tolist() == [7, 7, 7, 8, 9]
    assert inputs.truncated == 0 and read.lengths.tolist() == [7, 1, 4]
    swapped = read.take(np.array([1, 0]))
    assert swapped.arrays(np.arange(4))["input_ids"].tolist() == [[2, 11, 3, 0, 0, 0], *ids[:3]]


def test_windows_cover_every_token_whatever_the_lengths():
    inputs = make(max_length=7, windows=True, stride=2)
    for length in range(1, 30):
        text = " ".join("abcdefgh"[number % 8] for number in range(length))
        taken = inputs.transform([text]).take(np.array([0]))
        last, covered = taken.starts[-1] + taken.sizes[-1], set()
        for start, size in zip(taken.starts, taken.sizes, strict=True):
            assert 0 < size <= 5
            covered |= set(range(start, start + size))
        assert last == length and covered == set(range(length))


def test_pooling_of_windows_by_hand():
    logits = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0], [0.5, 0.5]], dtype=np.float32)
    counts = np.array([3, 1])
    chances = softmax(logits[:3].astype(float), axis=1)
    largest, mean = chances.max(axis=0), chances.mean(axis=0)
    expected = {"max": largest, "mean": mean, "clinical": (largest + mean * 3 / 2) / (1 + 3 / 2)}
    for pooling, found in expected.items():
        pooled = softmax(pool_windows(logits, counts, pooling, multilabel=False), axis=1)
        assert np.allclose(pooled[0], found / found.sum(), atol=1e-6)
        assert np.allclose(pooled[1], [0.5, 0.5])
    several = expit(pool_windows(logits, counts, "clinical", multilabel=True))
    chances = expit(logits[:3].astype(float))
    assert np.allclose(several[0], (chances.max(axis=0) + chances.mean(axis=0) * 1.5) / 2.5, atol=1e-6)
    assert np.allclose(several[1], expit([0.5, 0.5]))
    sure = pool_windows(np.array([[500.0, -500.0]], dtype=np.float32), np.array([1]), "mean", multilabel=True)
    assert np.isfinite(sure).all()


def test_other_arguments_are_made_where_the_checkpoint_takes_them():
    extra = ("token_type_ids", "global_attention_mask")
    layout = Layout((2,), (3, 3), pad_id=9, extra=extra, global_attention=(0, 2), multiple=4)
    found = make(layout).transform(["a b", "c"]).arrays(np.array([0, 1]))
    assert make(layout).transform(["a b", "c"]).take(np.array([0, 1])).lengths.tolist() == [8, 4]
    assert found["input_ids"].tolist() == [[2, 4, 5, 3, 3, 9, 9, 9], [2, 6, 3, 3, 9, 9, 9, 9]]
    assert found["global_attention_mask"].tolist() == [[1, 0, 1, 0, 0, 0, 0, 0]] * 2
    assert not found["token_type_ids"].any() and found["token_type_ids"].shape == (2, 8)
    assert all(array.dtype == np.int64 for array in found.values())


def test_lengths_are_told_before_cutting(caplog):
    with caplog.at_level(logging.INFO, "gallae"):
        make(max_length=4).fit(["a b c d e f", "a", "b"])
    assert "median 1" in caplog.text and "longest 6" in caplog.text


def test_saved_and_restored_inputs_read_the_same():
    inputs = make(max_length=6, windows=True, stride=1)
    state = inputs.state()
    again = CheckpointInputs.restore(State(state.values, files=state.files | {"other": b""}))
    assert again.layout == inputs.layout and again.reading == inputs.reading and again.files == inputs.files
    assert rows(again, ["a b c d e f g", "h"]) == rows(inputs, ["a b c d e f g", "h"])


def test_no_texts_are_no_rows():
    read = make().transform([])
    assert len(read) == 0 and len(read.take(np.array([], dtype=int))) == 0
