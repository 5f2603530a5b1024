"""Fine-tuned checkpoints under the contract: every family, saving, resuming, windows, mistakes."""

import json
import logging
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

import gallae
from gallae.errors import DataError, ModelError, RecipeError
from gallae.models.calibration import CalibratedClassifier
from gallae.models.encoded import pool_windows
from gallae.models.encoder import EncoderClassifier
from gallae.training import engine
from gallae.training.workspace import workspace

FAMILIES = ["bert", "albert", "roberta", "electra", "distilbert", "deberta-v2", "longformer", "big_bird",
            "xlm-roberta", "modernbert"]  # fmt: skip
LEARN = {"epochs": 1, "batch_size": 16, "track": "none"}


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def rows(topics_csv):
    """32 headlines and their three topics."""
    corpus = gallae.read(topics_csv)
    chosen = [*range(11), *range(24, 35), *range(48, 58)]
    return [corpus.texts[row] for row in chosen], [corpus.labels[row] for row in chosen]


@pytest.fixture(scope="module")
def joint(rows):
    """The same and 10 with two topics."""
    texts, labels = rows
    pairs = [(texts[at] + " " + texts[at + 11], [labels[at], labels[at + 11]]) for at in range(10)]
    return [*texts, *(text for text, _ in pairs)], [*([label] for label in labels), *(two for _, two in pairs)]


@pytest.fixture
def make(checkpoint):
    """Return an unfitted classifier over a tiny checkpoint; fields of [training] under `training`."""

    def made(family="bert", training: Mapping = {}, **network):
        table = {"checkpoint": str(checkpoint(family)), "max_length": 32, **network}
        return EncoderClassifier(table, LEARN | dict(training))

    return made


def weights(model):
    return {name: tensor.clone() for name, tensor in model.network_.state_dict().items()}


def single(model, texts):
    return np.vstack([model.predict_proba([text]) for text in texts])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_takes_two_steps_and_is_saved(family, make, rows, tmp_path, elsewhere):
    texts, labels = rows
    model = make(family).fit(texts, labels)
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
def test_the_saved_folder_is_a_checkpoint_of_transformers(family, make, rows, tmp_path):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = make(family).fit(*rows)
    model.save(tmp_path / "model")
    network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    batch = tokenizer(model.pipeline_.apply(rows[0]), padding=True, return_tensors="pt")
    if family == "longformer":
        batch["global_attention_mask"] = torch.zeros_like(batch["input_ids"])
        batch["global_attention_mask"][:, 0] = 1
    with torch.no_grad():
        logits = network(**batch).logits.numpy()
    assert np.allclose(logits, model.scores(rows[0]), atol=1e-5)
    assert list(network.config.id2label.values()) == list(model.classes_)


def test_it_learns_32_rows_by_heart(make, rows):
    model = make(training={"epochs": 60, "learning_rate": 2e-3}, dropout=0.0, pooling="mean").fit(*rows)
    assert model.score(*rows) == 1.0
    assert (model.predict_proba(rows[0]).max(axis=1) > 0.8).all()


def test_several_labels_and_two_classes(make, rows, joint):
    options = {"epochs": 100, "learning_rate": 2e-3, "class_weight": "balanced"}
    model = make(training=options, pooling="mean", dropout=0.0).fit(*joint)
    assert model.multilabel_ and model.score(*joint) > 0.8
    two = make().fit(rows[0], ["경제" if label == "경제" else "other" for label in rows[1]])
    assert two.scores(rows[0]).shape == (32, 1)


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
def test_every_training_option_takes_steps(training, make, rows):
    model = make("roberta" if "mixup" in training else "bert", training).fit(*rows)
    assert all(np.isfinite(row["loss"]) for row in model.history_)
    assert np.isfinite(model.predict_proba(rows[0])).all()


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
def test_every_option_of_the_network_learns_and_is_saved(network, make, rows, tmp_path):
    model = make(training={"epochs": 2}, **network).fit(*rows)
    assert all(np.isfinite(row["loss"]) for row in model.history_)
    model.save(tmp_path / "model")
    assert np.array_equal(gallae.load(tmp_path / "model").predict_proba(rows[0]), model.predict_proba(rows[0]))


