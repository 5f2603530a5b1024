import json

import pytest

from gallae.data.reading import read
from gallae.errors import DataError


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


KLUE = [
    {"guid": "ynat-v1_train_00000", "title": "선거 결과", "label": "정치", "annotations": {"a": ["정치"]}},
    {"guid": "ynat-v1_train_00001", "title": "주가 상승", "label": "경제", "annotations": {"a": []}},
]


def test_klue(tmp_path):
    corpus = read(write(tmp_path / "ynat.json", KLUE))
    assert corpus.texts == ["선거 결과", "주가 상승"]
    assert corpus.labels == ["정치", "경제"]
    assert corpus.table["index"].tolist() == [item["guid"] for item in KLUE]


def test_objects_inside_an_object_and_one_a_line(tmp_path):
    assert len(read(write(tmp_path / "a.json", {"version": "1", "data": KLUE}))) == 2
    (tmp_path / "b.json").write_text("\n".join(json.dumps(item) for item in KLUE), encoding="utf-8")
    assert len(read(tmp_path / "b.json")) == 2


def test_nsmc_raw_folder(tmp_path):
    for movie, ratings in (("10", (10, 1)), ("20", (5, 9))):
        reviews = [
            {"review_id": f"{movie}{at}", "movie_id": movie, "author": "a", "review": f"평 {at}",
             "rating": str(rating), "date": "1"}
            for at, rating in enumerate(ratings)
        ]  # fmt: skip
        write(tmp_path / f"{movie}.json", reviews)
    corpus = read(tmp_path, label_map={"긍정": "9-10", "부정": "1-4"}, group_column="movie_id")
    assert corpus.labels == ["긍정", "부정", "긍정"]
    assert corpus.table["movie_id"].tolist() == ["10", "10", "20"]
    assert corpus.table["index"].tolist() == [100, 101, 201]


def test_a_folder_of_single_objects(tmp_path):
    for at, item in enumerate(KLUE):
        write(tmp_path / f"{at}.json", item)
    assert read(tmp_path).labels == ["정치", "경제"]


def test_splits_are_not_mixed(tmp_path):
    write(tmp_path / "ynat-v1.1_train.json", KLUE)
    write(tmp_path / "ynat-v1.1_dev.json", KLUE)
    with pytest.raises(DataError, match=r"several splits.*Give one of the files"):
        read(tmp_path)


def test_a_message_names_the_file_and_the_item(tmp_path):
    write(tmp_path / "0.json", KLUE)
    write(tmp_path / "1.json", [KLUE[0], {"title": "없음", "label": None}])
    with pytest.raises(DataError, match=r"1.json, item 2: the label"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"title": "가",]', "line 1, column 1[67]: not JSON"),
        ('["가"]', "item 1: a JSON str where an object is wanted"),
        ('"가"', "a JSON str; wanted is a list"),
        ("[]", "holds no rows"),
        ("[{}]", "its objects are empty"),
        ("[" * 100_000, "nested too deeply"),
        ('[{"title": "가\0"}]', "NUL byte"),
    ],
)
def test_what_is_not_a_list_of_objects(tmp_path, content, message):
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.json")
