import csv
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gallae.data.labels import LabelSet
from gallae.data.reading import read
from gallae.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes, name: str = "a.csv"):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


DACON = "index,title,topic_idx\n45,선거 결과,6\n46,주가 상승,1\n"
DICTIONARY = "topic,topic_idx\nIT과학,0\n경제,1\n정치,6\n"


def test_dacon(write):
    write(DICTIONARY, "topic_dict.csv")
    corpus = read(write(DACON, "train_data.csv"))
    assert corpus.labels == ["정치", "경제"]
    assert corpus.label_set == LabelSet(("IT과학", "경제", "정치"), {"IT과학": "0", "경제": "1", "정치": "6"})
    assert corpus.table["index"].tolist() == [45, 46]
    assert list(corpus.table.columns) == ["index", "text", "label"]


def test_dacon_test_file_has_no_labels(write):
    write(DICTIONARY, "topic_dict.csv")
    path = write("index,title\n45,선거 결과\n", "test_data.csv")
    assert read(path, labels="optional").label_set is None
    assert "label" not in read(path, labels="none").table
    with pytest.raises(DataError, match="which column holds the label"):
        read(path)


def test_dacon_with_an_id_that_the_dictionary_lacks(write):
    write(DICTIONARY, "topic_dict.csv")
    with pytest.raises(DataError, match=r"line 3: unknown label '9'.*'IT과학'"):
        read(write(DACON.replace("상승,1", "상승,9"), "train_data.csv"))


def test_a_model_of_another_dictionary(write):
    write("topic,topic_idx\n정치,0\n경제,1\n", "topic_dict.csv")
    path = write("title,topic_idx\n선거,0\n", "a.csv")
    model = LabelSet(("경제", "정치"), {"경제": "0", "정치": "1"})
    assert read(path, label_set=model).labels == ["정치"]


def test_without_a_dictionary_the_ids_are_the_labels(write):
    assert read(write(DACON)).label_set == LabelSet(("1", "6"))


def test_nsmc(write):
    path = write('id\tdocument\tlabel\n1\t"재밌다" 라고\t1\n2\t\t0\n3\t"끝\t0\n', "ratings.txt")
    corpus = read(path)
    assert corpus.texts == ['"재밌다" 라고', "", '"끝']
    assert corpus.labels == ["1", "0", "0"]


