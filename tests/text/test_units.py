"""Words, characters, jamo and morphemes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallae.errors import TextError
from gallae.text import (
    NOUNS_AND_VERBS,
    STUDY_DROP_TAGS,
    TAGS,
    compose_jamo,
    decompose_jamo,
    iter_tokens,
    match_tags,
    tokenize,
)

TEXTS = ["학교에 갔다, 3번.", ""]


@pytest.fixture(autouse=True)
def _no_cache_on_disk(monkeypatch):
    monkeypatch.setenv("GALLAE_CACHE", "off")


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("word", ["학교에", "갔다,", "3번."]),
        ("char", list("학교에 갔다, 3번.")),
        ("jamo", list("ㅎㅏㄱㄱㅛㅇㅔ ㄱㅏㅆㄷㅏ, 3ㅂㅓㄴ.")),
        ("morpheme", ["학교", "에", "가", "었", "다", ",", "3", "번", "."]),
        ("morpheme_tag", ["학교/NNG", "에/JKB", "가/VV", "었/EP", "다/EF", ",/SP", "3/SN", "번/NNB", "./SF"]),
    ],
)
def test_units(unit, expected):
    assert tokenize(TEXTS, unit) == [expected, []]
    assert list(iter_tokens(iter(TEXTS), unit)) == [expected, []]


def test_tags_are_dropped_or_kept():
    assert tokenize(TEXTS, "morpheme", drop_tags=["J*", "E*", "S*"])[0] == ["학교", "가", "번"]
    assert tokenize(TEXTS, "morpheme_tag", drop_tags=STUDY_DROP_TAGS)[0] == ["학교/NNG", "가/VV", ",/SP"]
    assert tokenize(TEXTS, "morpheme", keep_tags=NOUNS_AND_VERBS)[0] == ["학교", "가"]


def test_a_slash_is_a_morpheme_like_others():
    assert tokenize(["남/북"], "morpheme_tag") == [["남/NNG", "//SP", "북/NNG"]]
    assert "/" in tokenize(["남/북"], "morpheme")[0]


def test_the_named_lists_are_known_tags():
    assert match_tags(["*"]) == set(TAGS)
    assert match_tags(["J*"]) == {"JKS", "JKC", "JKG", "JKO", "JKB", "JKV", "JKQ", "JX", "JC"}
    assert match_tags(STUDY_DROP_TAGS) >= {"NNB", "JX", "ETM", "SSO", "SN"}
    assert not match_tags(STUDY_DROP_TAGS) & {"NNG", "NNP", "VV", "VA", "VX", "XR", "SH", "SW", "SP"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"unit": "morphem"}, "no unit 'morphem'. Did you mean 'morpheme'"),
        ({"unit": "morpheme", "drop_tags": ["NNGG"]}, "no part-of-speech tag 'NNGG'. Did you mean 'NNG'"),
        ({"unit": "morpheme", "drop_tags": ["Q*"]}, "no part-of-speech tag"),
        ({"unit": "morpheme", "drop_tags": "NNG"}, "tags are a list"),
        ({"unit": "morpheme", "drop_tags": ["NNG"], "keep_tags": ["VV"]}, "contradict"),
        ({"unit": "word", "drop_tags": ["NNG"]}, "the unit is 'word'"),
        ({"unit": "morpheme", "analyzer": "kiwwi"}, "no analyzer 'kiwwi'. Did you mean 'kiwi'"),
    ],
)
def test_mistakes_are_told(arguments, message):
    for function in (tokenize, iter_tokens):
        with pytest.raises(TextError, match=message):
            function(TEXTS, **arguments)


@pytest.mark.parametrize(
    ("text", "jamo"),
    [
        ("각하 A", "ㄱㅏㄱㅎㅏ A"),
        ("값", "ㄱㅏㅄ"),
        ("까치", "ㄲㅏㅊㅣ"),
        ("과외", "ㄱㅘㅇㅚ"),
        ("힣", "ㅎㅣㅎ"),
        ("ㅋㅋ", "ㅋㅋ"),
    ],
)
def test_jamo(text, jamo):
    assert decompose_jamo(text) == jamo
    assert compose_jamo(jamo) == text


@given(st.text(st.characters(exclude_characters=[chr(code) for code in range(0x3131, 0x3164)])))
def test_jamo_round_trip(text):
    assert compose_jamo(decompose_jamo(text)) == text


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)))
def test_jamo_round_trip_of_syllables(text):
    jamo = decompose_jamo(text)
    assert not any("가" <= letter <= "힣" for letter in jamo)
    assert compose_jamo(jamo) == text


@given(st.text(st.characters(min_codepoint=0x3131, max_codepoint=0x3163)))
def test_composing_loose_letters_never_fails(text):
    assert isinstance(compose_jamo(text), str)
