import gc
import io
import os
import sys
import threading

import pytest

from gallae.data.streaming import stream
from gallae.errors import DataError


def texts(*args, **kwargs) -> list[str]:
    return [text for chunk in stream(*args, **kwargs) for text in chunk.texts]


def test_plain_lines_line_up(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("가\r\n\n나\u2028다\x0b\n라".encode())
    assert texts(path) == ["가", "", "나\u2028다\x0b", "라"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "index,title,topic_idx\n5,가,1\n6,나,\n7,다,2\n"),
        ("a.tsv", "문장\tclean\n가\t1\n나\t0\n다\t1\n"),
        ("a.jsonl", '{"text": "가"}\n{"text": "나"}\n\n{"text": "다"}\n'),
        ("a.txt", "__label__x 가\n__label__y 나\n__label__y 다\n"),
        ("b.txt", "0\t가\n0\t나\n1\t다\n"),
        ("b.csv", '"1","가"\n"2","나"\n"2","다"\n'),
        ("a.json", '[{"title": "가"}, {"title": "나"}, {"title": "다"}]'),
    ],
)
def test_every_format_streams_unlabelled(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    chunks = list(stream(tmp_path / name, chunk_rows=2))
    assert [len(chunk) for chunk in chunks] == [2, 1]
    assert [text for chunk in chunks for text in chunk.texts] == ["가", "나", "다"]
    assert all(chunk.label_set is None and "label" not in chunk.table for chunk in chunks)


def test_rows_are_numbered_across_chunks(tmp_path):
    (tmp_path / "a.txt").write_text("가\n나\n다\n", encoding="utf-8")
    assert [chunk.table["index"].tolist() for chunk in stream(tmp_path / "a.txt", chunk_rows=2)] == [
        [0, 1],
        [2],
    ]


def test_chunks_begin_small(tmp_path):
    (tmp_path / "a.txt").write_text("가\n" * 1000, encoding="utf-8")
    assert [len(chunk) for chunk in stream(tmp_path / "a.txt", chunk_rows=512)] == [64, 256, 512, 168]


def test_a_ragged_row_far_down_comes_after_the_rows_before(tmp_path):
    (tmp_path / "a.csv").write_text("title,label\n" + "가,x\n" * 100 + "나\n", encoding="utf-8")
    chunks = stream(tmp_path / "a.csv")
    assert len(next(chunks)) == 64
    with pytest.raises(DataError, match="line 102: 1 field"):
        list(chunks)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_standard_input(monkeypatch, encoding):
    pipe = io.BytesIO("대통령 선거\n\n주가\n".encode(encoding))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(pipe)))
    assert texts("-") == ["대통령 선거", "", "주가"]


def test_standard_input_with_columns(monkeypatch):
    for content, kwargs in (
        ("제목칸,x\n가,1\n", {"text_column": "제목칸"}),
        ("제목칸\tx\n가\t1\n", {"text_column": "제목칸"}),
        ("title,x\n가,1\n", {"format": "csv"}),
        ('{"body": "가"}\n', {"format": "jsonl"}),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
        assert texts("-", **kwargs) == ["가"]


def test_open_files_are_taken_and_left_open():
    file = io.StringIO("가\n나\n")
    assert texts(file) == ["가", "나"]
    binary = io.BufferedReader(io.BytesIO("가\n나\n".encode()))
    assert texts(binary) == ["가", "나"]
    gc.collect()
    assert not file.closed
    assert not binary.closed


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_answers_before_it_ends(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    answered = threading.Event()

    def feed():
        with path.open("wb", buffering=0) as pipe:
            pipe.write("가\n".encode() * 64)
            assert answered.wait(10)
            pipe.write("나\n".encode())

    writer = threading.Thread(target=feed)
    writer.start()
    chunks = stream(path)
    assert len(next(chunks)) == 64
    answered.set()
    assert [chunk.texts for chunk in chunks] == [["나"]]
    writer.join()


def test_what_a_pipe_cannot_be(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    with pytest.raises(DataError, match="excel cannot be read from a pipe"):
        texts("-", format="excel")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(DataError, match="standard input is empty"):
        texts("-")


def test_bad_arguments_and_files(tmp_path):
    with pytest.raises(DataError, match="chunk_rows=0"):
        texts("-", chunk_rows=0)
    with pytest.raises(DataError, match="no such file"):
        texts(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_text("title,label\n")
    with pytest.raises(DataError, match="but no rows"):
        texts(tmp_path / "a.csv")


def test_a_named_label_column_is_never_the_text(tmp_path):
    (tmp_path / "a.csv").write_text("말뭉치,구분값\n가,x\n", encoding="utf-8")
    assert texts(tmp_path / "a.csv", label_column="구분값") == ["가"]
