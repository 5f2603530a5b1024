import logging

import numpy as np
import pytest
import torch
from torch.nn import functional

from gallae.errors import RecipeError
from gallae.pretrained.loading import load_model
from gallae.pretrained.tokenizing import load_tokenizer
from gallae.pretraining.vocabularies import pieces_of
from gallae.pretraining.warm_start import ROW_SIZE, to_width, use_kiwi_vectors
from gallae.text.piece_vectors import piece_vectors


@pytest.fixture
def network(checkpoint):
    folder = checkpoint("electra", "AutoModelForMaskedLM", embedding_size=256)
    return load_model(folder, "AutoModelForMaskedLM"), load_tokenizer(folder)


def test_pieces_begin_with_kiwis_vectors(network):
    model, tokenizer = network
    before = model.get_input_embeddings().weight.detach().clone()
    share = use_kiwi_vectors(model, tokenizer)
    weight, vectors = model.get_input_embeddings().weight.detach(), piece_vectors(pieces_of(tokenizer))
    known = np.any(vectors, axis=1)
    assert share == known.mean() and 0.3 < share < 1
    assert torch.equal(weight[~known], before[~known])  # special tokens among them
    assert not known[tokenizer.all_special_ids].any()
    assert torch.allclose(weight[known].square().mean(dim=1).sqrt(), torch.tensor(ROW_SIZE), rtol=1e-3)
    cosines = functional.cosine_similarity(weight[known], torch.from_numpy(vectors[known]))
    assert cosines.min() > 0.999


def test_a_shared_embedding_stays_shared(network):
    model, tokenizer = network
    other = type(model)(model.config)
    other.set_input_embeddings(model.get_input_embeddings())
    use_kiwi_vectors(model, tokenizer)
    assert other.get_input_embeddings().weight is model.get_input_embeddings().weight
    assert model.generator_lm_head.weight is model.get_input_embeddings().weight


@pytest.mark.parametrize("width", [32, 384])
def test_other_widths_keep_who_is_near_whom(checkpoint, width):
    folder = checkpoint("bert", "AutoModelForMaskedLM", hidden_size=width)
    model, tokenizer = load_model(folder, "AutoModelForMaskedLM"), load_tokenizer(folder)
    use_kiwi_vectors(model, tokenizer)
    vectors = piece_vectors(pieces_of(tokenizer))
    known = np.any(vectors, axis=1)
    rows = functional.normalize(model.get_input_embeddings().weight.detach()[known]).numpy()
    ours, kiwis = rows @ rows.T, vectors[known] @ vectors[known].T
    assert np.corrcoef(ours.ravel(), kiwis.ravel())[0, 1] > (0.999 if width > 256 else 0.85)


def test_to_width_keeps_inner_products():
    vectors = np.random.default_rng(0).normal(size=(40, 16)).astype(np.float32)
    vectors[:, 8:] *= 0.01
    for width in (8, 16, 20):
        made = to_width(vectors, width)
        assert made.shape == (40, width) and made.dtype == np.float32
        assert np.allclose(made @ made.T, vectors @ vectors.T, atol=0.05)
    assert np.array_equal(to_width(vectors, 8), to_width(vectors, 8))


def test_a_tokenizer_without_korean_is_refused(checkpoint, caplog):
    class English:
        all_special_ids = (0,)

        def __init__(self, *pieces):
            self.pieces = ["[PAD]", *pieces]

        def __len__(self):
            return len(self.pieces)

        def convert_ids_to_tokens(self, ids):
            return [self.pieces[number] for number in ids]

    model = load_model(checkpoint("bert"))
    with pytest.raises(RecipeError, match="no piece of this tokenizer"):
        use_kiwi_vectors(model, English("▁xqzw", "▁qqzx"))
    with caplog.at_level(logging.WARNING):
        use_kiwi_vectors(model, English("▁학교", *[f"▁xq{number}zw" for number in range(20)]))
    assert "of the vocabulary has a Kiwi vector" in caplog.text
