"""A network that was trained in bf16 predicts the same before and after it is saved."""

import numpy as np

TEXTS = ["금리 동결에 상승 마감", "결승골로 승리 시즌 우승"] * 8
BF16 = {"epochs": 2, "precision": "bf16", "learning_rate": 1e-3}


def test_a_classifier(checkpoint, tmp_path):
    from gallae.models.encoder import EncoderClassifier
    from gallae.models.persistence import load, save

    network = {"checkpoint": str(checkpoint("bert")), "max_length": 32}
    model = EncoderClassifier(network=network, training=BF16).fit(TEXTS, ["경제", "스포츠"] * 8)
    save(model, tmp_path / "model")
    assert np.array_equal(model.predict_proba(TEXTS), load(tmp_path / "model").predict_proba(TEXTS))


def test_a_task(checkpoint, tmp_path):
    from gallae.tasks import Nli
    from gallae.tasks.pair_reading import Pair

    pairs = [Pair(text, TEXTS[0], label) for text, label in zip(TEXTS, "ab" * 8, strict=True)]
    task = Nli(checkpoint=str(checkpoint("bert")), max_length=32, training=BF16).fit(pairs)
    task.save(tmp_path / "model")
    assert task.predict(pairs) == Nli.load(tmp_path / "model").predict(pairs)
