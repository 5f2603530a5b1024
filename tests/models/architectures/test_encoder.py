"""The head over a pretrained encoder: poolings, layers, other inputs, the checkpoint's names."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from gallae.errors import RecipeError
from gallae.models.architectures.encoder import EncoderConfig, EncoderNetwork
from gallae.pretrained.loading import load_model

IDS = torch.tensor([[2, 9, 11, 30, 17, 3], [2, 12, 8, 3, 0, 0], [2, 40, 3, 0, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0]])


@pytest.fixture
def make(checkpoint):
    """Return an encoder network in evaluation mode over a tiny checkpoint."""

    def made(family="bert", **fields):
        backbone = load_model(checkpoint(family))
        torch.manual_seed(1)
        config = EncoderConfig(backbone=backbone.config.to_dict(), num_labels=3, **fields)
        return EncoderNetwork(config, backbone).eval()

    return made


def states_of(network):
    with torch.no_grad():
        return network.backbone(IDS, attention_mask=MASK, output_hidden_states=True)


def test_the_checkpoints_weights_are_kept_under_their_names(make, checkpoint):
    network = make()
    found = network.state_dict()
    for name, tensor in load_model(checkpoint("bert")).state_dict().items():
        assert name.startswith("pooler.") or torch.equal(found[f"backbone.{name}"], tensor), name
    assert [name for name in found if not name.startswith("backbone.")] == [
        "classifier.weight",
        "classifier.bias",
    ]
    assert not found["classifier.bias"].any() and 0.01 < found["classifier.weight"].std() < 0.03


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "pooler"])
def test_poolings_by_hand(pooling, make):
    network = make(pooling=pooling)
    output = states_of(network)
    states = output.last_hidden_state
    if pooling == "pooler":
        expected = list(output.pooler_output)
    else:
        parts = [row[mask.bool()] for row, mask in zip(states, MASK, strict=True)]
        by_hand = {
            "cls": lambda part: part[0],
            "mean": lambda part: part.mean(0),
            "max": lambda part: part.amax(0),
        }
        expected = [by_hand[pooling](part) for part in parts]
    with torch.no_grad():
        found = network(IDS, MASK)
        assert torch.allclose(found.pooled, torch.stack(expected), atol=1e-6)
        assert torch.allclose(found.logits, network.classifier(found.pooled), atol=1e-6)


@pytest.mark.parametrize("combine", ["concat", "mean", "weighted"])
def test_several_layers_by_hand(combine, make):
    network = make(last_layers=2, combine=combine)
    if combine == "weighted":
        network.layer_weights.data = torch.tensor([0.0, 1.0])
    one, two = (layer[:, 0] for layer in states_of(network).hidden_states[-2:])
    share = torch.tensor([0.0, 1.0]).softmax(0)
    expected = {
        "concat": torch.cat([one, two], dim=1),
        "mean": (one + two) / 2,
        "weighted": share[0] * one + share[1] * two,
    }[combine]
    with torch.no_grad():
        assert torch.allclose(network(IDS, MASK).pooled, expected, atol=1e-6)


def test_attention_weighs_tokens_and_no_padding(make):
    network = make(pooling="attention")
    with torch.no_grad():
        together = network(IDS, MASK).logits
        alone = network(IDS[2:, :3], MASK[2:, :3]).logits
    assert torch.allclose(together[2:], alone, atol=1e-6)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_padding_on_the_left_changes_nothing_where_positions_follow_the_tokens(pooling, make):
    network = make("roberta", pooling=pooling)
    left = torch.tensor([[0, 0, 2, 12, 8, 3], [0, 0, 0, 2, 40, 3]])
    with torch.no_grad():
        expected = network(IDS[1:], MASK[1:]).logits
        assert torch.allclose(network(left, MASK[1:].flip(1)).logits, expected, atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "albert", "roberta", "electra", "distilbert", "deberta-v2",
                                    "longformer", "big_bird", "xlm-roberta", "modernbert"])  # fmt: skip
def test_embeddings_may_stand_for_ids_and_all_weights_learn(family, make):
    network = make(family, pooling="mean").train(mode=False)
    ids, mask = IDS[:1], MASK[:1]
    from_ids = network(ids, mask).logits
    embeds = network.get_input_embeddings()(ids)
    assert torch.allclose(network(inputs_embeds=embeds, attention_mask=mask).logits, from_ids, atol=1e-5)
    assert torch.allclose(network(inputs_embeds=embeds).logits, from_ids, atol=1e-5)
    from_ids.sum().backward()
    still = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert not [name for name in still if "global" not in name], still


@pytest.mark.parametrize("family", ["bert", "roberta", "electra"])
def test_the_auto_classes_load_what_was_saved(family, make, tmp_path):
    network = make(family, pooling="attention", last_layers=2, combine="weighted")
    network.save_pretrained(tmp_path)
    assert type(AutoConfig.from_pretrained(tmp_path)) is EncoderConfig
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        assert torch.equal(again(IDS, MASK).logits, network(IDS, MASK).logits)


@pytest.mark.parametrize("family", ["electra", "distilbert", "deberta-v2", "modernbert"])
def test_an_encoder_without_a_pooler_is_named(family, make):
    with pytest.raises(RecipeError, match=rf"type '{family}' has no pooler: set model.pooling"):
        make(family, pooling="pooler")


def test_more_layers_than_there_are(make):
    assert make(last_layers=3).classifier.in_features == 96
    with pytest.raises(RecipeError, match="last_layers is 4, and the checkpoint has 2 layers"):
        make(last_layers=4)
