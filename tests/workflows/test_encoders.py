"""Fine-tuned checkpoints through the workflows: runs, folds, search, ensembles, the command line."""

import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import gallae

OPTIONS = ("model.max_length=24", "training.epochs=1", "training.batch_size=16", "training.track=none")
KILLED = """
import os, signal, sys
import gallae
from gallae.training import engine, trainer
trainer.SAVE_EVERY = 0.0
plain, steps = engine.Engine.compute_loss, []
def step(self, *args, **kwargs):
    steps.append(1)
    if len(steps) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(self, *args, **kwargs)
engine.Engine.compute_loss = step
gallae.train(sys.argv[1], "encoder", folds=2, output=sys.argv[2], overrides=sys.argv[3:])
"""


@pytest.fixture(scope="module")
def options(checkpoint):
    """The overrides that make the recipe `encoder` tiny."""
    return [f"model.checkpoint={checkpoint('bert')}", *OPTIONS]


def as_arguments(options):
    return [part for option in options for part in ("--set", option)]


def probabilities(run):
    table = pd.read_parquet(run.folder / "predictions.parquet")
    return table[[name for name in table if name.startswith("p_")]].to_numpy()


def test_the_command_line_trains_and_predicts_without_the_checkpoint(
    topics_csv, checkpoint, tmp_path, gallae_cli
):
    import shutil

    folder = shutil.copytree(checkpoint("bert"), tmp_path / "mine")
    options = [f"model.checkpoint={folder}", *OPTIONS]
    arguments = ["train", topics_csv, "-r", "encoder", "--holdout", "0.25", "-o", tmp_path / "run"]
    answer = gallae_cli(*arguments, *as_arguments(options))
    assert answer.code == 0, answer.err
    shutil.rmtree(folder)
    answer = gallae_cli("predict", tmp_path / "run", "--text", "코스피, 2% 급락 마감")
    assert answer.code == 0, answer.err
    assert gallae.load(tmp_path / "run").predict(["코스피, 2% 급락 마감"])[0] in answer.out
    answer = gallae_cli("evaluate", tmp_path / "run", topics_csv, "--json")
    assert answer.code == 0 and 0 <= json.loads(answer.out)["accuracy"] <= 1


def test_a_killed_run_goes_on_to_the_same_figures(topics_csv, options, tmp_path):
    folder = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(topics_csv), str(folder), *options],
        capture_output=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-500:]
    resumed = gallae.train(topics_csv, "encoder", folds=2, resume=folder, overrides=options)
    whole = gallae.train(topics_csv, "encoder", folds=2, output=tmp_path / "whole", overrides=options)
    assert np.array_equal(probabilities(resumed), probabilities(whole))


@pytest.mark.parametrize("method", ["temperature", "multinomial"])
def test_calibration_on_held_out_rows(method, topics_csv, options, tmp_path):
    more = ["training.early_stopping.share=0.25", "calibration.folds=1", f"calibration.method={method}"]
    run = gallae.train(topics_csv, "encoder", output=tmp_path / "run", overrides=[*options, *more])
    found = run.model.predict_proba(["코스피, 2% 급락 마감"])
    assert np.array_equal(gallae.load(run.folder).predict_proba(["코스피, 2% 급락 마감"]), found)


def test_several_labels_get_thresholds(several_csv, options, tmp_path):
    more = ["calibration.method=thresholds", "calibration.folds=2"]
    run = gallae.train(
        several_csv, "encoder", label_separator="|", output=tmp_path / "run", overrides=[*options, *more]
    )
    assert run.model.multilabel_ and len(gallae.load(run.folder).thresholds) == 3


def test_an_ensemble_of_an_encoder_and_a_linear_model(topics_csv, checkpoint, tmp_path):
    model = {"family": "encoder", "checkpoint": str(checkpoint("electra")), "max_length": 24}
    member = {"name": "tiny", "model": model, "training": {"epochs": 1, "track": "none"}}
    recipe = gallae.Recipe.model_validate({"model": {"family": "ensemble", "members": ["fast", member]}})
    run = gallae.train(topics_csv, recipe, output=tmp_path / "run")
    assert gallae.load(run.folder).predict(["코스피, 2% 급락 마감"]).shape == (1,)


def test_a_learning_rate_is_found(topics_csv, options, tmp_path, gallae_cli):
    arguments = ["lr-find", topics_csv, "-r", "encoder", "--steps", "20", "-o", tmp_path / "lr"]
    answer = gallae_cli(*arguments, *as_arguments(options))
    assert answer.code == 0 and "learning rate" in answer.out, answer.err


def test_a_search_over_its_own_space(topics_csv, options, tmp_path, gallae_cli):
    pytest.importorskip("optuna")
    arguments = ["search", topics_csv, "-r", "encoder", "--trials", "2", "-o", tmp_path / "search"]
    answer = gallae_cli(*arguments, "--holdout", "0.25", *as_arguments([*options, "training.epochs=2"]))
    assert answer.code == 0, answer.err


def test_training_defaults_are_those_of_encoders_unless_given():
    recipe = gallae.Recipe.model_validate(
        {"model": {"family": "encoder", "checkpoint": "x"}, "training": {"epochs": 9}}
    )
    assert (recipe.training.epochs, recipe.training.batch_size, recipe.training.learning_rate) == (
        9,
        32,
        5e-5,
    )
    assert recipe.calibration.method == "none" and recipe.extras() == ("neural",)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "set one of the hub, such as --set model.checkpoint=klue/roberta-base"),
        (["model.checkpoint=./nowhere"], "no checkpoint folder './nowhere'"),
        (["model.checkpoint=.", "model.pooling=last"], "model.pooling"),
        (["model.checkpoint=.", "model.stride=4"], "windows = true"),
        (["model.checkpoint=.", "model.lora.rnk=4"], "Did you mean 'rank'"),
        (["model.checkpoint=.", "features.blocks=[{ngrams=[1,2]}]"], "families linear and mlp"),
    ],
)
def test_mistakes_are_answered_before_data_is_read(options, problem, tmp_path, gallae_cli, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = gallae_cli(
        "train", tmp_path / "absent.csv", "-r", "encoder", "-o", "run", *as_arguments(options)
    )
    assert answer.code == 2 and problem in answer.err, answer.err
    assert list(tmp_path.iterdir()) == []
