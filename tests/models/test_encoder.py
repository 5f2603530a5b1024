"""Fine-tuned checkpoints under the contract: every family, every option, saving, resuming."""

import shutil

import numpy as np
import pytest
import torch

import gallae
from gallae.training import engine
from gallae.training.workspace import workspace

FAMILIES = ["bert", "albert", "roberta", "electra", "distilbert", "deberta-v2", "longformer", "big_bird",
            "xlm-roberta", "modernbert"]  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(model):
    return {name: tensor.clone() for name, tensor in model.network_.state_dict().items()}


def single(model, texts):
    return np.vstack([model.predict_proba([text]) for text in texts])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_takes_two_steps_and_is_saved(family, encoder, topics, tmp_path, elsewhere):
    texts, labels = topics
    model = encoder(family).fit(texts, labels)
    assert model.history_[-1]["step"] == 2 and np.isfinite(model.history_[-1]["loss"])
    found = model.predict_proba(texts)
    assert np.allclose(found.sum(axis=1), 1)
    assert np.abs(single(model, texts) - found).max() < 1e-5
    assert np.abs(model.predict_proba(texts[::-1])[::-1] - found).max() < 1e-5
    model.save(tmp_path / "model")
    if family == "bert":
        assert np.abs(elsewhere(tmp_path / "model", texts, HF_HUB_OFFLINE="1") - found).max() < 1e-6
    again = gallae.load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(texts), found)
    again.save(tmp_path / "again")
    assert np.array_equal(gallae.load(tmp_path / "again").predict_proba(texts), found)


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "longformer", "xlm-roberta"])
def test_the_saved_folder_is_a_checkpoint_of_transformers(family, encoder, topics, tmp_path):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = encoder(family).fit(*topics)
    model.save(tmp_path / "model")
    network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    batch = tokenizer(model.pipeline_.apply(topics[0]), padding=True, return_tensors="pt")
    if family == "longformer":
        batch["global_attention_mask"] = torch.zeros_like(batch["input_ids"])
        batch["global_attention_mask"][:, 0] = 1
    with torch.no_grad():
        logits = network(**batch).logits.numpy()
    assert np.allclose(logits, model.scores(topics[0]), atol=1e-5)
    assert list(network.config.id2label.values()) == list(model.classes_)
    assert "checkpoints" not in (tmp_path / "model" / "config.json").read_text()  # no folder of this machine
    assert tokenizer.padding_side == "right"


def test_a_tokenizer_that_pads_on_the_left_and_weights_of_half_precision_change_nothing(
    checkpoint, encoder, topics, tmp_path
):
    from transformers import AutoModel, AutoTokenizer

    folder = shutil.copytree(checkpoint("bert"), tmp_path / "left")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.padding_side = "left"
    tokenizer.save_pretrained(folder)
    AutoModel.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(folder)
    model = encoder(checkpoint=str(folder)).fit(*topics)
    found = model.predict_proba(topics[0])
    assert np.abs(single(model, topics[0]) - found).max() < 1e-5
    assert (
        np.abs(encoder().fit(*topics).predict_proba(topics[0]) - found).max() < 1e-2
    )  # rounded to begin with
    model.save(tmp_path / "model")
    assert np.array_equal(gallae.load(tmp_path / "model").predict_proba(topics[0]), found)
    assert {weight.dtype for weight in model.network_.parameters()} == {torch.float32}


def test_it_learns_32_rows_by_heart(encoder, topics):
    model = encoder(training={"epochs": 60, "learning_rate": 2e-3}, dropout=0.0, pooling="mean").fit(*topics)
    assert model.score(*topics) == 1.0
    assert (model.predict_proba(topics[0]).max(axis=1) > 0.8).all()


def test_several_labels_and_two_classes(encoder, topics, joint_topics):
    options = {"epochs": 100, "learning_rate": 2e-3, "class_weight": "balanced"}
    model = encoder(training=options, pooling="mean", dropout=0.0).fit(*joint_topics)
    assert model.multilabel_ and model.score(*joint_topics) > 0.8
    two = encoder().fit(topics[0], ["경제" if label == "경제" else "other" for label in topics[1]])
    assert two.scores(topics[0]).shape == (32, 1)


OPTIONS = [
    {"label_smoothing": 0.1, "loss": "cross_entropy"},
    {"loss": "focal"},
    {"class_weight": "balanced", "sampler": "balanced"},
    {"r_drop": 1.0},
    {"contrastive": 0.5},
    {"mixup": 0.4},
    {"adversarial": 0.5},
    {"ema": 0.9},
    {"optimizer": "radam", "accumulation": 2},
    {"optimizer": "muon", "schedule": "cosine"},
    {"precision": "bf16"},
    {"early_stopping": {"share": 0.2, "patience": 3}},
]


