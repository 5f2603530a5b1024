"""Interrupted runs: what is finished is kept, and going on gives the same as never having stopped."""

import json
from pathlib import Path

import pytest

import gallae
from gallae.errors import OutputError
from gallae.files import lock
from gallae.models.linear import LinearClassifier


def untimed(run):
    timed = {"seconds", "fit_seconds", "texts_per_second", "peak_memory_mb"}
    return {key: value for key, value in run.metrics.items() if key not in timed}


@pytest.fixture
def stop_at(monkeypatch):
    """Press Ctrl-C at the n-th fit (a fit of `fast`, calibration included, is one); returns the count."""
    fits = []

    def arm(number):
        fits.clear()
        real = LinearClassifier.fit_with_scores

        def fit(self, *arguments):
            fits.append(1)
            if len(fits) == number:
                raise KeyboardInterrupt
            return real(self, *arguments)

        monkeypatch.setattr(LinearClassifier, "fit_with_scores", fit)
        return fits

    yield arm


def test_resumed_folds_equal_an_uninterrupted_run(topics_csv, tmp_path, monkeypatch, stop_at, caplog):
    options = {"recipe": "fast", "folds": 3, "report": False}
    whole = gallae.train(topics_csv, output=tmp_path / "whole", **options)
    with monkeypatch.context(), pytest.raises(KeyboardInterrupt):
        stop_at(3)
        gallae.train(topics_csv, output=tmp_path / "run", **options)
    monkeypatch.undo()
    assert f"--resume {tmp_path / 'run'}" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.partial", "whole"]
    assert sorted(p.name for p in (tmp_path / "run.partial").iterdir()) == [
        "fold-0",
        "fold-1",
        "request.json",
    ]
    with pytest.raises(OutputError, match=r"interrupted.*--resume"):
        gallae.train(topics_csv, output=tmp_path / "run", **options)
    fits = stop_at(99)
    resumed = gallae.train(topics_csv, resume=tmp_path / "run.partial", **options)
    assert len(fits) == 1
    assert untimed(resumed) == untimed(whole)
    assert resumed.predictions.equals(whole.predictions)
    texts = whole.predictions["text"].tolist()
    assert (resumed.model.predict_proba(texts) == whole.model.predict_proba(texts)).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "whole"]


def test_resumed_comparison(topics_csv, tmp_path, monkeypatch, stop_at):
    options = {"recipes": ["fast", "bow"], "folds": 2}
    whole = gallae.compare(topics_csv, output=tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        stop_at(4)  # the second fold of the second recipe
        gallae.compare(topics_csv, output=tmp_path / "c", **options)
    monkeypatch.undo()
    assert {path.name for path in (tmp_path / "c.partial").iterdir()} == {
        "request.json",
        "fast",
        "bow.partial",
    }
    fits = stop_at(99)
    resumed = gallae.compare(topics_csv, resume=tmp_path / "c", **options)
    assert len(fits) == 1
    figures = ["recipe", "macro_f1", "accuracy", "log_loss", "ece"]
    assert resumed.table[figures].equals(whole.table[figures])
    assert resumed.pairs == whole.pairs
    for name, run in whole.runs.items():
        assert untimed(run) == untimed(resumed.runs[name])
        assert run.predictions.equals(resumed.runs[name].predictions)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "whole"]


def test_a_failing_page_loses_no_recipe(topics_csv, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("gallae.workflows.comparing._page", fail)
        gallae.compare(topics_csv, ["fast", "bow"], output=tmp_path / "c")
    assert {path.name for path in (tmp_path / "c.partial").iterdir()} == {"request.json", "fast", "bow"}
    assert len(gallae.compare(topics_csv, ["fast", "bow"], resume=tmp_path / "c").table) == 2


def test_nothing_finished_nothing_kept(topics_csv, tmp_path, stop_at):
    stop_at(1)
    with pytest.raises(KeyboardInterrupt):
        gallae.train(topics_csv, "fast", folds=3, output=tmp_path / "deep" / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def interrupted(topics_csv, tmp_path, monkeypatch, stop_at):
    stop_at(2)
    with pytest.raises(KeyboardInterrupt):
        gallae.train(topics_csv, "fast", folds=2, output=tmp_path / "run", report=False)
    monkeypatch.undo()
    return tmp_path / "run"


@pytest.mark.parametrize(
    "change", [{"seed": 3}, {"folds": 3}, {"recipe": "bow"}, {"overrides": ["model.C=9"]}]
)
def test_only_the_same_is_resumed(topics_csv, interrupted, change):
    with pytest.raises(OutputError, match="another recipe, other data"):
        gallae.train(topics_csv, resume=interrupted, **{"recipe": "fast", "folds": 2} | change)


def test_other_data_is_not_resumed(dacon_folder, interrupted):
    with pytest.raises(OutputError, match="other data"):
        gallae.train(dacon_folder / "by_name.csv", "fast", folds=2, resume=interrupted)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"output": "elsewhere"}, "contradict"),
        ({"force": True}, "contradict"),
    ],
)
def test_contradictions(topics_csv, interrupted, options, part):
    with pytest.raises(OutputError, match=part):
        gallae.train(topics_csv, "fast", folds=2, resume=interrupted, **options)


def test_force_begins_anew(topics_csv, interrupted):
    run = gallae.train(topics_csv, "bow", folds=2, output=interrupted, force=True, report=False)
    assert run.metrics["recipe"] == "bow"
    assert [path.name for path in interrupted.parent.iterdir()] == ["run"]
    with pytest.raises(OutputError, match="finished already"):
        gallae.train(topics_csv, "bow", folds=2, resume=interrupted)


def test_two_processes_do_not_go_on_with_the_same_run(topics_csv, interrupted):
    with Path(f"{interrupted}.partial", "request.json").open("rb") as others:
        assert lock(others)
        for options in ({"resume": interrupted}, {"output": interrupted, "force": True}):
            with pytest.raises(OutputError, match="another process is at work in"):
                gallae.train(topics_csv, "fast", folds=2, **options)
    assert Path(f"{interrupted}.partial", "fold-0").is_dir()
    assert gallae.train(topics_csv, "fast", folds=2, resume=interrupted).metrics["n"] == 72


def test_nothing_to_resume(topics_csv, tmp_path):
    with pytest.raises(OutputError, match="nothing to resume"):
        gallae.train(topics_csv, "fast", folds=2, resume=tmp_path / "run")


def test_damaged_parts(topics_csv, interrupted):
    work = interrupted.with_name("run.partial")
    (work / "fold-0" / "probabilities.npy").write_bytes(b"x")
    with pytest.raises(OutputError, match="missing or damaged"):
        gallae.train(topics_csv, "fast", folds=2, resume=interrupted, report=False)
    (work / "request.json").write_text(json.dumps([1])[1:])
    with pytest.raises(OutputError, match="nothing to resume"):
        gallae.train(topics_csv, "fast", folds=2, resume=interrupted, report=False)