def test_a_frozen_encoder_stays_and_its_head_learns(make, rows):
    before = make(freeze="encoder").prepare(*rows).network
    begun = {name: tensor.clone() for name, tensor in before.state_dict().items()}
    after = weights(make(freeze="encoder").fit(*rows))
    moved = {name for name in begun if not torch.equal(begun[name], after[name])}
    assert moved == {"classifier.weight", "classifier.bias"}


def test_lora_moves_the_encoder_and_leaves_plain_weights(make, rows):
    begun = make(lora={"rank": 2}).prepare(*rows).network.state_dict()
    model = make(training={"learning_rate": 1e-2}, lora={"rank": 2}).fit(*rows)
    after = weights(model)
    assert not [name for name in after if "lora" in name]
    assert len(after) < len(begun)
    word = "backbone.embeddings.word_embeddings.weight"
    assert torch.equal(begun[word], after[word])
    assert any("query" in name and f"{name[:-7]}.base_layer.weight" in begun
               and not torch.equal(begun[f"{name[:-7]}.base_layer.weight"], after[name])
               for name in after)  # fmt: skip


@pytest.mark.parametrize("at", [2, 5])
@pytest.mark.parametrize("network", [{}, {"lora": {"rank": 2}}, {"gradual_unfreezing": True, "layer_decay": 0.7}])
def test_interrupted_is_uninterrupted(at, network, make, rows, tmp_path, monkeypatch):
    training = {"epochs": 3, "early_stopping": {"share": 0.2}}
    whole = make(training=training, **network).fit(*rows)
    monkeypatch.setattr(engine, "_SAVE_EVERY", 0.0)
    plain, steps = engine.Engine.compute_loss, []

    def stopped(self, *args, **kwargs):
        steps.append(1)
        if len(steps) == at:
            raise KeyboardInterrupt
        return plain(self, *args, **kwargs)

    with workspace(lambda: tmp_path), monkeypatch.context() as patch:
        patch.setattr(engine.Engine, "compute_loss", stopped)
        with pytest.raises(KeyboardInterrupt):
            make(training=training, **network).fit(*rows)
    for run in range(2):  # the second time, the finished fit is taken over
        with workspace(lambda: tmp_path), monkeypatch.context() as patch:
            if run:
                patch.setattr(engine.Engine, "train", None)
            resumed = make(training=training, **network).fit(*rows)
        for name, tensor in weights(whole).items():
            assert torch.equal(tensor, resumed.network_.state_dict()[name]), name
        assert resumed.history_ == whole.history_


def test_the_same_seed_gives_the_same_numbers(make, rows):
    first = make().fit(*rows).predict_proba(rows[0])
    assert np.array_equal(make().fit(*rows).predict_proba(rows[0]), first)
    other = make().set_params(seed=7).fit(*rows).predict_proba(rows[0])
    assert not np.array_equal(other, first)


WINDOWS = {"max_length": 6, "windows": True, "stride": 1}


