"""By hand after KorQuAD's and SQuAD's official scripts."""

import numpy as np
import pytest

from gallae.errors import DataError
from gallae.tasks.qa_metrics import (
    best_threshold,
    character_f1,
    exact_match,
    normalise,
    normalise_squad,
    score,
    score_all,
    squad_exact_match,
    word_f1,
)


@pytest.mark.parametrize(
    ("answer", "normalised"),
    [
        ("《난장이가 쏘아올린 작은 공》", "난장이가 쏘아올린 작은 공"),
        ("  1989년   2월\n15일 ", "1989년 2월 15일"),
        ("BBC-TV", "bbctv"),  # ASCII punctuation goes without a space
        ("<신곡>(지옥)", "신곡 지옥"),  # brackets leave one
        ("'수도'는 ‘서울’", "수도 는 서울"),
        ("U.S. $1,000", "us 1000"),
        ("“서울”", "“서울”"),  # the script knows no curly double quotes
        ("「무정」", "「무정」"),
        ("the 한강", "the 한강"),  # no articles are dropped
        ("()", ""),
    ],
)
def test_normalise_as_korquad(answer, normalised):
    assert normalise(answer) == normalised


def test_normalise_as_squad():
    assert normalise_squad("The  Cat, a dog & an (owl)!") == "cat dog owl"
    assert normalise_squad("Theatre") == "theatre"


def test_exact_match_and_character_f1():
    assert exact_match("《무정》", "무정") == 1
    assert exact_match("무 정", "무정") == 0  # spaces count here
    assert character_f1("무 정", "무정") == 1  # and not here
    # 이순신은 / 이순신: 3 of 4 and 3 of 3
    assert character_f1("이순신은", "이순신") == pytest.approx(2 * 0.75 * 1 / 1.75)
    # 2명 / 22명: the bag of characters
    assert character_f1("2명", "22명") == pytest.approx(2 * 1 * (2 / 3) / (5 / 3))
    assert character_f1("서울", "부산") == 0
    assert character_f1("()", "()") == 0  # the script finds nothing that is shared


def test_squad_words():
    assert word_f1("the big cat", "a cat") == pytest.approx(2 * 0.5 * 1 / 1.5)
    assert word_f1("The", "a") == 1
    assert word_f1("", "cat") == 0
    assert squad_exact_match("The Cat.", "cat") == 1


def test_best_over_several_answers():
    figures = score("서울", ("서울특별시", "서울"))
    assert figures == (1.0, 1.0, 1.0, 1.0)
    assert score("서울특별시", ("서울",))[1] == pytest.approx(2 * 0.4 * 1 / 1.4)


def test_no_answer():
    assert score("", ()) == (1.0,) * 4
    assert score("서울", ()) == (0.0,) * 4
    assert score("", ("서울",)) == (0.0,) * 4


def test_all_at_once():
    table = score_all(["서울", "부산"], [("서울",), ("대구",)])
    np.testing.assert_array_equal(table, [[1] * 4, [0] * 4])
    with pytest.raises(DataError, match="1 answers for 2 questions"):
        score_all(["서울"], [(), ()])


def test_threshold():
    # Margins of unanswerable questions are high; one answerable one is among them.
    margins = [-3.0, -1.0, 2.0, 4.0, 5.0]
    answered, silent = [1, 1, 0, 1, 0], [0, 0, 1, 0, 1]
    assert best_threshold(margins, answered, silent) == pytest.approx(0.5)
    assert best_threshold([1.0, 1.0], [1, 1], [0, 0]) > 1.0
    assert best_threshold([1.0, 1.0], [0, 0], [1, 1]) < 1.0
    # Equal margins cannot be told apart: two answers against one.
    assert best_threshold([1.0, 1.0, 1.0], [1, 1, 0], [0, 0, 1]) > 1.0
