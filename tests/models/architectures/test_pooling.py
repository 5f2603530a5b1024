"""Pooling of states against what it says."""

import pytest
import torch

from gallae.models.architectures.pooling import Pooling, flat_pooling

LENGTHS = [3, 1, 5, 0]


@pytest.fixture
def states():
    return torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def mask():
    return torch.arange(5) < torch.tensor(LENGTHS).unsqueeze(1)


def by_hand(kind, rows, attention=None):
    if kind == "last":
        return torch.cat([rows[-1, :3], rows[0, 3:]])
    if kind == "attention":
        shares = (attention.hidden(rows).tanh() @ attention.weight.weight.T).softmax(dim=0)
        return (shares * rows).sum(dim=0)
    parts = {"mean": rows.mean(dim=0), "sum": rows.sum(dim=0), "max": rows.amax(dim=0)}
    return torch.cat([parts[name] for name in kind.split("_")])


@pytest.mark.parametrize("kind", ["last", "mean", "max", "attention", "mean_max"])
def test_each_way_by_hand_whatever_stands_in_the_padding(kind, states, mask):
    pooling = Pooling(kind, 6, bidirectional=True)
    expected = [
        by_hand(kind, states[row, :length], pooling.attention) for row, length in enumerate(LENGTHS[:3])
    ]
    for filling in (0.0, 1e4, -1e4):
        filled = torch.where(mask.unsqueeze(-1), states, filling)
        pooled = pooling(filled, mask)
        assert pooled.shape == (4, pooling.width)
        assert torch.allclose(pooled[:3], torch.stack(expected), atol=1e-6)
        assert pooled[3].isfinite().all()


def test_the_last_of_one_direction(states, mask):
    assert torch.equal(Pooling("last", 6)(states, mask)[:3], states[[0, 1, 2], [2, 0, 4]])


@pytest.mark.parametrize("kind", ["mean", "sum", "max"])
def test_flat_texts(kind, states, mask):
    flat = states[mask]
    offsets = torch.tensor([0, 3, 3, 4, 9])  # the second and the last are empty
    pooled = flat_pooling(flat, offsets, kind)
    expected = torch.stack([by_hand(kind, flat[a:b]) for a, b in ((0, 3), (3, 4), (4, 9))])
    assert torch.allclose(pooled[[0, 2, 3]], expected, atol=1e-6)
    assert not pooled[[1, 4]].any()
    assert not flat_pooling(flat[:0], torch.tensor([0, 0]), kind).any()
