"""`gallae export`: the folder it writes, what it reports, and that every way of predicting agrees."""

import json

import numpy as np
import pandas as pd
import pytest

import gallae
from gallae.errors import DataError, ModelError, OutputError, RecipeError
from gallae.models.onnx_export import TOLERANCE

SMALL = [
    "model.unit=word",
    "model.min_count=1",
    "model.vectors=",
    "model.embedding=16",
    "model.filters=8",
    "model.unseen_vectors=false",
    "training.epochs=3",
    "training.min_steps=0",
    "training.track=none",
]


@pytest.fixture(scope="module")
def run(topics_csv, tmp_path_factory):
    return gallae.train(
        topics_csv, "textcnn", holdout=0.25, overrides=SMALL, output=tmp_path_factory.mktemp("runs") / "run"
    )


@pytest.fixture(scope="module")
def folder(run, topics_csv, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "onnx"
    gallae.export(run.folder, folder, sample=topics_csv)
    return folder


def test_trained_predicted_loaded_and_exported_probabilities_agree(run, folder, gallae_cli, tmp_path):
    held = run.predictions
    columns = [name for name in held if name.startswith("p_")]
    texts = held["text"].tolist()
    for at in (run.folder, folder):
        assert np.abs(gallae.load(at).predict_proba(texts) - held[columns]).to_numpy().max() < TOLERANCE
        file = tmp_path / f"{at.name}.csv"
        pd.DataFrame({"text": texts}).to_csv(tmp_path / "texts.csv", index=False)
        arguments = ("predict", at, tmp_path / "texts.csv", "--top-k", "0", "--threads", "1", "-o", file)
        assert gallae_cli(*arguments).code == 0
        assert np.abs(pd.read_csv(file)[columns] - held[columns]).to_numpy().max() < TOLERANCE


def test_what_is_written_and_reported(run, folder, topics_csv):
    report = json.loads((folder / "export.json").read_text())
    assert report["precision"] == "float32" and report["networks"] == 1
    assert report["largest_logit_difference"] < report["tolerance"] == TOLERANCE
    sample = report["sample"]
    assert sample["rows"] == 72 and sample["agreement"] == 1.0 and sample["largest_difference"] < TOLERANCE
    assert (
        sample["accuracy"] == sample["accuracy_before"] == gallae.evaluate(run.folder, topics_csv)["accuracy"]
    )
    assert gallae.evaluate(folder, topics_csv, threads=1)["macro_f1"] == pytest.approx(sample["macro_f1"])
    assert (folder / "model.onnx").exists() and "Exported to ONNX" in (folder / "README.md").read_text()


def test_8_bits_and_their_price_on_the_command_line(run, topics_csv, tmp_path, gallae_cli):
    out = tmp_path / "int8"
    answer = gallae_cli("export", run.folder, "-o", out, "--int8")
    assert answer.code == 0 and "was not measured" in answer.err and (out / "model.int8.onnx").exists()
    assert "exists already" in gallae_cli("export", run.folder, "-o", out).err
    unlabelled = tmp_path / "texts.csv"
    pd.read_csv(topics_csv)[["title"]].to_csv(unlabelled, index=False)
    arguments = ("export", run.folder, "-o", out, "--int8", "--sample", unlabelled, "--force", "--json")
    answer = gallae_cli(*arguments)
    report = json.loads(answer.out)
    assert answer.code == 0 and report["precision"] == "int8" and report["mb"] > 0
    assert report["sample"]["agreement"] > 0.9 and "accuracy" not in report["sample"]
    assert 0 < report["sample"]["mean_difference"] <= report["sample"]["largest_difference"] < 0.1


def test_what_has_no_network_and_what_was_exported_is_refused(topics_run, folder, tmp_path):
    with pytest.raises(ModelError, match="no network in this model"):
        gallae.export(topics_run.folder, tmp_path / "out")
    with pytest.raises(ModelError, match="was exported already"):
        gallae.export(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_is_not_exported_over_itself(run, folder, tmp_path, gallae_cli):
    for options in ((), ("--force",)):
        answer = gallae_cli("export", run.folder, "-o", run.folder / "model", *options)
        assert answer.code == 2 and "which would be lost" in answer.err
    assert gallae.load(run.folder).predict(["코스피"]).size == 1
    (tmp_path / "file").write_text("mine")
    answer = gallae_cli("export", run.folder, "-o", tmp_path / "file", "--force")
    assert answer.code == 2 and "is a file" in answer.err and (tmp_path / "file").read_text() == "mine"


def test_an_exported_model_has_no_layers_to_embed(folder):
    with pytest.raises(ModelError, match="exported to ONNX"):
        gallae.embed(folder, texts=["코스피"])


def test_foreign_folders_and_bad_samples_are_refused_first(run, tmp_path, monkeypatch):
    from gallae.workflows import exporting

    monkeypatch.setattr(exporting, "_exported", None)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(OutputError, match="holds something else"):
        gallae.export(run.folder, tmp_path / "mine", force=True)
    with pytest.raises(DataError):
        gallae.export(run.folder, tmp_path / "out", sample=tmp_path / "absent.csv")


def test_a_damaged_network_ends_with_a_message(folder, tmp_path, gallae_cli):
    import shutil

    broken = shutil.copytree(folder, tmp_path / "broken")
    content = (broken / "model.onnx").read_bytes()
    (broken / "model.onnx").write_bytes(content[:-50] + bytes(50))
    answer = gallae_cli("predict", broken, "--text", "코스피")
    assert answer.code == 2 and "model.onnx is damaged" in answer.err and "Traceback" not in answer.err


def test_threads_must_be_a_number_above_0(folder, gallae_cli):
    assert gallae_cli("predict", folder, "--text", "코스피", "--threads", "0").code == 2
    with pytest.raises((ModelError, RecipeError), match="threads is 0"):
        gallae.load(folder, threads=0)
