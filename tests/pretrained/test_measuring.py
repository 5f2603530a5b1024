"""What a tokenizer makes of texts."""

import pytest

from gallae.pretrained.measuring import cut_by, measure_tokenizer
from gallae.pretrained.scratch import wrapped
from gallae.text.subwords import train_subwords

TEXTS = ["한국은행 기준금리 동결, 코스피 상승", "한국 축구 대표팀 승리", "축구 대표팀 한국 복귀"] * 3


@pytest.fixture(scope="module")
def tokenizers():
    return {kind: wrapped(train_subwords(kind, TEXTS, 320, 2)) for kind in ("wordpiece", "bpe", "byte_bpe")}


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "byte_bpe"])
def test_figures_by_hand(tokenizers, kind):
    found = measure_tokenizer(tokenizers[kind], ["축구 대표팀\n한국축구, 승리", " 축구  "])
    tokens = len(cut_by(tokenizers[kind], "한국축구,"))
    assert found["tokens_per_word"] == pytest.approx((4 + tokens) / 5)
    assert found["characters_per_token"] == pytest.approx(14 / (4 + tokens))
    assert found["whole_words"] == pytest.approx(4 / 5)
    assert found["unknown"] == 0 and found["unknown_parts"] == {}
    assert (found["longest"], found["p50"], found["mean"]) == (3 + tokens, 3 + tokens, (4 + tokens) / 2)


def test_what_is_unknown(tokenizers):
    texts = ["축구 龘", "龘", "뷁 축구"]
    found = measure_tokenizer(tokenizers["bpe"], texts)
    assert found["unknown_parts"] == {"龘": 2, "뷁": 1}
    assert found["unknown"] == pytest.approx(3 / sum(len(cut_by(tokenizers["bpe"], text)) for text in texts))
    assert measure_tokenizer(tokenizers["byte_bpe"], texts)["unknown"] == 0


def test_cuts_are_shown_as_characters(tokenizers):
    assert cut_by(tokenizers["wordpiece"], "한국축구 龘") == ["한국", "##축", "##구", "?龘"]
    assert cut_by(tokenizers["bpe"], "축구, 한국") == ["▁축구", ",", "▁한국"]
    assert cut_by(tokenizers["byte_bpe"], "축구 龘") == ["▁축구", "▁", "�", "�", "�"]


def test_special_tokens_in_texts_are_text(tokenizers):
    assert "[SEP]" not in cut_by(tokenizers["wordpiece"], "축구 [SEP] 축구")


def test_no_text_is_no_error(tokenizers):
    found = measure_tokenizer(tokenizers["wordpiece"], ["", " "])
    assert found["tokens_per_word"] == found["whole_words"] == found["longest"] == 0
