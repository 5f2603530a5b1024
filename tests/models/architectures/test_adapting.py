"""How a pretrained encoder learns: every family, bare and with a head."""

import copy

import pytest
import torch

from gallae.errors import RecipeError
from gallae.models.architectures.adapting import (
    add_lora,
    backbone_of,
    depths,
    freeze,
    gradient_checkpointing,
    merge_lora,
    reinitialise,
)
from gallae.pretrained.loading import load_model
from gallae.training.optimizers import make_optimizer

FAMILIES = (
    *("bert", "albert", "roberta", "electra", "distilbert", "deberta-v2", "longformer", "big_bird"),
    *("xlm-roberta", "modernbert"),
)
IDS = torch.randint(5, 40, (4, 12), generator=torch.Generator().manual_seed(0))
MASK = torch.ones_like(IDS)
LABELS = torch.tensor([0, 1, 2, 1])


@pytest.fixture(params=FAMILIES)
def network(request, checkpoint):
    """A classifier of two layers (ALBERT: one, used twice), pretrained as far as anybody can tell."""
    torch.manual_seed(7)
    return load_model(checkpoint(request.param), "AutoModelForSequenceClassification", num_labels=3)


def bert(checkpoint):
    torch.manual_seed(7)
    return load_model(checkpoint("bert"), "AutoModelForSequenceClassification", num_labels=3)


def learn(network, steps=2):
    """Take steps, and return the names of the weights that have changed."""
    before = copy.deepcopy(network.state_dict())
    optimizer = make_optimizer(network, "adamw", 0.01, 0.0)
    network.train()
    for _ in range(steps):
        optimizer.zero_grad()
        network(input_ids=IDS, attention_mask=MASK, labels=LABELS).loss.backward()
        optimizer.step()
    network.eval()
    return {name for name, weight in network.state_dict().items() if not torch.equal(weight, before[name])}


def logits(network):
    with torch.no_grad():
        return network.eval()(input_ids=IDS, attention_mask=MASK).logits


def layer_count(network):
    return 1 if network.config.model_type == "albert" else 2


def test_embeddings_layers_and_head_lie_at_their_depths(network):
    found, n_layers = depths(network), layer_count(network)
    assert list(found) == [name for name, _ in network.named_parameters()]
    assert set(found.values()) == set(range(n_layers + 2))
    for name, depth in found.items():
        if "emb" in name:
            assert depth == 0, name
        for number in range(n_layers):
            if f"layer.{number}." in name or f"layers.{number}." in name or f"layer_groups.{number}." in name:
                assert depth == number + 1, name
        if not name.startswith(f"{network.base_model_prefix}."):
            assert depth == n_layers + 1, name


def test_a_bare_encoder_has_the_same_depths(network):
    whole, bare = depths(network), depths(network.base_model)
    assert bare == {name: whole[f"{network.base_model_prefix}.{name}"] for name in bare}
    assert backbone_of(network.base_model) is network.base_model


def test_a_network_that_holds_the_encoder_as_its_backbone(checkpoint):
    holder = torch.nn.Module()
    holder.backbone, holder.head = bert(checkpoint).base_model, torch.nn.Linear(32, 3)
    found = depths(holder)
    assert found["backbone.embeddings.word_embeddings.weight"] == 0
    assert found["backbone.encoder.layer.1.output.dense.weight"] == 2
    assert found["head.weight"] == 3
    freeze(holder, "encoder")
    assert {name for name, weight in holder.named_parameters() if weight.requires_grad} == {
        "backbone.pooler.dense.weight",
        "backbone.pooler.dense.bias",
        "head.weight",
        "head.bias",
    }


def test_what_lies_beside_debertas_layers(checkpoint):
    fields = {"conv_kernel_size": 3, "conv_act": "gelu", "norm_rel_ebd": "layer_norm"}
    found = depths(load_model(checkpoint("deberta-v2", **fields), "AutoModel"))
    assert found["encoder.rel_embeddings.weight"] == found["encoder.LayerNorm.weight"] == 0
    assert found["encoder.conv.conv.weight"] == 1


