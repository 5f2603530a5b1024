"""Every shipped recipe of a network: found, run for two steps, the study's settings pinned."""

import numpy as np
import pytest
import torch

import gallae
from gallae.data import sample
from gallae.models.architectures.options import FAMILIES
from gallae.recipes import find_recipe, shipped_recipes

FROM_RANDOM = set(FAMILIES) - {"encoder"}
NETWORKS = [name for name, recipe in shipped_recipes().items() if recipe.model.family in FROM_RANDOM]
STUDY = {
    "simple-dnn-original": {
        "features.blocks.0.ngrams": (1, 2),
        "features.blocks.0.max_features": 150_000,
        "features.blocks.0.sublinear": True,
        "features.blocks.0.unit": "word",
        "model.hidden": [128],
        "model.dropout": 0.8,
        "training.optimizer": "adam",
        "training.learning_rate": 1e-3,
        "training.epochs": 4,
    },
    "prepro-dnn-original": {"features.blocks.0.unit": "morpheme", "model.dropout": 0.8, "training.epochs": 4},
    "rnn-original": {
        "text.keep_tags": ["NNG", "NNP", "VV"],
        "model.vocabulary": 17_645,  # 17,640 words and the five special tokens
        "model.embedding": 100,
        "model.cell": "rnn",
        "model.layers": 3,
        "model.hidden": 64,
        "model.max_length": 16,
        "training.batch_size": 100,
        "training.epochs": 10,
    },
    "bilstm-original": {
        "model.cell": "lstm",
        "model.bidirectional": True,
        "model.layers": 3,
        "model.hidden": 64,
        "training.batch_size": 512,
        "training.early_stopping.patience": 3,
        "training.early_stopping.min_delta": 0.001,
        "seed": 42,
    },
    "bilstm-fasttext-original": {
        "model.vector_options": {"dim": 100, "window": 3, "min_count": 100},
        "model.train_vectors": True,
        "model.dropout": 0.2,
        "model.recurrent_dropout": 0.2,
    },
    "bilstm-ntc-original": {
        "model.embedding": 256,
        "model.hidden": 512,
        "model.layers": 4,
        "model.dropout": 0.3,
        "training.batch_size": 128,
        "training.epochs": 10,
    },
    "textcnn-original": {
        "model.windows": [3, 4, 5, 6, 7, 8],
        "model.filters": 128,
        "model.dropout": 0.3,
        "training.batch_size": 128,
    },
}
NAMED = [
    *("simple-dnn", "prepro-dnn", "rnn", "bilstm", "bilstm-fasttext", "bilstm-cnn", "textcnn", "bow-torch"),
    *(
        "embedding",
        "embedding-bag",
        "word2vec",
        "glove",
        "lstm",
        "lstm-packed",
        "bilstm-2layer",
        "transformer",
    ),
]


def test_the_rows_of_the_study_and_of_the_course_have_recipes():
    shipped = shipped_recipes()
    assert set(NAMED) <= set(shipped)
    assert {f"{name}-original" for name in NAMED[:7]} <= set(shipped)
    assert [member.name for member in shipped["bilstm-cnn-original"].model.members] == [
        "bilstm-ntc-original",
        "textcnn-original",
    ]
    assert "default" in [member.name for member in shipped["ensemble"].model.members]


@pytest.mark.parametrize("name", STUDY)
def test_original_recipes_pin_the_studys_settings(name):
    recipe = find_recipe(name)
    for key, expected in STUDY[name].items():
        value = recipe
        for part in key.split("."):
            value = value[int(part)] if part.isdigit() else getattr(value, part)
        assert value == expected, key


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_recipe_takes_two_steps(name, tmp_path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    corpus = sample("headlines").take(np.arange(0, 960, 24))
    overrides = ["training.epochs=1", "training.min_steps=0", "training.batch_size=20", "training.track=none"]
    recipe = find_recipe(name)
    if recipe.model.family != "mlp":
        overrides.append("model.min_count=1")
    if getattr(recipe.model, "unseen_vectors", False):
        overrides.append("model.unseen_vectors=false")
    if getattr(recipe.model, "vector_options", {}):
        overrides += ["model.vector_options.min_count=1", "model.vector_options.epochs=1"]
    if recipe.training.early_stopping.share:
        overrides.append("training.batch_size=18")
    model = gallae.build(find_recipe(name, overrides)).fit(corpus.texts, corpus.labels)
    torch.set_num_threads(threads)
    assert model.history_[-1]["step"] in (2, 3)
    found = model.predict_proba(corpus.texts[:5])
    model.save(tmp_path / "model")
    assert np.allclose(gallae.load(tmp_path / "model").predict_proba(corpus.texts[:5]), found, atol=1e-6)
    assert np.isfinite(found).all() and np.allclose(found.sum(axis=1), 1)
