"""Students that learn from a teacher: DistilBERT's objective, and TinyBERT's."""

import csv

import numpy as np
import pytest
import torch
from torch.nn import functional

from gallae.errors import GallaeError, RecipeError
from gallae.pretrained.loading import load_model
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.pretraining.objectives import find_objective
from gallae.pretraining.objectives.distilbert import divergence
from gallae.pretraining.recipe import pretraining_recipe
from gallae.pretraining.rows import Row

SMALL = [
    *("network.layers=2", "network.hidden=32", "network.heads=2", "network.feed_forward=64"),
    *("network.positions=128", "corpus.max_length=64", "network.dropout=0"),
]


@pytest.fixture
def teacher(checkpoint):
    # Large weights, so that it has something to say.
    return checkpoint("bert", "AutoModelForMaskedLM", num_hidden_layers=4, initializer_range=0.15)


def _made(kind, teacher, *overrides, **tokenizer):
    recipe = pretraining_recipe(kind, [*SMALL, f"network.teacher='{teacher}'", *overrides])
    torch.manual_seed(0)
    source = tokenizer.get("tokenizer") or load_tokenizer(teacher)
    return find_objective(recipe.objective.kind)(recipe, source, 0)


def _rows(objective, texts):
    ids = objective.tokenizer(texts, add_special_tokens=False)["input_ids"]
    return [Row(np.array(row), number=number) for number, row in enumerate(ids)]


def _taught(objective, texts, held, steps=25, rate=5e-3):
    """Train, and return the figures on held-out texts before and after."""
    rng, network = np.random.default_rng(0), objective.network
    batch = objective.collate(_rows(objective, held), np.random.default_rng(1))

    def figures():
        network.eval()
        with torch.no_grad():
            return {name: float(value) for name, value in network(**batch).items()}

    before = figures()
    optimizer = torch.optim.Adam(network.parameters(), rate)
    network.train()
    for _step in range(steps):
        optimizer.zero_grad()
        network(**objective.collate(_rows(objective, texts), rng))["loss"].backward()
        optimizer.step()
    return before, figures()


@pytest.fixture
def texts(topics_csv):
    with topics_csv.open(encoding="utf-8", newline="") as file:
        lines = [row["title"] for row in csv.DictReader(file)]
    return lines[::2], lines[1::2]


def test_distilbert_comes_nearer_to_its_teacher(teacher, texts):
    objective = _made("distilbert", teacher, "objective.mlm_weight=0")
    before, after = _taught(objective, *texts)
    assert after["soft"] < 0.7 * before["soft"] and after["cosine"] < 0.7 * before["cosine"]


def test_distilbert_begins_with_every_second_layer(teacher):
    objective, whole = _made("distilbert", teacher), load_model(teacher, "AutoModelForMaskedLM")
    own, theirs = (model.bert.encoder.layer for model in (objective.encoder, whole))
    assert len(own) == 2
    for number, layer in enumerate(own):
        assert torch.equal(layer.output.dense.weight, theirs[2 * number].output.dense.weight)


def test_a_student_that_is_its_teacher_has_nothing_to_learn_of_it(teacher, texts):
    objective = _made("distilbert", teacher, "network.layers=4", "network.every=1")
    batch = objective.collate(_rows(objective, texts[0]), np.random.default_rng(0))
    found = objective.network.eval()(**batch)
    assert found["soft"] < 1e-5 and found["cosine"] < 1e-5 and found["mlm"] > 1
    assert torch.allclose(found["loss"], 2 * found["mlm"], rtol=1e-3)


def test_the_divergence_is_the_formula():
    own, theirs = torch.randn(5, 7), torch.randn(5, 7)
    p, q = (functional.softmax(logits / 3, dim=1) for logits in (theirs, own))
    assert torch.allclose(divergence(own, theirs, 3.0), 9 * (p * (p / q).log()).sum(dim=1).mean())
    assert divergence(own[:0], theirs[:0], 3.0) == 0


def test_tinybert_comes_nearer_to_its_teacher(teacher, texts):
    objective = _made("tinybert", teacher, "network.hidden=16", "network.feed_forward=32")
    before, after = _taught(objective, *texts)
    for part in ("embedding", "hidden", "attention"):
        assert after[part] < 0.9 * before[part]
    assert after["loss"] < 0.7 * before["loss"]


def test_the_teacher_learns_nothing_and_is_not_saved(teacher, texts):
    for kind in ("distilbert", "tinybert"):
        objective = _made(kind, teacher)
        student = sum(p.numel() for p in objective.encoder.parameters())
        assert sum(p.numel() for p in objective.network.parameters()) <= student + 2 * 32 * 32
        asked = objective.network._teacher[0].model.state_dict()
        before = {name: tensor.clone() for name, tensor in asked.items()}
        _taught(objective, *texts, steps=2)
        assert all(torch.equal(asked[name], tensor) for name, tensor in before.items())


def test_batches_with_padding_give_the_same(teacher, texts):
    """What stands behind a row must not count."""
    objective = _made("tinybert", teacher)
    rows = _rows(objective, ["한국은행, 금리 동결에 상승", "코스피"])
    network, rng = objective.network.eval(), np.random.default_rng(0)
    with torch.no_grad():
        together = network(**objective.collate(rows, rng))
        apart = [network(**objective.collate([row], rng)) for row in rows]
    sizes = [len(row) for row in rows]
    mean = sum(size * float(one["hidden"]) for size, one in zip(sizes, apart, strict=True)) / sum(sizes)
    assert float(together["hidden"]) == pytest.approx(mean, rel=1e-4)
    pairs = [size**2 for size in sizes]
    mean = sum(n * float(one["attention"]) for n, one in zip(pairs, apart, strict=True)) / sum(pairs)
    assert float(together["attention"]) == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "overrides", "said"),
    [
        ("distilbert", ["network.hidden=16", "network.every=0"], "network.hidden=32"),
        ("distilbert", ["network.layers=3"], "network.layers=2"),
        ("tinybert", ["network.heads=4"], "Give the student as many"),
        ("tinybert", ["network.teacher=''"], "learns from a teacher"),
        ("mlm", ["network.every=0"], "has no use here"),
        ("tinybert", ["network.teacher=./nowhere"], "no checkpoint folder"),
        ("tinybert", ["corpus.max_length=200", "network.positions=256"], "corpus.max_length=128"),
    ],
)
def test_what_cannot_be(teacher, kind, overrides, said):
    with pytest.raises(GallaeError, match=said):
        _made(kind, teacher, *overrides)


def test_another_tokenizer_than_the_teachers(teacher, checkpoint):
    other = load_tokenizer(checkpoint("albert"))
    with pytest.raises(RecipeError, match="reads other tokens than the student"):
        _made("tinybert", teacher, tokenizer=other)


def test_a_teacher_without_a_language_model(checkpoint):
    with pytest.raises(GallaeError, match="no weights for this head"):
        _made("distilbert", checkpoint("bert", num_hidden_layers=4))
