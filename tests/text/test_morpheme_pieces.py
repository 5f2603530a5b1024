"""Sub-words that are morphemes: a unigram model of what Kiwi finds."""

import math

import pytest

from gallae.errors import TextError
from gallae.text.morpheme_pieces import WeightedCounts, morpheme_scores, surfaces
from gallae.text.subwords import train_subwords
from gallae.text.vocabulary import UNK

TEXTS = [
    "나는 학교에 갔다",
    "학교에서 친구를 만났다",
    "친구는 학교에 갔다.",
    "'학교'는 좋았다",
    "내일은 친구와 학교에 간다",
] * 4


def test_surfaces_are_cut_at_the_borders_of_morphemes():
    found = list(surfaces(["나는 학교에 갔다.", "", "했으니까 (주)삼성 😀 3.14%"]))
    assert found[0] == ["▁나", "는", "▁학교", "에", "▁갔", "다", "."]  # 갔: 가 and 았
    assert found[1] == []
    assert found[2] == ["▁했", "으니까", "▁(", "주", ")", "삼성", "▁😀", "▁3.14", "%"]


def test_surfaces_spell_the_text():
    for text, found in zip(TEXTS, surfaces(TEXTS), strict=True):
        assert "".join(found).replace("▁", " ").strip() == text


def test_long_texts_are_cut_like_short_ones():
    (found,) = surfaces([" ".join(TEXTS * 60)])
    assert len("".join(found)) > 4096
    assert [*dict.fromkeys(found)] == [*dict.fromkeys(piece for row in surfaces(TEXTS) for piece in row)]


def test_scores_are_log_shares_of_the_pieces():
    scores = dict(morpheme_scores(((text, 1.0) for text in TEXTS), 200, 1))
    pieces = [piece for row in surfaces(TEXTS) for piece in row]
    apart = scores["▁학교"] - scores["▁좋"]
    assert apart == pytest.approx(math.log(pieces.count("▁학교") / pieces.count("▁좋")), abs=2e-4)
    assert sum(map(math.exp, scores.values())) == pytest.approx(1, abs=0.01)
    assert set("나는학교에갔다") <= set(scores)  # every character can stand alone
    assert list(scores.values()) == sorted(scores.values(), reverse=True)


def test_the_tokenizer_cuts_as_kiwi_does():
    tokenizer = train_subwords("morpheme", TEXTS, 200, 1)
    for text, found in zip(TEXTS, surfaces(TEXTS), strict=True):
        assert tokenizer.encode(text).tokens == found
    # A new word of known morphemes, and one that Kiwi would know but the corpus does not.
    assert tokenizer.encode("친구에").tokens == ["▁친구", "에"]
    assert UNK in tokenizer.encode("컴퓨터").ids
    assert tokenizer.decode(tokenizer.encode(TEXTS[0]).ids) == TEXTS[0]


def test_weights_are_as_good_as_repetitions():
    once = [(text, 1.0) for text in TEXTS]
    news = "한국은행 기준금리 인하"
    repeated = train_subwords("morpheme", [*once, *[(news, 1.0)] * 3], 200, 1)
    weighted = train_subwords("morpheme", [(news, 3.0), *reversed(once)], 200, 1)
    assert weighted.to_str() == repeated.to_str()
    scores = [dict(morpheme_scores([*once, (news, weight)], 200, 0.1)) for weight in (0.5, 50.0)]
    assert scores[0]["▁학교"] > scores[0]["▁기준"] and scores[1]["▁학교"] < scores[1]["▁기준"]


def test_counts_do_not_depend_on_the_order():
    pairs = [(["a", "b"], 0.1), (["a"], 0.2), (["b", "b"], 0.7)] * 7
    totals = []
    for order in (pairs, pairs[::-1]):
        counts = WeightedCounts()
        for tokens, weight in order:
            counts.update(tokens, weight)
        totals.append(counts.total())
    assert totals[0] == totals[1]
    assert totals[0]["b"] == pytest.approx(7 * 1.5)


def test_rare_characters_and_pieces_are_left_out():
    texts = [*TEXTS, "뷁 오늘"]
    kept = train_subwords("morpheme", texts, 200, 1)
    fewer = train_subwords("morpheme", texts, 200, 2)
    assert UNK not in kept.encode("뷁").ids and UNK in fewer.encode("뷁").ids
    assert "▁오늘" in kept.get_vocab() and "▁오늘" not in fewer.get_vocab()


def test_the_size_is_kept_and_the_frequent_pieces_stay():
    full = train_subwords("morpheme", TEXTS, 1000, 1).get_vocab()
    small = train_subwords("morpheme", TEXTS, len(full) - 5, 1).get_vocab()
    assert len(small) == len(full) - 5
    assert "▁학교" in small and set(small) < set(full)


def test_no_room_and_no_text():
    with pytest.raises(TextError, match=r"12 tokens has no room .* size to \d+ at least"):
        train_subwords("morpheme", TEXTS, 12, 1)
    with pytest.raises(TextError, match="no word"):
        train_subwords("morpheme", ["", "\ud800"], 100, 1)