def test_ag_news(write):
    corpus = read(write('"3","Title, one","Text ""two"""\n"1","Other",""\n'))
    assert corpus.texts == ['Title, one Text "two"', "Other"]
    assert corpus.labels == ["3", "1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_encodings(write, encoding):
    corpus = read(write("제목,주제\r\n대통령 선거,정치\r\n주가,경제\r\n".encode(encoding)))
    assert corpus.texts == ["대통령 선거", "주가"]
    assert corpus.labels == ["정치", "경제"]


def test_an_encoding_given(write):
    path = write("title,label\ncafé,x\nnaïve,y\n".encode("latin-1"))
    assert read(path, encoding="latin-1").texts == ["café", "naïve"]


def test_utf16_without_its_mark(write):
    path = write("title,label\ncafe,x\nbar,y\n".encode("utf-16-le"))
    assert read(path, encoding="utf-16-le").texts == ["cafe", "bar"]
    with pytest.raises(DataError, match="utf-16-le"):
        read(path)


def test_several_text_columns_are_joined(write):
    path = write("title,content,label\n가,나,x\n다,,y\n")
    assert read(path, text_column="title,content").texts == ["가 나", "다"]
    assert read(path).texts == ["가", "다"]


def test_other_columns_stay_and_reserved_names_step_aside(write):
    path = write("제목글,text,label,분류값,movie\n가,갑,1,x,m\n나,을,2,y,m\n")
    corpus = read(path, text_column="제목글", label_column="분류값", group_column="text")
    assert list(corpus.table.columns) == ["index", "text", "label", "file_text", "file_label", "movie"]
    assert corpus.column("text").tolist() == ["갑", "을"]


def test_a_group_column_stays_whatever_it_is(write):
    corpus = read(write("id,title,label\n5,가,x\n6,나,y\n"), group_column="id")
    assert corpus.column("id").tolist() == ["5", "6"]
    with pytest.raises(DataError, match="--group-column"):
        read(write("title,label\n가,x\n"), group_column="movie")


def test_numbers_and_nothing_among_texts(write, caplog):
    lines = '{"text": 12, "label": "a"}\n{"text": null, "label": "b"}\n{"text": NaN, "label": "b"}\n'
    with caplog.at_level(logging.WARNING):
        corpus = read(write(lines, "a.jsonl"))
    assert corpus.texts == ["12", "", ""]
    assert "2 of 3 texts are empty (the first at line 2)" in caplog.text


def test_words_that_pandas_takes_for_nothing(write):
    assert read(write("title,label\nNA,null\nnan,None\n")).labels == ["null", "None"]


def test_quoted_lines_and_line_numbers(write):
    path = write('title,label\n"첫 줄\n둘째 줄",x\n\n가,\n')
    with pytest.raises(DataError, match="line 5: the label"):
        read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("title,label\n", r"has columns \('title', 'label'\) but no rows"),
        ("title,label\n가,x\n나\n", "line 3: 1 field, but there are 2 columns"),
        ("title,label\n가,x\n나,다,y\n", "line 3: 3 fields"),
        ("title,label,label\n가,x,y\n", "'label' stands more than once"),
        ("title,label\n가\0나,x\n", "line 2: holds a NUL byte"),
        ("갑,을,병\n1,2,3\n", "which column holds the text.*'갑', '을', '병'.*--text-column"),
        ("title,갑,을\n1,2,3\n", "which column holds the label.*--label-column"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a text file; it looks like a PNG"),
        ('title,label\n"가,x\n나,y\n', "line 2: a quote is opened and never closed"),
    ],
)
def test_bad_files_say_what_and_where(write, content, message):
    with pytest.raises(DataError, match=message):
        read(write(content))


def test_missing_columns_name_the_nearest(write):
    path = write("title,topic\n가,x\n")
    with pytest.raises(DataError, match="Did you mean 'title'"):
        read(path, text_column="titles")
    with pytest.raises(DataError, match="asked for by --label-column"):
        read(path, label_column="kind")
    with pytest.raises(DataError, match="named as text and as label"):
        read(path, text_column="topic", label_column="topic")
    with pytest.raises(DataError, match="allowed are 'required'"):
        read(path, labels="maybe")


def test_plain_text_has_no_labels(write):
    path = write("그냥 글\n\n다른 글\n", "a.txt")
    assert read(path, labels="optional").texts == ["그냥 글", "", "다른 글"]
    with pytest.raises(DataError, match="--label-column"):
        read(path)


def test_optional_labels_that_are_all_empty(write):
    assert read(write("title,label\n가,\n나,\n"), labels="optional").label_set is None


def test_a_line_of_ten_megabytes(write):
    path = write("title,label\n" + "가" * 3_500_000 + ",x\n나,y\n")
    assert [len(text) for text in read(path).texts] == [3_500_000, 1]


def test_an_unnamed_first_column_is_the_index(write):
    assert read(write(",title,label\n7,가,x\n9,나,y\n")).table["index"].tolist() == [7, 9]
    assert read(write("id,title,label\n007,가,x\n9,나,y\n")).table["index"].tolist() == ["007", "9"]


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(texts, st.sampled_from(["정치", "경제", "a b"])), min_size=1, max_size=8))
def test_csv_round_trip(tmp_path, rows):
    path = tmp_path / "round.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([("title", "label"), *rows])
    corpus = read(path)
    assert corpus.texts == [text for text, _ in rows]
    assert corpus.labels == [label for _, label in rows]
