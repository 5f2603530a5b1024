"""Uploads: kept under a name of their own; bombs, odd names and broken files are refused with a reason."""

import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gallae.app import uploads
from gallae.app.uploads import keep
from gallae.errors import DataError

TABLE = pd.DataFrame({"text": ["가나다", "라마바"], "label": ["a", "b"]})


def test_upload_is_kept_whole_and_once(tmp_path):
    first = keep("뉴스.csv", b"text,label\nx,a\n", tmp_path / "uploads")
    again = keep("뉴스.csv", b"text,label\nx,a\n", tmp_path / "uploads")
    assert first == again
    assert first.read_bytes() == b"text,label\nx,a\n"
    assert first.name.endswith("-뉴스.csv")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.csv", "..\\..\\x.csv", "/abs/x.csv", "a\0b.csv", "x" * 999 + ".csv"]
)
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    place = keep(name, b"text\nx\n", tmp_path / "uploads")
    assert place.parent == tmp_path / "uploads"
    assert [path.name for path in tmp_path.iterdir()] == ["uploads"]


@pytest.mark.parametrize("name", ["model.pkl", "code.py", "page.html", "noname", "x.skops", "x.zip"])
def test_other_files_are_refused(tmp_path, name):
    with pytest.raises(DataError, match="are read, not"):
        keep(name, b"abc", tmp_path)
    assert not list(tmp_path.iterdir())


def test_too_large_a_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "UPLOAD_MB", 1)
    with pytest.raises(DataError, match="more than 1 MB"):
        keep("big.csv", b"x" * (1 << 20) + b"x", tmp_path)


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
def test_packed_files_are_tried_out(tmp_path, suffix):
    file = tmp_path / f"table{suffix}"
    TABLE.to_excel(file, index=False) if suffix == ".xlsx" else TABLE.to_parquet(file)
    assert keep(file.name, file.read_bytes(), tmp_path / "uploads").read_bytes() == file.read_bytes()


def test_broken_packed_file_gets_the_readers_message(tmp_path):
    with pytest.raises(DataError, match=r"^mine\.parquet cannot be read as Parquet"):
        keep("mine.parquet", b"PAR1 nonsense PAR1", tmp_path / "uploads")
    assert not list((tmp_path / "uploads").glob("*"))


def test_excel_bomb_is_refused_before_it_is_unpacked(tmp_path):
    file = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as sheet,
    ):
        for _ in range(301):
            sheet.write(b" " * (1 << 20))
    assert file.stat().st_size < 1 << 20
    with pytest.raises(DataError, match="too large once unpacked"):
        keep("bomb.xlsx", file.read_bytes(), tmp_path / "uploads")


def test_parquet_bomb_ends_a_process_of_its_own(tmp_path):
    cells = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(400_000, dtype=np.int32)), pa.array(["가" * 10_000])
    )
    pq.write_table(pa.table({"text": cells}), tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 1 << 20
    with pytest.raises(DataError, match="too large once unpacked"):
        keep("bomb.parquet", (tmp_path / "bomb.parquet").read_bytes(), tmp_path / "uploads")
