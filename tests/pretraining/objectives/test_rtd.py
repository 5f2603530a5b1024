"""Replaced token detection: what is shared, sampled, counted and saved."""

import numpy as np
import pytest
import torch

from gallae.errors import RecipeError
from gallae.pretraining.objectives import find_objective
from gallae.pretraining.objectives.rtd import ReplacedTokenDetection, sampled
from gallae.pretraining.recipe import pretraining_recipe
from gallae.pretraining.rows import Row

SMALL = (
    *("network.layers=2", "network.hidden=32", "network.heads=2", "network.embedding=16"),
    *("corpus.max_length=64",),
)


@pytest.fixture(scope="module")
def tokenizer(checkpoint):
    """Return the tokenizer of a tiny BERT of headlines."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(checkpoint("bert"))


@pytest.fixture
def objective(tokenizer):
    """Return an ELECTRA of two layers."""
    torch.manual_seed(0)
    recipe = pretraining_recipe("electra", SMALL)
    assert find_objective(recipe.objective.kind) is ReplacedTokenDetection
    return ReplacedTokenDetection(recipe, tokenizer, 0)


@pytest.fixture
def batch(objective):
    """Return a batch of 40 rows of 5 to 20 tokens."""
    rng = np.random.default_rng(0)
    rows = [Row(rng.integers(10, len(objective.tokenizer), size)) for size in rng.integers(5, 21, 40)]
    return objective.collate(rows, rng)


def test_the_generator_is_half_as_large_and_shares_the_embeddings(objective):
    generator, encoder = objective.network.generator, objective.encoder
    assert (generator.config.hidden_size, generator.config.num_hidden_layers) == (16, 1)
    assert (encoder.config.hidden_size, encoder.config.num_hidden_layers) == (32, 2)
    word = encoder.get_input_embeddings().weight
    assert generator.get_input_embeddings().weight is word
    assert generator.get_output_embeddings().weight is word
    assert generator.base_model.embeddings.position_embeddings is encoder.embeddings.position_embeddings


def test_one_loss_for_both(objective, batch):
    found = objective.network(**batch)
    assert found["loss"].item() == pytest.approx(found["mlm"].item() + 50 * found["rtd"].item(), rel=1e-5)
    found["loss"].backward()
    assert all(weight.grad is not None for weight in objective.network.parameters())


def test_the_encoders_loss_teaches_the_generator_nothing(objective, batch):
    objective.network.generator.requires_grad_(False)
    objective.network.encoder.embeddings.requires_grad_(True)
    before = [weight.grad for weight in objective.network.generator.base_model.encoder.parameters()]
    objective.network(**batch)["loss"].backward()
    assert before == [None] * len(before)


def test_about_the_masked_share_is_replaced(objective, batch):
    shares = torch.stack([objective.network(**batch)["replaced"] for _ in range(5)])
    masked = (batch["labels"] >= 0).sum() / batch["attention_mask"].sum()
    assert 0.1 < masked < 0.16
    assert 0.8 * masked < shares.mean() <= masked  # a few samples are the very token


def test_sampling_follows_the_softmax():
    torch.manual_seed(0)
    shares = torch.tensor([0.5, 0.3, 0.2])
    drawn = sampled(shares.log().expand(20_000, 3))
    assert torch.allclose(drawn.bincount() / 20_000, shares, atol=0.015)


def test_another_architecture_is_refused(tokenizer):
    recipe = pretraining_recipe("electra", [*SMALL, "network.model_type=bert"])
    with pytest.raises(RecipeError, match=r"Set network\.model_type=electra"):
        ReplacedTokenDetection(recipe, tokenizer, 0)
