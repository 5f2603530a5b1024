"""Recurrent networks and those of two branches."""

import pytest
import torch

from gallae.models.architectures.recurrent import RecurrentNetwork

CELLS = ["rnn", "lstm", "gru"]
SIZES = [{}, {"layers": 2}, {"layers": 2, "bidirectional": False}]


def same_weights(network, make, family, options):
    twin = make(family, options)
    twin.load_state_dict(network.state_dict())
    return twin


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sizes", SIZES)
def test_packed_is_unpacked(cell, sizes, make, texts, logits_of):
    packed = make("recurrent", {"cell": cell, "pooling": "last", **sizes})
    padded = same_weights(
        packed, make, "recurrent", {"cell": cell, "pooling": "last", "packed": False, **sizes}
    )
    batch = texts.batch(packed, padding=3)
    assert torch.allclose(logits_of(packed, batch), logits_of(padded, batch), atol=1e-6)
    for network in (packed, padded):
        network(**batch).logits.square().sum().backward()
    for first, second in zip(packed.parameters(), padded.parameters(), strict=True):
        assert torch.allclose(first.grad, second.grad, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sizes", SIZES)
def test_the_loop_over_steps_is_the_cell(cell, sizes, make, texts, logits_of):
    options = {"cell": cell, "dropout": 0.0, **sizes}
    network = make("recurrent", options)
    loop = same_weights(network, make, "recurrent", options | {"recurrent_dropout": 1e-12}).train()
    batch = texts.batch(network)
    assert torch.allclose(loop(**batch).logits, logits_of(network, batch), atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("share", ["weight_dropout", "recurrent_dropout"])
def test_dropouts_act_in_training_only(cell, share, make, texts, logits_of):
    options = {"cell": cell, "dropout": 0.0}
    plain = make("recurrent", options)
    dropping = same_weights(plain, make, "recurrent", options | {share: 0.5})
    batch = texts.batch(plain)
    expected = logits_of(plain, batch)
    assert torch.equal(logits_of(dropping, batch), expected)
    dropping.train()
    first, second = dropping(**batch).logits, dropping(**batch).logits
    assert not torch.allclose(first, second) and not torch.allclose(first, expected)
    single = [row for row, length in enumerate(texts.ids.lengths) if length == 1]
    assert torch.allclose(first[single], expected[single], atol=1e-6)  # no step, nothing dropped


def test_weight_dropout_leaves_the_weights_as_they_are(make, texts):
    network = make("recurrent", {"weight_dropout": 0.5}).train()
    before = network.recurrence.layers.weight_hh_l0.detach().clone()
    network(**texts.batch(network)).logits.sum().backward()
    weight = network.recurrence.layers.weight_hh_l0
    assert torch.equal(weight, before)
    assert 0.3 < (weight.grad == 0).float().mean() < 0.7


def test_first_weights_are_orthogonal_and_forget_nothing(make):
    layers = make("recurrent", {"layers": 2}).recurrence.layers
    for gate in layers.weight_hh_l1_reverse.detach().chunk(4):
        assert torch.allclose(gate @ gate.T, torch.eye(10), atol=1e-5)
    assert torch.equal(layers.bias_ih_l0, torch.tensor([0.0] * 10 + [1.0] * 10 + [0.0] * 20))
    assert not layers.bias_hh_l0.any()
    assert not make("recurrent", {"cell": "gru"}).recurrence.layers.bias_ih_l0.any()


def test_the_last_state_is_that_of_the_cell(make, texts, logits_of):
    network = make("recurrent", {"pooling": "last", "cell": "lstm"})
    batch = texts.batch(network, 1)
    _, (hidden, _) = network.recurrence.layers(network.embed(batch["input_ids"]))
    expected = network.classifier(torch.cat([hidden[0], hidden[1]], dim=1))
    assert torch.allclose(logits_of(network, batch), expected, atol=1e-6)


def test_dropout_lies_between_the_layers(make, texts):
    for packed in (True, False):
        network = make("recurrent", {"layers": 2, "dropout": 0.5, "packed": packed}).train()
        first, second = (network(**texts.batch(network)).pooled for _ in range(2))
        assert not torch.allclose(first, second)
        network = make("recurrent", {"layers": 1, "dropout": 0.5, "packed": packed}).train()
        first, second = (network(**texts.batch(network)).pooled for _ in range(2))
        assert torch.allclose(first, second)


def test_branches_stand_side_by_side(make, texts, logits_of):
    network = make("branched", {"pooling": "mean_max"})
    assert isinstance(network, RecurrentNetwork)
    assert network.width == 2 * 2 * 8 + 2 * 8
    batch = texts.batch(network)
    network.eval()
    embedded, mask = network.embed(batch["input_ids"]), batch["attention_mask"].bool()
    parts = [
        network.pooling(network.recurrence(embedded, mask), mask),
        network.convolutions(embedded, mask),
    ]
    assert torch.allclose(network(**batch).pooled, torch.cat(parts, dim=1))
