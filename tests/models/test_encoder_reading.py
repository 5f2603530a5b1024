"""How fine-tuned checkpoints read texts: windows, long documents, special tokens, mistakes, memory."""

import json
import logging
import shutil

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

import gallae
from gallae.errors import DataError, ModelError, RecipeError
from gallae.models.calibration import CalibratedClassifier
from gallae.models.encoded import pool_windows
from gallae.training import engine


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def single(model, texts):
    return np.vstack([model.predict_proba([text]) for text in texts])


WINDOWS = {"max_length": 6, "windows": True, "stride": 1}


@pytest.mark.parametrize("several_labels", [False, True])
def test_windows_are_pooled_as_by_hand(several_labels, encoder, topics, joint_topics):
    texts, labels = joint_topics if several_labels else topics
    long = [" ".join(texts[:number]) for number in (1, 5, 9)]
    model = encoder(**WINDOWS).fit(texts, labels)
    assert model.history_[-1]["step"] > -(-len(texts) // 16)  # more windows than texts
    network, scores = model.network_, model.scores(long)
    taken = model.inputs_.transform(model.pipeline_.apply(long)).take(np.arange(3))
    assert taken.counts[0] < taken.counts[1] < taken.counts[2] == len(taken) - taken.counts[:2].sum()
    with torch.no_grad():
        logits = network(**taken.batch(np.arange(len(taken)))).logits.numpy()
    expected = pool_windows(logits, taken.counts, "clinical", several_labels)
    assert np.allclose(scores, expected, atol=1e-5)
    assert np.abs(single(model, long) - model.predict_proba(long)).max() < 1e-5


def test_windows_are_pooled_while_watching_too(encoder, topics, tmp_path):
    texts = [f"{text} {text} {text}" for text in topics[0]]
    stop = {"share": 0.25}
    model = encoder(training={"early_stopping": stop, "epochs": 2}, **WINDOWS).fit(texts, topics[1])
    held, scores = model.held_out_scores()
    assert len(held) == len(scores) == 8
    gold = np.searchsorted(model.classes_, np.array(topics[1])[held])
    best = max(model.history_, key=lambda row: row["macro_f1"])
    assert -log_softmax(scores, axis=1)[np.arange(8), gold].mean() == pytest.approx(
        best["valid_loss"], abs=1e-4
    )
    model.save(tmp_path / "model")
    assert np.array_equal(gallae.load(tmp_path / "model").predict_proba(texts), model.predict_proba(texts))
    calibrated = CalibratedClassifier(
        encoder(training={"early_stopping": stop}, **WINDOWS), "temperature", folds=1
    ).fit(texts, topics[1])
    assert calibrated.predict_proba(texts).shape == (len(texts), 3)


def test_an_empty_text_is_predicted_by_the_shares_of_the_classes(encoder, topics, caplog):
    texts, labels = [*topics[0], ""], [*topics[1], topics[1][0]]
    with caplog.at_level(logging.WARNING, "gallae"):
        model = encoder(**WINDOWS).fit(texts, labels)
    assert "1 of 33 texts have no token" in caplog.text
    assert np.allclose(model.predict_proba(["", texts[0]])[0], model.prior_, atol=1e-6)


def test_long_texts_are_cut_and_it_is_said_once(encoder, topics, caplog):
    with caplog.at_level(logging.INFO, "gallae"):
        model = encoder(max_length=6).fit(*topics)
        model.predict(topics[0])
    assert caplog.text.count("longer than model.max_length") == 1
    assert "tokens a text: median" in caplog.text


def test_sparse_attention_of_bigbird_does_not_depend_on_the_batch(encoder, checkpoint, topics):
    folder = checkpoint("big_bird", attention_type="block_sparse", block_size=4, num_random_blocks=1)
    table = {"checkpoint": str(folder), "max_length": 60, "block_size": 4}
    texts = [*topics[0], " ".join(topics[0][:4])]
    model = encoder(**table).fit(texts, [*topics[1], topics[1][0]])
    assert model.network_.backbone.attention_type == "block_sparse"
    assert np.abs(single(model, texts) - model.predict_proba(texts)).max() < 1e-5
    assert model.network_.backbone.attention_type == "block_sparse"
    short = encoder(**table | {"max_length": 20}).fit(*topics)
    assert short.network_.config.backbone["attention_type"] == "original_full"


@pytest.mark.parametrize("family", ["bert", "modernbert"])
def test_dropout_within_the_encoder(encoder, topics, family):
    model = encoder(family, encoder_dropout=0.37, dropout=0.0).fit(*topics)
    shares = {part.p for part in model.network_.backbone.modules() if isinstance(part, torch.nn.Dropout)}
    assert 0.37 in shares
    assert (
        model.network_.config.backbone["attention_dropout" if family != "bert" else "hidden_dropout_prob"]
        == 0.37
    )


def test_longformers_window_and_global_positions(encoder, topics):
    model = encoder("longformer", attention_window=8, global_attention=[0, 1]).fit(*topics)
    batch = model.inputs_.transform([topics[0][0]]).batch(np.array([0]))
    assert batch["global_attention_mask"].sum() == 2 and batch["input_ids"].shape[1] % 8 == 0
    assert model.network_.config.backbone["attention_window"] == [8, 8]


def test_word_dropout_hides_words_only(encoder, topics):
    job = encoder("xlm-roberta", word_dropout=0.99).prepare(*topics)
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


def test_a_classifier_for_other_labels_gives_its_encoder_and_it_is_said(encoder, checkpoint, topics, caplog):
    folder = checkpoint("bert", "AutoModelForSequenceClassification")
    table = {"checkpoint": str(folder), "max_length": 32}
    with caplog.at_level(logging.WARNING, "gallae"):
        model = encoder(**table).fit(*topics)
    assert "a classifier already" in caplog.text and len(model.classes_) == 3


def test_a_decoder_needs_another_pooling(encoder, checkpoint, topics, tmp_path):
    from transformers import AutoTokenizer

    from gallae.pretrained.scratch import write_checkpoint

    tokenizer = AutoTokenizer.from_pretrained(checkpoint("roberta"))
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}
    folder = write_checkpoint(tmp_path / "gpt", topics[0], "gpt2", tokenizer, **sizes)
    table = {"checkpoint": str(folder), "max_length": 32}
    with pytest.raises(RecipeError, match=r"left to right \(gpt2\).*'mean'"):
        encoder(**table).fit(*topics)
    model = encoder(**table, pooling="mean").fit(*topics)
    assert np.abs(single(model, topics[0]) - model.predict_proba(topics[0])).max() < 1e-5


