import json

import pytest

pytest.importorskip("transformers")

import torch

import gallae
from gallae.errors import OutputError, RecipeError
from gallae.workflows.lr_finding import lr_find, lr_lines

SMALL = (
    "model.unit=char",
    "model.vectors=",
    "model.extra_channel=0",
    "model.train_vectors=true",
    "model.filters=8",
    "model.embedding=16",
    "training.batch_size=16",
)


@pytest.fixture(scope="module")
def found(topics_csv, tmp_path_factory):
    torch.set_num_threads(1)
    return lr_find(
        topics_csv, "textcnn", steps=40, overrides=SMALL, output=tmp_path_factory.mktemp("lr") / "it"
    )


def test_the_suggestion_lies_where_a_small_network_learns(found):
    assert 1e-4 < found.finding.suggestion < 0.5
    assert found.finding.suggestion < found.finding.lowest
    assert f"--set training.learning_rate={found.finding.suggestion:.2g}" in "\n".join(lr_lines(found))


def test_folder(found):
    kept = json.loads((found.folder / "lr_find.json").read_text())
    assert kept["suggestion"] == found.finding.suggestion
    assert len(kept["rates"]) == len(kept["losses"]) == len(kept["smooth"]) == kept["steps"]
    page = (found.folder / "report.html").read_text()
    assert "<svg" in page
    assert f"training.learning_rate={found.finding.suggestion:.2g}" in page


def test_the_same_seed_gives_the_same_curve(found, topics_csv, tmp_path):
    torch.manual_seed(7)
    again = lr_find(topics_csv, "textcnn", steps=40, overrides=SMALL, output=tmp_path / "it")
    assert again.finding.losses.tolist() == found.finding.losses.tolist()


def test_accumulation_and_korean(topics_csv, tmp_path):
    overrides = [*SMALL, "training.accumulation=2", "training.optimizer=muon"]
    found = lr_find(
        topics_csv, "textcnn", steps=20, overrides=overrides, output=tmp_path / "it", language="ko"
    )
    assert 'lang="ko"' in (found.folder / "report.html").read_text()


def test_several_labels(several_csv, tmp_path):
    found = lr_find(
        several_csv, "textcnn", steps=30, overrides=SMALL, output=tmp_path / "it", label_separator="|"
    )
    losses = found.finding.losses
    assert len(losses) > 10 and losses.min() < losses[0]


def test_a_recipe_without_a_learning_rate_is_refused(topics_csv, tmp_path):
    with pytest.raises(RecipeError, match=r"linear.*textcnn"):
        lr_find(topics_csv, "fast", output=tmp_path / "it")


def test_outputs_are_not_lost(found, topics_csv, tmp_path):
    with pytest.raises(OutputError, match="--force"):
        lr_find(topics_csv, "textcnn", output=found.folder)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(OutputError):
        lr_find(topics_csv, "textcnn", output=tmp_path, force=True)


def test_command(gallae_cli, topics_csv, tmp_path):
    options = [part for field in SMALL for part in ("--set", field)]
    folder = tmp_path / "it"
    answer = gallae_cli("lr-find", topics_csv, "-r", "textcnn", *options, "--steps", "30", "-o", folder)
    assert answer.code == 0, answer.err
    assert f"report: {folder / 'report.html'}" in answer.out
    again = gallae_cli("lr-find", topics_csv, *options, "--steps", "20", "--force", "-o", folder, "--quiet")
    assert again.code == 0, again.err
    wrong = gallae_cli("lr-find", topics_csv, "--low", "1", "--high", "0.1", *options, "-o", tmp_path / "no")
    assert wrong.code == 2
    assert "higher high" in wrong.err
    assert gallae.__version__ in (folder / "report.html").read_text()
