"""The neural family under the contract: fit, save, load, resume, calibration, bad input."""

import logging

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import gallae
from gallae.errors import DataError, ModelError, RecipeError, TextError
from gallae.models.calibration import CalibratedClassifier
from gallae.models.neural import NeuralClassifier
from gallae.training import engine
from gallae.training.workspace import workspace

TINY = {"embedding": 16, "min_count": 1, "unit": "word", "dropout": 0.1}
TABLES = {
    "bag": {"family": "bag"},
    "bag-padded": {"family": "bag", "offsets": False},
    "bag-one-hot": {"family": "bag", "one_hot": True},
    "recurrent": {"family": "recurrent", "hidden": 12},
    "gru-char": {"family": "recurrent", "cell": "gru", "hidden": 12, "unit": "char", "pooling": "mean"},
    "convolutional": {"family": "convolutional", "filters": 12},
    "convolutional-jamo": {"family": "convolutional", "filters": 12, "unit": "jamo", "windows": [3, 5]},
    "branched": {"family": "branched", "hidden": 8, "filters": 8},
    "transformer": {"family": "transformer", "hidden": 16, "heads": 2, "feed_forward": 32},
}
BERT = {
    "model_type": "bert",
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.1,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
LEARN = {"epochs": 40, "batch_size": 8, "learning_rate": 1e-2, "weight_decay": 0.0, "track": "none"}
BLOCKS = ({"kind": "tfidf", "unit": "word", "ngrams": [1, 2], "min_df": 1},)


def make(name, **training):
    if name == "mlp":
        table = {"family": "mlp", "hidden": [16], "dropout": 0.1}
        return NeuralClassifier(table, LEARN | training, blocks=BLOCKS)
    if name == "from_config":
        table = {
            "family": "from_config",
            "config": BERT,
            "unit": "wordpiece",
            "vocabulary": 300,
            "min_count": 1,
        }
        return NeuralClassifier(table, LEARN | {"learning_rate": 2e-3} | training)
    return NeuralClassifier(TINY | TABLES[name], LEARN | training)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def rows(small):
    chosen = [*range(11), *range(15, 26), *range(30, 40)]
    return [small[0][row] for row in chosen], [small[1][row] for row in chosen]


@pytest.mark.parametrize("name", [*TABLES, "mlp", "from_config"])
def test_every_architecture_learns_32_rows_by_heart_and_is_saved(name, rows, tmp_path, elsewhere):
    texts, labels = rows
    model = make(name).fit(texts, labels)
    assert model.score(texts, labels) == 1.0
    together = model.predict_proba(texts)
    assert np.allclose(together.sum(axis=1), 1)
    alone = np.vstack([model.predict_proba([text]) for text in texts])
    assert np.abs(alone - together).max() < 1e-5  # batch equals single, whatever the padding
    assert np.abs(model.predict_proba(texts[::-1])[::-1] - together).max() < 1e-5
    model.save(tmp_path / "model")
    ask = (
        elsewhere if name in ("recurrent", "mlp") else lambda path, _: gallae.load(path).predict_proba(texts)
    )
    assert np.abs(ask(tmp_path / "model", texts) - together).max() < 1e-6


def test_the_same_seed_gives_the_same_numbers_and_leaves_the_global_generators_alone(rows):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = make("recurrent", epochs=2).fit(*rows).predict_proba(rows[0])
    assert torch.rand(1) == expected
    assert np.array_equal(make("recurrent", epochs=2).fit(*rows).predict_proba(rows[0]), first)
    other = clone(make("recurrent", epochs=2)).set_params(seed=7).fit(*rows).predict_proba(rows[0])
    assert not np.array_equal(other, first)


OPTIONS = [
    {"label_smoothing": 0.1},
    {"loss": "focal"},
    {"class_weight": "balanced", "sampler": "balanced"},
    {"r_drop": 1.0},
    {"contrastive": 0.5},
    {"mixup": 0.4},
    {"adversarial": 0.5},
    {"ema": 0.9},
    {"optimizer": "muon", "schedule": "one_cycle"},
    {"optimizer": "lion", "learning_rate": 1e-3, "schedule": "cosine", "warmup": 0.1},
    {"optimizer": "sgd", "learning_rate": 0.3},
    {"optimizer": "radam", "accumulation": 2, "sampler": "sequential", "learning_rate": 0.05, "epochs": 80},
    {"precision": "bf16"},
    {"early_stopping": {"share": 0.2, "patience": 3}},
]


@pytest.mark.parametrize("training", OPTIONS, ids=lambda option: "-".join(option))
def test_every_training_option_learns(training, rows):
    model = make("convolutional", **training).fit(*rows)
    assert model.score(*rows) >= (0.75 if "early_stopping" in training else 0.9)
    assert all(np.isfinite(row["loss"]) for row in model.history_)


@pytest.mark.parametrize("at", [1, 3, 4, 8, 17])
@pytest.mark.parametrize("extra", [{}, {"ema": 0.8, "early_stopping": {"share": 0.25, "patience": 9}}])
def test_interrupted_is_uninterrupted(at, extra, rows, tmp_path, monkeypatch):
    training = {"epochs": 6, "optimizer": "adamw", **extra}
    whole = make("recurrent", **training).fit(*rows)
    monkeypatch.setattr("gallae.training.trainer.SAVE_EVERY", 0.0)
    plain, steps = engine.Engine.compute_loss, []

    def stopped(self, *args, **kwargs):
        steps.append(1)
        if len(steps) == at:
            raise KeyboardInterrupt
        return plain(self, *args, **kwargs)

    with workspace(lambda: tmp_path), monkeypatch.context() as patch:
        patch.setattr(engine.Engine, "compute_loss", stopped)
        with pytest.raises(KeyboardInterrupt):
            make("recurrent", **training).fit(*rows)
    with workspace(lambda: tmp_path):
        resumed = make("recurrent", **training).fit(*rows)
    for name, tensor in whole.network_.state_dict().items():
        assert torch.equal(tensor, resumed.network_.state_dict()[name]), name
    assert resumed.history_ == whole.history_
    with workspace(lambda: tmp_path), monkeypatch.context() as patch:  # a finished fit is taken over
        patch.setattr(engine.Engine, "train", None)
        taken = make("recurrent", **training).fit(*rows)
    assert np.array_equal(taken.predict_proba(rows[0]), whole.predict_proba(rows[0]))


def test_a_half_written_checkpoint_is_passed_over(rows, tmp_path):
    folder = tmp_path / "fit-0" / "checkpoint-99"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"half")
    with workspace(lambda: tmp_path):
        model = make("bag", epochs=2).fit(*rows)
    assert model.history_[-1]["epoch"] == 2 and not folder.exists()


