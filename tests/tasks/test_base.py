"""What every task shares, shown on sentence pairs: recipes, fitting, runs, and what a kill leaves."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from gallae.errors import DataError, ModelError, OutputError, RecipeError
from gallae.tasks import Nli, Similarity
from gallae.tasks.holding_out import hold_out
from gallae.tasks.pair_reading import Pair
from gallae.tasks.recipe import task_recipe
from gallae.tasks.registry import TASKS, find_task, load_task
from gallae.workflows.tasks import evaluate_task, predict_task, train_task

SUBJECTS = ("한국은행", "코스피", "유엔 안보리", "손흥민", "프로야구", "수출", "환율", "류현진")
PREDICATES = ("금리 동결에 상승", "2% 급락 마감", "휴전 협상 촉구", "시즌 첫 우승")
TRAINING = {"epochs": 2, "batch_size": 8, "learning_rate": 3e-3, "device": "cpu"}
SETTINGS = ["max_length=32", *(f"training.{key}={value}" for key, value in TRAINING.items())]


def pairs(count=32):
    """Return pairs that are the same headline, or not."""
    found = []
    for number in range(count):
        first = f"{SUBJECTS[number % 8]}, {PREDICATES[number % 4]}"
        second = first if number % 3 else f"{SUBJECTS[(number + 3) % 8]}, {PREDICATES[(number + 1) % 4]}"
        found.append(Pair(first, second, "같다" if number % 3 else "다르다"))
    return found


@pytest.fixture(scope="module")
def pairs_csv(tmp_path_factory, write_table):
    rows = [(pair.first, pair.second, pair.target) for pair in pairs()]
    return write_table(
        tmp_path_factory.mktemp("pairs") / "pairs.csv", ["sentence1", "sentence2", "label"], rows
    )


@pytest.fixture(scope="module")
def run(pairs_csv, checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return train_task(
        "nli",
        pairs_csv,
        checkpoint=str(checkpoint("bert")),
        holdout=0.25,
        output=folder,
        overrides=SETTINGS,
    )


# ---- recipes


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", "Did you mean 'epochs'"),
        ("scratch.layer=2", "Did you mean 'layers'"),
        ("max_len=64", "Did you mean 'max_length'"),
        ("training.epochs=0", "training.epochs: it should be greater than or equal to 1"),
        ("training=3", "it should be a table"),
        ("training.epochs", "write it as KEY=VALUE"),
    ],
)
def test_a_wrong_field_is_named(override, message):
    with pytest.raises(RecipeError, match=message.replace(".", r"\.")):
        task_recipe("nli", None, [override])


def test_defaults_are_the_tasks_and_the_checkpoints():
    plain, scratch = task_recipe("nli"), task_recipe("nli", checkpoint="scratch")
    assert scratch.training.epochs > plain.training.epochs
    assert scratch.training.learning_rate > plain.training.learning_rate
    chosen = task_recipe("nli", {"training": {"epochs": 7}}, checkpoint="scratch", seed=3)
    assert (chosen.training.epochs, chosen.seed) == (7, 3)
    assert chosen.training.learning_rate == scratch.training.learning_rate


def test_a_recipe_is_its_own_toml(tmp_path):
    recipe = task_recipe("similarity", None, ["training.epochs=4"], checkpoint="scratch")
    (tmp_path / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    assert task_recipe("similarity", tmp_path / "recipe.toml") == recipe
    with pytest.raises(RecipeError, match="is for the task 'similarity', not for 'nli'"):
        task_recipe("nli", tmp_path / "recipe.toml")


def test_an_unknown_task_names_the_nearest():
    with pytest.raises(RecipeError, match="Did you mean 'similarity'"):
        find_task("similarty")


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_there(name):
    kind = find_task(name)
    assert kind.name == name
    assert kind.figures
    assert kind().recipe.task == name


# ---- fitting


def test_the_same_seed_gives_the_same_weights(checkpoint):
    fitted = [
        Nli(checkpoint=str(checkpoint("bert")), max_length=32, training=TRAINING).fit(pairs()) for _ in "12"
    ]
    one, other = (task.model.state_dict() for task in fitted)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert fitted[0].history == fitted[1].history
    reseeded = Nli(checkpoint=str(checkpoint("bert")), max_length=32, training=TRAINING, seed=1).fit(pairs())
    assert not np.array_equal(one["classifier.weight"], reseeded.model.state_dict()["classifier.weight"])


def test_the_history_has_the_validations_figures(checkpoint):
    task = Nli(checkpoint=str(checkpoint("bert")), max_length=32, training=TRAINING)
    task.fit(pairs(), pairs(8))
    assert [row["epoch"] for row in task.history] == [1, 2]
    assert task.history[-1]["accuracy"] == task.evaluate(pairs(8))["accuracy"]


def test_labels_in_another_order_are_mapped(checkpoint, tmp_path):
    first = Nli(checkpoint=str(checkpoint("bert")), max_length=32, training=TRAINING).fit(pairs())
    first.model.config.id2label = {0: "다르다", 1: "같다"}  # not the alphabet's order
    first.model.config.label2id = {"다르다": 0, "같다": 1}
    first.save(tmp_path / "head")
    still = {**TRAINING, "epochs": 1, "learning_rate": 1e-12}
    second = Nli(checkpoint=str(tmp_path / "head"), max_length=32, training=still).fit(pairs())
    assert second.labels == ["다르다", "같다"]
    kept = second.model.state_dict()["classifier.weight"]
    np.testing.assert_allclose(kept, first.model.state_dict()["classifier.weight"], atol=1e-6)


def test_a_head_for_other_labels_is_made_anew(checkpoint, tmp_path, caplog):
    first = Nli(checkpoint=str(checkpoint("bert")), max_length=32, training=TRAINING).fit(pairs())
    first.save(tmp_path / "head")
    renamed = [Pair(p.first, p.second, {"같다": "yes", "다르다": "no"}[p.target]) for p in pairs()]
    still = {**TRAINING, "epochs": 1, "learning_rate": 1e-12}
    second = Nli(checkpoint=str(tmp_path / "head"), max_length=32, training=still).fit(renamed)
    assert "its head is for the labels 같다, 다르다, the data has no, yes" in caplog.text
    old, new = (task.model.state_dict()["classifier.weight"] for task in (first, second))
    assert not np.allclose(old, new, atol=1e-4)


def test_what_cannot_be_fitted(checkpoint):
    folder = str(checkpoint("bert"))
    with pytest.raises(DataError, match="no labelled example"):
        Nli(checkpoint=folder).fit([])
    with pytest.raises(RecipeError, match="reads at most 12"):
        Nli(checkpoint=folder, max_length=400).fit(pairs())
    with pytest.raises(DataError, match="% of the tokens are unknown"):
        Nli(checkpoint=folder, max_length=32).fit([Pair("ξένος", "λόγος", "a"), Pair("ξένη", "γλώσσα", "b")])
    with pytest.raises(ModelError, match="is not fitted"):
        Nli(checkpoint=folder).predict(pairs())
    with pytest.raises(RecipeError, match="This machine has: cpu"):
        Nli(checkpoint=folder, max_length=32, training={**TRAINING, "device": "cuda:7"}).fit(pairs())


# ---- saving


def test_saved_and_loaded_is_the_same(checkpoint, tmp_path):
    import transformers

    task = Nli(checkpoint=str(checkpoint("roberta")), max_length=32, training=TRAINING).fit(pairs())
    task.save(tmp_path / "saved")
    loaded = Nli.load(tmp_path / "saved")
    assert loaded.predict(pairs()) == task.predict(pairs())
    assert loaded.recipe == task.recipe
    assert type(load_task(tmp_path / "saved")) is Nli
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved")
    assert theirs.config.id2label == {0: "같다", 1: "다르다"}
    with pytest.raises(OutputError, match="exists already"):
        task.save(tmp_path / "saved")
    with pytest.raises(ModelError, match="of the task 'nli', not of 'similarity'"):
        Similarity.load(tmp_path / "saved")


def test_damaged_folders_are_refused(run, tmp_path):
    import shutil

    with pytest.raises(ModelError, match=r"task\.json is missing"):
        load_task(tmp_path)
    shutil.copytree(run.folder / "model", tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    with pytest.raises(ModelError, match="damaged"):
        load_task(tmp_path)
    (tmp_path / "model" / "task.json").write_text("[]")
    with pytest.raises(ModelError, match=r"task\.json is damaged"):
        load_task(tmp_path)


# ---- runs


def test_a_run_has_its_files(run):
    names = {path.name for path in run.folder.iterdir()}
    assert names == {"recipe.toml", "metrics.json", "predictions.jsonl", "model"}
    inside = {path.name for path in (run.folder / "model").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "task.json", "README.md"} <= inside
    rows = [json.loads(line) for line in (run.folder / "predictions.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == run.metrics["n"]
    right = sum(row["label"] == row["gold"] for row in rows)
    assert right / len(rows) == run.metrics["accuracy"]
    assert run.metrics["trained_on"] + run.metrics["n"] == 32


def test_the_command_line_equals_python(run, pairs_csv, checkpoint, tmp_path, gallae_cli):
    options = [word for setting in SETTINGS for word in ("--set", setting)]
    folder = tmp_path / "run"
    done = gallae_cli(
        *("tasks", "nli", "train", pairs_csv, "--checkpoint", checkpoint("bert"), "--holdout", 0.25),
        *("-o", folder, *options),
    )
    assert done.code == 0, done.err
    assert done.err == ""
    assert f"accuracy: {run.metrics['accuracy']:.4f} (" in done.out
    assert "majority class (같다)" in done.out
    for name in ("recipe.toml", "predictions.jsonl", "model/model.safetensors"):
        assert (folder / name).read_bytes() == (run.folder / name).read_bytes()
    shown = gallae_cli("tasks", "nli", "evaluate", folder, pairs_csv, "--json")
    assert json.loads(shown.out) == evaluate_task("nli", run.folder, pairs_csv)
    said = gallae_cli("tasks", "nli", "predict", folder, pairs_csv)
    ours = Nli.load(run.folder).predict(Nli.read(pairs_csv))
    assert [json.loads(line)["label"] for line in said.out.splitlines()] == [row["label"] for row in ours]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_predictions_go_into_files(run, pairs_csv, tmp_path, suffix):
    import pandas as pd

    output = tmp_path / f"out.{suffix}"
    assert predict_task("nli", run.folder, pairs_csv, output) == 32
    readers = {"csv": pd.read_csv, "parquet": pd.read_parquet}
    table = pd.read_json(output, lines=True) if suffix == "jsonl" else readers[suffix](output)
    assert list(table.columns) == ["sentence1", "sentence2", "label", "probability", "p_같다", "p_다르다"]
    assert len(table) == 32
    with pytest.raises(OutputError, match="exists already"):
        predict_task("nli", run.folder, pairs_csv, output)


def test_mistakes_on_the_command_line(run, pairs_csv, tmp_path, gallae_cli, write_table):
    strange = write_table(tmp_path / "strange.csv", ["sentence1", "sentence2", "label"], [("a", "b", "모름")])
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    for words, message in (
        (("nli", "evaluate", run.folder, strange), "labels that the model does not know: 모름"),
        (("nli", "evaluate", run.folder, empty), "is empty"),
        (("similarity", "evaluate", run.folder, pairs_csv), "of the task 'nli'"),
        (("nli", "evaluate", tmp_path / "none", pairs_csv), "holds no model of a task"),
        (("nli", "predict", run.folder, pairs_csv, "-o", tmp_path / "x.txt"), ".csv, .jsonl, .parquet"),
        (("nli", "train", pairs_csv, "--checkpoint", "no/where/here"), "no checkpoint folder"),
        (("nli", "train", pairs_csv, "--valid", pairs_csv, "--holdout", 0.2), "contradict each other"),
        (("nli", "train", pairs_csv, "--checkpoint", "scratch", "--holdout", 2), "between 0 and 1"),
        (("nli", "train", pairs_csv, "-o", run.folder), "exists already"),
        (("nli", "train", pairs_csv, "--set", "training.epoch=1"), "Did you mean 'epochs'"),
    ):
        done = gallae_cli("tasks", *words)
        assert done.code == 2, words
        assert message in done.err
        assert "Traceback" not in done.err
    assert not list(tmp_path.glob("*.partial"))


def test_held_out_labels_are_checked_before_training(pairs_csv, checkpoint, tmp_path, write_table):
    valid = write_table(tmp_path / "valid.csv", ["sentence1", "sentence2", "label"], [("a", "b", "모름")])
    with pytest.raises(DataError, match="모름"):
        train_task(
            "nli",
            pairs_csv,
            checkpoint=str(checkpoint("bert")),
            valid=valid,
            output=tmp_path / "run",
            overrides=[*SETTINGS, "training.epochs=100000"],
        )
    assert not (tmp_path / "run").exists()


_KILLED = """
import os, signal, sys
from gallae.training import checkpoints, trainer
from gallae.workflows.tasks import train_task