def test_a_tokenizer_that_knows_nothing_is_refused(encoder, topics):
    strange = [" ".join(chr(0x0E01 + (7 * number + at) % 40) * 3 for at in range(5)) for number in range(32)]
    with pytest.raises(DataError, match=r"% of the tokens are unknown.*KoBERT"):
        encoder().fit(strange, topics[1])
    assert encoder(max_unknown=1.0).fit(strange, topics[1]).history_


def test_a_tokenizer_of_another_checkpoint_is_refused(encoder, checkpoint, topics, tmp_path):
    folder = shutil.copytree(checkpoint("bert"), tmp_path / "mixed")
    for path in checkpoint("roberta").glob("tokenizer*"):
        shutil.copy(path, folder)
    with pytest.raises(ModelError, match=r"tokenizer has \d+ tokens, and its network embeds \d+"):
        encoder(checkpoint=str(folder)).fit(*topics)


def test_a_network_that_reads_no_text_is_refused(encoder, topics, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "resnet"}))
    with pytest.raises(RecipeError, match=r"\(resnet\) is no encoder of texts"):
        encoder(checkpoint=str(tmp_path)).fit(*topics)


def test_an_encoder_with_a_decoder_is_refused(encoder, checkpoint, topics, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bart", "is_encoder_decoder": True}))
    with pytest.raises(RecipeError, match=r"an encoder with a decoder \(bart\)"):
        encoder(checkpoint=str(tmp_path)).fit(*topics)


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
def test_options_that_do_not_fit_are_refused(family, network, problem, encoder, topics):
    with pytest.raises(RecipeError, match=problem):
        encoder(family, **network).fit(*topics)


def test_out_of_memory_says_what_to_try(encoder, topics, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(engine.Objective, "__call__", full)
        with pytest.raises(
            ModelError, match=r"batch_size=8 and training.accumulation=2.*gradient_checkpointing"
        ):
            encoder().fit(*topics)
        with pytest.raises(ModelError, match=r"batches of 1. Try a shorter"):
            encoder(training={"batch_size": 1}).fit(*topics)


def test_a_prediction_takes_smaller_batches_where_memory_is_short(encoder, topics, monkeypatch):
    model = encoder().fit(*topics)
    expected, sizes = model.predict_proba(topics[0]), []
    plain, most = type(model.network_).forward, 5

    def short(self, input_ids, *args, **kwargs):
        sizes.append(len(input_ids))
        if len(input_ids) > most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")
        return plain(self, input_ids, *args, **kwargs)

    monkeypatch.setattr(type(model.network_), "forward", short)
    assert np.abs(model.predict_proba(topics[0]) - expected).max() < 1e-5
    assert sizes[0] == 32 and min(sizes) <= 5
    most = 0
    with pytest.raises(ModelError, match=r"one text of \d+ tokens"):
        model.predict(topics[0])