def test_the_best_epochs_weights_are_kept(rows):
    stop = {"metric": "accuracy", "share": 0.25, "patience": 4}
    model = make("convolutional", epochs=60, early_stopping=stop).fit(*rows)
    reached = [row["accuracy"] for row in model.history_]
    assert len(reached) < 60 and len(reached) - 1 - int(np.argmax(reached)) == 4
    held, scores = model.held_out_scores()
    found = engine.measured(scores, np.searchsorted(model.classes_, np.array(rows[1])[held]), False)
    assert found["loss"] == pytest.approx(model.history_[int(np.argmax(reached))]["valid_loss"], abs=1e-5)


def test_two_classes_and_several_labels_follow_the_contract(binary, several):
    model = make("bag").fit(*binary)
    assert model.scores(binary[0]).shape == (len(binary[0]), 1)
    assert model.score(*binary) == 1.0
    many = make("convolutional").fit(*several)
    assert many.multilabel_ and many.score(*several) > 0.9


def test_calibration_on_the_rows_held_out(rows):
    stop = {"share": 0.25}
    model = CalibratedClassifier(make("convolutional", early_stopping=stop), "temperature", folds=1)
    assert model.fit(*rows).score(*rows) > 0.7
    with pytest.raises(DataError, match="no rows were held out"):
        CalibratedClassifier(make("convolutional"), "temperature", folds=1).fit(*rows)


def test_cross_validation_by_scikit_learn(rows):
    assert len(cross_val_score(make("bag", epochs=3), *rows, cv=2)) == 2


def test_an_empty_text_is_predicted_by_the_shares_of_the_classes(rows, caplog):
    texts, labels = [*rows[0], ""], [*rows[1], rows[1][0]]
    with caplog.at_level(logging.WARNING, "gallae"):
        model = make("convolutional", epochs=2).fit(texts, labels)
    assert "1 of 33 texts have no token" in caplog.text
    found = model.predict_proba(["", texts[0], "   "])
    assert np.allclose(found[0], model.prior_, atol=1e-6) and np.allclose(found[2], model.prior_, atol=1e-6)
    assert not np.allclose(found[1], model.prior_, atol=1e-3)
    assert model.predict_proba([]).shape == (0, len(model.classes_))
    with pytest.raises(TextError, match="no token is left"):
        make("convolutional").fit(["", " "] * 4, ["a", "b"] * 4)


def test_long_texts_are_cut_and_it_is_said_once(rows, caplog):
    model = NeuralClassifier(TINY | {"family": "bag", "max_length": 2}, LEARN | {"epochs": 1})
    with caplog.at_level(logging.WARNING, "gallae"):
        model.fit(*rows)
        model.predict(rows[0])
    assert caplog.text.count("longer than model.max_length") == 1


