"""Training in a process of its own: finished, failed, cancelled and taken up again."""

import pytest

from gallae.errors import RecipeError
from gallae.workflows.background import Background, Request
from gallae.workflows.browsing import find_runs

NETWORK = """
name = "slow"
summary = "a network that takes its time"
[model]
family = "bag"
unit = "char"
[training]
epochs = 20000
min_steps = 0
early_stopping = {patience = 0}
"""


def test_training_runs_to_its_end(topics_csv, tmp_path):
    training = Background(Request(topics_csv, ("fast",), tmp_path / "run", 0.4))
    assert training.state == "running"
    assert training.progress().now == "fast"
    assert training.wait(120) == "finished"
    assert training.progress().done == ["fast"]
    assert [run.folder.name for run in find_runs([tmp_path])] == ["run"]


def test_mistakes_are_told_in_the_commands_own_words(topics_csv, tmp_path):
    training = Background(
        Request(topics_csv, ("fast",), tmp_path / "run", reading={"label_column": "rubric"})
    )
    assert training.wait(60) == "failed"
    assert "rubric" in training.message
    assert "Traceback" not in training.message
    assert not training.resumable


def test_no_recipe_is_refused(topics_csv, tmp_path):
    with pytest.raises(RecipeError, match="at least one"):
        Background(Request(topics_csv, (), tmp_path / "run"))


def test_commands_say_what_was_asked_for(tmp_path):
    request = Request(
        tmp_path / "a.csv",
        ("fast",),
        tmp_path / "run",
        folds=3,
        reading={"text_column": "title", "label_column": ""},
    )
    command = request.command()
    assert command[:2] == ["train", str(tmp_path / "a.csv")]
    assert command[command.index("--folds") + 1] == "3"
    assert "--holdout" not in command
    assert command[command.index("--text-column") + 1] == "title"
    assert "--label-column" not in command
    assert "--resume" in request.command(resume=True)


def test_network_is_watched_cancelled_and_taken_up(topics_csv, tmp_path):
    recipe = tmp_path / "slow.toml"
    recipe.write_text(NETWORK, encoding="utf-8")
    training = Background(Request(topics_csv, (str(recipe), "fast"), tmp_path / "both", 0.4))
    curves = {}
    for _ in range(120):
        if training.wait(0.5) != "running" or curves:
            break
        curves = training.progress().curves
    assert curves
    history = next(iter(curves.values()))[0]
    assert {"epoch", "loss"} <= set(history[0])
    training.cancel()
    assert training.wait(20) == "cancelled"
    assert training.resumable
    training.resume()
    assert training.state == "running"
    training.cancel()
    assert training.wait(20) == "cancelled"
