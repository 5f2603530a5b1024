import pytest

from gallae.data.columns import INDEX, LABEL, TEXT, find, find_text, named_columns
from gallae.errors import DataError


@pytest.mark.parametrize(
    ("columns", "text", "label", "index"),
    [
        (["index", "title", "topic_idx"], "title", "topic_idx", "index"),
        (["id", "document", "label"], "document", "label", "id"),
        (["guid", "title", "label", "url"], "title", "label", "guid"),
        (["review_id", "movie_id", "author", "review", "rating", "date"], "review", "rating", "review_id"),
        (["문장", "감성"], "문장", "감성", None),
        (["Text", "Category"], "Text", "Category", None),
        (["어떤글", "라벨"], "어떤글", "라벨", None),
        (["title", "topic", "topic_idx"], "title", "topic", None),
    ],
)
def test_well_known_names(columns, text, label, index):
    assert find(LABEL, columns) == label
    assert find(INDEX, columns) == index
    assert find_text(columns, [label] + ([index] if index else [])) == text


def test_two_unknown_columns_are_not_guessed():
    assert find_text(["갑", "을"], []) is None


def test_no_name_plays_two_parts():
    assert not {*TEXT} & {*LABEL}
    assert not ({*TEXT} | {*LABEL}) & {*INDEX}


def test_named_columns():
    columns = ["Title", "a", "b", "a,b"]
    assert named_columns("title ", columns, "--text-column", "x") == ["Title"]
    assert named_columns("a,b", columns, "--label-column", "x") == ["a,b"]
    assert named_columns("b, a", columns, "--label-column", "x") == ["b", "a"]
    assert named_columns(["a", "b"], columns, "--label-column", "x") == ["a", "b"]
    with pytest.raises(
        DataError, match=r"no column 'titel' \(asked for by --text-column\). Did you mean 'Title'"
    ):
        named_columns("titel", columns, "--text-column", "x")
