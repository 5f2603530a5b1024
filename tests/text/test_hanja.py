"""Hanja as headlines mean them."""

import unicodedata

import pytest

from gallae.text import STEPS, tables
from gallae.text.hanja import initial_sound

hanja = STEPS["hanja"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("美 금리 인상", "미국 금리 인상"),
        ("北대표단 방남", "북한대표단 방남"),
        ("美·中·日 회담…靑 신중", "미국·중국·일본 회담…청와대 신중"),
        ("與 공세에 野 반발, 檢 수사", "여당 공세에 야당 반발, 검찰 수사"),
        ("英 佛 獨 露 伊 印", "영국 프랑스 독일 러시아 이탈리아 인도"),
        ("韓美 정상, 美國과 中東", "한미 정상, 미국과 중동"),
        ("中企 지원, 印尼 수출", "중소기업 지원, 인도네시아 수출"),
        ("특집(上) 특집(中) 특집<中> 특집(下)", "특집(상) 특집(중) 특집<중> 특집(하)"),
        ("15日 수사中 방美", "15일 수사중 방미"),
        ("현대重 국민銀 대신證 15억弗", "현대중공업 국민은행 대신증권 15억달러"),
        ("伊朗 협상", "이란 협상"),
    ],
)
def test_headlines(text, expected):
    assert hanja(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("女性 理論 年末 羅州 老人", "여성 이론 연말 나주 노인"),
        ("男女 20年 신중論", "남녀 20년 신중론"),
        ("比率 出産率 合格率 先烈 행렬 出산率", "비율 출산율 합격률 선열 행렬 출산율"),
        ("不動産 不正 不可 不", "부동산 부정 불가 불"),
        ("音樂 快樂 敗北感 北方 自轉車 自動車", "음악 쾌락 패배감 북방 자전거 자동차"),
        ("金融 金正恩", "금융 김정은"),
    ],
)
def test_readings(text, expected):
    assert hanja(text) == expected


def test_what_is_no_hanja_or_has_no_reading_stays():
    assert hanja("한글 ABC かな \U00020000") == "한글 ABC かな \U00020000"


def test_every_hanja_of_ks_x_1001_has_a_reading_before_and_after_nfc():
    rows = (bytes((row, cell)).decode("euc_kr") for row in range(0xCA, 0xFE) for cell in range(0xA1, 0xFF))
    characters = list(rows)
    assert len(characters) == 4888
    for character in characters:
        for form in (character, unicodedata.normalize("NFC", character)):
            assert len(hanja(f"一{form}")) == 2
            assert "가" <= tables.readings()[form] <= "힣"


def test_a_compatibility_ideograph_keeps_the_reading_that_was_typed():
    assert hanja("\uf90a 2개") == "금 2개"
    assert hanja("\uf981배구") == "여배구"


@pytest.mark.parametrize(
    ("before", "after"), [("녀", "여"), ("론", "논"), ("리", "이"), ("나", "나"), ("락", "낙")]
)
def test_the_initial_sound_rule(before, after):
    assert initial_sound(before) == after
