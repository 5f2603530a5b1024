"""Masked language models: every way of masking learns; the edges of spans, and pairs."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from gallae.errors import RecipeError
from gallae.pretraining.masking import IGNORED
from gallae.pretraining.objectives.heads import SpanBoundary, pair_loss
from gallae.pretraining.recipe import pretraining_recipe
from gallae.pretraining.rows import IN_ORDER, NO_PAIR, OTHER, Row


def rows(objective, lines, **fields):
    ids = objective.tokenizer(lines, add_special_tokens=False)["input_ids"]
    return [Row(np.array(row), number=number, **fields) for number, row in enumerate(ids)]


@pytest.mark.parametrize("name", ["mlm", "mlm-static", "roberta"])
def test_it_learns_more_than_how_frequent_tokens_are(taught, texts, name):
    found = taught(name, texts, "objective.masked=0.3")
    assert found.before["mlm"] > found.entropy
    assert found.after["mlm"] < 0.8 * found.entropy
    assert found.after["loss"] == pytest.approx(found.after["mlm"])
    assert found.after["accuracy"] > found.before["accuracy"] + 0.1


def test_whole_words_are_learnt(taught, texts, pieces_reader):
    found = taught("mlm-whole-word", texts, "objective.masked=0.3", tokenizer=pieces_reader)
    assert found.after["mlm"] < 0.8 * found.entropy
    one = rows(found.objective, texts[:20])
    batch = found.objective.collate(one, np.random.default_rng(0))
    chosen = batch["labels"] != IGNORED
    genuine = torch.where(chosen, batch["labels"], batch["input_ids"])
    starts = torch.from_numpy(found.objective.masking.pieces.starts(genuine.numpy()))
    inner = ~starts[:, 1:] & (genuine[:, 1:] >= 5)
    assert inner.sum() > 50
    assert torch.equal(chosen[:, 1:][inner], chosen[:, :-1][inner])


def test_spans_are_learnt_by_their_edges_too(taught, texts):
    found = taught("span", texts, "objective.masked=0.3")
    assert found.after["mlm"] < found.entropy
    assert found.after["boundary"] < found.entropy < found.before["boundary"]
    assert found.after["loss"] == pytest.approx(found.after["mlm"] + found.after["boundary"], rel=1e-4)


def test_the_boundary_head_sees_the_edges_alone(made, texts):
    objective = made("span")
    batch = objective.collate(rows(objective, texts[:30]), np.random.default_rng(0))
    head, model = objective.network.boundary, objective.network.model
    hidden = torch.randn(*batch["labels"].shape, 32)
    edges = {name: batch[name] for name in ("left", "right", "place")}
    loss = head(hidden, batch["labels"], **edges)
    inside = batch["labels"] != IGNORED
    assert torch.equal(loss, head(hidden.masked_fill(inside[..., None], 9.0), batch["labels"], **edges))
    assert not torch.equal(loss, head(hidden * 2, batch["labels"], **edges))
    loss.backward()
    assert model.get_input_embeddings().weight.grad is not None  # shared with the words


def test_the_loss_of_the_boundary_head_is_that_of_its_tokens(made):
    objective = made("span")
    head: SpanBoundary = objective.network.boundary
    labels = torch.full((2, 6), IGNORED)
    labels[1, 2], labels[1, 3] = 7, 8
    hidden = torch.randn(2, 6, 32)
    places = torch.tensor([0, 1])
    states = torch.cat([hidden[1, 1].repeat(2, 1), hidden[1, 4].repeat(2, 1), head.places(places)], dim=1)
    logits = objective.network.model.get_output_embeddings()(head.layers(states))
    wanted = functional.cross_entropy(logits, torch.tensor([7, 8]))
    found = head(hidden, labels, torch.tensor([1, 1]), torch.tensor([4, 4]), places)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_a_network_has_only_the_parts_that_are_asked_for(made, texts):
    plain = made("mlm")
    assert plain.network.boundary is None
    assert set(plain.network(**plain.collate(rows(plain, texts[:4]), np.random.default_rng(0)))) == {
        "loss",
        "mlm",
    }
    assert made("bert", "objective.pair_weight=0").encoder.__class__.__name__ == "BertForMaskedLM"


PAIRS = (
    *("corpus.format=sentence_pair", "objective.pair_weight=3"),
    "network.config={initializer_range = 0.1}",  # small networks begin faster with large weights
)


def test_the_next_sentence_is_told_from_another(taught):
    words = ("코스피", "손흥민")  # both sentences of a document begin with one of them
    lines = [line for n in range(40) for line in (f"{words[n % 2]} 상승", f"{words[n % 2]} 승리", "")]
    found = taught("bert", lines, *PAIRS, steps=200, rate=5e-3)
    # Half of the other documents begin with the same word, so a quarter of the rows cannot be told.
    assert found.after["pair"] < 0.8 * math.log(2) < found.before["pair"]
    assert found.after["pair_accuracy"] == pytest.approx(0.75, abs=0.1)
    assert found.after["mlm"] < found.entropy
    assert found.after["loss"] == pytest.approx(found.after["mlm"] + 3 * found.after["pair"], rel=1e-4)


@pytest.mark.parametrize("name", ["bert", "albert"])
def test_the_order_of_sentences_is_told(taught, texts, name):
    lines = [line for n in range(40) for line in (f"코스피 {texts[n % 24]}", "환율 상승", "")]
    sizes = ["network.embedding=16"] if name == "albert" else []
    found = taught(name, lines, *PAIRS, "corpus.pairs=order", *sizes, steps=150, rate=3e-3)
    assert found.after["pair"] < 0.3 * math.log(2)
    assert found.after["pair_accuracy"] > 0.9
    assert found.after["mlm"] < found.entropy


def test_the_heads_for_pairs_are_saved_with_the_encoder(made, tmp_path):
    from transformers import AlbertForPreTraining, AutoModel, BertForNextSentencePrediction

    objective = made("bert")
    objective.encoder.save_pretrained(tmp_path / "bert")
    loaded = BertForNextSentencePrediction.from_pretrained(tmp_path / "bert")
    head = objective.encoder.cls.seq_relationship.weight
    assert torch.equal(loaded.cls.seq_relationship.weight, head)
    pooler = AutoModel.from_pretrained(tmp_path / "bert").pooler.dense.weight
    assert torch.equal(pooler, objective.encoder.bert.pooler.dense.weight)
    assert isinstance(made("albert", "network.embedding=16").encoder, AlbertForPreTraining)


def test_the_loss_of_pairs_leaves_lone_rows_out():
    logits = torch.tensor([[2.0, 0.0], [5.0, -5.0], [0.0, 3.0]])
    loss, share = pair_loss(logits, torch.tensor([IN_ORDER, NO_PAIR, IN_ORDER]))
    assert loss.item() == pytest.approx(
        (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(3))) / 2, rel=1e-5
    )
    assert share.item() == 0.5
    assert pair_loss(logits, torch.full((3,), NO_PAIR))[0] == 0


def test_a_batch_of_pairs(made, texts):
    objective = made("bert", "objective.copies=0")
    first, second = np.arange(10, 15), np.arange(20, 23)
    batch = objective.collate(
        [Row(first, second, OTHER), Row(first, second, IN_ORDER), Row(first)], np.random.default_rng(0)
    )
    assert batch["pairs"].tolist() == [OTHER, IN_ORDER, NO_PAIR]
    assert batch["token_type_ids"][0, :11].tolist() == [0] * 7 + [1] * 4
    assert batch["attention_mask"].sum(1).tolist() == [11, 11, 7]


def test_an_architecture_without_a_head_for_pairs_is_refused(made):
    for kind in ("roberta", "electra"):
        with pytest.raises(RecipeError, match="no head for pairs"):
            made("bert", f"network.model_type={kind}")


def test_the_boundary_needs_spans():
    with pytest.raises(RecipeError, match="masking = 'span'"):
        pretraining_recipe("mlm", ["objective.boundary=1.0"])


def test_nothing_to_guess_is_no_error(made):
    objective = made("span")
    batch = objective.collate([Row(np.array([1, 1, 1]))], np.random.default_rng(0))  # nothing but [UNK]
    assert (batch["labels"] == IGNORED).all()
    assert objective.network(**batch)["loss"] == 0


def test_rows_are_filled_up_to_no_more_than_the_network_reads(made):
    objective = made("mlm", "network.positions=37", "corpus.max_length=37")
    batch = objective.collate([Row(np.arange(10, 45)), Row(np.arange(10, 40))], np.random.default_rng(0))
    assert batch["input_ids"].shape == (2, 37)
    assert objective.network(**batch)["loss"] > 0


def test_pairs_are_read_by_networks_without_types_of_tokens(made):
    objective = made("bert", "network.model_type=distilbert", "objective.pair_weight=0")
    row = Row(np.arange(10, 15), np.arange(20, 25), IN_ORDER)
    batch = objective.collate([row] * 4, np.random.default_rng(0))
    assert "token_type_ids" not in batch
    assert objective.network(**batch)["loss"] > 0
