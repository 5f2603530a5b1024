"""Networks in ONNX: the same logits as torch's, batches, 8 bits, what is refused, no torch at prediction."""

import copy
import logging
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

import gallae
from gallae import errors
from gallae.errors import MissingExtra, ModelError
from gallae.models import onnx_export
from gallae.models.average import AverageClassifier
from gallae.models.calibration import CalibratedClassifier
from gallae.models.ensemble import EnsembleClassifier
from gallae.models.neural import NeuralClassifier
from gallae.models.onnx_export import TOLERANCE, exported
from gallae.models.onnx_network import OnnxClassifier
from gallae.models.parts import parts, set_threads, with_parts

TINY = {"embedding": 16, "min_count": 1, "unit": "word", "max_length": 24}
BERT = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
NETWORKS = {
    "bag": {"family": "bag", "hidden": 8},
    "convolutional": {"family": "convolutional", "filters": 12, "batch_norm": True},
    "branched": {"family": "branched", "hidden": 8, "filters": 8, "pooling": "attention"},
    "gru": {"family": "recurrent", "cell": "gru", "hidden": 12, "layers": 2, "pooling": "last"},
    "lstm": {"family": "recurrent", "cell": "lstm", "hidden": 12, "pooling": "max"},
    "rnn": {"family": "recurrent", "cell": "rnn", "hidden": 12, "bidirectional": False},
    "transformer": {"family": "transformer", "hidden": 16, "heads": 2, "feed_forward": 32},
}
LEARN = {"epochs": 12, "batch_size": 8, "learning_rate": 2e-2, "track": "none", "device": "cpu"}


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make(name="bag", rows=None, **training):
    return NeuralClassifier(TINY | NETWORKS[name], LEARN | training).fit(*rows)


def fresh(model, rows):
    """Return a classifier ready to predict by its first weights."""
    model.prepare(*rows)
    return model


@pytest.fixture(scope="module")
def bag(small):
    return make("bag", small)


@pytest.fixture(scope="module")
def _bag_onnx(bag):
    return exported(bag)[0]


@pytest.fixture
def bag_onnx(_bag_onnx):
    return copy.copy(_bag_onnx)


def same(model, other, texts):
    """Whether scores agree over all texts at once, one by one and in another order."""
    expected = model.scores(texts)
    found = other.scores(texts)
    alone = np.vstack([other.scores([text]) for text in texts[::5]])
    assert np.abs(found - expected).max() < TOLERANCE
    assert np.abs(alone - expected[::5]).max() < TOLERANCE
    assert np.abs(other.scores(texts[::-1])[::-1] - expected).max() < TOLERANCE
    assert np.abs(other.predict_proba(texts) - model.predict_proba(texts)).max() < TOLERANCE
    return True


@pytest.mark.parametrize("name", NETWORKS)
def test_our_networks_give_torchs_logits(name, small, tmp_path):
    model = make(name, small)
    other, difference = exported(model)
    texts = [*small[0], "", "처음 보는 낱말", "길다 " * 40]
    assert difference < TOLERANCE and same(model, other, texts)
    other.save(tmp_path / "model")
    again = gallae.load(tmp_path / "model")
    assert isinstance(again, OnnxClassifier)
    assert np.array_equal(again.predict_proba(texts), other.predict_proba(texts))
    assert not (tmp_path / "model" / "model.safetensors").exists()


def test_any_configuration_of_transformers(small):
    table = {"family": "from_config", "config": {"model_type": "bert", **BERT}, "vocabulary": 300}
    model = NeuralClassifier(table | {"min_count": 1}, LEARN | {"epochs": 2}).fit(*small)
    other, _ = exported(model)
    assert same(model, other, small[0])


@pytest.mark.parametrize(
    "family",
    [
        "bert",
        "roberta",
        "electra",
        "distilbert",
        "xlm-roberta",
        "albert",
        "deberta-v2",
        "modernbert",
        "big_bird",
    ],
)
def test_encoders_give_torchs_logits(family, encoder, topics):
    model = fresh(encoder(family), topics)
    other, difference = exported(model)
    assert difference < TOLERANCE and same(model, other, [*topics[0], "", "길다 " * 60])


