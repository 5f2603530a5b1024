"""Dense layers over sparse features."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from torch import nn

from gallae.training.batches import SparseRows
from gallae.training.optimizers import make_optimizer


def dense_twin(network):
    """The same network the usual way, over the dense matrix."""
    first = nn.Linear(*network.embedding.table.weight.shape)
    first.weight, first.bias = nn.Parameter(network.embedding.table.weight.T), network.embedding.bias
    hidden = [part for layer in network.layers for part in (layer, nn.Tanh())]
    return nn.Sequential(first, nn.Tanh(), *hidden, network.classifier)


@pytest.mark.parametrize("hidden", [[8], [8, 5, 6]])
def test_equals_dense_layers_on_the_dense_matrix(hidden, make, texts, logits_of):
    network = make("mlp", {"hidden": hidden, "activation": "tanh"})
    nn.init.normal_(network.embedding.bias)
    rows = torch.from_numpy(texts.matrix.toarray()).float()
    expected = dense_twin(network)(rows)
    assert torch.allclose(logits_of(network, texts.batch(network)), expected, atol=1e-6)


def test_the_mean_divides_by_the_sum_of_the_features(make, texts, logits_of):
    network = make("mlp", {"mean": True, "activation": "tanh"})
    rows = torch.from_numpy(texts.matrix.toarray()).float()
    expected = dense_twin(network)(rows / rows.sum(dim=1, keepdim=True))
    assert torch.allclose(logits_of(network, texts.batch(network)), expected, atol=1e-6)


@pytest.mark.parametrize("mean", [False, True])
def test_rows_without_features(mean, make, logits_of):
    network = make("mlp", {"mean": mean})
    nn.init.normal_(network.embedding.bias)
    matrix = csr_matrix(np.array([[0.0] * 60, [1.0] + [0.0] * 59, [0.0] * 60]))
    logits = logits_of(network, SparseRows(matrix).batch(np.arange(3)))
    empty = network.classifier(torch.relu(network.embedding.bias))
    assert torch.allclose(logits[[0, 2]], empty.expand(2, -1), atol=1e-6)
    assert logits.isfinite().all()
    assert torch.equal(logits_of(network, SparseRows(matrix).batch(np.array([0]))), logits[:1])


def test_features_without_weights_are_ones(make, logits_of):
    network = make("mlp", {})
    batch = {"input_ids": torch.tensor([7, 9, 9]), "offsets": torch.tensor([0, 1])}
    expected = logits_of(network, batch | {"weights": torch.ones(3)})
    assert torch.equal(logits_of(network, batch), expected)


def test_large_first_layers_learn_by_sparse_gradients(make, texts, monkeypatch):
    monkeypatch.setattr("gallae.models.architectures.base._LARGE", 60)
    network = make("mlp", {"sparse_gradients": True})
    before = network.embedding.table.weight.detach().clone()
    batch = texts.batch(network, np.arange(8))
    network(**batch).logits.square().sum().backward()
    assert network.embedding.table.weight.grad.is_sparse
    make_optimizer(network, "adamw", 1e-2, 0.01).step()
    changed = (network.embedding.table.weight != before).any(dim=1).nonzero().flatten()
    assert set(changed.tolist()) <= set(batch["input_ids"].tolist()) and len(changed)
