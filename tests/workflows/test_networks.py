"""Networks through the workflows: a run folder with curves, a kill in the middle, the command line."""

import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import gallae
from gallae.training import engine

RECIPE = """
name = "tiny"
[model]
family = "convolutional"
unit = "word"
min_count = 1
embedding = 16
filters = 12
[training]
epochs = 5
batch_size = 8
learning_rate = 1e-2
sampler = "shuffled"
early_stopping = { share = 0.2, metric = "accuracy" }
"""
KILLED = """
import os, signal, sys
import gallae
from gallae.training import engine, trainer
trainer.SAVE_EVERY = 0.0
plain, steps = engine.Engine.compute_loss, []
def step(self, *args, **kwargs):
    steps.append(1)
    if len(steps) == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(self, *args, **kwargs)
engine.Engine.compute_loss = step
gallae.train(sys.argv[1], sys.argv[2], folds=2, output=sys.argv[3])
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipes") / "tiny.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(topics_csv, tiny, tmp_path_factory):
    return gallae.train(topics_csv, tiny, folds=2, output=tmp_path_factory.mktemp("runs") / "whole")


def predictions(run):
    return pd.read_parquet(run.folder / "predictions.parquet")


def test_a_network_leaves_a_run_like_any_other(whole, topics_csv, gallae_cli):
    assert (whole.folder / "model" / "model.safetensors").exists() is False  # one file a fold
    assert len(list((whole.folder / "model").glob("*model.safetensors"))) == 2
    page = (whole.folder / "report.html").read_text(encoding="utf-8")
    assert "How the network learned" in page and "2 networks" in page
    events = list((whole.folder / "tensorboard").glob("fold-*/fit-0/**/events.out.tfevents*"))
    assert len({event.parts[-4] for event in events} | {event.parts[-3] for event in events}) >= 2
    assert not whole.folder.with_name("whole.partial").exists()
    answer = gallae_cli("evaluate", whole.folder, topics_csv, "--json")
    assert answer.code == 0 and json.loads(answer.out)["accuracy"] > 0.5


def test_command_line_and_python_say_the_same(whole, gallae_cli):
    text = "코스피, 2% 급락 마감"
    answer = gallae_cli("predict", whole.folder, "--text", text)
    assert answer.code == 0
    assert whole.model.predict([text])[0] in answer.out


@pytest.mark.parametrize("step", [3, 17, 24])
def test_a_killed_run_goes_on_to_the_same_figures(step, whole, topics_csv, tiny, tmp_path):
    folder = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(topics_csv), str(tiny), str(folder), str(step)],
        capture_output=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-500:]
    assert folder.with_name("run.partial").is_dir() and not folder.exists()
    resumed = gallae.train(topics_csv, tiny, folds=2, resume=folder)
    expected, found = predictions(whole), predictions(resumed)
    columns = [name for name in expected if name.startswith("p_")]
    assert np.array_equal(expected[columns].to_numpy(), found[columns].to_numpy())
    assert not folder.with_name("run.partial").exists()


def test_a_training_that_diverges_leaves_nothing(topics_csv, tiny, tmp_path, gallae_cli):
    options = ["--set", "training.learning_rate=1e30", "--set", "training.optimizer=sgd"]
    options += ["--set", "training.max_grad_norm=0"]
    answer = gallae_cli("train", topics_csv, "-r", tiny, "-o", tmp_path / "run", *options)
    assert answer.code == 2 and "the loss became" in answer.err and "learning_rate" in answer.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["training.device=cuda:7"], "not there"),
        (["model.vectors=nowhere.txt"], "nowhere.txt"),
        (["training.optimiser=sgd"], "'training.optimiser'. Did you mean 'optimizer'"),
        (["training.loss=hinge"], "cross_entropy"),
        (["model.unit=syllable"], "morpheme_tag"),
        (["model.min_count=99"], "every text would be unknown"),
        (["calibration.method=temperature", "training.early_stopping={}", "calibration.folds=1"], "share"),
        (["features.blocks=[{ngrams=[1,2]}]"], "families linear and mlp"),
    ],
)
def test_mistakes_are_answered(options, problem, topics_csv, tiny, tmp_path, gallae_cli):
    chosen = [part for option in options for part in ("--set", option)]
    answer = gallae_cli("train", topics_csv, "-r", tiny, "-o", tmp_path / "run", *chosen)
    assert answer.code == 2 and problem in answer.err, answer.err
    assert list(tmp_path.iterdir()) == []


def test_training_tables_are_for_networks(topics_csv, tmp_path, gallae_cli):
    answer = gallae_cli("train", topics_csv, "-r", "fast", "--set", "training.epochs=3", "-o", tmp_path / "r")
    assert answer.code == 2 and "[training] is for networks" in answer.err


def test_without_the_extra_the_install_line_is_given(topics_csv, tiny, gallae_cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    answer = gallae_cli("train", topics_csv, "-r", tiny)
    assert answer.code == 2 and 'pip install "gallae[neural]"' in answer.err


def test_epochs_are_reported_to_whoever_watches(topics_csv, tiny):
    from gallae.training.watching import Pruned, watching

    seen = []

    def stop(step, value):
        seen.append((step, value))
        if step == 3:
            raise Pruned

    corpus = gallae.read(topics_csv)
    with watching(stop), pytest.raises(Pruned):
        gallae.build(tiny).fit(corpus.texts, corpus.labels)
    assert [step for step, _ in seen] == [1, 2, 3] and all(0 <= value <= 1 for _, value in seen)


def test_curves_can_go_to_mlflow(topics_csv, tiny, tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    gallae.train(topics_csv, tiny, output=tmp_path / "run", overrides=["training.track=mlflow"])
    assert any((tmp_path / "mlruns").rglob("eval_macro_f1"))
    assert engine.History
