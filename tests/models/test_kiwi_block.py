"""The block of Kiwi vectors."""

import logging
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from gallae.models.documents import Documents
from gallae.models.kiwi_block import KiwiBlock
from gallae.text.kiwi_vectors import DIMENSIONS, kiwi_vectors

TEXTS = ["은행이 금리를 올렸다", "축구 대표팀이 이겼다", "은행 대출 이자", "경기에서 승리한 축구단"]


@pytest.fixture(scope="module")
def block():
    made = KiwiBlock(weight=0.7)
    made.fit(Documents(TEXTS, keep=True))
    return made


def test_rows_are_of_length_weight_and_near_when_meanings_are(block):
    rows = block.transform(Documents(TEXTS))
    assert rows.shape == (4, DIMENSIONS) and rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 0.7, atol=1e-5)
    cosines = rows @ rows.T
    assert cosines[0, 2] > cosines[0, 1] and cosines[1, 3] > cosines[1, 2]


def test_a_row_is_the_mean_weighted_by_idf(block):
    (row,) = block.transform(Documents(["은행 이자"]))
    bank, interest = kiwi_vectors()(["은행/NNG", "이자/NNG"])
    expected = bank * block.idf["은행/NNG"] + interest * block.idf["이자/NNG"]
    assert np.allclose(row, 0.7 * expected / np.linalg.norm(expected), atol=1e-3)


def test_words_new_since_training_have_vectors(block):
    new, old = block.transform(Documents(["주식", "은행"]))
    assert np.isclose(np.linalg.norm(new), 0.7, atol=1e-5)
    assert new @ old > 0.1


def test_particles_do_not_count(block):
    first, second = block.transform(Documents(["은행이 금리를", "은행 금리"]))
    assert np.array_equal(first, second)


def test_batch_equals_single(block):
    together = block.transform(Documents([*TEXTS, "주식 투자", ""]))
    for text, row in zip([*TEXTS, "주식 투자", ""], together, strict=True):
        assert np.array_equal(block.transform(Documents([text]))[0], row)


def test_state_comes_back(block):
    copy = KiwiBlock(weight=0.7).restore(block.state())
    texts = [*TEXTS, "처음 보는 낱말"]
    assert np.array_equal(copy.transform(Documents(texts)), block.transform(Documents(texts)))
    assert np.array_equal(copy.state().tensors["vectors"], block.state().tensors["vectors"])


@pytest.mark.parametrize("fit", [False, True])
def test_pickles_fitted_and_unfitted(block, fit):
    block.transform(Documents(["주식"]))  # makes it hold a table that cannot be pickled
    copy = pickle.loads(pickle.dumps(block if fit else KiwiBlock()))
    if fit:
        assert np.array_equal(copy.transform(Documents(["주식"])), block.transform(Documents(["주식"])))


def test_texts_without_any_known_morpheme():
    block = KiwiBlock()
    block.fit(Documents(["", "..."]))
    assert not block.transform(Documents(["", "..."])).any()
    copy = KiwiBlock().restore(block.state())
    assert np.isfinite(copy.transform(Documents(["", "은행"]))).all()


def test_another_version_of_kiwi_is_said_and_new_words_get_no_vector(block, caplog):
    copy = KiwiBlock(weight=0.7).restore(block.state())
    copy.version = "0.1-other"
    copy.landmarks = np.zeros_like(copy.landmarks)  # numbers of another model mean nothing here
    with caplog.at_level(logging.WARNING):
        new, old = copy.transform(Documents(["주식", "은행"]))
    assert not new.any() and np.isclose(np.linalg.norm(old), 0.7, atol=1e-5)
    assert "0.1-other" in caplog.text


def test_names(block):
    assert len(set(block.names())) == DIMENSIONS


def test_the_same_numbers_in_processes_that_hash_differently(tmp_path):
    program = (
        "import sys; from gallae.data import sample; from gallae.models.kiwi_block import KiwiBlock;"
        "from gallae.models.documents import Documents; texts = sample().texts[:100]; block = KiwiBlock();"
        "block.fit(Documents(texts)); sys.stdout.buffer.write(block.transform(Documents(texts)).tobytes())"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    )
    assert first and first == second