def test_no_layers_are_found(checkpoint):
    network = bert(checkpoint)
    network.config.num_hidden_layers = 5
    for ask in (depths, lambda n: freeze(n, layers=1), lambda n: reinitialise(n, 1), add_lora):
        with pytest.raises(RecipeError, match="no stack of 5 layers"):
            ask(network)


# ---- freezing


@pytest.mark.parametrize(
    ("what", "layers", "frozen"), [("embeddings", 0, [0]), ("none", 1, [0, 1]), ("encoder", 0, [0, 1, 2])]
)
def test_frozen_weights_stay_and_the_others_learn(network, what, layers, frozen):
    found, head = depths(network), layer_count(network) + 1
    freeze(network, what, layers)
    changed = learn(network)
    still = {name for name, depth in found.items() if depth in frozen and depth < head}
    assert not changed & still
    for depth in set(range(head + 1)) - set(frozen) | {head}:
        assert any(found[name] == depth for name in changed), depth


def test_the_final_norm_is_part_of_a_frozen_encoder(checkpoint):
    network = load_model(checkpoint("modernbert"), "AutoModelForSequenceClassification")
    freeze(network, "encoder")
    assert not network.model.final_norm.weight.requires_grad
    assert network.classifier.weight.requires_grad


def test_freezing_nothing_and_too_much(checkpoint):
    network = bert(checkpoint)
    freeze(network)
    assert all(weight.requires_grad for weight in network.parameters())
    with pytest.raises(RecipeError, match="3 layers are to be frozen, and the checkpoint has 2"):
        freeze(network, layers=3)
    with pytest.raises(ValueError, match=r"head.*embeddings"):
        freeze(network, "head")
    albert = load_model(checkpoint("albert"), "AutoModel")
    with pytest.raises(RecipeError, match="has 1 of their own weights"):
        freeze(albert, layers=2)


# ---- fresh top layers


def test_only_the_top_is_drawn_anew_and_the_seed_decides_it(network):
    before, found, top = copy.deepcopy(network.state_dict()), depths(network), layer_count(network)
    results = []
    for seed in (1, 1, 2):
        network.load_state_dict(before)
        torch.manual_seed(seed)
        reinitialise(network, 1)
        results.append(copy.deepcopy(network.state_dict()))
    changed = {name for name, weight in results[0].items() if not torch.equal(weight, before[name])}
    pooled = {name for name in changed if "pooler" in name}
    assert {found[name] for name in changed - pooled} == {top}
    expected = {
        name for name, weight in network.named_parameters() if found[name] == top and weight.ndim == 2
    }
    assert expected <= changed
    assert all(torch.equal(results[0][name], results[1][name]) for name in before)
    assert any(not torch.equal(results[0][name], results[2][name]) for name in expected)


def test_fresh_layers_are_like_the_librarys(checkpoint):
    network = bert(checkpoint)
    for weight in network.parameters():
        weight.data.fill_(9.0)
    reinitialise(network, 1)
    layer = network.bert.encoder.layer[1]
    spread = layer.intermediate.dense.weight.std().item()
    assert spread == pytest.approx(network.config.initializer_range, rel=0.1)
    assert layer.intermediate.dense.bias.abs().max() == 0
    assert torch.equal(layer.output.LayerNorm.weight, torch.ones(32))
    assert network.bert.pooler.dense.weight.abs().max() < 0.2
    assert network.bert.encoder.layer[0].output.dense.weight.min() == 9.0
    reinitialise(network, 0)
    with pytest.raises(RecipeError, match="3 layers are to be drawn anew"):
        reinitialise(network, 3)


# ---- LoRA


