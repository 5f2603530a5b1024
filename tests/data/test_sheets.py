import pandas as pd
import pytest

from gallae.data.reading import read
from gallae.data.streaming import stream
from gallae.errors import DataError


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"id": [3, 4, 5], "제목": ["가", None, "12"], "라벨": [1, 0, 1], "비고": [1.5, None, 2]}
    )


def test_parquet(tmp_path, frame):
    frame.to_parquet(tmp_path / "a.parquet")
    corpus = read(tmp_path / "a.parquet")
    assert corpus.texts == ["가", "", "12"]
    assert corpus.labels == ["1", "0", "1"]
    assert corpus.table["index"].tolist() == [3, 4, 5]
    assert corpus.table["비고"].fillna("").tolist() == ["1.5", "", "2"]


def test_parquet_is_told_by_content_and_streams(tmp_path, frame):
    frame.to_parquet(tmp_path / "a.data")
    assert [len(chunk) for chunk in stream(tmp_path / "a.data", chunk_rows=2)] == [2, 1]


def test_parquet_with_lists(tmp_path):
    pd.DataFrame({"text": ["가", "나"], "labels": [["a", "b"], []]}).to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").labels == [("a", "b"), ()]


def test_parquet_keeps_pandas_index(tmp_path, frame):
    frame.drop(columns="id").set_axis([7, 8, 9]).to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").table["index"].tolist() == [7, 8, 9]


def test_damaged_parquet(tmp_path, frame):
    frame.to_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[:-20])
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_text("title,label\n")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read(tmp_path / "b.parquet")


def test_excel(tmp_path, frame):
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    corpus = read(tmp_path / "a.xlsx")
    assert corpus.texts == ["가", "", "12"]
    assert corpus.labels == ["1", "0", "1"]


def test_excel_names_the_row_and_skips_empty_ones(tmp_path):
    rows = [["제목", "라벨"], [None, None], ["가", "x"], ["나", None]]
    pd.DataFrame(rows).to_excel(tmp_path / "a.xlsx", index=False, header=False)
    with pytest.raises(DataError, match="row 4: the label"):
        read(tmp_path / "a.xlsx")


def test_excel_with_a_column_twice_or_nothing(tmp_path):
    pd.DataFrame([["제목", "라벨", "라벨"], ["가", "x", "y"]]).to_excel(
        tmp_path / "a.xlsx", index=False, header=False
    )
    with pytest.raises(DataError, match="'라벨' stands more than once"):
        read(tmp_path / "a.xlsx")
    pd.DataFrame().to_excel(tmp_path / "b.xlsx", index=False)
    with pytest.raises(DataError, match="first sheet is empty"):
        read(tmp_path / "b.xlsx")


def test_damaged_excel(tmp_path):
    (tmp_path / "a.xlsx").write_text("title,label\n")
    with pytest.raises(DataError, match="cannot be read as Excel"):
        read(tmp_path / "a.xlsx")
