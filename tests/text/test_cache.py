"""The cache of morphemes: hits, damage, sharing, limits."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gallae.text import Morpheme, analyze_cached, cache, cache_folder, tokenize
from gallae.text.cache import analyses

TEXTS = [f"{i}번째 문장 \ud800/{i % 3}" for i in range(200)]


class Counting:
    """An analyzer that counts the texts it is given."""

    name = "counting"
    version = "1"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def tagged(self, texts) -> Iterator[list[str]]:
        for text in texts:
            self.seen.append(text)
            yield [f"{word}/NNG" for word in text.split()]


@pytest.fixture
def counting(monkeypatch, tmp_path):
    fake = Counting()
    monkeypatch.setattr(cache, "get_analyzer", lambda name: fake)
    monkeypatch.setenv("GALLAE_CACHE", str(tmp_path / "cache"))
    cache.forget()
    yield fake
    cache.forget()


def files():
    return sorted((cache_folder() / "morphemes").rglob("*.npz"))


def test_a_text_is_analysed_once_in_a_process(counting):
    first = analyses(TEXTS + TEXTS)
    assert first[0] == first[200] == ["0번째/NNG", "문장/NNG", "\ud800/0/NNG"]
    assert analyses(TEXTS[50:100]) == first[50:100]
    assert counting.seen == TEXTS


def test_and_once_for_all_processes_also_in_parts(counting):
    first = analyses(TEXTS)
    cache.forget()
    assert analyses(TEXTS[::-1]) == first[::-1]
    cache.forget()
    assert analyses([*TEXTS[10:20], "새 문장"]) == [*first[10:20], ["새/NNG", "문장/NNG"]]
    assert counting.seen == [*TEXTS, "새 문장"]
    assert len(files()) == 1


def test_another_version_is_another_cache(counting):
    analyses(TEXTS)
    counting.version = "2"
    cache.forget()
    analyses(TEXTS)
    assert len(counting.seen) == 400


def test_a_few_texts_are_not_worth_a_file(counting):
    analyses(TEXTS[:5])
    assert files() == []


def test_off(counting, monkeypatch):
    monkeypatch.setenv("GALLAE_CACHE", "OFF")
    assert cache_folder() is None
    assert len(analyses(TEXTS)) == 200
    monkeypatch.delenv("GALLAE_CACHE")
    assert cache_folder().parts[-2:] == (".cache", "gallae")


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "half", "pickle"])
def test_a_damaged_file_is_discarded_with_a_warning(counting, caplog, damage):
    first = analyses(TEXTS)
    (path,) = files()
    content = path.read_bytes()
    if damage == "pickle":
        import numpy as np

        np.savez(path, hashes=np.array([{"a": 1}], dtype=object))
    else:
        path.write_bytes(
            {"empty": b"", "text": b"x" * 99, "cut": content[:-9], "half": content[: len(content) // 2]}[
                damage
            ]
        )
    cache.forget()
    with caplog.at_level(logging.WARNING):
        assert analyses(TEXTS) == first
    assert "is damaged" in caplog.text
    assert len(counting.seen) == 400
    cache.forget()
    assert analyses(TEXTS) == first
    assert len(counting.seen) == 400


def test_a_flipped_byte_never_changes_an_analysis(counting, caplog):
    first = analyses(TEXTS)
    (path,) = files()
    content = path.read_bytes()
    for position in range(0, len(content), max(1, len(content) // 97)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        cache.forget()
        assert analyses(TEXTS) == first, position
        path.write_bytes(content)


def test_a_folder_that_cannot_be_written_costs_a_warning_only(counting, caplog, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("a file where the folder should be")
    monkeypatch.setenv("GALLAE_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING):
        assert len(analyses(TEXTS)) == 200
    assert "cannot be written" in caplog.text


def test_the_longest_unused_files_go_first(counting, monkeypatch):
    for part in range(3):
        analyses([f"{part} {text}" for text in TEXTS])
    for age, path in enumerate(files()):
        os.utime(path, (1_000_000 + age, 1_000_000 + age))
    oldest, kept, newest = files()
    size = sum(path.stat().st_size for path in files())
    monkeypatch.setattr(cache, "LARGEST", size)
    leftover = newest.with_name(".crashed.npz")
    leftover.write_bytes(b"")
    os.utime(leftover, (1, 1))
    analyses([f"3 {text}" for text in TEXTS])
    assert not oldest.exists()
    assert kept.exists()
    assert newest.exists()
    assert not leftover.exists()


def test_memory_is_bounded(counting, monkeypatch):
    monkeypatch.setattr(cache, "REMEMBERED", 100)
    monkeypatch.setenv("GALLAE_CACHE", "off")
    analyses(TEXTS)
    assert 0 < len(cache._memory["counting"].pick(TEXTS)) <= 25
    assert analyses(TEXTS[-1:]) == [["199번째/NNG", "문장/NNG", "\ud800/1/NNG"]]
    assert len(counting.seen) == 200


WORKER = """
from gallae.text import tokenize
texts = [f"은행 {i}개가 금리를 올렸다" for i in range(300)]
assert tokenize(texts, "morpheme")[7][:3] == ["은행", "7", "개"]
"""


def test_processes_share_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLAE_CACHE", str(tmp_path))
    workers = [subprocess.Popen([sys.executable, "-c", WORKER], stderr=subprocess.PIPE) for _ in range(2)]
    errors = [worker.communicate(timeout=60)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], errors
    assert len(files()) == 1
    cache.forget()
    monkeypatch.setattr("gallae.text.morphemes.KiwiAnalyzer.tagged", None)
    assert tokenize(["은행 7개가 금리를 올렸다"], "morpheme")[0][:3] == ["은행", "7", "개"]
    cache.forget()


def test_as_morphemes(monkeypatch):
    monkeypatch.setenv("GALLAE_CACHE", "off")
    assert analyze_cached(["학교/은행"])[0] == [
        Morpheme("학교", "NNG"),
        Morpheme("/", "SP"),
        Morpheme("은행", "NNG"),
    ]
