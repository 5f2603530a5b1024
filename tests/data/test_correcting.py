import json

import pytest

import gallae
from gallae.errors import DataError, OutputError

ROWS = 'id,title,"topic",note\r\n7,"금리, 동결",경제,"a ""b"""\r\n\r\n8,골,"스포츠",\r\n9,"두\n줄",,끝\r\n'


def fixed(tmp_path, content, labels, name="data.csv", encoding="utf-8", **reading):
    """Correct a file of this content; return how many cells changed, and the copy's content."""
    path, copy = tmp_path / name, tmp_path / f"copy-{name}"
    path.write_bytes(content.encode(encoding))
    count = gallae.correct(path, labels, copy, **reading)
    assert path.read_bytes() == content.encode(encoding)
    return count, copy.read_bytes().decode(encoding)


def test_only_the_cells_change(tmp_path):
    count, copy = fixed(tmp_path, ROWS, {0: "세계", 1: "경제", 2: '따옴"표, 새'})
    assert count == 3
    assert copy == ROWS.replace(",경제,", ",세계,").replace('"스포츠"', '"경제"').replace(
        '줄",,', '줄","따옴""표, 새",'
    )
    assert gallae.read(tmp_path / "copy-data.csv").labels == ["세계", "경제", '따옴"표, 새']


def test_nothing_to_change_is_a_copy(tmp_path):
    assert fixed(tmp_path, ROWS, {}) == (0, ROWS)
    (tmp_path / "copy-data.csv").unlink()
    assert fixed(tmp_path, ROWS, {0: "경제", 1: "스포츠"}) == (0, ROWS)


@pytest.mark.parametrize("encoding", ["cp949", "utf-8-sig", "utf-16"])
def test_encodings_stay(tmp_path, encoding):
    count, copy = fixed(tmp_path, "text,label\n금리,경제\n골,스포츠\n", {1: "경제"}, encoding=encoding)
    assert count == 1 and copy == "text,label\n금리,경제\n골,경제\n"


def test_tabs_without_quotes(tmp_path):
    content = 'id\tdocument\tlabel\n1\t"최고"라고\t1\n2\t별로\t0'
    assert fixed(tmp_path, content, {1: "1"}, "data.txt") == (1, content[:-1] + "1")
    (tmp_path / "copy-data.txt").unlink()
    with pytest.raises(DataError, match="holds a delimiter"):
        fixed(tmp_path, content, {1: "a\tb"}, "data.txt")


def test_a_label_before_a_tab(tmp_path):
    content = "0\t하나\n1\t둘\n0\t셋\n1\t넷\n"
    assert fixed(tmp_path, content, {2: "1"}, "data.txt")[1] == "0\t하나\n1\t둘\n1\t셋\n1\t넷\n"


def test_json_lines(tmp_path):
    content = (
        '{"text": "금리, \\"label\\": 1",  "label":"경제" , "x": [1]}\n\n{"label": "골", "text": "\\uace8"}\n'
    )
    count, copy = fixed(tmp_path, content, {0: "세계", 1: "스포츠"}, "data.jsonl")
    assert count == 2 and copy == content.replace('"경제"', '"세계"').replace('"골"', '"스포츠"')
    numbers = '{"text": "가", "label": 0}\n{"text": "나", "label": 12}\n'
    (tmp_path / "copy-data.jsonl").unlink()
    assert fixed(tmp_path, numbers, {1: "0"}, "data.jsonl")[1] == numbers.replace("12", "0")


def test_several_labels(tmp_path):
    content = "text,labels\n가,a|b\n나,\n다,c\n"
    _, copy = fixed(tmp_path, content, {0: ["c"], 1: ["a", "c"], 2: ()}, label_separator="|")
    assert copy == "text,labels\n가,c\n나,a|c\n다,\n"
    lines = '{"text": "가", "labels": ["a", "b"]}\n{"text": "나", "labels": []}\n'
    _, copy = fixed(tmp_path, lines, {1: ["b", "a"]}, "data.jsonl")
    assert json.loads(copy.splitlines()[1])["labels"] == ["b", "a"]


def test_ids_where_the_file_has_ids(dacon_folder, tmp_path):
    copy = tmp_path / "train_data.csv"
    before = gallae.read(dacon_folder / "train_data.csv")
    assert before.labels[0] == "경제"
    assert gallae.correct(dacon_folder / "train_data.csv", {0: "세계"}, copy) == 1
    assert copy.read_text(encoding="utf-8").splitlines()[1].endswith(",2")
    with pytest.raises(DataError, match=r"has none\. Known: 세계, 경제, 스포츠"):
        gallae.correct(dacon_folder / "train_data.csv", {0: "날씨"}, tmp_path / "other.csv")


def test_what_cannot_be_corrected_is_told(tmp_path, write_table):
    path = write_table(tmp_path / "data.csv", ["text", "label"], [("가", "a"), ("나", "b")])
    with pytest.raises(DataError, match="has no row 2: its rows are 0 to 1"):
        gallae.correct(path, {2: "a"}, tmp_path / "copy.csv")
    with pytest.raises(OutputError, match="exists already"):
        gallae.correct(path, {0: "b"}, path)
    with pytest.raises(DataError, match="2 labels for a row"):
        gallae.correct(path, {0: ["a", "b"]}, tmp_path / "copy.csv")
    flags = write_table(tmp_path / "flags.csv", ["text", "a", "b"], [("가", "1", "0"), ("나", "1", "1")])
    with pytest.raises(DataError, match="several 0/1 columns"):
        gallae.correct(flags, {0: ["a"]}, tmp_path / "copy.csv")
    (tmp_path / "data.json").write_text('[{"text": "가", "label": "a"}]', encoding="utf-8")
    with pytest.raises(DataError, match=r"not json\. Save it as CSV"):
        gallae.correct(tmp_path / "data.json", {0: "b"}, tmp_path / "copy.json")
    assert not (tmp_path / "copy.csv").exists()