def test_windows_and_several_layers_of_an_encoder(encoder, topics):
    read = {"max_length": 10, "windows": True, "stride": 2, "last_layers": 2, "pooling": "attention"}
    model = fresh(encoder("bert", **read), topics)
    other, _ = exported(model)
    assert same(model, other, [*topics[0][:9], "환율 " * 30])


def test_what_cannot_be_exported_is_refused_by_name(encoder, topics, small):
    model = fresh(encoder("longformer"), topics)
    with pytest.raises(ModelError, match=r"kind longformer.*Predict with the model as it is"):
        exported(model)
    blocks = ({"kind": "tfidf", "unit": "word", "ngrams": [1, 1], "min_df": 1},)
    mlp = NeuralClassifier({"family": "mlp", "hidden": [8]}, LEARN | {"epochs": 1}, blocks=blocks).fit(*small)
    with pytest.raises(ModelError, match="'mlp' reads sparse features"):
        exported(mlp)


def test_logits_that_differ_are_refused(bag, monkeypatch):
    plain = onnx_export._traced

    def spoilt(network, rows):
        with torch.no_grad():
            network.classifier.bias += 0.01
        return plain(network, rows)

    monkeypatch.setattr(onnx_export, "_traced", spoilt)
    with pytest.raises(ModelError, match=r"up to 0\.01 from torch's"):
        exported(bag)


def test_weights_beyond_a_file_of_2_gb_are_refused(bag, monkeypatch):
    monkeypatch.setattr(onnx_export, "_LARGEST", 100)
    with pytest.raises(ModelError, match="more than 2 GB"):
        exported(bag)


def test_8_bits_are_smaller_and_give_mostly_the_same_labels(small, tmp_path):
    model = make("transformer", small)
    whole, bits = exported(model)[0], exported(model, int8=True)[0]
    assert len(bits.onnx_) < len(whole.onnx_)
    assert not np.array_equal(bits.scores(small[0]), whole.scores(small[0]))
    assert (bits.predict(small[0]) == model.predict(small[0])).mean() > 0.9
    bits.save(tmp_path / "model")
    assert (tmp_path / "model" / "model.int8.onnx").exists()
    again = gallae.load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(small[0]), bits.predict_proba(small[0]))


@pytest.mark.parametrize("name", ["convolutional", "lstm", "transformer", "bert"])
def test_8_bits_give_a_text_the_same_answer_alone(name, small, topics, encoder):
    model = fresh(encoder("bert"), topics) if name == "bert" else make(name, small, epochs=2)
    bits, _ = exported(model, int8=True)
    texts = [*topics[0], "", "길다 " * 40]
    expected, found = model.predict_proba(texts), bits.predict_proba(texts)
    alone = np.vstack([bits.predict_proba([text]) for text in texts])
    assert np.abs(found - alone).max() < 1e-5
    assert 0 < np.abs(found - expected).max() < 0.02


def test_two_classes_and_several_labels(binary, several):
    two = make("bag", binary)
    assert exported(two)[0].scores(binary[0]).shape == (len(binary[0]), 1)
    assert same(two, exported(two)[0], binary[0])
    many = make("bag", several)
    other, _ = exported(many)
    assert same(many, other, several[0]) and list(other.predict(several[0])) == list(many.predict(several[0]))


