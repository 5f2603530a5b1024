"""The causal language model: what it guesses, and that it sees nothing of it."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from gallae.errors import RecipeError
from gallae.pretraining.masking import IGNORED
from gallae.pretraining.rows import BREAK, Row


def test_it_learns_more_than_how_frequent_tokens_are(taught, texts):
    found = taught("clm", texts)
    assert found.after["loss"] < 0.8 * found.entropy
    assert found.after["accuracy"] > found.before["accuracy"] + 0.2


def test_every_token_behind_the_first_is_guessed(made):
    objective = made("clm")
    cls, sep = objective.tokenizer.cls_token_id, objective.tokenizer.sep_token_id
    batch = objective.collate(
        [Row(np.array([10, 11, BREAK, 12])), Row(np.array([13]))], np.random.default_rng(0)
    )
    assert batch["labels"][:, :6].tolist() == [[cls, 10, 11, sep, 12, sep], [cls, 13, sep, *[IGNORED] * 3]]
    network = objective.network.eval()
    with torch.no_grad():
        found = network(**batch)["loss"]
        logits = objective.encoder(input_ids=batch["input_ids"]).logits
    wanted = functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]), batch["labels"][:, 1:].reshape(-1)
    )
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_padding_changes_nothing(made):
    objective = made("clm")
    objective.network.eval()
    short, long = Row(np.array([10, 11, 12])), Row(np.arange(10, 30))

    def loss(*rows):
        return objective.network(**objective.collate(rows, np.random.default_rng(0)))["loss"].item()

    assert loss(short, long) == pytest.approx((4 * loss(short) + 21 * loss(long)) / 25, rel=1e-4)


def test_the_model_writes_on_after_it_is_saved(taught, texts, tmp_path):
    from transformers import AutoModelForCausalLM

    found = taught("clm", texts, "corpus.format=lines")
    found.objective.encoder.save_pretrained(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    ids = found.objective.tokenizer("손흥민", add_special_tokens=False)["input_ids"]
    start = torch.tensor([[found.objective.tokenizer.cls_token_id, *ids]])
    written = model.generate(start, max_new_tokens=30, do_sample=False, pad_token_id=0)[0]
    assert written[-1] == found.objective.tokenizer.sep_token_id  # it stops by itself


def test_networks_that_see_both_sides_are_refused(made):
    with pytest.raises(RecipeError, match="both sides"):
        made("clm", "network.model_type=bert")
    made("clm", "network.model_type=bert", "network.config={is_decoder = true}")