@pytest.mark.parametrize("several_labels", [False, True])
def test_windows_are_pooled_as_by_hand(several_labels, make, rows, joint):
    texts, labels = joint if several_labels else rows
    long = [" ".join(texts[:number]) for number in (1, 5, 9)]
    model = make(**WINDOWS).fit(texts, labels)
    assert model.history_[-1]["step"] > -(-len(texts) // 16)  # more windows than texts
    network, scores = model.network_, model.scores(long)
    taken = model.inputs_.transform(model.pipeline_.apply(long)).take(np.arange(3))
    assert taken.counts[0] < taken.counts[1] < taken.counts[2] == len(taken) - taken.counts[:2].sum()
    with torch.no_grad():
        logits = network(**taken.batch(np.arange(len(taken)))).logits.numpy()
    expected = pool_windows(logits, taken.counts, "clinical", several_labels)
    assert np.allclose(scores, expected, atol=1e-5)
    assert np.abs(single(model, long) - model.predict_proba(long)).max() < 1e-5


def test_windows_are_pooled_while_watching_too(make, rows, tmp_path):
    texts = [f"{text} {text} {text}" for text in rows[0]]
    stop = {"share": 0.25}
    model = make(training={"early_stopping": stop, "epochs": 2}, **WINDOWS).fit(texts, rows[1])
    held, scores = model.held_out_scores()
    assert len(held) == len(scores) == 8
    gold = np.searchsorted(model.classes_, np.array(rows[1])[held])
    best = max(model.history_, key=lambda row: row["macro_f1"])
    assert -log_softmax(scores, axis=1)[np.arange(8), gold].mean() == pytest.approx(best["valid_loss"], abs=1e-4)
    model.save(tmp_path / "model")
    assert np.array_equal(gallae.load(tmp_path / "model").predict_proba(texts), model.predict_proba(texts))
    calibrated = CalibratedClassifier(
        make(training={"early_stopping": stop}, **WINDOWS), "temperature", folds=1
    ).fit(texts, rows[1])
    assert calibrated.predict_proba(texts).shape == (len(texts), 3)


def test_an_empty_text_is_predicted_by_the_shares_of_the_classes(make, rows, caplog):
    texts, labels = [*rows[0], ""], [*rows[1], rows[1][0]]
    with caplog.at_level(logging.WARNING, "gallae"):
        model = make(**WINDOWS).fit(texts, labels)
    assert "1 of 33 texts have no token" in caplog.text
    assert np.allclose(model.predict_proba(["", texts[0]])[0], model.prior_, atol=1e-6)


def test_long_texts_are_cut_and_it_is_said_once(make, rows, caplog):
    with caplog.at_level(logging.INFO, "gallae"):
        model = make(max_length=6).fit(*rows)
        model.predict(rows[0])
    assert caplog.text.count("longer than model.max_length") == 1
    assert "tokens a text: median" in caplog.text


def test_sparse_attention_of_bigbird_does_not_depend_on_the_batch(checkpoint, rows):
    folder = checkpoint("big_bird", attention_type="block_sparse", block_size=4, num_random_blocks=1)
    table = {"checkpoint": str(folder), "max_length": 60, "block_size": 4}
    texts = [*rows[0], " ".join(rows[0][:4])]
    model = EncoderClassifier(table, LEARN).fit(texts, [*rows[1], rows[1][0]])
    assert model.network_.backbone.attention_type == "block_sparse"
    assert np.abs(single(model, texts) - model.predict_proba(texts)).max() < 1e-5
    assert model.network_.backbone.attention_type == "block_sparse"
    short = EncoderClassifier(table | {"max_length": 20}, LEARN).fit(*rows)
    assert short.network_.config.backbone["attention_type"] == "original_full"


def test_longformers_window_and_global_positions(make, rows):
    model = make("longformer", attention_window=8, global_attention=[0, 1]).fit(*rows)
    batch = model.inputs_.transform([rows[0][0]]).batch(np.array([0]))
    assert batch["global_attention_mask"].sum() == 2 and batch["input_ids"].shape[1] % 8 == 0
    assert model.network_.config.backbone["attention_window"] == [8, 8]


def test_word_dropout_hides_words_only(make, rows):
    job = make("xlm-roberta", word_dropout=0.99).prepare(*rows)
    seen = []
    step = engine.Objective(job.options, None, False, job.word_dropout, job.special)
    batch = job.train.__getitems__(list(range(8)))

    def look(**inputs):
        seen.append(inputs["input_ids"])
        return job.network(**inputs)

    step(look, batch)
    before, after = batch["input_ids"], seen[0]
    special = torch.isin(before, torch.tensor([0, 1, 2]))  # <s>, <pad>, </s> of XLM-R
    assert torch.equal(before[special], after[special]) and special.any()
    assert (after[~special] == 3).float().mean() > 0.9


def test_a_classifier_for_other_labels_gives_its_encoder_and_it_is_said(checkpoint, rows, caplog):
    folder = checkpoint("bert", "AutoModelForSequenceClassification")
    table = {"checkpoint": str(folder), "max_length": 32}
    with caplog.at_level(logging.WARNING, "gallae"):
        model = EncoderClassifier(table, LEARN).fit(*rows)
    assert "a classifier already" in caplog.text and len(model.classes_) == 3


def test_a_decoder_needs_another_pooling(checkpoint, rows, tmp_path):
    from transformers import AutoTokenizer

    from gallae.pretrained.scratch import write_checkpoint

    tokenizer = AutoTokenizer.from_pretrained(checkpoint("roberta"))
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}
    folder = write_checkpoint(tmp_path / "gpt", rows[0], "gpt2", tokenizer, **sizes)
    table = {"checkpoint": str(folder), "max_length": 32}
    with pytest.raises(RecipeError, match=r"left to right \(gpt2\).*'mean'"):
        EncoderClassifier(table, LEARN).fit(*rows)
    model = EncoderClassifier(table | {"pooling": "mean"}, LEARN).fit(*rows)
    assert np.abs(single(model, rows[0]) - model.predict_proba(rows[0])).max() < 1e-5


