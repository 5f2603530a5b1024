"""What holds for every network and each of its options."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import AutoConfig, AutoModelForSequenceClassification

from gallae.models.architectures.factory import NETWORKS, network_of
from gallae.models.architectures.options import FAMILIES

WIDTH = 12
OPTIONS = {
    "bag": [
        {},
        {"pooling": "sum"},
        {"pooling": "max"},
        {"hidden": 9},
        {"offsets": False},
        {"offsets": False, "pooling": "max", "extra_channel": 5},
        {"one_hot": True},
        {"one_hot": True, "offsets": False},
        {"one_hot": True, "hidden": 9},
        {"extra_channel": 5, "train_vectors": False, "embedding_dropout": 0.1},
    ],
    "recurrent": [
        {},
        {"cell": "gru", "pooling": "attention", "layers": 2},
        {"cell": "rnn", "pooling": "mean", "bidirectional": False},
        {"packed": False, "layers": 2, "pooling": "mean_max"},
        {"cell": "gru", "packed": False, "pooling": "last"},
        {"pooling": "last", "bidirectional": False},
        {"pooling": "last", "layers": 2},
        {"weight_dropout": 0.1, "embedding_dropout": 0.1},
        {"recurrent_dropout": 0.1, "layers": 2, "cell": "gru"},
        {"recurrent_dropout": 0.1, "weight_dropout": 0.1, "extra_channel": 4, "train_vectors": False},
    ],
    "convolutional": [{}, {"batch_norm": True}, {"extra_channel": 6, "train_vectors": False}],
    "branched": [{}, {"cell": "gru", "layers": 2, "pooling": "last", "batch_norm": True}],
    "transformer": [
        {},
        {"positions": "learned", "norm": "post", "pooling": "max"},
        {"hidden": WIDTH, "layers": 2, "pooling": "attention"},
        {"hidden": 18, "heads": 1, "norm": "post", "pooling": "mean_max", "extra_channel": 4},
    ],
    "mlp": [{}, {"hidden": [12, 7], "activation": "tanh", "mean": True}, {"activation": "none"}],
}
TINY = {
    "bert": {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24},
    "electra": {
        "embedding_size": 16,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 24,
    },
    "distilbert": {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 24},
    "albert": {
        "embedding_size": 16,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 24,
    },
}
CASES = [
    *((family, options) for family, all_options in OPTIONS.items() for options in all_options),
    *(("from_config", {"config": {"model_type": name, **fields}}) for name, fields in TINY.items()),
]


def case_name(case):
    family, options = case
    if family == "from_config":
        return options["config"]["model_type"]
    return "-".join([family, *(f"{name}={value}" for name, value in options.items())]).replace(" ", "")


@pytest.fixture(params=CASES, ids=map(case_name, CASES))
def network(request, make):
    """A network of each family and option in turn."""
    return make(*request.param)


def learn(network, batch, labels, steps):
    """Train with the plainest of loops; return the loss of the last step."""
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(learning, lr=1e-2)
    network.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(**batch).logits, labels)
        loss.backward()
        optimizer.step()
    return loss.item()


def test_there_are_cases_of_every_family():
    assert set(OPTIONS) == set(NETWORKS) == set(FAMILIES) - {"from_config", "encoder"}
    for family, options in CASES:
        FAMILIES[family](
            family=family, **{"vectors": "word2vec", **options} if "train_vectors" in options else options
        )


def test_overfits_saves_and_loads(network, texts, logits_of, tmp_path):
    batch = texts.batch(network)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    for _ in range(16):
        learn(network, batch, texts.labels, 20)
        logits = logits_of(network, batch)
        if (logits.argmax(dim=1) == texts.labels).all():
            break
    assert (logits.argmax(dim=1) == texts.labels).all()
    for name, weight in network.named_parameters():
        assert torch.equal(weight, before[name]) != weight.requires_grad, name
    network.save_pretrained(tmp_path)
    loaded, report = AutoModelForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    assert type(loaded) is type(network)
    assert torch.equal(logits_of(loaded, batch), logits)
    again = network_of(AutoConfig.from_pretrained(tmp_path).to_dict())
    again.load_state_dict(network.state_dict())
    assert torch.equal(logits_of(again, batch), logits)


def test_neither_padding_nor_the_batch_changes_a_text(network, texts, logits_of):
    network = _stirred(network)
    expected = logits_of(network, texts.batch(network))
    assert torch.equal(logits_of(network, texts.batch(network)), expected)
    assert torch.allclose(logits_of(network, texts.batch(network, padding=7)), expected, atol=1e-5)
    order = np.random.default_rng(1).permutation(len(texts))
    assert torch.allclose(logits_of(network, texts.batch(network, order)), expected[order], atol=1e-5)
    for row in range(len(texts)):
        alone = logits_of(network, texts.batch(network, row))
        assert torch.allclose(alone[0], expected[row], atol=1e-5)


def _stirred(network):
    """Move all weights, those that begin as zeros too."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return network


