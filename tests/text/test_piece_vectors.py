import numpy as np
import pytest

from gallae.text.kiwi_vectors import kiwi_vectors
from gallae.text.piece_vectors import piece_vectors, surfaces


def _like(vector, *morphemes):
    own = kiwi_vectors()(list(morphemes)).sum(axis=0)
    return float(vector @ own / np.linalg.norm(own))


def test_a_word_has_its_morphemes_vector():
    found = piece_vectors(["▁학교", "▁했", "▁보신"])
    assert found.shape == (3, 256) and found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    assert _like(found[0], "학교/NNG") > 0.999
    assert _like(found[1], "하/VV", "었/EP") > 0.999  # two morphemes: their mean


def test_what_goes_on_within_a_word_is_read_as_such():
    """Alone, Kiwi takes 은 for silver and 다 for an adverb."""
    part, word, ending = piece_vectors(["은", "▁은", "다"])
    assert _like(part, "은/JX") > 0.999 and _like(word, "은/NNG") > 0.999
    assert _like(ending, "다/EF") > 0.999 or _like(ending, "다/EC") > 0.999


@pytest.mark.parametrize("pieces", [["학교", "##에서"], ["▁학교", "에서"], ["ĠíķĻêµĲ", "ìĹĲìĦľ"]])
def test_every_kind_of_marks_gives_the_same(pieces):
    school, at = piece_vectors(pieces)
    assert _like(school, "학교/NNG") > 0.999 and _like(at, "에서/JKB") > 0.999


def test_what_kiwi_does_not_know_has_no_vector():
    pieces = ["[PAD]", "<unk>", "[unused3]", "▁", "▁학교", "", "▁xqzw", "<0xEA>"]
    assert np.flatnonzero(piece_vectors(pieces).any(axis=1)).tolist() == [4]
    assert piece_vectors([]).shape == (0, 256)


def test_looks():
    assert surfaces(["학교", "##에", "##", "[CLS]"]) == [
        ("학교", True),
        ("에", False),
        ("##", True),
        ("", True),
    ]
    assert surfaces(["ĠíķĻ", "êµĲ", "êµ"]) == [("학", True), ("교", False), ("", False)]
    assert surfaces(["학교", "에"]) == [("학교", True), ("에", True)]
