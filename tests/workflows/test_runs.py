"""Run folders, and loading models from them."""

import json

import pytest

import gallae
from gallae.errors import ModelError, OutputError
from gallae.models.persistence import save
from gallae.workflows.runs import Run, fingerprint, open_model, peak_memory_mb, refuse_foreign


def test_a_model_is_found_in_its_run_or_by_itself(topics_run):
    texts = ["코스피", "류현진"]
    here, there = (gallae.load(topics_run.folder / part).predict_proba(texts) for part in ("", "model"))
    assert (here == there).all()
    assert open_model(topics_run.folder / "model").name == open_model(topics_run.folder).name == "run"


def test_labels_and_their_ids_are_kept(dacon_run, topics_run):
    assert dict(open_model(dacon_run.folder).label_set.ids) == {"경제": "0", "세계": "2", "스포츠": "1"}
    assert open_model(topics_run.folder).label_set.names == ("경제", "세계", "스포츠")


def test_a_model_saved_without_a_run(topics_run, tmp_path):
    save(topics_run.model, tmp_path / "bare")
    bare = open_model(tmp_path / "bare")
    assert bare.label_set.names == ("경제", "세계", "스포츠") and bare.name == "bare"


def test_a_damaged_label_set(topics_run, tmp_path):
    save(topics_run.model, tmp_path / "odd", label_set={"ids": {}})
    with pytest.raises(ModelError, match="label set"):
        gallae.load(tmp_path / "odd")


def test_the_recipe_that_ran(topics_run):
    assert topics_run.recipe.name == "fast"
    assert "[calibration]" in (topics_run.folder / "recipe.toml").read_text(encoding="utf-8")


def test_what_is_no_run(tmp_path):
    with pytest.raises(OutputError, match="is missing"):
        _ = Run(tmp_path).metrics
    with pytest.raises(ModelError, match="no model"):
        _ = Run(tmp_path).model
    with pytest.raises(ModelError, match="nowhere"):
        gallae.load("nowhere")


def test_fingerprints_tell_texts_apart():
    assert fingerprint("a", "b") == fingerprint("a", "b") != fingerprint("ab", "")
    assert fingerprint("\ud800")


def test_memory_is_told():
    assert peak_memory_mb() > 10


def test_only_runs_are_replaced(tmp_path):
    refuse_foreign(tmp_path / "new")
    refuse_foreign(tmp_path)
    (tmp_path / "metrics.json").write_text(json.dumps({}))
    refuse_foreign(tmp_path)
    (tmp_path / "metrics.json").rename(tmp_path / "thesis.hwp")
    with pytest.raises(OutputError, match="something else"):
        refuse_foreign(tmp_path)