def test_a_vocabulary_of_unknowns_only_is_refused(rows):
    with pytest.raises(TextError, match="every text would be unknown"):
        NeuralClassifier(TINY | {"family": "bag", "min_count": 999}, LEARN).fit(*rows)


def test_a_loss_that_is_no_number_stops_with_step_and_cause(rows):
    with pytest.raises(ModelError, match=r"step \d+.*learning rate"):
        make("mlp", learning_rate=1e30, optimizer="sgd", max_grad_norm=0.0).fit(*rows)


def test_a_device_that_is_not_there_is_named_before_training(rows):
    with pytest.raises(RecipeError, match=r"'cuda:9', which is not there.*cpu"):
        make("bag", device="cuda:9").fit(*rows)


@pytest.mark.parametrize("family", ["bert", "electra", "distilbert", "albert", "roberta"])
def test_any_configuration_of_transformers_is_trained_from_random_weights(family, rows):
    config = {"model_type": family, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config |= {"intermediate_size": 32, "embedding_size": 16, "dim": 16, "n_layers": 1, "n_heads": 2}
    config |= {"hidden_dim": 32}
    table = {"family": "from_config", "config": config, "vocabulary": 300, "min_count": 1}
    model = NeuralClassifier(table, LEARN | {"epochs": 2}).fit(*rows)
    assert model.network_.config.model_type == family
    assert np.isfinite(model.predict_proba(rows[0])).all()


def test_a_configuration_that_transformers_refuses_is_explained(rows):
    table = {"family": "from_config", "config": {"model_type": "brt"}, "vocabulary": 300, "min_count": 1}
    with pytest.raises(RecipeError, match="cannot make a classifier"):
        NeuralClassifier(table, LEARN).fit(*rows)


@pytest.mark.parametrize(
    ("network", "training", "problem"),
    [
        ({"family": "bag"}, {"mixup": 0.2}, "mixup changes a padded batch"),
        ({"family": "convolutional", "vectors": "kiwi", "unit": "char"}, {}, "set unit = 'morpheme_tag'"),
        ({"family": "convolutional", "train_vectors": False}, {}, "name some"),
        ({"family": "transformer", "hidden": 30, "heads": 4}, {}, "multiple of heads"),
        ({"family": "bag", "colour": 1}, {}, "colour"),
        ({"family": "cnn"}, {}, "one of mlp, bag"),
        ({"family": "bag", "offsets": False}, {"mixup": 0.2, "adversarial": 1.0}, "leave one of them 0"),
        ({"family": "bag"}, {"early_stopping": {"patience": 2}}, "set share too"),
        ({"family": "bag"}, {"epochs": 0}, "epochs"),
    ],
)
def test_options_that_do_not_fit_are_refused(network, training, problem, rows):
    with pytest.raises(RecipeError, match=problem):
        NeuralClassifier(network, training).fit(*rows)


def test_vectors_of_another_width_are_refused(rows, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("2 3\n손흥민 1 2 3\n환율 3 2 1\n", encoding="utf-8")
    table = {"family": "bag", "unit": "word", "min_count": 1, "vectors": str(path)}
    model = NeuralClassifier(table, LEARN | {"epochs": 1}).fit(*rows)
    assert model.network_.config.embedding == 3 and 0 < model.coverage_ < 0.2
    with pytest.raises(RecipeError, match=r"the vectors .* are of 3"):
        NeuralClassifier(table | {"embedding": 8}, LEARN).fit(*rows)
    path.write_text("2 3\n손흥민 1 2 3\n환율 3 2\n", encoding="utf-8")
    with pytest.raises(TextError, match=r"vectors.txt"):
        NeuralClassifier(table, LEARN).fit(*rows)


@pytest.mark.parametrize("vectors", ["word2vec", "fasttext", "glove"])
def test_vectors_are_trained_on_the_corpus(vectors, rows):
    options = {"min_count": 1, "epochs": 1}
    table = {"family": "bag", "unit": "word", "min_count": 1, "embedding": 8, "vectors": vectors}
    model = NeuralClassifier(table | {"vector_options": options}, LEARN | {"epochs": 1}).fit(*rows)
    assert model.coverage_ > 0.8


def test_the_saved_folder_is_a_checkpoint_of_transformers(rows, tmp_path):
    from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

    model = make("convolutional", epochs=2).fit(*rows)
    model.save(tmp_path / "model")
    network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "model" / "tokenizer.json"))
    batch = tokenizer([rows[0][0]], return_tensors="pt", add_special_tokens=False)
    with torch.no_grad():
        logits = network(batch["input_ids"], batch["attention_mask"]).logits.numpy()
    assert np.allclose(logits, model.scores([rows[0][0]]), atol=1e-5)
    assert list(network.config.id2label.values()) == list(model.classes_)
