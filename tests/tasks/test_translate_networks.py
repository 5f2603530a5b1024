"""The networks of translate: searching, copying, attention, checkpoints."""

import numpy as np
import pytest
import torch

from gallae.errors import RecipeError
from gallae.models.architectures.copying import CopyingConfig, CopyingNetwork
from gallae.tasks import Translate
from gallae.tasks.translate_reading import Passage
from gallae.tasks.translate_search import write
from gallae.tasks.translate_tokens import BEGIN, END, Tokens, joined, split

TEXTS = ["밥 먹었나", "어디  가노?", "ABC 3월, 뷁!"]


@pytest.mark.parametrize("unit", ["char", "jamo", "morpheme"])
def test_tokens_give_the_text_back(unit):
    assert [joined(tokens, unit) for tokens in split(TEXTS, unit)] == [
        " ".join(text.split()) for text in TEXTS
    ]


def test_unknown_tokens_have_ids_of_their_own():
    tokens = Tokens.learn(["가나"], [("jeju", "standard")], "char", False, 32)
    ids, lacking = tokens.read(list("가뷁나뷁쀍"), ("jeju", "standard"))
    known = len(tokens.vocabulary)
    assert lacking == ["뷁", "쀍"]
    assert ids[2:] == [ids[2], known, ids[4], known, known + 1]
    assert tokens.written(tokens.targets(list("뷁가다"), lacking), lacking) == ["뷁", "가"]
    backwards = Tokens(tokens.vocabulary, "char", True, 32).read(list("가나"), ("jeju", "standard"))[0]
    assert backwards == [*ids[:2], ids[4], ids[2]]


def network(cell, **fields):
    torch.manual_seed(3)
    sizes = {"vocab_size": 12, "embedding": 8, "hidden": 16, "heads": 2, "feed_forward": 16, "layers": 2}
    return CopyingNetwork(CopyingConfig(cell=cell, **{**sizes, **fields})).eval()


def batch():
    ids = torch.tensor([[5, 6, 7, 12, 8], [9, 10, 0, 0, 0]])
    return ids, (ids > 0).long()


CELLS = pytest.mark.parametrize("cell", ["lstm", "transformer"])


@CELLS
def test_chances_sum_to_one_and_unknown_tokens_can_be_copied(cell):
    ids, mask = batch()
    written = torch.tensor([[BEGIN, 5, 12], [BEGIN, 9, 10]])
    with torch.no_grad():
        found = network(cell)(ids, mask, written)
        plain = network(cell, copying=False)(ids, mask, written)
    assert found.logits.shape == (2, 3, 13)
    assert torch.allclose(found.logits.exp().sum(-1), torch.ones(2, 3), atol=1e-4)
    assert found.logits[0, 0, 12].exp() > 1e-3 > plain.logits[0, 0, 12].exp()
    assert torch.allclose(found.attentions.sum(-1), torch.ones(2, 3), atol=1e-5)
    assert found.attentions[1, :, 2:].max() < 1e-6


@CELLS
def test_padding_changes_nothing(cell):
    ids, mask = batch()
    written = torch.tensor([[BEGIN, 9, 10]])
    with torch.no_grad():
        alone = network(cell)(ids[1:, :2], mask[1:, :2], written).logits
        padded = network(cell)(ids[1:], mask[1:], written).logits
    assert torch.allclose(alone, padded, atol=1e-5)


@CELLS
def test_the_future_is_not_seen(cell):
    ids, mask = batch()
    with torch.no_grad():
        one, other = (
            network(cell)(ids, mask, torch.tensor([[BEGIN, 5, last]] * 2)).logits for last in (6, 7)
        )
    assert torch.allclose(one[:, :2], other[:, :2], atol=1e-6)
    assert not torch.allclose(one[:, 2], other[:, 2])


def score_of(model, ids, mask, tokens):
    """Return the log probability that the network gives to a whole translation."""
    target = torch.tensor([[*tokens, END]])
    given = torch.tensor([[BEGIN, *tokens]])
    chances = model(ids, mask, given).logits
    return float(chances.gather(2, target[..., None]).sum())


@CELLS
def test_beams_are_never_worse_and_scores_are_the_networks(cell):
    model, (ids, mask) = network(cell), batch()
    with torch.no_grad():
        found = {
            beams: write(model, model.read(ids, mask), BEGIN, END, torch.tensor([6, 6]), beams)
            for beams in (1, 4)
        }
        for greedy, wide in zip(found[1], found[4], strict=True):
            assert wide.score >= greedy.score - 1e-6
            assert len(wide.ids) < 6
        for row in range(2):
            tokens = found[4][row].ids
            rows = slice(row, row + 1)
            wanted = score_of(model, ids[rows], mask[rows], tokens)
            # Unknown tokens are read as [UNK] by both, so the two agree.
            assert found[4][row].score == pytest.approx(wanted, abs=1e-3)


