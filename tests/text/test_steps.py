"""Each step on its own, and what all of them promise on any Unicode."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallae.errors import TextError
from gallae.text import STEPS, step, tables

ANY_TEXT = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cs", "Cc", "Cf", "Co", "Cn"]),
        st.sampled_from(
            "&<>;#/ab가각ㄱㅏㅋ각ㅤ�美中北不女率金①…↑㈜·０Ａﾡ👍❤️‍0123456789,.!?wW\"'\t\n\u200b\ufeff"
        ),
        st.characters(min_codepoint=0x1100, max_codepoint=0x11FF),
        st.characters(min_codepoint=0xF900, max_codepoint=0xFAFF),
    )
)
# What runs twice must give what it gave once; `html` may uncover another layer of escapes,
# `nfc` alone is checked too since Unicode promises it.
IDEMPOTENT = sorted(set(STEPS) - {"html"})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("nfc", unicodedata.normalize("NFD", "한국은행 각"), "한국은행 각"),
        ("nfc", "女 盧 樂", "女 盧 樂"),
        ("nfc", "ᄏᄏ 귀여워ᅲᅲ", "ㅋㅋ 귀여워ㅠㅠ"),
        ("nfc", "ㅋㅋ ㈜ ½ ①", "ㅋㅋ ㈜ ½ ①"),
        ("nfc", "ᄒᆞᆫ글", "ᄒᆞᆫ글"),
        ("nfc", "멋지ㅤㄴㅔㅋ ㅤㄷㅏㅤ!", "멋지넼 다!"),
        ("html", "&quot;금리&quot; <b>동결</b>", '"금리" 동결'),
        ("html", "앞<br/>뒤<p class='a'>끝</p>", "앞 뒤 끝 "),
        ("html", "R&D, M&A &lt표 <표> <LG 3연승> 1 < 2 > 0", "R&D, M&A &lt표 <표> <LG 3연승> 1 < 2 > 0"),
        ("html", "&amp;quot;두 겹&amp;quot; &#54620;&#xae00;", '"두 겹" 한글'),
        ("html", "<script>var a = '<b>';</script>기사<!-- 숨은 말 -->", " 기사 "),
        ("html", "<a href='http://a.kr/?b=1' target=_blank>링크</a>", "링크"),
        ("control", "한\u200b국\ufeff은\x00행\x07\xad", "한국은행"),
        ("control", "줄\n바꿈\t칸�깨짐ㅤ채움", "줄 바꿈 칸 깨짐 채움"),
        ("control", "짝 \ud83d\ude00 반쪽 \ud83d.", "짝 😀 반쪽  ."),
        ("control", "방향\u202e바꿈 \ue000❤️", "방향바꿈 ❤"),
        ("symbols", "㈜한빛 3㎞…매출↑", "(주)한빛 3km 매출 상승 "),
        ("symbols", "수출·수입→흑자 25℃ 2⅔이닝", "수출 수입 흑자 25도 2 2/3이닝"),
        ("symbols", "①하나 Ⅲ부 “끝” 50％ 5∼6일", ' 1 하나 3부 "끝" 50% 5~6일'),
        ("abbreviations", "NYT가 본 AI·IoT", "뉴욕타임스가 본 인공지능·사물인터넷"),
        ("abbreviations", "NYTX XNYT NYT2 nyt", "NYTX XNYT NYT2 nyt"),
        ("abbreviations", "R&D·M&A (WHO)", "연구개발·인수합병 (세계보건기구)"),
        ("digits", "2024년 1,500만명 3.5% 7:30 5G", "0년 0만명 0% 0:0 0G"),
        ("digits", "3, 4.", "0, 0."),
        ("repeats", "ㅋㅋㅋㅋ 최고!!!! 와아아아 goood", "ㅋㅋ 최고!! 와아아 good"),
        ("repeats", "1000원 AAA www.a.kr", "1000원 AAA www.a.kr"),
        ("hangul_only", "KT 5G…가입자 ㅋㅋ 100만", "   가입자 ㅋㅋ  만"),
        ("lower", "LG전자 OLED Ｔ", "lg전자 oled ｔ"),
        ("spaces", "  금리\t\n동결\u3000\xa0 ", "금리 동결"),
        ("urls", "보기 https://a.kr/b?c=1에서 www.b.co 문의 a.b@c.co.kr", "보기  에서   문의  "),
        ("urls", "골뱅이 @가 http 만", "골뱅이 @가 http 만"),
        ("emoji", "최고👍🏻 ♥♥ ★★", "최고    ★★"),
        ("quotes", "“금리” ‘동결’ `끝´", "\"금리\" '동결' '끝'"),
        ("fullwidth", "ＫＢＳ　５０％ ﾡﾢ", "KBS 50% ㄱㄲ"),
    ],
)
def test_step(name, text, expected):
    assert STEPS[name](text) == expected


@pytest.mark.parametrize("name", sorted(STEPS))
def test_every_step_takes_the_empty_text_and_is_documented(name):
    assert STEPS[name]("") == ""
    assert "→" in (STEPS[name].__doc__ or "")


def test_the_registry_is_the_one_that_recipes_were_written_for():
    assert sorted(STEPS) == [
        *(
            "abbreviations",
            "control",
            "digits",
            "emoji",
            "fullwidth",
            "hangul_only",
            "hanja",
            "html",
            "lower",
        ),
        *("nfc", "quotes", "repeats", "spaces", "symbols", "urls"),
    ]


@settings(max_examples=300, deadline=None)
@given(text=ANY_TEXT)
def test_any_text_is_survived_by_every_step(text):
    for name, function in STEPS.items():
        assert type(function(text)) is str, name


@settings(max_examples=300, deadline=None)
@given(text=ANY_TEXT)
def test_a_second_run_changes_nothing(text):
    for name in IDEMPOTENT:
        once = STEPS[name](text)
        assert STEPS[name](once) == once, name


@settings(max_examples=300, deadline=None)
@given(text=ANY_TEXT)
def test_control_leaves_text_that_can_be_written_as_utf8(text):
    cleaned = STEPS["control"](text)
    cleaned.encode("utf-8")
    assert not re.search("[\x00-\x1f\ufeff\ufffd\u200b]", cleaned)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("html", "<a " + "b " * 20_000),
        ("html", "<" * 50_000 + "&" * 50_000),
        ("html", "<script>" * 20_000 + "</b>"),
        ("html", "</script>" + "<!-- " * 40_000),
        ("html", "<a" + " " * 100_000 + "<p a = " * 10_000),
        ("urls", "a.b-" * 20_000 + "@"),
        ("repeats", "ㅋㅎ" * 50_000),
        ("digits", "1," * 50_000),
        ("abbreviations", "A&" * 50_000),
        ("hanja", "不" * 50_000),
    ],
)
def test_hostile_texts_take_no_more_than_linear_time(name, text):
    import time

    started = time.perf_counter()
    STEPS[name](text)
    assert time.perf_counter() - started < 2


def test_no_symbol_becomes_another_symbol():
    table = tables.symbols()
    assert not set("".join(table.values())) & set(table)


def test_a_name_is_registered_once():
    with pytest.raises(TextError, match="'nfc' exists already"):
        step("nfc")(str.strip)


def test_a_user_adds_a_step_in_two_lines(monkeypatch):
    monkeypatch.setattr("gallae.text.steps.STEPS", dict(STEPS))
    from gallae.text import steps

    assert steps.step("strip")(str.strip) is str.strip
    assert "strip" in steps.STEPS
