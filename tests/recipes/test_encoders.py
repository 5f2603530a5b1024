"""Shipped recipes of pretrained encoders: the study's settings, licence and size, and two steps of each."""

import os
import re
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch

import gallae
from gallae.data import sample
from gallae.pretrained.known import KNOWN
from gallae.recipes import find_recipe, shipped_recipes

ENCODERS = {name: recipe for name, recipe in shipped_recipes().items() if recipe.model.family == "encoder"}
NAMED = (
    *("encoder", "kobert", "distilkobert", "kcbert", "kcbert-large", "kykim-bert", "kykim-albert"),
    *("koelectra-small", "koelectra-base", "kcelectra", "klue-bert", "klue-roberta-small"),
    *("klue-roberta-base", "klue-roberta-large", "kobigbird", "deberta-v3", "longformer", "mbert", "xlm-r"),
    *("modernbert", "bert-base-uncased", "koelectra-small-dialect", "gallae-small"),
)
# Which architecture stands behind each, so that a small one can stand in for it.
FAMILIES = {
    "encoder": "bert",
    "kobert": "bert",
    "distilkobert": "distilbert",
    "kcbert": "bert",
    "kcbert-large": "bert",
    "kykim-bert": "bert",
    "kykim-albert": "albert",
    "koelectra-small": "electra",
    "koelectra-small-dialect": "electra",
    "koelectra-base": "electra",
    "kcelectra": "electra",
    "klue-bert": "bert",
    "klue-roberta-small": "roberta",
    "klue-roberta-base": "roberta",
    "klue-roberta-large": "roberta",
    "kobigbird": "big_bird",
    "deberta-v3": "deberta-v2",
    "longformer": "longformer",
    "mbert": "bert",
    "xlm-r": "xlm-roberta",
    "modernbert": "modernbert",
    "bert-base-uncased": "bert",
    "gallae-small": "modernbert",
}
STUDY = {
    "kobert": {
        "model.checkpoint": "skt/kobert-base-v1",
        "model.dropout": 0.5,
        "training.optimizer": "adamw",
        "training.learning_rate": 5e-5,
        "training.weight_decay": 0.01,
        "training.schedule": "cosine",
        "training.warmup": 0.1,
        "training.max_grad_norm": 1.0,
        "training.epochs": 5,
    },
    "distilkobert": {
        "model.checkpoint": "monologg/distilkobert",
        "model.max_length": 48,
        "training.batch_size": 32,
        "training.warmup": 0.1,
        "training.learning_rate": 5e-5,
    },
    "koelectra-small-dialect": {
        "model.checkpoint": "monologg/koelectra-small-v3-discriminator",
        "model.max_length": 256,
        "training.batch_size": 256,
        "training.learning_rate": 1e-4,
        "training.epochs": 5,
    },
    "kykim-albert": {"model.checkpoint": "kykim/albert-kor-base", "training.batch_size": 16},
    "kcbert": {"model.checkpoint": "beomi/kcbert-base", "training.batch_size": 128},
    "kykim-bert": {"model.checkpoint": "kykim/bert-kor-base", "training.batch_size": 128},
}
for _name in ("kcbert", "kykim-bert", "kykim-albert"):
    STUDY[_name] |= {
        "model.max_length": 100,
        "training.learning_rate": 5e-5,
        "training.warmup": 0.2,
        "training.epochs": 10,
    }
RADAM = ["training.optimizer=radam", "training.learning_rate=1e-4", "training.warmup=0"]


def field(recipe, key):
    for part in key.split("."):
        recipe = getattr(recipe, part)
    return recipe


def test_all_are_there():
    assert set(ENCODERS) == set(NAMED) == set(FAMILIES)


@pytest.mark.parametrize("name", STUDY)
def test_the_studys_settings(name):
    for key, expected in STUDY[name].items():
        assert field(ENCODERS[name], key) == expected, key


@pytest.mark.parametrize("name", ["kcbert", "kcbert-large", "kykim-bert", "kykim-albert"])
def test_the_studys_other_run_is_told_and_valid(name):
    text = (resources.files("gallae.recipes") / f"{name}.toml").read_text("utf-8")
    assert " ".join(f"--set {override}" for override in RADAM) in text
    recipe = find_recipe(name, RADAM)
    assert (recipe.training.optimizer, recipe.training.learning_rate, recipe.training.warmup) == (
        "radam",
        1e-4,
        0,
    )


