"""Masked words."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from transformers import pipeline

from gallae.errors import DataError, ModelError, RecipeError
from gallae.pretrained.loading import load_model
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.tasks.fill_mask import FillMask, fill_mask

HEAD = "AutoModelForMaskedLM"
TEXT = "한국은행 [MASK] 동결"


def test_it_is_what_transformers_pipeline_gives(checkpoint, families):
    for family in families:
        folder = checkpoint(family, HEAD)
        model, tokenizer = load_model(folder, HEAD), load_tokenizer(folder)
        asked = pipeline("fill-mask", model=model, tokenizer=tokenizer, device="cpu", top_k=4)
        expected = asked(TEXT.replace("[MASK]", tokenizer.mask_token))
        (found,) = FillMask(folder).fill(TEXT, 4)
        assert [one["id"] for one in found] == [one["token"] for one in expected], family
        assert [one["probability"] for one in found] == pytest.approx([one["score"] for one in expected])


def test_gaps_are_filled_one_by_one(checkpoint):
    folder = checkpoint("roberta", HEAD)
    model = FillMask(folder)
    first, second = model.fill("[MASK] 금리 [MASK]가", 3)
    assert len(first) == len(second) == 3
    assert first[0]["text"] == f"{first[0]['token']} 금리 [MASK]가"
    assert second[1]["text"] == f"[MASK] 금리 {second[1]['token']}가"
    ids = model.tokenizer("<mask> 금리 <mask>가", return_tensors="pt")
    with torch.inference_mode():
        chances = model.network(**ids).logits[0].softmax(dim=-1)
    places = (ids["input_ids"][0] == model.tokenizer.mask_token_id).nonzero().flatten()
    assert second[0]["probability"] == pytest.approx(float(chances[places[1]].max()))
    assert model.fill("<mask> 금리", 1)[0][0]["text"].endswith(" 금리")


def test_mistakes(checkpoint, tmp_path):
    folder = checkpoint("bert", HEAD)
    with pytest.raises(ModelError, match="has no weights for this head"):
        FillMask(checkpoint("bert"))
    with pytest.raises(DataError, match=r"has no gap\. Write \[MASK\]"):
        fill_mask(folder, ["한국은행"])
    with pytest.raises(DataError, match="there are no texts"):
        fill_mask(folder, [])
    with pytest.raises(RecipeError, match="1 or more"):
        fill_mask(folder, [TEXT], top_k=0)
    with pytest.raises(DataError, match="tokens, and this checkpoint reads"):
        fill_mask(folder, [TEXT + " 금리" * 300])
    with pytest.raises(ModelError, match="no checkpoint"):
        fill_mask(tmp_path, [TEXT])


def test_a_tokenizer_without_a_mask_token(checkpoint, tmp_path):
    tokenizer = load_tokenizer(checkpoint("bert", HEAD))
    load_model(checkpoint("bert", HEAD), HEAD).save_pretrained(tmp_path)
    tokenizer.mask_token = None
    tokenizer.save_pretrained(tmp_path)
    for file in tmp_path.glob("*.json"):
        text = file.read_text()
        file.write_text(text.replace('"mask_token": "[MASK]"', '"mask_token": null'))
    with pytest.raises(ModelError, match="has no mask token"):
        FillMask(tmp_path)


def test_the_command_line(gallae_cli, checkpoint):
    folder = checkpoint("bert", HEAD)
    found = json.loads(gallae_cli("fill-mask", folder, "--text", TEXT, "--top-k", 2, "--json").out)
    assert found == fill_mask(folder, [TEXT], 2)
    lines = gallae_cli("fill-mask", folder, "--text", "[MASK] 금리 [MASK]", "--top-k", 2).out.splitlines()
    assert len(lines) == 5 and lines[2] == "" and lines[0].split()[1:2] == [found_token(folder)]
    texts = ("--text", TEXT, "--text", "[MASK] 금리")
    lines = gallae_cli("fill-mask", folder, *texts, "--top-k", 1).out.splitlines()
    assert lines[0::2] == [TEXT, "[MASK] 금리"] and len(lines) == 4
    wrong = gallae_cli("fill-mask", checkpoint("bert"), "--text", TEXT)
    assert wrong.code == 2 and "for this head" in wrong.err and not wrong.out


def found_token(folder):
    return FillMask(folder).fill("[MASK] 금리 [MASK]", 1)[0][0]["token"]
