"""From a table to a network."""

import pytest
import torch

from gallae.errors import RecipeError
from gallae.models.architectures.factory import NETWORKS, make_network


@pytest.mark.parametrize("family", sorted(NETWORKS))
def test_first_weights_are_those_of_the_seed(family, make):
    first, second = make(family, {}), make(family, {})
    torch.manual_seed(1)
    other = make_network(family, {"embedding": 12}, 60, 3)
    states = [network.state_dict() for network in (first, second)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(
        first.classifier.weight, other.classifier.weight[:, : first.classifier.in_features]
    )


def test_layouts_follow_from_the_options(make):
    assert make("bag", {}).layout == "flat" and make("bag", {"offsets": False}).layout == "padded"
    assert make("mlp", {}).layout == "flat" and make("recurrent", {}).layout == "padded"


@pytest.mark.parametrize("config", [{"model_type": "gpt5000"}, {"model_type": "bert", "hidden_size": 7}])
def test_what_transformers_cannot_make_is_refused(config):
    with pytest.raises(RecipeError, match="transformers cannot make a classifier"):
        make_network("from_config", {"config": config, "max_length": 16}, 60, 3)


def test_from_config_is_long_enough_for_the_texts():
    network = make_network(
        "from_config",
        {
            "config": {
                "model_type": "bert",
                "hidden_size": 8,
                "num_attention_heads": 2,
                "intermediate_size": 8,
                "num_hidden_layers": 1,
            },
            "max_length": 300,
        },
        60,
        3,
    )
    assert network.config.max_position_embeddings >= 302
    assert network(torch.full((1, 302), 7)).logits.shape == (1, 3)
