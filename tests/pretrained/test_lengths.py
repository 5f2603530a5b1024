"""How many tokens a checkpoint reads: one more, and its own network fails."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from gallae.pretrained.lengths import most_tokens
from gallae.pretrained.loading import load_config, load_model
from gallae.pretrained.tokenizing import load_tokenizer

ENDLESS = ("deberta-v2", "modernbert", "big_bird", "longformer")  # relative positions, or padded up


def test_the_longest_row_is_read_and_one_more_is_not(checkpoint, families):
    for family in families:
        folder = checkpoint(family)
        most = most_tokens(load_config(folder))
        network = load_model(folder)
        with torch.inference_mode():
            network(input_ids=torch.full((1, most), 7))
            if family not in ENDLESS:
                with pytest.raises((IndexError, RuntimeError)):
                    network(input_ids=torch.full((1, most + 1), 7))


def test_the_tokenizer_may_allow_fewer(checkpoint):
    tokenizer = load_tokenizer(checkpoint("bert"))
    tokenizer.model_max_length = 50
    assert most_tokens(load_config(checkpoint("bert")), tokenizer) == 50
    tokenizer.model_max_length = 10**30
    assert most_tokens(load_config(checkpoint("bert")), tokenizer) == 128
