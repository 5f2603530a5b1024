import json

import pytest

from gallae.data.labels import LabelMap, LabelSet, in_order, listed, plain, separated
from gallae.errors import DataError


def test_label_set_survives_json():
    labels = LabelSet(("세계", "정치"), {"세계": "4", "정치": "6"}, True)
    assert LabelSet.from_json(json.loads(json.dumps(labels.to_json()))) == labels


def test_lookup_takes_names_and_ids_and_a_name_wins():
    labels = LabelSet(("1", "정치"), {"1": "0", "정치": "1"})
    assert labels.lookup() == {"0": "1", "1": "1", "정치": "정치"}


def test_the_nearest_label_is_found_by_letters():
    assert "Did you mean '정치'" in LabelSet(("경제", "정치")).nearest("정지")
    assert "Did you mean" not in LabelSet(("경제", "정치")).nearest("sports")


def test_integers_are_ordered_numerically():
    assert in_order(["10", "9", "9", "-1"]) == ("-1", "9", "10")
    assert in_order(["b", "10", "9"]) == ("10", "9", "b")


@pytest.mark.parametrize(
    ("spelling", "value", "label"),
    [
        ({"긍정": "9-10", "부정": "1-4"}, "9", "긍정"),
        ({"긍정": "9-10", "부정": "1-4"}, "4.0", "부정"),
        ({"긍정": "9-10", "부정": "1-4"}, "5", None),
        ({"긍정": [4, 5], "부정": [1, "2-3"]}, "5", "긍정"),
        ({"긍정": [4, 5], "부정": [1, "2-3"]}, "2.5", "부정"),
        ({"긍정": "좋음", "부정": "나쁨"}, " 좋음 ", "긍정"),
        ({"낮음": "-3 - -1", "높음": "0.5 - 2"}, "-2", "낮음"),
        ({"낮음": "-3 - -1", "높음": "0.5 - 2"}, "좋음", None),
    ],
)
def test_label_map(spelling, value, label):
    assert LabelMap(spelling).get(value) == label


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ({"a": "1-5", "b": "5-9"}, "overlap"),
        ({"a": "1-5", "b": 3}, "lies in the range"),
        ({"a": 3, "b": "3"}, "claimed by 'a' and 'b'"),
        ({"a": "5-1"}, "runs downwards"),
        ({"a": []}, "empty list"),
        ({"a": {"low": 1}}, "Allowed are a value"),
    ],
)
def test_impossible_label_maps_say_why(spelling, message):
    with pytest.raises(DataError, match=message):
        LabelMap(spelling)


def test_cells():
    assert plain(" 3.0 ") == "3"
    assert plain("3.5") == "3.5"
    assert separated("정치| 경제||정치", "|") == ("정치", "경제")
    assert listed('["a", "b"]') == ("a", "b")
    assert listed("['a', 1]") == ("a", "1")
    assert listed(["a", "a"]) == ("a",)
    assert listed("[속보] 제목") is None
    assert listed("[긴급]") is None
    assert listed(None) is None