def test_lora_begins_as_the_network_was_and_only_adapters_and_head_learn(network):
    before = logits(network)
    torch.manual_seed(0)
    assert add_lora(network, rank=4, alpha=8, dropout=0.1) is network
    torch.testing.assert_close(logits(network), before)
    encoder = {name for name, _ in network.base_model.named_parameters()}
    changed = learn(network)
    prefix = f"{network.base_model_prefix}."
    in_encoder = {name.removeprefix(prefix) for name in changed} & encoder
    assert all("lora_" in name or name.startswith("pooler.") for name in in_encoder)
    assert any("lora_A" in name for name in in_encoder) and any("lora_B" in name for name in in_encoder)
    assert any(not name.startswith(prefix) for name in changed)


def test_merged_lora_says_the_same_under_the_names_of_before(network):
    names, before, attributes = list(network.state_dict()), logits(network), set(vars(network))
    add_lora(network, rank=4, alpha=8)
    learn(network, steps=3)
    expected = logits(network)
    assert (expected - before).abs().max() > 1e-3
    assert merge_lora(network) is network
    torch.testing.assert_close(logits(network), expected, atol=1e-5, rtol=1e-4)
    assert list(network.state_dict()) == names
    assert set(vars(network)) == attributes
    assert all(weight.requires_grad for weight in network.parameters())


def test_targets_of_lora(checkpoint):
    def adapted(*targets):
        network = add_lora(bert(checkpoint), targets=targets)
        return {
            name.removesuffix(".lora_A.default.weight").rpartition(".")[2]
            for name, _ in network.named_parameters()
            if "lora_A" in name
        }

    assert adapted() == {"query", "key", "value", "dense"}
    assert adapted("query", "value") == {"query", "value"}
    with pytest.raises(RecipeError, match=r"'q_proj'.*There are dense, key, query, value"):
        adapted("query", "q_proj")


def test_lora_leaves_a_frozen_head_frozen_and_merging_nothing_changes_nothing(checkpoint):
    network = bert(checkpoint)
    network.classifier.requires_grad_(False)
    add_lora(network, rank=2)
    assert not network.classifier.weight.requires_grad
    assert network.bert.pooler.dense.weight.requires_grad
    plain = bert(checkpoint)
    freeze(plain, "embeddings")
    assert not merge_lora(plain).bert.embeddings.word_embeddings.weight.requires_grad


def test_lora_survives_saving_and_loading_of_its_weights(checkpoint):
    network = add_lora(bert(checkpoint), rank=2)
    learn(network)
    other = add_lora(bert(checkpoint), rank=2)
    other.load_state_dict(network.state_dict())
    assert torch.equal(logits(other), logits(network))


# ---- gradient checkpointing


def gradients(network):
    network.zero_grad()
    torch.manual_seed(3)
    network.train()
    network(input_ids=IDS, attention_mask=MASK, labels=LABELS).loss.backward()
    return {name: weight.grad for name, weight in network.named_parameters() if weight.grad is not None}


def test_checkpointing_changes_no_gradient(network):
    if network.config.model_type == "albert":
        with pytest.raises(RecipeError, match=r"gradient checkpointing.*'albert'"):
            gradient_checkpointing(network, True)
        return
    expected = gradients(network)
    gradient_checkpointing(network, True)
    assert network.is_activation_checkpointing
    found = gradients(network)
    assert list(found) == list(expected)
    for name, slope in found.items():
        torch.testing.assert_close(slope, expected[name], msg=name)
    gradient_checkpointing(network, False)
    assert not network.is_activation_checkpointing


def test_checkpointing_needs_no_gradient_of_frozen_embeddings(checkpoint):
    network = bert(checkpoint)
    freeze(network, layers=1)
    gradient_checkpointing(network, True)
    seen = []
    network.bert.encoder.layer[0].register_full_backward_hook(lambda *_: seen.append(1))
    assert set(gradients(network)) == {n for n, depth in depths(network).items() if depth > 1}
    assert not seen
