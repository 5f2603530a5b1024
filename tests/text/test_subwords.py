"""Sub-word vocabularies trained on a corpus."""

import subprocess
import sys

import pytest

from gallae.errors import TextError
from gallae.text.subwords import KINDS, train_subwords
from gallae.text.vocabulary import SPECIAL, UNK, Vocabulary

TEXTS = [
    "한국은행 기준금리 동결, 코스피 상승",
    "한국은행 기준금리 인상… 코스닥 하락",
    "한국 축구 대표팀 승리",
    "축구 대표팀 한국 복귀",
] * 3
CHARACTER_KINDS = tuple(kind for kind in KINDS if kind != "byte_bpe")


@pytest.fixture(scope="module")
def trained():
    return {kind: train_subwords(kind, TEXTS, 320, 2) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_come_first_and_ids_have_no_hole(trained, kind):
    vocabulary = Vocabulary(trained[kind])
    assert vocabulary.tokens()[:5] == list(SPECIAL)
    assert sorted(vocabulary.ids.values()) == list(range(len(vocabulary)))
    assert len(vocabulary) <= 320


@pytest.mark.parametrize("kind", KINDS)
def test_frequent_words_become_few_pieces_and_come_back(trained, kind):
    tokenizer = trained[kind]
    for text in ("한국은행 기준금리", "축구\t대표팀\n"):
        found = tokenizer.encode(text)
        most = {"unigram": 8, "morpheme": 4}.get(kind, 2)
        assert len(found.ids) <= most and UNK not in found.ids
        assert tokenizer.decode(found.ids).strip() == " ".join(text.split())


def test_pieces_know_the_beginning_of_a_word(trained):
    assert trained["bpe"].encode("축구 대표팀, 한국").tokens == ["▁축구", "▁대표팀", ",", "▁한국"]
    assert trained["wordpiece"].encode("한국축구").tokens == ["한국", "##축", "##구"]
    assert trained["unigram"].encode("한국 대표").tokens[:2] == ["▁한국", "▁"]
    assert trained["byte_bpe"].encode("축구").tokens[0].startswith("Ġ")


@pytest.mark.parametrize("kind", KINDS)
def test_no_character_fails(trained, kind):
    for text in ("뷁 축구", "龘🧿", "축구뷁축구", "가" * 3000, "\0 \u200b"):
        ids = trained[kind].encode(text).ids
        assert ids and (UNK in ids) == (kind in CHARACTER_KINDS)
    assert trained[kind].encode("").ids == trained[kind].encode(" \n\t ").ids == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("special", SPECIAL)
def test_special_tokens_are_not_found_in_texts(trained, kind, special):
    ids = trained[kind].encode(f"{special} 축구{special}축구 [[SEP]]").ids
    assert set(ids) & set(range(5)) <= {UNK}


@pytest.mark.parametrize("kind", CHARACTER_KINDS)
def test_rare_characters_are_unknown(kind):
    texts = [*TEXTS, "희본 축구 희"]
    often, once = train_subwords(kind, texts, 320, 2), train_subwords(kind, texts, 320, 1)
    assert UNK in often.encode("본").ids and UNK not in once.encode("본").ids
    assert UNK not in often.encode("희").ids
    assert "본" not in "".join(often.get_vocab())


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_of_the_texts_alone(trained, kind):
    again = train_subwords(kind, iter(reversed(TEXTS)), 320, 2)
    assert again.to_str() == trained[kind].to_str()
    assert Vocabulary.from_json(again.to_str()).to_json() == again.to_str()


def test_equal_in_another_process(trained):
    code = (
        "import sys; from gallae.text.subwords import train_subwords; "
        "[print(hash_) for hash_ in (train_subwords(k, sys.argv[1:], 320, 2).to_str() for k in "
        "('wordpiece', 'unigram'))]"
    )
    done = subprocess.run([sys.executable, "-c", code, *TEXTS], capture_output=True, check=True)
    printed = done.stdout.decode("utf-8").splitlines()
    assert printed == [trained["wordpiece"].to_str(), trained["unigram"].to_str()]


def test_morphemes_joined_by_spaces():
    tokenizer = train_subwords("bpe", ["학교 에 가 었 다", "학교 가 좋 다"] * 3, 60, 1)
    assert tokenizer.encode("학교 에 가 다").tokens == ["▁학교", "▁에", "▁가", "▁다"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("texts", [[], ["", " \n"], ["\ud800"]])
def test_nothing_to_learn_from(kind, texts):
    with pytest.raises(TextError, match="hold no word"):
        train_subwords(kind, texts, 300, 1)


def test_only_rare_characters():
    with pytest.raises(TextError, match=r"3 times \(min_count\)"):
        train_subwords("bpe", ["가나 다라"], 300, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_size_needs_room_for_the_characters(kind):
    with pytest.raises(TextError, match="30 tokens has no room") as caught:
        train_subwords(kind, TEXTS, 30, 1)
    least = int(str(caught.value).partition("set its size to ")[2].split()[0])
    assert train_subwords(kind, TEXTS, least, 1).get_vocab_size() == least
    with pytest.raises(TextError, match="no room"):
        train_subwords(kind, TEXTS, least - 1, 1)


def test_mistakes_are_told():
    with pytest.raises(TextError, match=r"no kind of sub-words .wordpeice.\. Did you mean .wordpiece."):
        train_subwords("wordpeice", TEXTS, 300)
    with pytest.raises(TextError, match="min_count is 0"):
        train_subwords("bpe", TEXTS, 300, 0)
