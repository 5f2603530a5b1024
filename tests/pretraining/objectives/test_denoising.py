"""BART: an encoder-decoder that mends damaged texts."""

import numpy as np
import pytest
import torch

from gallae.errors import RecipeError
from gallae.pretraining.masking import IGNORED
from gallae.pretraining.objectives.denoising import DenoisingAutoencoder
from gallae.pretraining.recipe import pretraining_recipe
from gallae.pretraining.rows import BREAK, Row
from gallae.workflows.pretraining import pretrain

SMALL = [
    *("network.layers=1", "network.hidden=32", "network.heads=2", "network.positions=64"),
    *(
        "network.dropout=0.0",
        "corpus.max_length=32",
        "training.batch_tokens=512",
        "training.precision=float32",
    ),
]
TEXTS = [
    f"{who} {what}. {where} {then}."
    for who in ("한국은행이", "축구 대표팀이", "외교부가", "삼성이")
    for what in ("회의를 열었다", "결과를 밝혔다", "소식을 전했다")
    for where in ("서울에서", "부산에서", "국회에서")
    for then in ("사람들이 모였다", "비가 내렸다", "논의가 이어졌다")
]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    from gallae.pretrained.scratch import wrapped
    from gallae.text.subwords import train_subwords

    folder = tmp_path_factory.mktemp("tokenizer") / "bpe"
    made = wrapped(train_subwords("bpe", TEXTS, 160, 1))
    made.save_pretrained(folder)
    return made, folder


def objective(reader, *overrides):
    return DenoisingAutoencoder(pretraining_recipe("bart", [*SMALL, *overrides]), reader[0], 0)


def rows(reader, count=4):
    encoded = reader[0](TEXTS[:: len(TEXTS) // count][:count], add_special_tokens=False)
    return [Row(np.array(ids, dtype=np.uint16)) for ids in encoded["input_ids"]]


def test_the_decoder_writes_the_text_as_it_was(reader):
    made = objective(reader, "objective.noise=['token_deletion']")
    some = [*rows(reader), Row(np.array([7, 8], dtype=np.uint16))]
    batch = made.collate(some, np.random.default_rng(0))
    cls, sep, pad = (getattr(reader[0], f"{role}_token_id") for role in ("cls", "sep", "pad"))
    for number, row in enumerate(some):
        labels, given = batch["labels"][number], batch["decoder_input_ids"][number]
        size = len(row.first) + 1
        assert labels[:size].tolist() == [*row.first.tolist(), sep] and (labels[size:] == IGNORED).all()
        assert given[:size].tolist() == [cls, *row.first.tolist()] and (given[size:] == pad).all()
        read = batch["input_ids"][number]
        assert read[0] == cls and (read == sep).sum() == 1 and (read != pad).sum() <= size + 1
    assert batch["attention_mask"].sum() == (batch["input_ids"] != pad).sum()


def test_the_encoder_reads_what_is_damaged(reader):
    made = objective(reader, "objective.noise=['text_infilling']", "objective.masked=0.5")
    batch = made.collate(rows(reader), np.random.default_rng(0))
    mask = reader[0].mask_token_id
    assert ((batch["input_ids"] == mask).any(dim=1)).all() and not (batch["labels"] == mask).any()
    again = made.collate(rows(reader), np.random.default_rng(0))
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    other = made.collate(rows(reader), np.random.default_rng(1))
    assert (
        other["input_ids"].shape != batch["input_ids"].shape
        or (other["input_ids"] != batch["input_ids"]).any()
    )


def test_documents_in_one_row_and_rows_of_full_length(reader):
    made = objective(reader, "objective.noise=['text_infilling']", "objective.masked=0.01")
    first = np.resize(np.arange(10, 40), 30)
    first[9] = BREAK
    for seed in range(30):
        batch = made.collate([Row(first)] * 8, np.random.default_rng(seed))
        assert batch["input_ids"].shape[1] <= 32 and batch["labels"].shape == (8, 31)
        assert (batch["labels"][:, 9] == reader[0].sep_token_id).all()
        assert batch["input_ids"].min() >= 0


def test_both_halves_have_the_recipe_s_sizes(reader):
    config = objective(reader, "network.layers=2", "network.feed_forward=48").encoder.config
    assert (config.encoder_layers, config.decoder_layers, config.d_model) == (2, 2, 32)
    assert (config.encoder_ffn_dim, config.decoder_ffn_dim, config.decoder_attention_heads) == (48, 48, 2)
    uneven = objective(reader, "network.config={encoder_layers=2}").encoder.config
    assert (uneven.encoder_layers, uneven.decoder_layers) == (2, 1)


def test_it_learns_and_its_model_mends_a_text(reader, tmp_path):
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    from gallae.tasks import Translate
    from gallae.tasks.translate_reading import Passage

    (tmp_path / "corpus.txt").write_text("\n\n".join(TEXTS * 2), encoding="utf-8")
    steps = ["training.steps=200", "training.learning_rate=1e-2", "corpus.held_out=0.1"]
    noise = ["objective.noise=['text_infilling']", "objective.masked=0.2"]
    run = pretrain(
        tmp_path / "corpus.txt",
        "bart",
        tokenizer=reader[1],
        overrides=[*SMALL, *steps, *noise],
        output=tmp_path / "run",
    )
    assert run.metrics["held_out_loss"] < 0.5 * run.metrics["unigram_entropy"]
    tokenizer = AutoTokenizer.from_pretrained(run.model)
    model = AutoModelForSeq2SeqLM.from_pretrained(run.model)
    read = tokenizer(TEXTS[::7], return_tensors="pt", padding=True)
    made = tokenizer.batch_decode(model.generate(**read, max_new_tokens=30), skip_special_tokens=True)
    pairs = zip(made, TEXTS[::7], strict=True)
    words = [both for pair in pairs for both in zip(*map(str.split, pair), strict=False)]
    assert np.mean([one == two for one, two in words]) > 0.8

    # It learns to translate.
    styles = [Passage(text, text, "formal", "informal", at) for at, text in enumerate(TEXTS[:8])]
    learning = {"epochs": 1, "device": "cpu"}
    task = Translate(checkpoint=str(run.model), max_length=24, training=learning).fit(styles)
    assert all(one["translation"] for one in task.predict(styles))

    # A checkpoint's weights learn on.
    more = objective((reader[0], None), f"network.checkpoint={run.model}")
    batch = more.collate(rows(reader), np.random.default_rng(0))
    assert more.network.eval()(**batch)["loss"] < run.metrics["unigram_entropy"]


def test_mistakes_are_told(reader):
    with pytest.raises(RecipeError, match="bert"):
        objective(reader, "network.model_type=bert")
    with pytest.raises(RecipeError, match="mends single texts"):
        pretraining_recipe("bart", ["corpus.format=segment_pair"])
    with pytest.raises(RecipeError, match="token_masking"):
        pretraining_recipe("bart", ["objective.noise=['token_maskin']"])
    with pytest.raises(RecipeError, match="noise"):
        pretraining_recipe("bart", ["objective.noise=[]"])
