"""Integrated gradients of networks of every input, on tiny ones that have hardly learned."""

import pytest

pytest.importorskip("captum")

import gallae
from gallae.explaining import allowed_methods
from gallae.models.calibration import CalibratedClassifier
from gallae.models.neural import NeuralClassifier

LEARN = {"epochs": 1, "batch_size": 16, "track": "none", "learning_rate": 0.01}
TEXTS = ["美 의회, &quot;제재&quot; 결의안 논의", "손흥민, 결승골로 <b>승리</b> ㅋㅋ", "", "÷×"]
SMALL = {"embedding": 8, "min_count": 1}
NETWORKS = [
    {"family": "convolutional", "unit": "morpheme", "filters": 4, "windows": [1, 2], **SMALL},
    {"family": "bag", "unit": "word", **SMALL},
    {"family": "bag", "unit": "char", "one_hot": True, "min_count": 1},
    {"family": "recurrent", "unit": "jamo", "hidden": 6, "layers": 1, "max_length": 24, **SMALL},
    {"family": "transformer", "unit": "bpe", "hidden": 8, "heads": 2, "layers": 1, "feed_forward": 8,
     "vocabulary": 400, **SMALL},
    {"family": "bag", "unit": "wordpiece", "subwords_of": "morpheme", "vocabulary": 600, **SMALL},
    {"family": "from_config", "unit": "morpheme", "min_count": 1, "config": {"model_type": "bert",
     "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}},
]  # fmt: skip


def complete(explanation):
    """Whether the weights add up to what lies between the base and the score."""
    difference = explanation.score - explanation.base
    total = sum(part.weight for part in explanation.parts)
    return total == pytest.approx(difference, abs=0.012 * max(1.0, abs(difference)))


@pytest.fixture(scope="module")
def network(topics):
    """Fit a network: network(table of [model])."""

    def fit(table, labels=None, texts=None, **parameters):
        made = NeuralClassifier(table, LEARN, steps=("nfc", "html", "hanja", "spaces"), **parameters)
        return made.fit(texts or topics[0], topics[1] if labels is None else labels)

    return fit


@pytest.mark.parametrize("table", NETWORKS, ids=lambda table: f"{table['family']}-{table['unit']}")
def test_weights_add_up(network, table):
    model = network(table)
    assert allowed_methods(model)[0] == "gradients"
    for unit in ("word", "morpheme"):
        found = gallae.explain(model, TEXTS, unit=unit)
        assert {e.method for e in found} == {"gradients"}
        assert all(map(complete, found))
        assert any(part.weight for part in found[1].parts)
        assert found[2].parts == [] and found[2].base == pytest.approx(found[2].score)


def test_features_of_dense_layers(network):
    blocks = [{"kind": "tfidf", "unit": "char_wb", "ngrams": [1, 3]}, {"kind": "kiwi"}]
    model = network({"family": "mlp", "hidden": [6]}, blocks=blocks)
    found = gallae.explain(model, TEXTS)
    assert {e.method for e in found} == {"gradients"} and all(map(complete, found))


def test_two_labels_and_calibration(network, topics):
    labels = ["예" if label == "스포츠" else "아니오" for label in topics[1]]
    inner = NeuralClassifier(NETWORKS[1], LEARN)
    model = CalibratedClassifier(inner, folds=2).fit(topics[0], labels)
    [yes], [no] = (
        gallae.explain(model, ["손흥민, 결승골로 승리"], label=label) for label in ("예", "아니오")
    )
    assert yes.method == "gradients" and complete(yes) and complete(no)
    assert yes.score == pytest.approx(-no.score, abs=1e-5)
    assert [part.weight for part in yes.parts] == pytest.approx([-part.weight for part in no.parts], abs=1e-5)


def test_several_labels(network, several):
    model = network(NETWORKS[1], *reversed(several))
    for explanation in gallae.explain(model, several[0][-2:], label="세계"):
        assert complete(explanation)


@pytest.mark.parametrize(
    "options", [{}, {"max_length": 12, "truncation": "head_tail"}, {"pooling": "mean", "max_length": 12}]
)
def test_encoders(checkpoint, topics, options):
    from gallae.models.encoder import EncoderClassifier

    table = {"checkpoint": str(checkpoint("bert")), "max_length": 32, **options}
    model = EncoderClassifier(table, LEARN).fit(*topics)
    found = gallae.explain(model, [topics[0][0] + " 그리고 " + topics[0][30], *TEXTS[1:]])
    assert {e.method for e in found} == {"gradients"} and all(map(complete, found))


def test_what_has_no_gradients_is_tried(checkpoint, topics, network):
    from gallae.models.encoder import EncoderClassifier

    table = {"checkpoint": str(checkpoint("bert")), "max_length": 12, "windows": True, "stride": 2}
    windows = EncoderClassifier(table, LEARN).fit(*topics)
    hashed = network({"family": "mlp", "hidden": [4], "mean": True, "activation": "none"},
                     blocks=[{"kind": "count", "unit": "char", "hashing": 64}])  # fmt: skip
    for model in (windows, hashed):
        assert allowed_methods(model) == ("occlusion", "lime")
        assert gallae.explain(model, TEXTS[:1])[0].method == "occlusion"


def test_a_network_answers_as_before(network):
    model = network(NETWORKS[0])
    before = model.predict_proba(TEXTS)
    gallae.explain(model, TEXTS)
    assert (model.predict_proba(TEXTS) == before).all()
