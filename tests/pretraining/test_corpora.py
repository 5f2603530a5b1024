"""Corpora: files, weights, documents, and what is wrong with them."""

import gzip
import json
import lzma

import pandas as pd
import pytest

from gallae.errors import DataError
from gallae.pretraining.corpora import Source, parse_sources, sentences

TEXT = "한국은행이 금리를  동결했다.\n코스피가 올랐다.\n\n손흥민이 골을 넣었다.\n"
SENTENCES = ["한국은행이 금리를 동결했다.", "코스피가 올랐다.", "", "손흥민이 골을 넣었다."]


def write(path, content=TEXT):
    """Write a text in the way that the path's suffix asks for."""
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "wt", encoding="utf-8") as file:
        file.write(content)
    return path


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.txt.xz"])
def test_lines_are_sentences_and_blank_lines_end_documents(tmp_path, name):
    assert list(sentences(Source(write(tmp_path / name)))) == SENTENCES


def test_a_byte_order_mark_is_no_text(tmp_path):
    assert next(sentences(Source(write(tmp_path / "a.txt", "\ufeff가나")))) == "가나"


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.jsonl.gz"])
def test_a_row_is_a_document(tmp_path, name):
    texts = ["한국은행이 금리를 동결했다.\n코스피가 올랐다.", "손흥민이 골을 넣었다."]
    path = tmp_path / name
    if path.suffix == ".parquet":
        pd.DataFrame({"text": texts, "other": [1, 2]}).to_parquet(path)
    else:
        write(path, "".join(json.dumps({"text": text}) + "\n" for text in texts))
    assert list(sentences(Source(path))) == [*SENTENCES, ""]


def test_parallel_lines_are_documents_of_two_sentences(tmp_path):
    path = write(tmp_path / "a.txt", "안녕하세요.\tHello.\n네.\tYes.\n")
    assert list(sentences(Source(path), parallel=True)) == ["안녕하세요.", "Hello.", "", "네.", "Yes.", ""]


def test_weights_stand_behind_the_name(tmp_path):
    path = write(tmp_path / "a.txt")
    odd = write(tmp_path / "b@2.txt")
    found = parse_sources([f"{path}@2.5", path, odd, f"{odd}@0.5"])
    assert found == [Source(path, 2.5), Source(path), Source(odd), Source(odd, 0.5)]


@pytest.mark.parametrize("weight", ["0", "-1", "viel", "nan", "inf", ""])
def test_a_weight_is_a_number_above_zero(tmp_path, weight):
    with pytest.raises(DataError, match="is no weight"):
        parse_sources([f"{write(tmp_path / 'a.txt')}@{weight}"])


def test_names_that_lead_nowhere(tmp_path):
    write(tmp_path / "news.txt")
    with pytest.raises(DataError, match=r"news\.txt"):
        parse_sources([tmp_path / "new.txt"])
    with pytest.raises(DataError, match=r"\.txt, \.gz, \.xz"):
        parse_sources([write(tmp_path / "a.csv")])
    with pytest.raises(DataError, match="no corpus is given"):
        parse_sources([])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "가\n나다\n".encode("cp949"), "a.txt, line 1: bytes that are not UTF-8"),
        ("a.txt", "가\n\0\n".encode(), "a.txt, line 2: a NUL byte"),
        ("a.txt.xz", lzma.compress(TEXT.encode() * 50)[:60], "the compressed file is damaged"),
        ("a.txt.gz", gzip.compress(TEXT.encode() * 50)[:40], "the compressed file is damaged"),
        ("a.txt.gz", b"no gzip", "the compressed file is damaged"),
        ("a.jsonl", b'{"text": "a"}\n{"body": 1}\n', "a.jsonl, line 2: no JSON object with a field 'text'"),
        ("a.jsonl", b'{"text": 1}\n', "not a text"),
        ("a.parquet", b"no parquet", "cannot be read as Parquet"),
    ],
)
def test_damage_is_named_with_its_place(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(sentences(Source(path)))


def test_a_parquet_file_without_the_column(tmp_path):
    pd.DataFrame({"body": ["가"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has no column 'text', but body"):
        list(sentences(Source(tmp_path / "a.parquet")))
