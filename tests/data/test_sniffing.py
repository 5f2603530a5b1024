import pytest

from gallae.data.sniffing import detect_format, sniff
from gallae.errors import DataError


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "title,label\n가,1\n", "csv"),
        ("a.csv", '"3","Wall St. Bears, again"\n"4","Other"\n', "ag-news"),
        ("a.csv", '3,"Title","Description"\n', "ag-news"),
        ("a.csv", "index,title\n1,가\n", "csv"),
        ("a.csv", "0,가\n1,나\n2,다\n", "csv"),
        ("a.txt", "오늘의 글, 리뷰\n다음 글\n", "text"),
        ("a.tsv", "문장\tclean\n가\t1\n", "tsv"),
        ("a.txt", "id\tdocument\tlabel\n1\t가\t0\n", "tsv"),
        ("a.txt", "0\t만화\n0\t이치가\n1\t정말이니\n1\t왜\n", "label-first"),
        ("a.tsv", "질문\t밥 먹었니\n질문\t어디 가니\n명령\t앉아라\n명령\t가라\n", "label-first"),
        ("a.txt", "__label__정치 선거\n__label__경제 __label__사회 물가\n", "fasttext"),
        ("a.csv", "__label__정치 선거\n", "fasttext"),
        ("a.txt", "그냥 글\n다른 글, 쉼표\n", "text"),
        ("a.txt", "title,label\n가,1\n", "csv"),
        ("a.txt", '{"text": "가"}\n', "jsonl"),
        ("a.data", "그냥 글\n", "text"),
        ("a.jsonl", '{"text": "가"}\n', "jsonl"),
        ("a.json", "[]", "json"),
    ],
)
def test_formats_are_told(tmp_path, name, content, expected):
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert detect_format(tmp_path / name) == expected


def test_cp949_is_sniffed_too(tmp_path):
    (tmp_path / "a.txt").write_text("id\tdocument\tlabel\n1\t가\t0\n", encoding="cp949")
    assert detect_format(tmp_path / "a.txt") == "tsv"


def test_a_cut_last_line_does_not_matter():
    assert sniff("0\t만화\n" * 5000 + "0") == "label-first"


def test_a_folder_without_a_known_layout(tmp_path):
    with pytest.raises(DataError, match=r"without a known layout. Known layouts of a folder"):
        detect_format(tmp_path)
    (tmp_path / "train.csv").write_text("x")
    with pytest.raises(DataError, match=r"Give one of its files: train.csv"):
        detect_format(tmp_path)
