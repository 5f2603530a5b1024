"""Weights and stacking, found from probabilities."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from gallae.models.combining import METHODS, Combination, cross_combined, find_combination, mean_of

ROWS, CLASSES = 600, 3
HALVES = np.full((2, CLASSES), 0.5)


def members(seed=0, rows=ROWS, skills=(2.0, 0.5)):
    """Class numbers (n,), and tables of members who are right more or less often."""
    rng = np.random.default_rng(seed)
    target = rng.integers(CLASSES, size=rows)
    gold = np.eye(CLASSES)[target]
    return target, [softmax(skill * gold + rng.normal(size=gold.shape), axis=1) for skill in skills]


def labelled(seed=0, rows=ROWS):
    """A table of labels (n, n_classes), and two members' probabilities of them."""
    rng = np.random.default_rng(seed)
    target = rng.random((rows, CLASSES)) < 0.4
    sides = [1 / (1 + np.exp(-(2 * s * (target - 0.5) + rng.normal(size=target.shape)))) for s in (2.0, 0.5)]
    return target, sides


def binary_loss(target, table):
    return -np.log(np.where(target, table, 1 - table)).mean()


def test_weights_are_where_the_log_loss_is_least():
    target, tables = members()
    found = find_combination("weighted", tables, target, HALVES)
    assert found.weights.sum() == pytest.approx(1) and (found.weights >= 0).all()
    losses = [log_loss(target, w * tables[0] + (1 - w) * tables[1]) for w in np.linspace(0, 1, 101)]
    assert log_loss(target, found(tables, False)) <= min(losses) + 1e-9
    assert found.weights[0] == pytest.approx(np.argmin(losses) / 100, abs=0.01)


def test_weights_of_several_labels():
    target, tables = labelled()
    found = find_combination("weighted", tables, target, HALVES)
    losses = [binary_loss(target, w * tables[0] + (1 - w) * tables[1]) for w in np.linspace(0, 1, 101)]
    assert binary_loss(target, found(tables, True)) <= min(losses) + 1e-9


def test_a_member_that_knows_nothing_gets_no_weight():
    target, tables = members()
    noise = [np.full_like(tables[0], 1 / CLASSES), np.roll(tables[0], 1, axis=1)]
    found = find_combination("weighted", [tables[0], noise[1]], target, HALVES)
    assert found.weights[1] == 0 and found.used == [True, False]


def test_members_alike_share_and_a_sure_mistake_is_survived():
    target, (table, _) = members()
    assert find_combination("weighted", [table, table], target, HALVES).weights == pytest.approx([0.5, 0.5])
    sure = np.eye(CLASSES)[(target + (np.arange(ROWS) == 0)) % CLASSES]
    found = find_combination("weighted", [sure, table], target, HALVES)
    assert np.isfinite(found.weights).all() and 0.5 < found.weights[0] < 1


def test_stacking_is_no_worse_than_its_members_and_mends_a_shifted_one():
    target, tables = members()
    shifted = softmax(np.log(tables[0]) * 3 + [1, 0, -1], axis=1)
    found = find_combination("stacking", [shifted, tables[1]], target, HALVES)
    assert found.weights is None and found.slopes.shape == (2 * CLASSES, CLASSES)
    joint = found([shifted, tables[1]], False)
    assert joint.sum(axis=1) == pytest.approx(np.ones(ROWS))
    assert log_loss(target, joint) < min(log_loss(target, shifted), log_loss(target, tables[0]))


def test_stacking_without_rows_is_the_geometric_mean():
    target, tables = members()
    found = find_combination("stacking", [table[:0] for table in tables], target[:0], HALVES)
    geometric = np.exp(np.mean([np.log(table) for table in tables], axis=0))
    assert found(tables, False) == pytest.approx(geometric / geometric.sum(axis=1, keepdims=True))
    several, sides = labelled()
    found = find_combination("stacking", [side[:0] for side in sides], several[:0], HALVES)
    odds = np.mean([np.log(side / (1 - side)) for side in sides], axis=0)
    assert found(sides, True) == pytest.approx(1 / (1 + np.exp(-odds)))