def test_calibrated_folded_and_joined_models(small, tmp_path):
    def change(part):
        return exported(part)[0] if isinstance(part, NeuralClassifier) else part

    tables = {"network": TINY | NETWORKS["bag"], "training": LEARN | {"epochs": 2}}
    calibrated = CalibratedClassifier(NeuralClassifier(**tables), folds=2).fit(*small)
    folded = AverageClassifier(NeuralClassifier(**tables), folds=2).fit(*small)
    linear = gallae.build("fast").fit(*small)
    model = EnsembleClassifier.of([calibrated, folded, linear])
    other = with_parts(model, change)
    assert [type(part).__name__ for part in parts(other)] == [*["OnnxClassifier"] * 3, "LinearClassifier"]
    assert next(type(part).__name__ for part in parts(model)) == "NeuralClassifier"  # as it was
    other.save(tmp_path / "model")
    again = gallae.load(tmp_path / "model", threads=1)
    assert np.abs(again.predict_proba(small[0]) - model.predict_proba(small[0])).max() < TOLERANCE
    assert {part.threads_ for part in parts(again) if isinstance(part, OnnxClassifier)} == {1}


def test_it_learns_no_more(bag_onnx, small):
    with pytest.raises(ModelError, match="learns no more"):
        bag_onnx.fit(*small)


def test_threads_are_as_asked_and_torchs_own_stay(bag, bag_onnx, small):
    other = bag_onnx
    expected = other.scores(small[0])
    seen = []
    hook = bag.network_.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    for threads in (2, 1, None):
        for model in (bag, other):
            set_threads(model, threads)
            assert np.allclose(model.scores(small[0]), expected, atol=1e-6)
        used = other._kept
        assert threads is None or used[threads].get_session_options().intra_op_num_threads == threads
    hook.remove()
    assert seen == [2, 1, 1] and torch.get_num_threads() == 1
    with pytest.raises(ModelError, match="threads is 0"):
        set_threads(other, 0)


def test_batches_that_threads_share_give_the_same(bag_onnx, small):
    texts = [f"{text} {number}" for number in range(200) for text in small[0]]
    set_threads(bag_onnx, 1)
    alone = bag_onnx.scores(texts)
    set_threads(bag_onnx, 3)
    assert np.array_equal(bag_onnx.scores(texts), alone)
    set_threads(bag_onnx, None)


def test_a_copy_for_another_process_and_long_texts_said_once(bag_onnx, small, caplog):
    other = pickle.loads(pickle.dumps(bag_onnx))  # with inputs of its own
    expected = other.scores(small[0])
    assert np.array_equal(pickle.loads(pickle.dumps(other)).scores(small[0]), expected)
    with caplog.at_level(logging.WARNING, "gallae"):
        for _ in range(2):
            other.scores(["길다 " * 40])
    assert caplog.text.count("longer than model.max_length") == 1


def test_a_damaged_network_is_refused(bag_onnx, small):
    other = bag_onnx
    set_threads(other, 3)  # a session of its own
    other.onnx_ = other.onnx_[: len(other.onnx_) // 2]
    with pytest.raises(ModelError, match=r"cannot be read.*Export the model again"):
        other.scores(small[0])


@pytest.mark.parametrize("module", ["onnx", "onnxscript"])
def test_a_missing_package_is_named(module, bag, monkeypatch):
    plain = errors.importlib.import_module

    def importing(name):
        if name == module:
            raise ImportError(name)
        return plain(name)

    monkeypatch.setattr(errors.importlib, "import_module", importing)
    with pytest.raises(MissingExtra, match=rf"'{module}'.*gallae\[onnx\]"):
        exported(bag)


BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, *_):
        if name.split(".")[0] in {"torch", "transformers", "accelerate", "onnx", "onnxscript"}:
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
import gallae
print(*gallae.load(sys.argv[1]).predict(sys.argv[2:]), sep="\\n")
"""


def test_prediction_needs_neither_torch_nor_transformers(bag_onnx, encoder, topics, small, tmp_path):
    other = exported(fresh(encoder("bert"), topics))[0]
    for number, (model, texts) in enumerate([(bag_onnx, small[0]), (other, topics[0])]):
        folder = tmp_path / str(number)
        model.save(folder)
        command = [sys.executable, "-c", BLOCKED, str(folder), *texts[:3]]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
        assert result.stdout.split() == [str(label) for label in model.predict(texts[:3])]
