"""Submission files: the sample's header, rows and order, the competition's labels."""

import csv

import pytest

import gallae
from gallae.errors import DataError, OutputError


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "submission.csv"


def test_dacon_end_to_end(dacon_run, dacon_folder, out):
    assert dacon_run.model.classes_.tolist() == ["경제", "세계", "스포츠"]
    sample = dacon_folder / "sample_submission.csv"
    assert gallae.submit(dacon_run.folder, dacon_folder / "test_data.csv", sample, out) == 12
    written, asked = rows_of(out), rows_of(sample)
    assert [row[0] for row in written] == [row[0] for row in asked]
    assert written[0] == ["index", "topic_idx"]
    texts = {row[0]: row[1] for row in rows_of(dacon_folder / "test_data.csv")[1:]}
    ids = gallae.read(dacon_folder / "train_data.csv").label_set.ids
    for identity, label in written[1:]:
        assert label == ids[dacon_run.model.predict([texts[identity]])[0]]
    with pytest.raises(OutputError, match="--force"):
        gallae.submit(dacon_run.folder, dacon_folder / "test_data.csv", sample, out)


def test_names_where_the_sample_has_names(dacon_run, dacon_folder, out, tmp_path, write_table):
    sample = write_table(tmp_path / "s.csv", ["index", "topic"], [(105, "경제"), (100, "경제")])
    gallae.submit(dacon_run.folder, dacon_folder / "test_data.csv", sample, out)
    assert {row[1] for row in rows_of(out)[1:]} <= {"경제", "세계", "스포츠"}


def test_names_are_not_written_where_the_sample_has_numbers(topics_run, dacon_folder, out):
    sample = dacon_folder / "sample_submission.csv"
    with pytest.raises(DataError, match=r"'topic_idx' holds '\d'.*경제"):
        gallae.submit(topics_run.folder, dacon_folder / "test_data.csv", sample, out)
    assert not out.exists()


def test_a_file_that_is_no_sample_is_refused(dacon_run, dacon_folder, out):
    test = dacon_folder / "test_data.csv"
    with pytest.raises(DataError, match="competition's sample"):
        gallae.submit(dacon_run.folder, test, test, out)


@pytest.mark.parametrize("header", [["index", "스포츠", "경제", "세계"], ["index", "1", "0", "2"]])
def test_a_column_a_label_gets_probabilities(dacon_run, dacon_folder, out, tmp_path, write_table, header):
    sample = write_table(tmp_path / "s.csv", header, [(103, 0, 0, 0)])
    gallae.submit(dacon_run.folder, dacon_folder / "test_data.csv", sample, out)
    text = rows_of(dacon_folder / "test_data.csv")[4][1]
    expected = dacon_run.model.predict_proba([text])[0][[2, 0, 1]]
    assert rows_of(out) == [header, ["103", *map(str, expected)]]


def test_ids_of_a_column_that_only_the_sample_names(dacon_run, out, tmp_path, write_table):
    test = write_table(
        tmp_path / "t.csv", ["기사번호", "title"], [("A-1", "코스피 급락"), ("A-2", "손흥민 결승골")]
    )
    sample = write_table(tmp_path / "s.csv", ["기사번호", "topic_idx"], [("A-2", 0), ("A-1", 0)])
    gallae.submit(dacon_run.folder, test, sample, out)
    assert [row[0] for row in rows_of(out)] == ["기사번호", "A-2", "A-1"]


def test_a_sample_in_another_encoding(dacon_run, dacon_folder, out, tmp_path):
    sample = tmp_path / "s.csv"
    sample.write_bytes("index,주제\r\n100,0\r\n".encode("cp949"))
    gallae.submit(dacon_run.folder, dacon_folder / "test_data.csv", sample, out)
    assert rows_of(out)[0] == ["index", "주제"]


def test_fewer_rows_than_the_test_file_are_noted(dacon_run, dacon_folder, out, tmp_path, write_table, caplog):
    sample = write_table(tmp_path / "s.csv", ["index", "topic_idx"], [(100, 0)])
    assert gallae.submit(dacon_run.folder, dacon_folder / "test_data.csv", sample, out) == 1
    assert "1 of the test file's 12 rows" in caplog.text


def test_several_labels_in_one_column(several_run, out, tmp_path, write_table):
    test = write_table(
        tmp_path / "t.csv", ["id", "text"], [(1, "한국은행, 금리 동결에 상승 손흥민, 결승골로 승리")]
    )
    sample = write_table(tmp_path / "s.csv", ["id", "labels"], [(1, "x")])
    gallae.submit(several_run.folder, test, sample, out)
    assert rows_of(out)[1][1] == "|".join(several_run.model.predict([rows_of(test)[1][1]])[0])


BAD_SAMPLES = {
    "missing.csv": (None, ["no such file"]),
    "empty.csv": (b"", ["empty"]),
    "header.csv": (b"index,topic_idx\n", ["no sample submission", "rows"]),
    "one.csv": (b"index\n100\n", ["no sample submission", "label column"]),
    "ragged.csv": (b"index,topic_idx\n100,0\n101\n", ["row 3", "1 fields"]),
    "ids.csv": (b"index,topic_idx\n100,0\n7,0\n", ["1 ids", "'7'"]),
    "columns.csv": (b"index,a,b\n100,0,0\n", ["no labels of the model", "a, b"]),
    "picture.csv": (b"\x89PNG\r\n\x1a\n\x00\x00\x00", ["PNG picture"]),
}


@pytest.mark.parametrize("name", BAD_SAMPLES)
def test_samples_that_do_not_fit(dacon_run, dacon_folder, tmp_path, name):
    content, parts = BAD_SAMPLES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        gallae.submit(dacon_run.folder, dacon_folder / "test_data.csv", tmp_path / name, tmp_path / "out.csv")
    assert all(part in str(caught.value) for part in [name, *parts])
    assert not (tmp_path / "out.csv").exists()


def test_a_folder_is_no_sample(dacon_run, dacon_folder, tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        gallae.submit(dacon_run.folder, dacon_folder / "test_data.csv", tmp_path, tmp_path / "out.csv")


def test_ids_that_stand_twice(dacon_run, out, tmp_path, write_table):
    test = write_table(tmp_path / "t.csv", ["index", "title"], [(1, "가"), (1, "나")])
    sample = write_table(tmp_path / "s.csv", ["index", "topic_idx"], [(1, 0)])
    with pytest.raises(DataError, match="'1' stands in several rows"):
        gallae.submit(dacon_run.folder, test, sample, out)
