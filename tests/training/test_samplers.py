import numpy as np
import pytest

from gallae.training.samplers import NAMES, make_batches

LENGTHS = np.random.default_rng(0).integers(1, 60, 1003)
LABELS = np.repeat([0, 1, 2], [900, 100, 3])


def batches(name, epoch=0, seed=1, **options):
    sampler = make_batches(name, LENGTHS, LABELS, 32, seed, **options)
    sampler.set_epoch(epoch)
    return sampler, list(sampler)


def padding(batches):
    return sum(len(rows) * LENGTHS[rows].max() - LENGTHS[rows].sum() for rows in batches)


@pytest.mark.parametrize("name", ["length", "shuffled", "sequential"])
def test_every_row_once(name):
    sampler, found = batches(name, pool=7)
    assert len(found) == len(sampler) == 32
    assert sorted(np.concatenate(found)) == list(range(1003))
    assert max(map(len, found)) == 32
    assert sum(len(rows) < 32 for rows in found) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_function_of_seed_and_epoch(name):
    sampler, first = batches(name, epoch=3)
    again = list(sampler)
    np.random.seed(5)
    _, other = batches(name, epoch=3)
    for rows in zip(first, again, other, strict=True):
        assert (rows[0] == rows[1]).all()
        assert (rows[0] == rows[2]).all()


@pytest.mark.parametrize("name", ["length", "shuffled", "balanced"])
@pytest.mark.parametrize("changed", [{"epoch": 1}, {"seed": 2}])
def test_another_epoch_or_seed_is_another_order(name, changed):
    assert np.concatenate(batches(name)[1]).tolist() != np.concatenate(batches(name, **changed)[1]).tolist()


def test_sequential_is_in_order():
    assert np.concatenate(batches("sequential")[1]).tolist() == list(range(1003))


def test_length_saves_padding_and_stays_random():
    by_length = batches("length")[1]
    assert padding(by_length) < 0.15 * padding(batches("shuffled")[1])
    means = [LENGTHS[rows].mean() for rows in by_length]
    assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.5


def test_a_larger_pool_saves_more():
    small, large = batches("length", pool=2)[1], batches("length", pool=20)[1]
    assert padding(large) < padding(small) < padding(batches("shuffled")[1])


def test_balanced_gives_every_class_its_third():
    drawn = np.concatenate([np.concatenate(batches("balanced", epoch)[1]) for epoch in range(5)])
    shares = np.bincount(LABELS[drawn]) / len(drawn)
    assert np.abs(shares - 1 / 3).max() < 0.03


def test_balanced_with_several_labels_counts_the_rarest():
    labels = np.zeros((100, 3), dtype=bool)
    labels[:80, 0] = True
    labels[70:90, 1] = True
    labels[88:92, 2] = True
    sampler = make_batches("balanced", np.ones(100), labels, 10, 0)
    kinds = np.array([0] * 70 + [1] * 18 + [2] * 4 + [-1] * 8)
    for kind in (0, 1, 2, -1):
        assert sampler.shares[kinds == kind].sum() == pytest.approx(1 / 4)


@pytest.mark.parametrize("name", NAMES)
def test_fewer_rows_than_a_batch(name):
    (rows,) = make_batches(name, np.array([3, 1]), np.array([0, 1]), 8, 0)
    assert len(rows) == 2


def test_another_name_is_refused():
    with pytest.raises(ValueError, match=r"bucket.*length"):
        make_batches("bucket", LENGTHS, LABELS, 32, 0)