def test_a_tokenizer_that_knows_nothing_is_refused(make, rows):
    strange = [" ".join(chr(0x0E01 + (7 * number + at) % 40) * 3 for at in range(5)) for number in range(32)]
    with pytest.raises(DataError, match=r"% of the tokens are unknown.*KoBERT"):
        make().fit(strange, rows[1])
    assert make(max_unknown=1.0).fit(strange, rows[1]).history_


def test_an_encoder_with_a_decoder_is_refused(checkpoint, rows, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bart", "is_encoder_decoder": True}))
    with pytest.raises(RecipeError, match=r"an encoder with a decoder \(bart\)"):
        EncoderClassifier({"checkpoint": str(tmp_path)}, LEARN).fit(*rows)


@pytest.mark.parametrize(
    ("family", "network", "problem"),
    [
        ("bert", {"max_length": 127}, "max_length is 127, and .* reads 126 tokens at most"),
        ("electra", {"pooling": "pooler"}, "type 'electra' has no pooler"),
        ("bert", {"attention_window": 8}, "attention_window is for a longformer"),
        ("roberta", {"block_size": 8}, "block_size is for a big_bird"),
        ("bert", {"checkpoint": ""}, "set one of the hub, such as --set model.checkpoint=klue/roberta-base"),
        ("bert", {"windows": True, "truncation": "tail"}, "no use there"),
        ("bert", {"stride": 4}, "set windows = true too"),
        ("bert", {"windows": True, "stride": 20}, "may be half of max_length"),
        ("longformer", {"attention_window": 7}, "must be even"),
        ("bert", {"pooling": "pooler", "last_layers": 2}, "leave last_layers 1"),
        ("bert", {"lora": {"rank": 2}, "freeze_layers": 1}, "leave freeze_layers away"),
        ("bert", {"lora": {"rank": 2}, "freeze": "encoder"}, "leave lora away"),
        ("bert", {"freeze": "encoder", "layer_decay": 0.9}, "leave layer_decay away"),
        ("bert", {"gradual_unfreezing": True, "freeze": "embeddings"}, "begins with a frozen encoder"),
        ("bert", {"colour": 1}, "colour"),
    ],
)
def test_options_that_do_not_fit_are_refused(family, network, problem, make, rows):
    with pytest.raises(RecipeError, match=problem):
        make(family, **network).fit(*rows)


def test_out_of_memory_says_what_to_try(make, rows, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(engine.Objective, "__call__", full)
        with pytest.raises(ModelError, match=r"batch_size=8 and training.accumulation=2.*gradient_checkpointing"):
            make().fit(*rows)
        with pytest.raises(ModelError, match=r"batches of 1. Try a shorter"):
            make(training={"batch_size": 1}).fit(*rows)


def test_a_prediction_takes_smaller_batches_where_memory_is_short(make, rows, monkeypatch):
    model = make().fit(*rows)
    expected, sizes = model.predict_proba(rows[0]), []
    plain, most = type(model.network_).forward, 5

    def short(self, input_ids, *args, **kwargs):
        sizes.append(len(input_ids))
        if len(input_ids) > most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")
        return plain(self, input_ids, *args, **kwargs)

    monkeypatch.setattr(type(model.network_), "forward", short)
    assert np.abs(model.predict_proba(rows[0]) - expected).max() < 1e-5
    assert sizes[0] == 32 and min(sizes) <= 5
    most = 0
    with pytest.raises(ModelError, match=r"one text of \d+ tokens"):
        model.predict(rows[0])
