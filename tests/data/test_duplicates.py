import random
import time

import numpy as np
import pytest

from gallae.data.duplicates import group_numbers, near_duplicates, normalised_key, numbered
from gallae.errors import DataError

SYLLABLES = [chr(code) for code in range(ord("가"), ord("힣"), 37)]


def make(count: int, seed: int = 0) -> list[str]:
    random_ = random.Random(seed)
    return ["".join(random_.choices(SYLLABLES, k=random_.randint(20, 36))) for _ in range(count)]


def shingles(text: str) -> set[str]:
    return {text[at : at + 3] for at in range(len(text) - 2)}


def test_normalised_keys():
    assert normalised_key("ＡＢ 씨, 「선거」…") == normalised_key("ab씨 선거")
    assert normalised_key("!!!") != normalised_key("???")
    assert normalised_key(" ") == ""


def test_numbers_are_in_order_of_appearance():
    assert numbered(["나", "가", "나"]).tolist() == [0, 1, 0]
    assert group_numbers(4, np.array([[3, 0]])).tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.9])
def test_pairs_are_found_as_by_comparing_all(threshold):
    random_ = random.Random(1)
    texts = make(300)
    for text in texts[:300]:
        letters = list(text)
        for _ in range(random_.randint(1, 3)):
            letters[random_.randrange(len(letters))] = "뷁"
        texts.append("".join(letters))
    groups = near_duplicates(texts, threshold)
    close = missed = 0
    for at in range(300):
        one, other = shingles(texts[at]), shingles(texts[at + 300])
        together = groups[at] == groups[at + 300]
        if len(one & other) / len(one | other) >= threshold:
            close += 1
            missed += not together
        else:
            assert not together
    assert close > 5
    assert missed <= close * 0.02
    assert len(np.unique(groups)) == 600 - close + missed


def test_short_and_empty_texts():
    assert near_duplicates(["", " ", "가", "나", "가 ", "가나"]).tolist() == [0, 0, 1, 2, 1, 3]
    assert near_duplicates([]).tolist() == []
    assert near_duplicates(["가", "가!"], threshold=1).tolist() == [0, 0]


def test_a_bucket_full_of_the_same_template():
    texts = [f"오늘의 날씨는 대체로 맑고 바람이 조금 불겠습니다 {at}" for at in range(3000)]
    started = time.perf_counter()
    assert len(np.unique(near_duplicates(texts))) == 1
    assert time.perf_counter() - started < 5


def test_a_long_text_and_odd_characters():
    long = "가나다라" * 100_000
    assert near_duplicates([long, long + "마", "😀🎉🎊 파티", "😀🎉🎊 파티!"]).tolist() == [0, 0, 1, 1]


def test_a_threshold_out_of_range():
    with pytest.raises(DataError, match=r"from 0.3 to 1"):
        near_duplicates(["가"], threshold=2)
