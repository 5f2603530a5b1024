import numpy as np
import pytest
import torch

from gallae.pretrained.loading import load_model
from gallae.pretrained.scratch import write_checkpoint
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.pretraining.vocabularies import carry, same_vocabulary, with_vocabulary

TEXTS = ["학교에서 책을 읽었다", "학교가 멀다", "책이 많은 학교", "집에서 책을 본다"] * 4


def _saved(folder, kind, texts=TEXTS, family="bert", **config):
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    options = {**sizes, "max_position_embeddings": 40, **config}
    return write_checkpoint(folder, texts, family, kind, 300, "AutoModelForMaskedLM", **options)


def _opened(folder):
    return load_model(folder, "AutoModelForMaskedLM"), load_tokenizer(folder)


@pytest.mark.parametrize("kind", ["wordpiece", "unigram", "byte_bpe"])
def test_pieces_are_found_whatever_their_marks(tmp_path, kind):
    old = load_tokenizer(_saved(tmp_path / "old", "bpe"))
    new = load_tokenizer(_saved(tmp_path / "new", kind))
    carrying = carry(old, new)
    assert not same_vocabulary(old, new)
    made = {}
    for number in range(len(new)):
        ids = carrying.ids[carrying.offsets[number] : carrying.offsets[number + 1]]
        made[new.convert_ids_to_tokens(number)] = old.convert_ids_to_tokens(ids.tolist())
    school = {"wordpiece": "학교", "unigram": "▁학교", "byte_bpe": "ĠíķĻêµĲ"}[kind]
    assert made[school] == ["▁학교"]
    assert made["[MASK]"] == ["[MASK]"] and made["[CLS]"] == ["[CLS]"]
    if kind == "wordpiece":
        assert made["##다"] == ["다"] and "##교" in made
    assert carrying.shared > 10


def test_what_only_the_new_one_has_is_the_mean_of_its_parts(tmp_path):
    old_model, old = _opened(_saved(tmp_path / "old", "char"))
    new = load_tokenizer(_saved(tmp_path / "new", "bpe", [*TEXTS, "신문 신문 신문"]))
    made = with_vocabulary(old_model, old, new)
    before, after = (m.get_input_embeddings().weight.detach() for m in (old_model, made))
    parts = [old.convert_tokens_to_ids(piece) for piece in ("학", "##교")]
    school = after[new.convert_tokens_to_ids("▁학교")]
    assert torch.allclose(school, before[parts].mean(dim=0), atol=1e-6)
    assert torch.equal(after[new.convert_tokens_to_ids("▁학")], before[parts[0]])
    assert torch.equal(after[new.mask_token_id], before[old.mask_token_id])
    unseen = carry(old, new)
    strange = new.convert_tokens_to_ids("문")
    assert not unseen.found[strange] and after[strange].abs().sum() > 0  # at random


def test_the_same_vocabulary_changes_nothing(tmp_path):
    model, tokenizer = _opened(_saved(tmp_path / "one", "wordpiece"))
    ids = tokenizer("학교에서 책을", return_tensors="pt").input_ids
    with torch.no_grad():
        model.cls.predictions.bias.copy_(torch.randn(len(tokenizer)))
        made = with_vocabulary(model, tokenizer, tokenizer)
        assert torch.allclose(made(ids).logits, model(ids).logits, atol=1e-6)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_pieces_in_another_order_say_the_same(tmp_path, family):
    """Also where the padding's id moves, from which on a RoBERTa counts its positions."""
    model, old = _opened(_saved(tmp_path / "old", "wordpiece", family=family))
    new = _shuffled(old, tmp_path / "new")
    assert new.pad_token_id > old.pad_token_id
    made = with_vocabulary(model, old, new)
    assert made.config.pad_token_id == new.pad_token_id
    texts = ["학교에서 책을 읽었다", "집"]
    with torch.no_grad():
        one = model(**old(texts, return_tensors="pt", padding=True)).logits
        other = made(**new(texts, return_tensors="pt", padding=True)).logits
    order = [old.convert_tokens_to_ids(new.convert_ids_to_tokens(number)) for number in range(len(new))]
    assert torch.allclose(one[0][:, order], other[0], atol=1e-5)
    assert torch.allclose(one[1, :3][:, order], other[1, :3], atol=1e-5)
    made.save_pretrained(tmp_path / "saved")
    again = load_model(tmp_path / "saved", "AutoModelForMaskedLM")
    with torch.no_grad():
        assert torch.allclose(again(**new(texts, return_tensors="pt", padding=True)).logits, other, atol=1e-5)


def _shuffled(tokenizer, folder):
    import json

    from transformers import PreTrainedTokenizerFast

    tokenizer.save_pretrained(folder)
    table = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    pieces = sorted(table["model"]["vocab"], key=table["model"]["vocab"].get)
    order = [*np.random.default_rng(0).permutation(pieces[5:]).tolist(), *pieces[:5]]
    table["model"]["vocab"] = {piece: number for number, piece in enumerate(order)}
    for token in table["added_tokens"]:
        token["id"] = order.index(token["content"])
    for special in table["post_processor"]["special_tokens"].values():
        special["ids"] = [order.index(special["id"])]
    (folder / "tokenizer.json").write_text(json.dumps(table), "utf-8")
    return PreTrainedTokenizerFast.from_pretrained(folder)
