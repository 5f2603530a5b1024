"""The dialect translator's workflow: learned once, kept, and used."""

import pytest

import gallae
from gallae.errors import DataError
from gallae.workflows import dialects


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dialect")


@pytest.fixture(scope="module")
def task(folder):
    return dialects.translator(folder)


def test_dialects_are_told_apart_by_what_was_learned_once(folder):
    run = dialects.recognizer(folder)
    assert run.model.predict(["어데 가노", "혼저 옵서"]).tolist() == ["gyeongsang", "jeju"]
    written = (run.folder / "metrics.json").stat().st_mtime_ns
    assert (dialects.recognizer(folder).folder / "metrics.json").stat().st_mtime_ns == written


def test_text_is_translated_and_its_changes_are_told(task):
    found = dialects.translate(task, "어데 가노", "gyeongsang", "standard")
    assert found.text == "어디 가니"
    assert found.changes
    for change in found.changes:
        assert found.source[change["start"] : change["end"]] == change["source"]
        assert found.text[change["target_start"] : change["target_end"]] == change["target"]
    assert found.picture == ""


def test_two_dialects_go_through_the_standard_language(task):
    assert dialects.targets(task, "jeju") == ["standard", "gyeongsang", "jeolla"]
    assert list(dialects.translate(task, "혼저 옵서", "jeju", "jeolla").via) == ["jeju", "standard", "jeolla"]


def test_other_directions_are_refused(task):
    with pytest.raises(DataError, match="does not translate"):
        dialects.translate(task, "어데 가노", "gyeongsang", "hamgyeong")


def test_runs_of_translators_are_found(folder, task, topics_csv):
    gallae.train(topics_csv, "fast", output=folder / "other")
    assert dialects.find_translators([folder]) == [folder / "edits"]
    assert dialects.open_translator(folder / "edits").directions == task.directions
