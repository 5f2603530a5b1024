"""Training in a process of its own: finished, failed, cancelled and taken up again."""

from dataclasses import replace
from pathlib import Path

import pytest

from gallae.errors import OutputError, RecipeError
from gallae.workflows.background import Background, Request, unfinished
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
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


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


@pytest.fixture
def slow(topics_csv, tmp_path, monkeypatch):
    """A request of a comparison that takes long; its data stand in the working directory."""
    monkeypatch.chdir(topics_csv.parent)
    recipe = tmp_path / "slow.toml"
    recipe.write_text(NETWORK, encoding="utf-8")
    return Request(
        Path(topics_csv.name), ("fast", str(recipe)), tmp_path / "runs" / "both", 0.4, language="ko"
    )


def wait_for(training, seen):
    """Wait until a training is as far as `seen` asks, and return what it says."""
    for _ in range(240):
        found = seen(training.progress())
        if found or training.wait(0.25) != "running":
            break
    assert found, training.message
    return found


def test_network_is_watched_cancelled_and_taken_up(slow):
    training = Background(slow)
    curves = wait_for(training, lambda progress: progress.curves)
    history = next(iter(curves.values()))[0]
    assert {"epoch", "loss"} <= set(history[0])
    training.cancel()
    assert training.wait(20) == "cancelled"
    assert training.resumable
    training.resume()
    assert training.state == "running"
    training.cancel()
    assert training.wait(20) == "cancelled"


def test_what_another_process_left_is_found_and_taken_up(slow, topics_csv, monkeypatch):
    first = Background(slow)
    wait_for(first, lambda progress: progress.done)
    assert unfinished(slow.folder.parent) == []  # somebody is at it
    first.cancel()
    first.wait(20)
    monkeypatch.chdir(slow.folder.parent)

    [found] = unfinished(slow.folder.parent)
    assert found.request == replace(slow, data=topics_csv)
    assert (found.state, found.message, found.resumable) == ("interrupted", "", True)
    assert found.progress().done == ["fast"]
    found.resume()
    assert found.state == "running"
    with pytest.raises(OutputError, match="by another process"):
        first.resume()
    with pytest.raises(OutputError, match="by another process"):
        first.discard()
    found.cancel()
    assert found.wait(20) == "cancelled"
    assert found.progress().done == ["fast"]

    found.discard()
    assert list(slow.folder.parent.iterdir()) == []
    with pytest.raises(OutputError, match="removed by another process"):
        first.resume()


def test_damaged_requests_are_left_out(tmp_path, caplog):
    (tmp_path / "run.partial").mkdir()
    for content in ("", "[]", "{}", '{"data": "a.csv", "recipes": ["unknown"]}'):
        (tmp_path / ".run.request.json").write_text(content, encoding="utf-8")
        assert unfinished(tmp_path) == []
    assert "is left out" in caplog.text


def test_what_was_never_begun_is_forgotten(topics_csv, tmp_path):
    Request(topics_csv, ("fast",), tmp_path / "run").write()
    assert unfinished(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
