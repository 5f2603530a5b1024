"""Bags of embeddings."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.feature_extraction.text import CountVectorizer

from gallae.models.architectures.options import BagOptions
from gallae.training.batches import FlatRows, PaddedRows
from gallae.training.optimizers import make_optimizer


@pytest.mark.parametrize("kind", ["mean", "sum", "max"])
@pytest.mark.parametrize("extra", [0, 4])
def test_pools_as_said_flat_and_padded(kind, extra, make, texts, logits_of):
    network = make("bag", {"pooling": kind, "extra_channel": extra})
    flat = logits_of(network, FlatRows(texts.ids).batch(np.arange(32)))
    padded = logits_of(network, PaddedRows(texts.ids).batch(np.arange(32)))
    assert torch.allclose(flat, padded, atol=1e-6)
    pool = {"mean": torch.mean, "sum": torch.sum, "max": torch.amax}[kind]
    embedded = network.embed(torch.from_numpy(texts.ids.padded(np.array([1]))[0]))
    assert torch.allclose(flat[1], network.classifier(pool(embedded, dim=1))[0], atol=1e-6)


@pytest.mark.parametrize("offsets", [True, False])
def test_one_hot_is_a_linear_bag_of_words(offsets, make, texts, logits_of):
    network = make("bag", {"one_hot": True, "offsets": offsets})
    assert not logits_of(network, texts.batch(network)).any()  # it begins knowing nothing
    weights = {name: weight for name, weight in network.named_parameters()}
    assert {name: tuple(weight.shape) for name, weight in weights.items()} == {
        "embedding.word.weight": (60, 3),
        "classifier.bias": (3,),
    }
    for weight in weights.values():
        torch.nn.init.normal_(weight)
    rows = [texts.ids.flat[a:b] for a, b in zip(texts.ids.offsets, texts.ids.offsets[1:], strict=False)]
    counter = CountVectorizer(analyzer=lambda row: row, vocabulary=range(60))
    counts = torch.from_numpy(counter.transform(rows).toarray()).float()
    expected = counts @ weights["embedding.word.weight"] + weights["classifier.bias"]
    assert torch.allclose(logits_of(network, texts.batch(network)), expected, atol=1e-5)


@pytest.mark.parametrize("offsets", [True, False])
def test_one_hot_drops_tokens_in_training(offsets, make, texts):
    network = make("bag", {"one_hot": True, "offsets": offsets, "dropout": 0.5}).train()
    torch.nn.init.ones_(network.embedding.word.weight)
    rows = np.array([1])  # of nine tokens
    counts = torch.stack([network(**texts.batch(network, rows)).logits[0] for _ in range(60)])
    assert torch.equal(counts, counts.round()) and (counts % 2 == 0).all()
    assert counts.min() < 9 < counts.max() <= 18


@pytest.mark.parametrize("kind", ["mean", "sum", "max"])
@pytest.mark.parametrize("offsets", [True, False])
def test_sparse_gradients_are_the_dense_ones(kind, offsets, make, texts, monkeypatch):
    monkeypatch.setattr("gallae.models.architectures.base._LARGE", 60)
    rows = (FlatRows if offsets else PaddedRows)(texts.ids).batch(np.arange(32))
    found = {}
    for sparse in (True, False):
        options = {"extra_channel": 4, "pooling": kind, "dropout": 0.0, "offsets": offsets}
        network = make("bag", options | {"sparse_gradients": sparse})
        assert network.embedding.word.sparse is sparse
        network(**rows).logits.square().sum().backward()
        weight = network.embedding.extra.weight
        assert weight.grad.is_sparse is sparse
        found[sparse] = weight.grad.to_dense()
        make_optimizer(network, "adamw", 1e-2, 0.01).step()
    assert found[True].any() and torch.allclose(found[True], found[False], atol=1e-6)


def test_small_embeddings_stay_dense(make):
    assert not make("bag", {"sparse_gradients": True}).embedding.word.sparse


def test_embedding_dropout_drops_components_of_tokens(make, texts):
    network = make("bag", {"embedding_dropout": 0.5, "pooling": "sum", "dropout": 0.0}).train()
    torch.nn.init.ones_(network.embedding.word.weight)
    pooled = network(**texts.batch(network)).pooled
    assert torch.equal(pooled, pooled.round()) and not (pooled == pooled[:, :1]).all()
    network.eval()
    assert torch.equal(
        network(**texts.batch(network)).pooled[:, 0], torch.from_numpy(texts.ids.lengths).float()
    )


@pytest.mark.parametrize("more", [{"vectors": "kiwi"}, {"extra_channel": 3}, {"pooling": "max"}])
def test_counts_refuse_what_is_of_embeddings(more):
    with pytest.raises(ValidationError, match="one_hot counts tokens"):
        BagOptions(family="bag", one_hot=True, **more)