def test_unknown_characters_are_copied():
    rows = [
        (f"{name} 왔나", f"{name} 왔니")
        for name in ("민수", "지우", "서준", "하윤", "도현", "유나", "태오", "소라")
    ]
    pairs = [Passage(one, other, "gyeongsang", "standard", at) for at, (one, other) in enumerate(rows)]
    task = Translate(
        family="transformer",
        network={"hidden": 32, "embedding": 32, "heads": 2, "feed_forward": 64, "dropout": 0.0},
        training={"epochs": 80, "batch_size": 8, "learning_rate": 1e-2, "device": "cpu"},
    ).fit(pairs)
    found = task.translate("뷁 왔나", "gyeongsang", "standard")[0]["translation"]
    assert "뷁" in found
    assert "뷁" not in task.engine.tokens.vocabulary


# ---- checkpoints


def tiny(folder, kind):
    """Write an encoder-decoder of random weights whose tokenizer knows characters."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        BartConfig,
        BartForConditionalGeneration,
        PreTrainedTokenizerFast,
        T5Config,
        T5ForConditionalGeneration,
    )

    alphabet = sorted({character for text in ("밥먹었니뭇나집에갔책이있물좋다",) for character in text})
    names = ["<pad>", "</s>", "<unk>", *alphabet, *(f"##{one}" for one in alphabet)]
    ids = {name: at for at, name in enumerate(names)}
    inner = Tokenizer(models.WordPiece(ids, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.decoder = decoders.WordPiece()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    torch.manual_seed(0)
    if kind == "bart":
        model = BartForConditionalGeneration(
            BartConfig(
                vocab_size=len(names),
                d_model=32,
                encoder_layers=1,
                decoder_layers=1,
                encoder_attention_heads=2,
                decoder_attention_heads=2,
                encoder_ffn_dim=64,
                decoder_ffn_dim=64,
                max_position_embeddings=64,
                pad_token_id=0,
                eos_token_id=1,
                bos_token_id=1,
                decoder_start_token_id=1,
                dropout=0.0,
            )
        )
    else:
        model = T5ForConditionalGeneration(
            T5Config(
                vocab_size=len(names),
                d_model=32,
                d_kv=16,
                d_ff=64,
                num_layers=1,
                num_heads=2,
                pad_token_id=0,
                eos_token_id=1,
                decoder_start_token_id=0,
                dropout_rate=0.0,
            )
        )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


GYEONGSANG = [
    Passage(*pair, "gyeongsang", "standard", at)
    for at, pair in enumerate(
        [
            ("밥 뭇나", "밥 먹었니"),
            ("집에 갔나", "집에 갔니"),
            ("책이 있나", "책이 있니"),
            ("물이 좋다", "물이 좋다"),
        ]
    )
]


@pytest.mark.parametrize("kind", ["bart", "t5"])
def test_a_checkpoint_learns_is_saved_and_loaded(kind, tmp_path):
    task = Translate(
        checkpoint=str(tiny(tmp_path / "checkpoint", kind)),
        max_length=32,
        training={"epochs": 60, "batch_size": 4, "learning_rate": 5e-3, "device": "cpu"},
    ).fit(GYEONGSANG)
    found = task.predict(GYEONGSANG)
    assert (
        sum(one["translation"] == example.target for one, example in zip(found, GYEONGSANG, strict=True)) >= 3
    )
    assert all(one["score"] <= 0 for one in found)
    assert [one["translation"] for one in task.predict(GYEONGSANG, beams=1)][3] == found[3]["translation"]
    task.save(tmp_path / "model")
    assert Translate.load(tmp_path / "model").predict(GYEONGSANG) == found
    with pytest.raises(RecipeError, match="no attention to draw"):
        task.rows(GYEONGSANG, found, heat_maps=str(tmp_path / "maps"))


def test_an_encoder_alone_is_refused(checkpoint):
    pairs = [Passage("코스피 환율", "환율 코스피", "formal", "informal")]
    with pytest.raises(RecipeError, match="has no head for this task"):
        Translate(checkpoint=str(checkpoint("bert")), max_length=32).fit(pairs)


# ---- attention


def test_heat_maps_are_drawn(tmp_path):
    task = Translate(
        family="lstm",
        network={"hidden": 16, "embedding": 8, "unit": "jamo"},
        training={"epochs": 1, "device": "cpu"},
    ).fit(GYEONGSANG)
    found = task.engine.attention(GYEONGSANG[0], "밥 먹었니")
    assert found.columns[:2] == ["<from:gyeongsang>", "<to:standard>"]
    assert joined(found.rows, "jamo") == "밥 먹었니"
    assert np.allclose(found.weights.sum(axis=1), 1, atol=1e-5)
    task.rows(
        GYEONGSANG[:1],
        [{"translation": "밥 먹었니", "via": ["gyeongsang", "standard"]}],
        heat_maps=str(tmp_path / "maps"),
    )
    assert (tmp_path / "maps" / "0.svg").read_text(encoding="utf-8").startswith("<svg")
