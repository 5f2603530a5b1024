"""Kiwi's vectors in a network over trained pieces."""

import numpy as np
import pytest
import torch

import gallae
from gallae.errors import RecipeError
from gallae.models.neural import NeuralClassifier
from gallae.text import morphemes
from gallae.text.piece_vectors import piece_vectors

LEARN = {"epochs": 30, "batch_size": 8, "learning_rate": 1e-2, "weight_decay": 0.0, "track": "none"}
PIECES = {"family": "bag", "unit": "morpheme_piece", "min_count": 1, "vectors": "kiwi"}


@pytest.fixture(scope="module")
def rows(small):
    chosen = [*range(11), *range(15, 26), *range(30, 40)]
    return [small[0][row] for row in chosen], [small[1][row] for row in chosen]


@pytest.fixture(scope="module")
def fitted(rows):
    return NeuralClassifier({**PIECES, "train_vectors": False}, LEARN).fit(*rows)


def test_pieces_begin_with_kiwi_s_vectors(fitted, rows):
    tokens = fitted.inputs_.tokenizer.vocabulary.tokens()
    table = fitted.network_.embedding.state_dict()
    weights = next(weight.numpy() for weight in table.values() if weight.shape == (len(tokens), 256))
    wanted = piece_vectors(tokens)
    found = np.flatnonzero(wanted.any(axis=1))
    assert len(found) > 0.5 * len(tokens) and fitted.coverage_ == pytest.approx(len(found) / len(tokens))
    cosines = (weights[found] * wanted[found]).sum(axis=1) / np.linalg.norm(weights[found], axis=1)
    assert cosines.min() > 0.999
    assert fitted.score(*rows) > 0.9


def test_predicting_needs_no_kiwi(fitted, rows, tmp_path, monkeypatch):
    wanted = fitted.predict_proba(rows[0])
    fitted.save(tmp_path / "model")

    def refuse(*_arguments):
        raise AssertionError("Kiwi was asked")

    monkeypatch.setattr(morphemes.KiwiAnalyzer, "_analyzed", refuse)
    assert np.abs(gallae.load(tmp_path / "model").predict_proba(rows[0]) - wanted).max() < 1e-6


def test_units_that_kiwi_has_no_vectors_for(rows):
    for unit in ("word", "morpheme", "jamo"):
        with pytest.raises(RecipeError, match="morpheme_piece"):
            NeuralClassifier({**PIECES, "unit": unit}, LEARN).fit(*rows)
    with pytest.raises(RecipeError, match="subwords_of is for the units bpe, byte_bpe, wordpiece, unigram;"):
        NeuralClassifier({**PIECES, "subwords_of": "morpheme"}, LEARN).fit(*rows)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