def test_large_sizes_take_as_many_rows_a_step_in_smaller_parts():
    assert (
        ENCODERS["kcbert-large"].training.batch_size * ENCODERS["kcbert-large"].training.accumulation == 128
    )


@pytest.mark.parametrize("name", [name for name in NAMED if name != "encoder"])
def test_licence_and_size_of_every_checkpoint_are_known(name):
    known = KNOWN[ENCODERS[name].model.checkpoint]
    assert known.licence and 5 < known.parameters < 1000
    assert re.search(r"\d+ M$", str(known))


def test_no_checkpoint_is_known_for_nothing():
    assert set(KNOWN) <= {recipe.model.checkpoint for recipe in ENCODERS.values()} | {""}


def test_the_list_of_recipes_tells_checkpoint_licence_and_size(gallae_cli):
    told = gallae_cli("recipes").out.splitlines()
    lines = dict(line.split(": ", 1) for line in told if ": " in line)
    assert lines["kobert"].endswith(" [extra: neural; skt/kobert-base-v1, Apache-2.0, 92 M]")
    assert lines["klue-roberta-large"].endswith("; klue/roberta-large, CC-BY-SA-4.0, 337 M]")
    assert "licence not stated" in lines["koelectra-small"]
    assert lines["encoder"].endswith(" [extra: neural]")
    assert lines["textcnn"].endswith(" [extra: neural]") and lines["default"].endswith("SVM")


def test_the_page_tells_the_same():
    page = (Path(__file__).parents[2] / "docs" / "encoders.md").read_text("utf-8")
    rows = {row.split("|")[1].strip(" `"): row for row in page.splitlines() if row.startswith("| `")}
    for name, recipe in ENCODERS.items():
        if recipe.model.checkpoint:
            known = KNOWN[recipe.model.checkpoint]
            told = (f"`{recipe.model.checkpoint}`", f" {known.licence.removeprefix('licence ')} ")
            assert all(part in rows[name] for part in (*told, f" {known.parameters} M "))
        told = (recipe.model.max_length, recipe.training.epochs)
        assert all(f"| {value} |" in rows[name] for value in told), name


@pytest.mark.parametrize("name", NAMED)
def test_every_recipe_takes_two_steps(name, checkpoint, tmp_path):
    corpus = sample("headlines").take(np.arange(0, 960, 24))
    overrides = [
        f"model.checkpoint={checkpoint(FAMILIES[name])}",
        "model.revision=",
        f"model.max_length={min(64, ENCODERS[name].model.max_length)}",
        "model.max_unknown=1",  # forty headlines are too few for the small tokenizer
        "training.epochs=1",
        "training.batch_size=20",
        "training.accumulation=1",
        "training.precision=float32",
        "training.track=none",
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = gallae.build(find_recipe(name, overrides)).fit(corpus.texts, corpus.labels)
    torch.set_num_threads(threads)
    assert model.history_[-1]["step"] == 2
    found = model.predict_proba(corpus.texts[:5])
    assert np.isfinite(found).all() and np.allclose(found.sum(axis=1), 1)
    model.save(tmp_path / "model")
    assert np.allclose(gallae.load(tmp_path / "model").predict_proba(corpus.texts[:5]), found, atol=1e-6)


@pytest.mark.parametrize("offline", ["1", ""])
def test_offline_with_nothing_cached_one_message_before_any_data_is_read(offline, tmp_path):
    """`offline` empty: the hub is at an address where nobody answers."""
    environment = os.environ | {
        "HF_HOME": str(tmp_path / "hub"),
        "HF_HUB_OFFLINE": offline,
        "HF_ENDPOINT": "http://127.0.0.1:9",
    }
    data = tmp_path / "there-is-no-such-file.csv"
    command = [sys.executable, "-m", "gallae", "train", str(data), "-r", "klue-roberta-base"]
    begun = time.monotonic()
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert time.monotonic() - begun < 60
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "klue/roberta-base" in done.stderr and "hf download" in done.stderr
    assert "there-is-no-such-file" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("run*"))
