import io
from itertools import islice

import pandas as pd
import pytest

from gallae.data.opening import text_lines
from gallae.data.tables import (
    Dialect,
    checked,
    frames,
    growing,
    json_lines,
    looks_quoted,
    named,
    object_frames,
    records,
    series,
    spelled,
)
from gallae.errors import DataError


def rows(text: str, delimiter: str = ",", quoted: bool = True) -> list[tuple[int, list[str]]]:
    lines = text_lines(io.StringIO(text, newline=""), "a.csv")
    return list(records(lines, Dialect(delimiter, quoted), "a.csv"))


def test_records_carry_their_first_line():
    assert rows('a,b\r\n"x\ny",1\n\nz,2\n') == [(1, ["a", "b"]), (2, ["x\ny", "1"]), (5, ["z", "2"])]


def test_old_line_ends_and_a_missing_last_one():
    assert [row for _, row in rows("a,b\rc,d")] == [["a", "b"], ["c", "d"]]


def test_plain_tabs_keep_quotes():
    assert rows('1\t"재밌다" 라고\t0\n2\t"끝\t1\n', "\t", False)[1] == (2, ["2", '"끝', "1"])


def test_an_open_quote_names_its_line():
    with pytest.raises(DataError, match="line 2: a quote is opened and never closed"):
        rows('a,b\n"x,1\ny,2\n')
    with pytest.raises(DataError, match=r"line 2: .*expected after"):
        rows('a,b\n"x"y,1\n')


def test_ragged_rows_name_their_line():
    body = [(1, ["a", "b"]), (4, ["c"])]
    with pytest.raises(DataError, match=r"a.csv, line 4: 1 field, but there are 2 columns \(x, y\)"):
        list(checked(body, ["x", "y"], "a.csv"))
    assert list(checked([(1, ["a", "b", "", ""])], ["x", "y"], "a.csv")) == [["a", "b"]]


def test_column_names():
    assert named([" title ", "", "label"], "a.csv") == ["title", "column 2", "label"]
    assert named(["", "\ufefftitle"], "a.csv") == ["index", "title"]
    with pytest.raises(DataError, match=r"'label' stands more than once \(columns 2, 3\)"):
        named(["title", "label", "label "], "a.csv")


def test_pieces_grow():
    assert list(islice(growing(100, 8), 4)) == [8, 32, 100, 100]
    assert list(islice(growing(4, 64), 2)) == [4, 4]
    pieces = list(frames(iter([["a", "1"]] * 5), ["x", "y"], growing(3)))
    assert [len(piece) for piece in pieces] == [3, 2]
    assert isinstance(pieces[0]["x"].dtype, pd.StringDtype)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('id\tdocument\n1\t"재밌다" 라고\n', False),
        ('id\tdocument\n1\t"재밌다\n2\t끝"\n', False),
        ('id\tdocument\n1\t"그는 ""좋다"""\n', True),
        ('id\tdocument\n1\t"첫 줄\n둘째 줄"\n', True),
        ("id\tdocument\n1\t없음\n", False),
    ],
)
def test_quotes_in_tab_separated_text(text, quoted):
    assert looks_quoted(text) is quoted


def test_json_lines_name_the_line():
    assert list(json_lines(iter(['{"a": 1}\n', "\n"]), "a")) == [{"a": 1}]
    with pytest.raises(DataError, match="a, line 2: not JSON"):
        list(json_lines(iter(['{"a": 1}\n', '{"a": \n']), "a"))
    with pytest.raises(DataError, match="line 1: a JSON list"):
        list(json_lines(iter(["[1]\n"]), "a"))


def test_cells_of_any_kind():
    assert [spelled(value) for value in (3, 3.0, 2.5, True, "가", None, float("nan"))] == [
        "3", "3", "2.5", "True", "가", None, None,
    ]  # fmt: skip
    assert series([1, None, "나"]).isna().tolist() == [False, True, False]
    assert series([["a"], None]).tolist() == [["a"], None]
    assert series([{"a": 1}]).tolist() == ['{"a": 1}']
    assert series(["가\ud83d", "나\ud83d\ude00"]).tolist() == ["가\ufffd", "나😀"]


def test_an_absent_key_is_missing():
    piece = next(object_frames(iter([{"a": "1"}, {"b": "2"}]), ["a", "b"], growing(9)))
    assert piece["a"].isna().tolist() == [False, True]