def test_gradients_are_finite_and_reach_every_weight_that_learns(network, texts):
    network = _stirred(network)
    network.train()
    functional.cross_entropy(network(**texts.batch(network, padding=2)).logits, texts.labels).backward()
    for name, weight in network.named_parameters():
        if not weight.requires_grad:
            assert weight.grad is None, name
        elif "position_embeddings" not in name and "token_type" not in name:
            assert weight.grad is not None and weight.grad.isfinite().all(), name
            assert weight.grad.any() or "key" in name, name


def test_takes_embeddings_instead_of_ids(network, texts, logits_of):
    if network.config.model_type == "gallae-mlp":
        assert network.layout == "flat"  # features have no embeddings
        return
    network.layout = "padded"
    batch = texts.batch(_stirred(network), padding=1)
    expected = logits_of(network, batch)
    embed = getattr(network, "embed", network.get_input_embeddings())
    embedded = embed(batch.pop("input_ids")).clone()
    assert torch.allclose(logits_of(network, {**batch, "inputs_embeds": embedded}), expected, atol=1e-6)
    if network.config.model_type.startswith("gallae"):
        embedded[batch["attention_mask"] == 0] = 1e3
        assert torch.allclose(logits_of(network, {**batch, "inputs_embeds": embedded}), expected, atol=1e-5)


def test_an_empty_text_among_others_gets_finite_answers(network, texts, logits_of):
    batch = texts.batch(network, [0, 1, 2], padding=1)
    if "offsets" in batch:
        batch["offsets"] = torch.cat([batch["offsets"], torch.tensor([len(batch["input_ids"])])])
    else:
        batch = {name: torch.cat([value, torch.zeros_like(value[:1])]) for name, value in batch.items()}
    assert logits_of(network, batch).isfinite().all()
    network.train()
    network(**batch).logits.sum().backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in network.parameters())


def test_bfloat16_stays_close(network, texts, logits_of):
    batch = texts.batch(network)
    expected = logits_of(network, batch)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.allclose(logits_of(network, batch).float(), expected, atol=0.1)
        network.train()
        functional.cross_entropy(network(**batch).logits.float(), texts.labels).backward()


@pytest.mark.parametrize("family", ["bag", "recurrent", "convolutional", "branched", "transformer"])
def test_vectors_fill_the_embedding(family, make):
    network = make(family, {"extra_channel": WIDTH, "train_vectors": False})
    found, vectors = torch.zeros(60, dtype=torch.bool), torch.randn(2, WIDTH)
    found[[5, 7]] = True
    network.embedding.fill(found, vectors)
    embedded = network.eval().embed(torch.tensor([5, 7]))
    assert torch.equal(embedded, torch.cat([vectors, vectors], dim=1))
    assert not network.get_input_embeddings().weight.requires_grad


@pytest.mark.parametrize("family", ["convolutional", "transformer"])
def test_is_exported_for_every_batch_and_length(family, make, texts, logits_of):
    network = make(family, {}).eval()
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    example = texts.batch(network, [0, 1, 2])
    shapes = {"input_ids": free, "attention_mask": free}
    exported = torch.export.export(network, (), example, dynamic_shapes=shapes).module()
    batch = texts.batch(network, np.arange(7), padding=4)
    assert torch.allclose(exported(**batch).logits, logits_of(network, batch), atol=1e-6)
