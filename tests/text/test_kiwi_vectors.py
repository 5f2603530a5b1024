"""Word vectors out of Kiwi's own language model."""

import logging

import numpy as np
import pytest

from gallae.text import analyzer, kiwi_vectors
from gallae.text.kiwi_vectors import DIMENSIONS, KiwiVectors

WORDS = ["사랑/NNG", "애정/NNG", "은행/NNG", "금리/NNG", "가/VV", "예쁘/VA", "서울/NNP", "이/JKS", "축구/NNG"]


@pytest.fixture(scope="module")
def table():
    return kiwi_vectors.kiwi_vectors()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of its own, written from the first new vector on."""
    monkeypatch.setenv("GALLAE_CACHE", str(tmp_path))
    monkeypatch.setattr(kiwi_vectors, "_WORTH_WRITING", 1)
    return tmp_path


def test_cosines_are_kiwis(table):
    vectors = table(WORDS)
    similarity = analyzer("kiwi").kiwi.morpheme_similarity
    for row, first in enumerate(WORDS):
        for column, second in enumerate(WORDS):
            expected = similarity(tuple(first.rsplit("/", 1)), tuple(second.rsplit("/", 1)))
            assert vectors[row] @ vectors[column] == pytest.approx(expected, abs=1e-3)


def test_vectors_have_unit_length(table):
    names = list(table._numbers)[2000:2400]
    vectors = table(names)
    assert vectors.shape == (400, DIMENSIONS) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=2e-3)


def test_unknown_morphemes_are_zero(table):
    assert "뷁뷁/NNG" not in table and "사랑/NNG" in table
    unknown, known = table(["뷁뷁/NNG", "사랑/NNG"])
    assert not unknown.any() and known.any()
    assert table([]).shape == (0, DIMENSIONS)


def test_one_table_a_process(table):
    assert kiwi_vectors.kiwi_vectors() is table
    assert kiwi_vectors.kiwi_vectors(table.landmarks) is table


def test_given_landmarks_give_the_same_coordinates(table, monkeypatch):
    monkeypatch.setenv("GALLAE_CACHE", "off")
    other = KiwiVectors(table.landmarks)
    assert np.array_equal(other(WORDS), table(WORDS))
    shuffled = KiwiVectors(table.landmarks[::-1])
    assert np.allclose(shuffled(WORDS) @ shuffled(WORDS).T, table(WORDS) @ table(WORDS).T, atol=2e-3)
    assert not np.allclose(shuffled(WORDS), table(WORDS), atol=1e-2)


def test_the_cache_is_read_back_equal(table, cache):
    first = KiwiVectors(table.landmarks)
    expected = first(WORDS)
    assert [path.name for path in cache.iterdir()] == [f"kiwi-vectors-{first.version}.npz"]
    second = KiwiVectors(table.landmarks)
    assert set(second._known) == set(WORDS)
    assert np.array_equal(second(WORDS), expected)
    assert np.array_equal(expected, table(WORDS))


@pytest.mark.parametrize(
    "damage", [lambda data: data[:100], lambda data: b"", lambda data: data[:-200] + b"x" * 200]
)
def test_a_damaged_cache_is_discarded(table, cache, caplog, damage):
    KiwiVectors(table.landmarks)(WORDS)
    (path,) = cache.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        vectors = KiwiVectors(table.landmarks)
    assert "damaged" in caplog.text and not path.exists()
    assert np.array_equal(vectors(WORDS), table(WORDS))
    assert path.exists()


def test_a_cache_whose_parts_do_not_fit_is_discarded(table, cache):
    path = cache / f"kiwi-vectors-{table.version}.npz"
    names = np.frombuffer("사랑/NNG\n은행/NNG".encode(), dtype=np.uint8)
    np.savez(path, landmarks=table.landmarks, names=names, vectors=np.zeros((1, DIMENSIONS), np.float16))
    assert np.array_equal(KiwiVectors(table.landmarks)(WORDS), table(WORDS))


def test_other_landmarks_ignore_the_cache(table, cache):
    KiwiVectors(table.landmarks)(WORDS)
    assert not KiwiVectors(table.landmarks[::-1])._known


@pytest.mark.parametrize("place", ["off", "/dev/null/nowhere"])
def test_no_cache_is_no_error(table, monkeypatch, place):
    monkeypatch.setenv("GALLAE_CACHE", place)
    monkeypatch.setattr(kiwi_vectors, "_WORTH_WRITING", 1)
    assert np.array_equal(KiwiVectors(table.landmarks)(WORDS), table(WORDS))
