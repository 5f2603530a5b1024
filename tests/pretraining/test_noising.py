"""BART's five ways of damaging a text, one by one."""

import numpy as np
import pytest

from gallae.pretraining.noising import (
    NOISES,
    Noise,
    delete_tokens,
    infill,
    mask_tokens,
    permute_sentences,
    rotate,
)

MASK = 4
IDS = np.arange(100, 200)  # every token another one, so that what became of it can be told


def rng(seed=0):
    return np.random.default_rng(seed)


def is_subsequence(part, whole):
    rest = iter(whole.tolist())
    return all(one in rest for one in part.tolist())


def test_token_masking():
    found = mask_tokens(IDS, 0.3, MASK, rng())
    assert len(found) == len(IDS) and (found == MASK).sum() == 30
    assert (found[found != MASK] == IDS[found != MASK]).all()
    assert (np.arange(100, 200) == IDS).all()  # what was given stays as it is


def test_token_deletion():
    found = delete_tokens(IDS, 0.3, rng())
    assert len(found) == 70 and is_subsequence(found, IDS) and MASK not in found


@pytest.mark.parametrize("damage", [lambda ids, r: mask_tokens(ids, 0.3, MASK, r),
                                    lambda ids, r: delete_tokens(ids, 0.3, r)])  # fmt: skip
def test_every_place_is_as_likely_as_any_other_and_the_rate_holds_for_short_rows(damage):
    lost = np.zeros(5)
    for seed in range(1500):
        lost += ~np.isin(np.arange(10, 15), damage(np.arange(10, 15), rng(seed)))
    assert lost / 1500 == pytest.approx(0.3, abs=0.04)


def test_infilling_puts_one_mask_for_a_span():
    found = infill(IDS, 0.3, MASK, rng(3))
    kept = found[found != MASK]
    assert len(kept) == 70 and is_subsequence(kept, IDS)
    # Between two masks something is kept, and what a mask stands for is a stretch without a hole.
    masks = np.flatnonzero(found == MASK)
    assert (np.diff(masks) > 1).all()
    assert _lengths(found).sum() == 30 and 5 < len(masks) < 20


def _lengths(found):
    """How many tokens each mask stands for."""
    masks = np.flatnonzero(found == MASK)
    before = np.where(masks > 0, found[masks - 1], 99)
    after = np.append(found, found.max() + 1)[masks + 1]
    return after - before - 1


def test_spans_are_poisson_of_three():
    lengths = _lengths(infill(np.arange(100, 30_100), 0.3, MASK, rng()))
    share = np.bincount(lengths, minlength=12)[:7] / len(lengths)
    poisson = np.exp(-3.0) * np.array([1, 3, 4.5, 4.5, 3.375, 2.025, 1.0125])
    assert share == pytest.approx(poisson, abs=0.03)
    assert share[0] > 0.03  # a mask where nothing is missing
    assert lengths.mean() == pytest.approx(3, abs=0.2)


def test_infilling_takes_every_place_alike():
    lost = np.zeros(20)
    for seed in range(1500):
        lost += ~np.isin(IDS[:20], infill(IDS[:20], 0.3, MASK, rng(seed)))
    assert lost / 1500 == pytest.approx(0.3, abs=0.05)
    assert lost.mean() / 1500 == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("rate", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_infilling_short_rows_and_high_rates(size, rate):
    missing = []
    for seed in range(200):
        found = infill(IDS[:size], rate, MASK, rng(seed))
        kept = found[found != MASK]
        assert is_subsequence(kept, IDS)
        missing.append(size - len(kept))
    assert np.mean(missing) == pytest.approx(rate * size, abs=0.12)


def test_sentence_permutation():
    ids = np.array([10, 11, 9, 12, 9, 13, 14, 15, 9, 16])
    orders = {tuple(permute_sentences(ids, ids == 9, rng(seed)).tolist()) for seed in range(300)}
    assert len(orders) == 24  # four sentences, the last without a full stop
    for order in orders:
        text = " ".join(map(str, order))
        assert all(part in text for part in ("10 11 9", "12 9", "13 14 15 9", "16"))
        assert sorted(order) == sorted(ids.tolist())


def test_document_rotation():
    ids = np.arange(10, 15)
    found = [tuple(rotate(ids, rng(seed)).tolist()) for seed in range(200)]
    assert set(found) == {tuple(np.roll(ids, -by).tolist()) for by in range(5)}
    counts = [found.count(one) for one in set(found)]
    assert min(counts) > 20


@pytest.mark.parametrize("name", NOISES)
def test_of_nothing_comes_nothing_much(name):
    noise = Noise([name], 0.3, MASK, np.zeros(300, dtype=bool), None)
    assert noise(np.zeros(0, dtype=np.int64), rng()).tolist() in ([], [MASK])
    assert len(noise(IDS[:1], rng())) <= 2


@pytest.fixture(scope="module")
def tokenizer():
    from gallae.pretrained.scratch import wrapped
    from gallae.text.subwords import train_subwords

    texts = ["금리가 3.14 올랐다. 주가는 내렸다! 왜 그럴까? 모른다"] * 3
    return wrapped(train_subwords("bpe", texts, 300, 1))


def test_sentences_end_at_full_stops_and_not_within_a_number(tokenizer):
    noise = Noise.of(tokenizer, ["sentence_permutation"], 0.3)
    ids = np.array(
        tokenizer("금리가 3.14 올랐다. 주가는 내렸다! 왜 그럴까? 모른다", add_special_tokens=False).input_ids
    )
    assert noise.last(ids).sum() == 3
    found = {tokenizer.decode(noise(ids, rng(seed))) for seed in range(30)}
    assert all("금리가 3.14 올랐다." in text for text in found)
    assert any(text.startswith("모른다 왜 그럴까?") for text in found)


def test_functions_come_one_after_the_other(tokenizer):
    ids = np.array(tokenizer("주가는 내렸다! 왜 그럴까? 모른다", add_special_tokens=False).input_ids)
    both = Noise.of(tokenizer, ["document_rotation", "token_deletion"], 0.3)
    once = rng(5)
    assert (both(ids, rng(5)) == delete_tokens(rotate(ids, once), 0.3, once)).all()
    assert (both(ids, rng(5)) == both(ids, rng(5))).all()


def test_a_tokenizer_without_a_mask(tokenizer):
    from gallae.errors import RecipeError

    class Unmasked:
        mask_token_id = None

    with pytest.raises(RecipeError, match="no mask token"):
        Noise.of(Unmasked(), ["token_masking"], 0.3)