def test_the_gradients_lead_to_a_minimum():
    target, tables = members(rows=80)
    found = find_combination("stacking", tables, target, HALVES)
    prior = np.vstack([np.eye(CLASSES) / 2] * 2)

    def loss(slopes, biases):
        joint = Combination("stacking", None, slopes, biases, HALVES[0])(tables, False)
        data = -np.log(joint[np.arange(len(target)), target]).sum()
        return data + (((slopes - prior) ** 2).sum() + (biases**2).sum()) / 2

    least = loss(found.slopes, found.biases)
    rng = np.random.default_rng(1)
    for _ in range(20):
        step = rng.normal(scale=0.02, size=(2 * CLASSES + 1, CLASSES))
        assert loss(found.slopes + step[:-1], found.biases + step[-1]) > least


def test_stacking_of_several_labels():
    target, tables = labelled()
    found = find_combination("stacking", tables, target, HALVES)
    assert found.slopes.shape == (2, CLASSES) and (found.thresholds == 0.5).all()
    joint = found(tables, True)
    assert binary_loss(target, joint) < min(binary_loss(target, table) for table in tables)
    tuned = find_combination("stacking", tables, target, np.full((2, CLASSES), 0.3))
    assert (tuned.thresholds != 0.5).all() and ((tuned.thresholds > 0) & (tuned.thresholds < 1)).all()


def test_thresholds_are_weighted_like_the_probabilities():
    target, tables = labelled()
    thresholds = np.array([[0.2] * CLASSES, [0.6] * CLASSES])
    assert mean_of(thresholds).thresholds == pytest.approx([0.4] * CLASSES)
    found = find_combination("weighted", tables, target, thresholds)
    assert found.thresholds == pytest.approx(found.weights @ thresholds)


@pytest.mark.parametrize("method", METHODS)
def test_rows_that_a_member_does_not_know_are_left_out(method):
    target, tables = members()
    holes = [table.copy() for table in tables]
    holes[1][::2] = np.nan
    expected = find_combination(method, [table[1::2] for table in tables], target[1::2], HALVES)
    found = find_combination(method, holes, target, HALVES)
    assert np.array_equal(found(tables, False), expected(tables, False))
    several, sides = labelled()
    sides[0][:, 2] = np.nan  # a label that no fold's model knew
    joint = find_combination(method, sides, several, HALVES)([np.nan_to_num(side) for side in sides], True)
    assert np.isfinite(joint).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_its_rows_and_nothing_is_left_to_chance(method):
    for target, tables in (members(rows=100), labelled(rows=100)):
        several = target.ndim == 2
        found, again = (find_combination(method, tables, target, HALVES) for _ in range(2))
        joint = found(tables, several)
        rows = [again([table[[row]] for table in tables], several) for row in range(100)]
        assert np.array_equal(np.vstack(rows), joint)
        state = Combination.restore(found.state())
        assert state.method == method and np.array_equal(state(tables, several), joint)


@pytest.mark.parametrize("method", ["weighted", "stacking"])
def test_a_row_is_combined_by_what_was_found_on_others(method):
    target, tables = members(rows=60)
    target[0] = 2
    joint, limits, parts = cross_combined(method, tables, target, HALVES, folds=5, seed=1)
    assert set(parts) == set(range(5)) and limits.shape == joint.shape
    for part in range(5):
        others, rows = parts != part, parts == part
        found = find_combination(method, [table[others] for table in tables], target[others], HALVES)
        assert np.array_equal(found([table[rows] for table in tables], False), joint[rows])
    flipped = target.copy()
    flipped[0] = 1  # its own label does not matter to a row
    own = parts[0]
    others = parts != own
    found = find_combination(method, [table[others] for table in tables], flipped[others], HALVES)
    assert np.array_equal(found([table[:1] for table in tables], False), joint[:1])


@pytest.mark.parametrize("method", METHODS)
def test_rare_classes_and_few_rows_are_measured_too(method):
    target, tables = members(rows=21)
    target[:] = 0
    target[5] = 1  # a class of one row, and one without any
    for chosen in (target, np.arange(3)):
        part = [table[: len(chosen)] for table in tables]
        joint, _, parts = cross_combined(method, part, chosen, HALVES, folds=5, seed=1)
        assert np.isfinite(joint).all() and joint.sum(axis=1) == pytest.approx(np.ones(len(chosen)))
        assert method == "mean" or len(set(parts)) > 1


def test_the_mean_needs_no_parts():
    target, tables = members()
    joint, _, parts = cross_combined("mean", tables, target, HALVES, folds=5, seed=1)
    assert joint == pytest.approx(np.mean(tables, axis=0)) and not parts.any()
