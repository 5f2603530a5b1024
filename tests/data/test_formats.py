import pytest

from gallae.data.reading import read
from gallae.errors import DataError


@pytest.mark.parametrize(
    ("header", "delimiter"), [("title;label", ";"), ("title|label", "|"), ("title\tlabel", "\t")]
)
def test_other_delimiters_in_a_csv(tmp_path, header, delimiter):
    (tmp_path / "a.csv").write_text(f"{header}\n가, 나{delimiter}x\n다{delimiter}y\n", encoding="utf-8")
    assert read(tmp_path / "a.csv").texts == ["가, 나", "다"]


def test_a_comma_wins_in_the_header(tmp_path):
    (tmp_path / "a.csv").write_text('"a;b;c",title,label\n1,가,x\n', encoding="utf-8")
    assert read(tmp_path / "a.csv").texts == ["가"]


def test_label_first_without_a_tab(tmp_path):
    (tmp_path / "a.txt").write_text("0\t가\n나\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2: no tab"):
        read(tmp_path / "a.txt", format="label-first")


def test_label_first_keeps_further_tabs_in_the_text(tmp_path):
    (tmp_path / "a.txt").write_text("0\t가\t나\n1\t다\n", encoding="utf-8")
    assert read(tmp_path / "a.txt", format="label-first").texts == ["가\t나", "다"]


def test_unknown_format_and_a_file_format_on_a_folder(tmp_path):
    with pytest.raises(DataError, match=r"--format xls: not known. Known: csv"):
        read(tmp_path, format="xls")
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path, format="csv")


def test_a_column_that_the_user_names_makes_a_header(tmp_path):
    (tmp_path / "a.txt").write_text("구분값\t말뭉치\nx\t가\ny\t나\n", encoding="utf-8")
    corpus = read(tmp_path / "a.txt", text_column="말뭉치", label_column="구분값")
    assert corpus.labels == ["x", "y"]
