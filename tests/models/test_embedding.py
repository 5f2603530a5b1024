"""Vectors of texts from the layers of an encoder."""

import json
import shutil
import sys

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

import gallae
from gallae.errors import ModelError, RecipeError
from gallae.models.embedders import open_embedder
from gallae.models.encoder import EncoderClassifier
from gallae.models.layers import EmbeddingOptions
from gallae.pretrained.loading import load_model
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.text.kiwi_vectors import kiwi_vectors
from gallae.training import inference

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
        monkeypatch.setattr(inference, "IN_CACHE", 40)
        assert np.allclose(embedder.embed(TEXTS), alone, atol=1e-5), family
        monkeypatch.undo()


def test_special_tokens_in_a_text_are_text(checkpoint):
    embedder = open_embedder(checkpoint("bert"), EmbeddingOptions("-1", pool="cls"))
    plain, marked = embedder.embed(["코스피 마감", "코스피 [SEP] 마감 \ud800"])
    assert not np.allclose(plain, marked)
    ids = embedder.tokenizer("[SEP]")["input_ids"]
    assert ids.count(embedder.tokenizer.sep_token_id) == 1


def test_long_texts_are_cut_and_counted(checkpoint):
    folder = checkpoint("bert")
    embedder = open_embedder(folder, EmbeddingOptions(max_length=8))
    embedder.embed(TEXTS)
    assert embedder.truncated >= 1
    most = open_embedder(folder, EmbeddingOptions(max_length=10_000))
    assert 100 < most.max_length <= 128
    assert np.isfinite(most.embed(["코스피 급락 " * 500])).all() and most.truncated == 1
    assert open_embedder(checkpoint("roberta"), EmbeddingOptions(max_length=10_000)).max_length < 128


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (
            EmbeddingOptions("3"),
            r"no layer 3: this encoder has 0 \(embeddings\) to 2; .*-1 \(the last\) to -3",
        ),
        (EmbeddingOptions("-4"), "no layer -4"),
        (EmbeddingOptions("2:1"), "'2:1' chooses none"),
        (EmbeddingOptions("1:", "weighted", (1.0,)), "chooses 2 layers, but there are 1 weights"),
    ],
)
def test_layers_that_are_not_there(checkpoint, options, why):
    with pytest.raises(RecipeError, match=why):
        open_embedder(checkpoint("bert"), options)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"layer": "last"}, "'last' cannot be read. Write a number"),
        ({"layer": "1:2:3"}, "cannot be read"),
        ({"combine": "median"}, "'median'; allowed: mean, sum, concat, weighted"),
        ({"pool": "min"}, "'min'; allowed: cls, mean, max"),
        ({"combine": "weighted"}, "needs weights"),
        ({"weights": (1.0,)}, "weights are for combine 'weighted'"),
        ({"max_length": 2}, "max_length is 2: 3 or more"),
    ],
)
def test_options_that_are_not_allowed(given, why):
    with pytest.raises(RecipeError, match=why):
        EmbeddingOptions(**given)


def test_folders_that_are_no_checkpoint(checkpoint, tmp_path, topics_run):
    bare = shutil.copytree(checkpoint("bert"), tmp_path / "bare")
    for file in bare.glob("*token*"):
        file.unlink()
    with pytest.raises(ModelError, match="has no tokenizer"):
        open_embedder(bare)
    with pytest.raises(ModelError, match="holds no encoder"):
        open_embedder(topics_run.folder)
    with pytest.raises(ModelError, match="no checkpoint"):
        open_embedder(tmp_path)


def test_a_folder_of_sentence_transformers(checkpoint, tmp_path):
    folder = tmp_path / "sentences"
    shutil.copytree(checkpoint("bert"), folder / "0_Transformer")
    modules = [{"idx": 0, "name": "0", "path": "0_Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    same = open_embedder(checkpoint("bert")).embed(TEXTS)
    assert np.array_equal(open_embedder(folder).embed(TEXTS), same)
    (folder / "modules.json").write_text("[]")
    with pytest.raises(ModelError, match=r"modules\.json is damaged"):
        open_embedder(folder)


def test_a_trained_encoder_gives_its_backbones_vectors(checkpoint, topics_csv, tmp_path):
    corpus = gallae.read(topics_csv)
    network = {"checkpoint": str(checkpoint("bert")), "max_length": 32}
    model = EncoderClassifier(network, training={"epochs": 1}).fit(corpus.texts, corpus.labels)
    model.save(tmp_path / "run")
    embedder = open_embedder(tmp_path / "run", EmbeddingOptions("-1"))
    found = embedder.embed(TEXTS)
    assert found.shape == (5, 32)
    with torch.inference_mode():
        ids = embedder.tokenizer(TEXTS[0], return_tensors="pt")
        expected = model.network_.backbone.cpu().eval()(**ids).last_hidden_state[0].mean(dim=0)
    assert np.allclose(found[0], expected, atol=1e-5)
    assert np.allclose(embedder.embed([f"  {TEXTS[0]}\n"]), found[:1], atol=1e-5)  # its text steps run


def test_kiwis_vectors_need_no_network(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    embedder = open_embedder("kiwi")
    found = embedder.embed(["은행이 금리를", "", "은행 금리"])
    expected = kiwi_vectors()(["은행/NNG", "금리/NNG"]).mean(axis=0)
    assert found.shape == (3, 256) == (3, embedder.width) and found.dtype == np.float32
    assert np.allclose(found[0], expected, atol=1e-6) and np.allclose(found[2], expected, atol=1e-6)
    assert not found[1].any()
    with pytest.raises(RecipeError, match="have no layers"):
        open_embedder("kiwi", EmbeddingOptions("-1"))
