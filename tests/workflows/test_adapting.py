"""Models adapted to the label balance of the texts at hand."""

import csv

import numpy as np
import pytest

import gallae
from gallae.errors import DataError, GallaeError, ModelError, RecipeError
from gallae.models.label_shift import estimated_balance
from gallae.workflows.adapting import adapt


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on about equally many headlines a topic, and headlines that it has not seen."""
    corpus = gallae.sample("headlines")
    order = np.random.default_rng(0).permutation(len(corpus))
    folder = tmp_path_factory.mktemp("balance") / "run"
    return gallae.train(corpus.take(sorted(order[:700])), "fast", output=folder), corpus.take(order[700:])


@pytest.fixture(scope="module")
def shifted(run, tmp_path_factory):
    """A labelled file in which half of the rows are of one topic."""
    _, rest = run
    often = [row for row, label in enumerate(rest.labels) if label == "사회"]
    rare = [row for label in sorted(set(rest.labels) - {"사회"}) for row in rows_of(rest, label)[:10]]
    chosen = rest.take(often + rare)
    path = tmp_path_factory.mktemp("shifted") / "shifted.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("title", "topic"), *zip(chosen.texts, chosen.labels, strict=True)])
    return path


def rows_of(corpus, label):
    return [row for row, found in enumerate(corpus.labels) if found == label]


def test_the_balance_is_found_and_the_right_answers_grow(run, shifted):
    model = run[0].model
    corpus = gallae.read(shifted)
    adapted = adapt(model, [corpus.texts[:50], corpus.texts[50:]])
    true = np.array([corpus.labels.count(label) for label in model.classes_]) / len(corpus)
    assert np.abs(adapted.balance_ - true).sum() < 0.6 * np.abs(model.balance_ - true).sum()
    plain, better = (gallae.evaluate(model, corpus, adapt_balance=wanted) for wanted in (False, True))
    assert better["accuracy"] > plain["accuracy"] + 0.03
    assert better["log_loss"] < plain["log_loss"]
    assert plain["adapted"]["accuracy"] == better["accuracy"] and "adapted" not in better
    assert plain["adapted"]["macro_f1"] == pytest.approx(better["macro_f1"])
    assert np.array_equal(gallae.load(run[0].folder).balance_, model.balance_)


def test_command_line_and_python_agree(run, shifted, gallae_cli, tmp_path):
    folder = run[0].folder
    assert gallae_cli("predict", folder, shifted, "--adapt-balance", "-o", tmp_path / "out.csv").code == 0
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    corpus = gallae.read(shifted)
    assert labels == list(adapt(run[0].model, [corpus.texts]).predict(corpus.texts))
    assert labels != list(run[0].model.predict(corpus.texts))
    plain, adapted = (
        gallae_cli("evaluate", folder, shifted),
        gallae_cli("evaluate", folder, shifted, "--adapt-balance"),
    )
    assert adapted.code == 0 and "--adapt-balance" in plain.out and "--adapt-balance" not in adapted.out


def test_a_submission_is_adapted_too(run, shifted, tmp_path):
    corpus = gallae.read(shifted)
    table = [("index", "title"), *enumerate(corpus.texts)]
    sample = [("index", "topic"), *((row, "사회") for row in range(len(corpus)))]
    for name, rows in {"test.csv": table, "sample.csv": sample}.items():
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    files = (tmp_path / "test.csv", tmp_path / "sample.csv", tmp_path / "out.csv")
    gallae.submit(run[0].folder, *files, adapt_balance=True)
    with files[-1].open(encoding="utf-8", newline="") as file:
        found = [row["topic"] for row in csv.DictReader(file)]
    assert found == list(adapt(run[0].model, [corpus.texts]).predict(corpus.texts))


def test_what_cannot_be_adapted_is_told(run, shifted, gallae_cli, several_run):
    model = run[0].model
    with pytest.raises(DataError, match=r"3 texts say too little.*100 are the least"):
        adapt(model, [["가", "나", "다"]])
    with pytest.raises(ModelError, match="calibrated as a whole"):
        adapt(model.estimator_, [["가"] * 100])
    with pytest.raises(GallaeError, match="which a pipe does not allow"):
        gallae.predict(model, "-", adapt_balance=True)
    with pytest.raises(RecipeError, match="multinomial or flat"):
        adapt(several_run.model.members_[0], [["가"] * 100])
    answer = gallae_cli("predict", run[0].folder, "--text", "비", "--adapt-balance")
    assert answer.code == 2 and "100 are the least" in answer.err


def test_the_estimate_is_the_true_balance_of_an_ideal_classifier():
    truth = np.repeat([0, 1, 2], [600, 300, 100])
    ideal = np.where(np.eye(3)[truth] > 0, 0.98, 0.01)
    found = estimated_balance(ideal, np.full(3, 1 / 3))
    assert np.allclose(found, [0.6, 0.3, 0.1], atol=0.02)
