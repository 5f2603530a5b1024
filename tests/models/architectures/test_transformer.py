"""The Transformer encoder."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from gallae.models.architectures.options import TransformerOptions
from gallae.models.architectures.transformer import sinusoidal


def test_sinusoidal_positions_are_the_papers():
    values = sinusoidal(50, 8)
    for place in (0, 1, 7, 49):
        for pair in range(4):
            angle = place / 10_000 ** (2 * pair / 8)
            assert math.isclose(values[place, 2 * pair], math.sin(angle), abs_tol=1e-5)
            assert math.isclose(values[place, 2 * pair + 1], math.cos(angle), abs_tol=1e-5)
    assert torch.equal(
        sinusoidal(50, 7), torch.cat([sinusoidal(50, 7)[:, :6], sinusoidal(50, 7)[:, 6:]], dim=1)
    )
    assert sinusoidal(3, 7).shape == (3, 7)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_layer_is_torchs_layer(norm, make):
    ours = make("transformer", {"norm": norm}).eval().layers[0]
    theirs = nn.TransformerEncoderLayer(
        16, 2, 24, 0.0, "gelu", batch_first=True, norm_first=norm == "pre"
    ).eval()
    names = {
        "self_attn.in_proj_weight": "project.weight",
        "self_attn.in_proj_bias": "project.bias",
        "self_attn.out_proj.weight": "join.weight",
        "self_attn.out_proj.bias": "join.bias",
        "linear1.weight": "wide.weight",
        "linear1.bias": "wide.bias",
        "linear2.weight": "narrow.weight",
        "linear2.bias": "narrow.bias",
        **{f"norm{i + 1}.{kind}": f"norms.{i}.{kind}" for i in range(2) for kind in ("weight", "bias")},
    }
    weights = ours.state_dict()
    theirs.load_state_dict({name: weights[own] for name, own in names.items()})
    states = torch.randn(3, 5, 16)
    mask = torch.arange(5) < torch.tensor([[5], [2], [1]])
    expected = theirs(states, src_key_padding_mask=~mask)
    found = ours(states, mask.unsqueeze(1).unsqueeze(1))
    assert torch.allclose(found[mask], expected[mask], atol=1e-5)


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_the_order_of_the_tokens_counts(positions, make, logits_of):
    network = make("transformer", {"positions": positions})
    ids = torch.tensor([[7, 8, 9, 10]])
    assert not torch.allclose(
        logits_of(network, {"input_ids": ids}), logits_of(network, {"input_ids": ids.flip(1)})
    )


def test_the_scale_of_vectors_does_not_matter(make, texts, logits_of):
    network = make("transformer", {"hidden": 12})
    batch = texts.batch(network)
    expected = logits_of(network, batch)
    network.embedding.word.weight.data *= 50
    assert torch.allclose(logits_of(network, batch), expected, atol=0.02)


def test_attention_dropout_acts_in_training_only(make, texts, logits_of):
    network = make("transformer", {"attention_dropout": 0.5, "dropout": 0.0}).train()
    batch = texts.batch(network)
    assert not torch.allclose(network(**batch).logits, network(**batch).logits)
    assert torch.equal(logits_of(network, batch), logits_of(network, batch))


def test_learned_positions_are_as_many_as_max_length(make):
    network = make("transformer", {"positions": "learned", "max_length": 31})
    assert network.places.weight.shape == (31, 16)


def test_heads_divide_the_width():
    with pytest.raises(ValidationError, match="multiple of heads"):
        TransformerOptions(family="transformer", hidden=10, heads=3)