trainer.SAVE_EVERY = 0.0  # a checkpoint at every step
seal, seen = checkpoints.seal, []

def kill(*arguments):
    seal(*arguments)
    seen.append(1)
    if len(seen) == 5:
        os.kill(os.getpid(), signal.SIGKILL)

checkpoints.seal = kill
data, checkpoint, output, *settings = sys.argv[1:]
train_task("nli", data, checkpoint=checkpoint, holdout=0.25, output=output, overrides=settings)
"""


def test_a_killed_run_goes_on_to_the_same_result(run, pairs_csv, checkpoint, tmp_path):
    folder = tmp_path / "run"
    words = [pairs_csv, checkpoint("bert"), folder, *SETTINGS]
    done = subprocess.run([sys.executable, "-c", _KILLED, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not folder.exists()
    assert list((tmp_path / "run.partial").rglob("whole.json"))
    settings = {"checkpoint": str(checkpoint("bert")), "holdout": 0.25, "resume": folder}
    with pytest.raises(OutputError, match="another recipe"):
        train_task("nli", pairs_csv, **settings, overrides=[*SETTINGS, "training.epochs=3"])
    resumed = train_task("nli", pairs_csv, **settings, overrides=SETTINGS)
    for name in ("recipe.toml", "predictions.jsonl", "model/model.safetensors"):
        assert (folder / name).read_bytes() == (run.folder / name).read_bytes()
    assert resumed.metrics["history"] == run.metrics["history"]
    assert not (tmp_path / "run.partial").exists()


# ---- holding out


def test_a_hold_out_keeps_classes_and_groups():
    examples = [Pair(f"전제 {number // 3}", f"가설 {number}", "abc"[number % 3]) for number in range(90)]
    train, held = hold_out(Nli(), examples, 0.2, 1)
    assert sorted([*train, *held], key=examples.index) == examples
    assert len(held) == 18
    assert not {pair.first for pair in train} & {pair.first for pair in held}
    assert hold_out(Nli(), examples, 0.2, 1) == (train, held)
    assert hold_out(Nli(), examples, 0.2, 2) != (train, held)
    scored = [Pair(f"문장 {number}", "다른 문장", float(number % 6)) for number in range(120)]
    _, held = hold_out(Similarity(), scored, 0.25, 1)
    assert sorted(pair.target for pair in held) == [score for score in range(6) for _ in range(5)]


def test_a_hold_out_needs_enough():
    with pytest.raises(DataError, match="cannot be split"):
        hold_out(Nli(), [Pair("하나", "둘", "a"), Pair("셋", "넷", "b")], 0.3, 1)
