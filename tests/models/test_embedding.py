"""Vectors of texts from the layers of an encoder."""

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from gallae.errors import ModelError, RecipeError
from gallae.models import embedding
from gallae.models.embedders import open_embedder
from gallae.models.layers import EmbeddingOptions
from gallae.pretrained.loading import load_model
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.text.kiwi_vectors import kiwi_vectors

TEXTS = ["한국은행 금리 동결", "", "손흥민, 결승골로 승리", "코스피 2% 급락 마감 " * 5, "日 총리"]
STUDY = {  # the study's six
    "embedding layer": EmbeddingOptions("0"),
    "second to last": EmbeddingOptions("-2"),
    "last": EmbeddingOptions("-1"),
    "weighted sum of the last 2": EmbeddingOptions("-2:", "weighted", (0.3, 0.7)),
    "concatenation of the last 2": EmbeddingOptions("-2:", "concat"),
    "weighted sum of all": EmbeddingOptions("1:", "weighted", (0.9, 0.1)),
}


def hidden_states(folder, text):
    """What transformers itself gives for one text: all layers, (length, 32) each."""
    tokenizer, network = load_tokenizer(folder), load_model(folder)
    with torch.inference_mode():
        given = tokenizer(text, return_tensors="pt")
        return [one[0].numpy() for one in network(**given, output_hidden_states=True).hidden_states]


@pytest.mark.parametrize("options", STUDY.values(), ids=STUDY)
def test_the_studys_six_are_what_they_say(checkpoint, options):
    folder = checkpoint("bert")
    (found,) = open_embedder(folder, options).embed([TEXTS[0]])
    layers = [layer.mean(axis=0) for layer in hidden_states(folder, TEXTS[0])]
    expected = {
        "0": layers[0],
        "-2": layers[1],
        "-1": layers[2],
        "-2:": 0.3 * layers[1] + 0.7 * layers[2],
        "1:": 0.9 * layers[1] + 0.1 * layers[2],
    }[options.layer]
    if options.combine == "concat":
        expected = np.concatenate(layers[1:])
    assert found.dtype == np.float32 and np.allclose(found, expected, atol=1e-5)


def test_sums_means_and_lists_of_layers(checkpoint):
    folder = checkpoint("bert")
    layers = [layer.mean(axis=0) for layer in hidden_states(folder, TEXTS[0])]
    for options, expected in (
        (EmbeddingOptions("0,-1", "sum"), layers[0] + layers[2]),
        (EmbeddingOptions("0,-1", "mean"), (layers[0] + layers[2]) / 2),
        (EmbeddingOptions(":-1", "concat"), np.concatenate(layers[:2])),
    ):
        assert np.allclose(open_embedder(folder, options).embed([TEXTS[0]])[0], expected, atol=1e-5)


def test_pooling(checkpoint):
    folder = checkpoint("bert")
    last = hidden_states(folder, TEXTS[2])[-1]
    for pool, expected in (("cls", last[0]), ("max", last.max(axis=0)), ("mean", last.mean(axis=0))):
        (found,) = open_embedder(folder, EmbeddingOptions("-1", pool=pool)).embed([TEXTS[2]])
        assert np.allclose(found, expected, atol=1e-5), pool


@pytest.mark.parametrize("pool", ["cls", "mean", "max"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_neighbours_order_and_padding_side_change_nothing(checkpoint, monkeypatch, families, pool, side):
    for family in families:
        embedder = open_embedder(checkpoint(family), EmbeddingOptions("-2:", "concat", pool=pool))
        alone = np.vstack([embedder.embed([text]) for text in TEXTS])
        assert alone.shape == (5, 64) == (5, embedder.width)
        assert np.isfinite(alone).all() and np.abs(alone).max() > 0.1
        embedder.tokenizer.padding_side = side
        assert np.allclose(embedder.embed(TEXTS), alone, atol=1e-5), family
        assert np.allclose(embedder.embed(TEXTS[::-1])[::-1], alone, atol=1e-5), family
        monkeypatch.setattr(embedding, "TOKENS_A_BATCH", 40)
        assert np.allclose(embedder.embed(TEXTS), alone, atol=1e-5), family
        monkeypatch.undo()
