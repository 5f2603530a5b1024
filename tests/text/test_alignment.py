import time

import pytest

from gallae.text import STEPS, TextPipeline
from gallae.text.alignment import aligned, identity


def sources(steps, text):
    found = aligned(TextPipeline(steps), text)
    assert found.clean == TextPipeline(steps)(text)
    return [
        (character, text[start:end])
        for character, start, end in zip(found.clean, found.starts, found.ends, strict=True)
    ]


@pytest.mark.parametrize(
    ("steps", "text", "expected"),
    [
        (["hanja"], "美 女性", [("미", "美"), ("국", "美"), (" ", " "), ("여", "女"), ("성", "性")]),
        (["html"], "&quot;금", [('"', "&quot;"), ("금", "금")]),
        (["html", "spaces"], "<p> 금 <b>리</b></p>", [("금", "금"), (" ", " "), ("리", "리")]),
        (["symbols"], "↑ ㈜", [*((c, "↑") for c in " 상승 "), (" ", " "), *((c, "㈜") for c in "(주)")]),
        (["abbreviations"], "AI가", [*((c, "AI") for c in "인공지능"), ("가", "가")]),
        (["nfc"], "\u1112\u1161\u11ab국", [("한", "\u1112\u1161\u11ab"), ("국", "국")]),
        (["digits", "lower"], "A 2,024년", [("a", "A"), (" ", " "), ("0", "2,024"), ("년", "년")]),
        (["control", "repeats"], "한\u200bㅋㅋㅋㅋ", [("한", "한"), ("ㅋ", "ㅋㅋㅋㅋ"), ("ㅋ", "ㅋㅋㅋㅋ")]),
        (["spaces"], " 금리\t  동결 ", [("금", "금"), ("리", "리"), (" ", "\t"), ("동", "동"), ("결", "결")]),
        (["hangul_only", "spaces"], "★★★", []),
        (["nfc"], "", []),
    ],
)
def test_each_character_knows_where_it_was(steps, text, expected):
    found = sources(steps, text)
    assert len(found) == len(expected)
    for (character, source), (wanted, raw) in zip(found, expected, strict=True):
        assert character == wanted and (source == raw or source.isspace())


def test_values_keep_their_sum():
    found = aligned(TextPipeline(["html", "hanja", "abbreviations"]), "美 &amp; NYT <b>끝</b>")
    values = found.to_raw([1.0] * len(found.clean))
    assert len(values) == found.raw_length and values.sum() == pytest.approx(len(found.clean))
    assert values[0] == 2 and values[2] == pytest.approx(1 / 5)
    assert identity("가나").to_raw([1.0, 2.0]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("piece", ["美 금리 ", "ㅋ", "<b>", "a ", "Ａ", "&quot;끝&quot; <p>말</p> AI↑ "])
def test_long_texts_take_seconds(piece):
    text = (piece * 40_000)[:40_000]
    started = time.monotonic()
    found = aligned(TextPipeline(list(STEPS)), text)
    assert time.monotonic() - started < 30  # it is 1 on an idle machine
    assert (found.ends > found.starts).all()
