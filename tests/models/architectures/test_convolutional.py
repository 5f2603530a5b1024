"""Convolutions against plain numpy."""

import numpy as np
import pytest
import torch

WINDOWS = [1, 2, 4]


@pytest.fixture
def network(make):
    return make("convolutional", {"windows": WINDOWS, "filters": 5}).eval()


def by_hand(network, vectors):
    """Return the largest answer of each filter over (length, width) vectors."""
    found, start = [], 0
    weights, biases = network.convolutions.weight.detach().numpy(), network.convolutions.bias.detach().numpy()
    for number, window in enumerate(WINDOWS):
        rows = weights[start * 5 : (start + window) * 5]
        weight, bias = rows.reshape(window, 5, -1).transpose(1, 2, 0), biases[number * 5 : number * 5 + 5]
        start += window
        outside = np.zeros((window - 1, vectors.shape[1]))
        filled = np.concatenate([outside, vectors, outside])
        answers = [
            np.einsum("wd,fdw->f", filled[start : start + window], weight) + bias
            for start in range(len(filled) - window + 1)
        ]
        found.append(np.maximum(np.max(answers, axis=0), 0))
    return np.concatenate(found)


def test_windows_reach_over_the_ends_of_the_text(network, texts):
    batch = texts.batch(network, padding=3)
    pooled = network(**batch).pooled.detach().numpy()
    table = network.embedding.word.weight.detach().numpy()
    for row, length in enumerate(texts.ids.lengths):
        vectors = table[batch["input_ids"][row, :length].numpy()]
        assert np.allclose(pooled[row], by_hand(network, vectors), atol=1e-5)


def test_batch_norm_is_before_the_activation(make, texts):
    network = make("convolutional", {"batch_norm": True}).train()
    pooled = network(**texts.batch(network)).pooled
    assert (pooled.detach() == 0).float().mean() > 0.2  # normed around zero, then cut off
    assert torch.allclose(network.convolutions.norm.num_batches_tracked, torch.tensor(1))
