"""The main job on real data: train, measure, save, predict, submit, evaluate. Nothing here is timed."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

import gallae

ROOT = Path(os.environ.get("GALLAE_DATA", Path(__file__).parents[3] / "shared" / "data"))
pytestmark = pytest.mark.skipif(
    not (ROOT / "ynat").is_dir(), reason=f"no data sets in {ROOT} (set GALLAE_DATA to their folder)"
)
RECURRENT_MACRO_F1, RECURRENT_ACCURACY = 0.752, 0.789  # the student projects' LSTMs, after hours


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ynat") / "run"
    return gallae.train(ROOT / "ynat" / "train_data.csv", recipe="fast", holdout=0.2, output=folder)


@pytest.fixture(scope="module")
def held_out(run, tmp_path_factory):
    """Two thousand held-out rows as two files, labels by name and by id."""
    rows = run.predictions.iloc[:2000]
    ids = gallae.read(ROOT / "ynat" / "train_data.csv").label_set.ids
    folder = tmp_path_factory.mktemp("held-out")
    for name, labels in {"names": rows["label"], "ids": rows["label"].map(ids)}.items():
        rows[["text"]].assign(topic=labels).to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_headlines_beat_the_recurrent_networks(run):
    assert run.metrics["n"] == 7_309
    assert run.metrics["macro_f1"] > 0.83
    assert run.metrics["macro_f1_interval"][0] > RECURRENT_MACRO_F1
    assert run.metrics["accuracy_interval"][0] > RECURRENT_ACCURACY
    assert run.metrics["ece"] < 0.05


def test_the_run_folder_is_whole(run):
    assert {path.name for path in run.folder.iterdir()} == {
        "recipe.toml",
        "metrics.json",
        "predictions.parquet",
        "report.html",
        "model",
    }
    table = run.predictions
    probabilities = table[[column for column in table.columns if column.startswith("p_")]].to_numpy()
    assert probabilities.shape == (7_309, 7)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (table["label"] == table["predicted"]).mean() == pytest.approx(run.metrics["accuracy"])
    assert np.array_equal(run.model.predict_proba(table["text"].tolist()), probabilities)


def test_submission_has_the_sample_s_ids_in_its_order(run, tmp_path):
    sample, out = ROOT / "ynat" / "sample_submission.csv", tmp_path / "submission.csv"
    assert gallae.submit(run.folder, ROOT / "ynat" / "test_data.csv", sample, out) == 9_131
    with sample.open(encoding="utf-8", newline="") as file:
        wanted = list(csv.reader(file))
    with out.open(encoding="utf-8", newline="") as file:
        written = list(csv.reader(file))
    assert written[0] == wanted[0]
    assert [row[0] for row in written] == [row[0] for row in wanted]
    assert {row[1] for row in written[1:]} == set("0123456")


def test_submission_says_what_predict_says(run, tmp_path):
    test = ROOT / "ynat" / "test_data.csv"
    gallae.submit(run.folder, test, ROOT / "ynat" / "sample_submission.csv", tmp_path / "submission.csv")
    assert gallae.predict(run.folder, test, output=tmp_path / "predictions.csv") == 9_131
    ids = gallae.read(ROOT / "ynat" / "train_data.csv").label_set.ids
    with (tmp_path / "submission.csv").open(encoding="utf-8", newline="") as file:
        submitted = [row["topic_idx"] for row in csv.DictReader(file)]
    with (tmp_path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        predicted = [ids[row["label"]] for row in csv.DictReader(file)]
    assert submitted == predicted


def test_evaluation_takes_names_and_ids_alike(run, held_out):
    by_name = gallae.evaluate(run.folder, held_out / "names.csv")
    by_id = gallae.evaluate(run.folder, held_out / "ids.csv")
    assert by_name.pop("seconds") > 0
    assert by_id.pop("seconds") > 0
    assert by_name == by_id
    rows = run.predictions.iloc[:2000]
    assert by_name["accuracy"] == pytest.approx((rows["label"] == rows["predicted"]).mean())


def test_reviews(tmp_path):
    chance = np.random.default_rng(0)
    train, test = gallae.read(ROOT / "nsmc" / "ratings_train.txt"), ROOT / "nsmc" / "ratings_test.txt"
    some = train.take(np.sort(chance.permutation(len(train))[:20_000]))
    run = gallae.train(some, recipe="fast", valid=test, output=tmp_path / "run", report=False)
    assert run.metrics["n"] == 20_000
    assert run.metrics["accuracy"] > 0.83


def test_several_labels_a_comment(tmp_path):
    comments = gallae.read(ROOT / "unsmile" / "unsmile_train_v1.0.tsv")
    some = comments.take(np.arange(0, len(comments), 3))
    run = gallae.train(some, recipe="fast", holdout=0.2, output=tmp_path / "run", report=False)
    assert run.metrics["micro_f1"] > 0.5
    assert 0.3 < run.metrics["subset_accuracy"] < run.metrics["accuracy"]
    assert set(run.metrics["per_class"]) == set(comments.label_set.names)
    assert all(isinstance(labels, tuple) for labels in run.model.predict(some.texts[:20]))
