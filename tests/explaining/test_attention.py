import numpy as np
import pytest

pytest.importorskip("torch")

from gallae.errors import GallaeError
from gallae.explaining.attention import attention
from gallae.models.encoder import EncoderClassifier
from gallae.models.neural import NeuralClassifier

LEARN = {"epochs": 1, "batch_size": 16, "track": "none"}
SMALL = {"unit": "word", "embedding": 8, "min_count": 1}


def test_a_transformer(topics):
    table = {"family": "transformer", "hidden": 8, "heads": 2, "layers": 2, "feed_forward": 8, **SMALL}
    model = NeuralClassifier(table, LEARN).fit(*topics)
    first, empty = attention(model, ["손흥민, 결승골로 승리", ""])
    assert empty is None
    assert first.tokens == ("손흥민,", "결승골로", "승리") and first.weights.shape == (2, 2, 3, 3)
    assert np.allclose(first.weights.sum(axis=-1), 1, atol=1e-5)
    assert first.received().sum() == pytest.approx(1, abs=1e-5)
    assert first.picture("ko").startswith("<svg") or "<svg" in first.picture("ko")


def test_pooling_by_attention(topics):
    table = {"family": "recurrent", "hidden": 6, "layers": 1, "pooling": "attention", **SMALL}
    model = NeuralClassifier(table, LEARN).fit(*topics)
    [found] = attention(model, ["손흥민, 결승골로 승리"])
    assert found.weights.shape == (1, 1, 1, 3) and found.weights.sum() == pytest.approx(1, abs=1e-5)
    assert "<svg" in found.picture()


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
def test_encoders(checkpoint, topics, family):
    model = EncoderClassifier({"checkpoint": str(checkpoint(family)), "max_length": 32}, LEARN).fit(*topics)
    before = model.predict_proba(topics[0][:3])
    [found] = attention(model, ["손흥민, 결승골로 승리"])
    layers, heads, queries, tokens = found.weights.shape
    assert (layers, heads) == (2, 2) and queries == tokens == len(found.tokens) > 3
    assert np.allclose(found.weights.sum(axis=-1), 1, atol=1e-4)
    assert found.tokens[0] in ("[CLS]", "<s>")
    assert (model.predict_proba(topics[0][:3]) == before).all()


def test_models_without_attention_are_refused(topics, calibrated):
    model = NeuralClassifier({"family": "bag", **SMALL}, LEARN).fit(*topics)
    for other in (model, calibrated):
        with pytest.raises(GallaeError, match="has no attention to show"):
            attention(other, ["손흥민"])