@pytest.mark.parametrize("training", OPTIONS, ids=lambda option: "-".join(option))
def test_every_training_option_takes_steps(training, encoder, topics):
    model = encoder("roberta" if "mixup" in training else "bert", training).fit(*topics)
    assert all(np.isfinite(row["loss"]) for row in model.history_)
    assert np.isfinite(model.predict_proba(topics[0])).all()


NETWORKS = [
    {"pooling": "pooler"},
    {"pooling": "attention", "last_layers": 2, "combine": "weighted"},
    {"word_dropout": 0.3},
    {"freeze": "embeddings"},
    {"freeze_layers": 1, "layer_decay": 0.8},
    {"gradual_unfreezing": True},
    {"reinit_layers": 1},
    {"gradient_checkpointing": True},
    {"lora": {"rank": 2}},
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda option: "-".join(option))
def test_every_option_of_the_network_learns_and_is_saved(network, encoder, topics, tmp_path):
    model = encoder(training={"epochs": 2}, **network).fit(*topics)
    assert all(np.isfinite(row["loss"]) for row in model.history_)
    model.save(tmp_path / "model")
    assert np.array_equal(
        gallae.load(tmp_path / "model").predict_proba(topics[0]), model.predict_proba(topics[0])
    )


def test_a_saved_encoder_learns_on_for_other_labels(encoder, topics, tmp_path):
    texts, labels = topics
    model = encoder(max_length=16).fit(texts, labels)
    model.save(tmp_path / "model")
    folder = str(tmp_path / "model")
    other = ["yes" if label == "경제" else "no" for label in labels]
    begun = encoder(checkpoint=folder).prepare(texts, other).network.state_dict()
    for name, tensor in weights(model).items():
        assert not name.startswith("backbone.") or torch.equal(tensor, begun[name]), name
    assert encoder(checkpoint=folder).fit(texts, other).classes_.tolist() == ["no", "yes"]


def test_a_frozen_encoder_stays_and_its_head_learns(encoder, topics):
    before = encoder(freeze="encoder").prepare(*topics).network
    begun = {name: tensor.clone() for name, tensor in before.state_dict().items()}
    after = weights(encoder(freeze="encoder").fit(*topics))
    moved = {name for name in begun if not torch.equal(begun[name], after[name])}
    assert moved == {"classifier.weight", "classifier.bias"}


def test_lora_moves_the_encoder_and_leaves_plain_weights(encoder, topics):
    begun = encoder(lora={"rank": 2}).prepare(*topics).network.state_dict()
    model = encoder(training={"learning_rate": 1e-2}, lora={"rank": 2}).fit(*topics)
    after = weights(model)
    assert not [name for name in after if "lora" in name]
    assert len(after) < len(begun)
    word = "backbone.embeddings.word_embeddings.weight"
    assert torch.equal(begun[word], after[word])
    assert any("query" in name and f"{name[:-7]}.base_layer.weight" in begun
               and not torch.equal(begun[f"{name[:-7]}.base_layer.weight"], after[name])
               for name in after)  # fmt: skip


@pytest.mark.parametrize("at", [2, 5])
@pytest.mark.parametrize(
    "network", [{}, {"lora": {"rank": 2}}, {"gradual_unfreezing": True, "layer_decay": 0.7}]
)
def test_interrupted_is_uninterrupted(at, network, encoder, topics, tmp_path, monkeypatch):
    training = {"epochs": 3, "early_stopping": {"share": 0.2}}
    whole = encoder(training=training, **network).fit(*topics)
    monkeypatch.setattr("gallae.training.trainer.SAVE_EVERY", 0.0)
    plain, steps = engine.Engine.compute_loss, []

    def stopped(self, *args, **kwargs):
        steps.append(1)
        if len(steps) == at:
            raise KeyboardInterrupt
        return plain(self, *args, **kwargs)

    with workspace(lambda: tmp_path), monkeypatch.context() as patch:
        patch.setattr(engine.Engine, "compute_loss", stopped)
        with pytest.raises(KeyboardInterrupt):
            encoder(training=training, **network).fit(*topics)
    for run in range(2):  # the second time, the finished fit is taken over
        with workspace(lambda: tmp_path), monkeypatch.context() as patch:
            if run:
                patch.setattr(engine.Engine, "train", None)
            resumed = encoder(training=training, **network).fit(*topics)
        for name, tensor in weights(whole).items():
            assert torch.equal(tensor, resumed.network_.state_dict()[name]), name
        assert resumed.history_ == whole.history_


def test_the_same_seed_gives_the_same_numbers(encoder, topics):
    first = encoder().fit(*topics).predict_proba(topics[0])
    assert np.array_equal(encoder().fit(*topics).predict_proba(topics[0]), first)
    other = encoder().set_params(seed=7).fit(*topics).predict_proba(topics[0])
    assert not np.array_equal(other, first)
