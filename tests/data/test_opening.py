import io
import os

import pytest

from gallae.data.opening import (
    check_encoding,
    detect_encoding,
    existing,
    read_head,
    refuse_binary,
    text_lines,
    wrap_pipe,
)
from gallae.errors import DataError

KOREAN = "제목,주제\n대통령 선거 결과,정치\n"


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "train.csv").write_text("x")
    with pytest.raises(DataError, match=r"Did you mean .*train.csv"):
        existing(tmp_path / "trian.csv")
    with pytest.raises(DataError, match="does not exist either"):
        existing(tmp_path / "no" / "train.csv")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("x")
    file.chmod(0)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        existing(file)


def test_an_unreadable_file_without_permissions_to_take_away(tmp_path, monkeypatch):
    file = tmp_path / "a.csv"
    file.write_text("x")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        existing(file)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="is a pipe or a device"):
        existing(tmp_path / "pipe")


def test_an_empty_file(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"")
    with pytest.raises(DataError, match="is empty"):
        read_head(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp949", "cp949"), ("utf-16", "utf-16")],
)
def test_encodings_are_detected(tmp_path, encoding, expected):
    file = tmp_path / "a.csv"
    file.write_text(KOREAN * 50, encoding=encoding)
    assert detect_encoding(file) == expected


def test_a_character_on_the_border_of_two_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("gallae.data.opening._PIECE", 7)
    file = tmp_path / "a.csv"
    file.write_text(KOREAN * 3, encoding="utf-8")
    assert detect_encoding(file) == "utf-8"
    file.write_bytes(KOREAN.encode() + b"\xff" + KOREAN.encode())
    with pytest.raises(DataError, match=rf"line 3, byte {len(KOREAN.encode())}"):
        detect_encoding(file)


def test_damaged_utf8_is_not_taken_for_cp949(tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes("가나다라마바사아자차\n".encode() + b"\xb0\xa1\n")
    with pytest.raises(DataError, match=r"line 2, byte 31: the byte 0xb0 fits neither.*--encoding"):
        detect_encoding(file)


def test_a_wrong_encoding_names_the_byte(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(KOREAN, encoding="utf-8")
    with pytest.raises(DataError, match="line 1, byte 0: does not decode as ascii"):
        detect_encoding(file, "ascii")
    with pytest.raises(DataError, match="utf8mb4: not known"):
        check_encoding("utf8mb4")
    with pytest.raises(DataError, match="not known"):
        check_encoding("base64")


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "JPEG"),
        (b"PK\x03\x04" + bytes(20), "archive"),
        (b"\x1f\x8b\x08" + bytes(20), "gzip.*Unpack"),
        (bytes(range(256)) * 4, "binary"),
        ("제목".encode("utf-16-le") * 3 + "abc,def\n".encode("utf-16-le") * 50, "utf-16-le"),
    ],
)
def test_what_is_not_text_is_refused(head, what):
    with pytest.raises(DataError, match=what):
        refuse_binary(head, "a.csv")


@pytest.mark.parametrize("text", ["BMW 신차 공개\n", "MZ세대 소비\n", "BM,MZ\n1,2\n", "가\x1b[0m나\n"])
def test_text_that_begins_like_a_binary_is_text(text):
    refuse_binary(text.encode(), "a.txt")


def test_nul_bytes_are_refused_with_their_line():
    with pytest.raises(DataError, match=r"a.txt, line 2: holds a NUL byte \(position 2\)"):
        list(text_lines(io.StringIO("가\n나\0다\n"), "a.txt"))


def test_a_line_beyond_the_limit(monkeypatch):
    monkeypatch.setattr("gallae.data.opening.LINE_LIMIT", 10)
    with pytest.raises(DataError, match="line 2: longer than"):
        list(text_lines(io.StringIO("가\n" + "나" * 20), "a.txt"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_pipes_tell_their_encoding_and_stay_open(encoding):
    pipe = io.BufferedReader(io.BytesIO(KOREAN.encode(encoding)))
    handle, head = wrap_pipe(pipe, "the pipe", None)
    assert list(text_lines(handle, "the pipe", close=False)) == KOREAN.splitlines(keepends=True)
    assert "대통령" in head
    del handle
    assert not pipe.closed


def test_empty_and_binary_pipes():
    with pytest.raises(DataError, match="the pipe is empty"):
        wrap_pipe(io.BytesIO(b""), "the pipe", None)
    with pytest.raises(DataError, match="PNG"):
        wrap_pipe(io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(100)), "the pipe", None)
    with pytest.raises(DataError, match="the pipe is empty"):
        wrap_pipe(io.StringIO(""), "the pipe", None)


def test_a_pipe_that_stops_decoding():
    handle, _ = wrap_pipe(io.BytesIO("가나다라마바사아\n".encode() + b"\xff\n"), "the pipe", None)
    with pytest.raises(DataError, match=r"do not decode as utf-8.*--encoding"):
        list(text_lines(handle, "the pipe"))
