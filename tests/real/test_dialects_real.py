"""Real dialect data: everything is read, `dialect` beats the study, translation beats its baselines."""

import os
from pathlib import Path

import numpy as np
import pytest

import gallae
from gallae.data.dialects import stream_pairs
from gallae.tasks import Translate
from gallae.tasks.holding_out import hold_out
from gallae.tasks.translate_baselines import read_dictionary

ROOT = Path(os.environ.get("GALLAE_DATA", Path(__file__).parents[3] / "shared" / "data"))
PAIRS = ROOT / "dialect" / "pairs.tsv"
pytestmark = pytest.mark.skipif(
    not PAIRS.is_file(), reason=f"no data sets in {ROOT} (set GALLAE_DATA to their folder)"
)


def test_everything_is_read():
    assert len(list(stream_pairs(PAIRS))) == 1185
    words = ROOT / "dialect_dict" / "dialect_dictionary.csv"
    assert len(list(stream_pairs(words))) > 3500
    assert len(read_dictionary(words)["jeju>standard"]) > 10_000
    corpus = gallae.read(PAIRS)
    assert len(corpus) == 1687
    assert corpus.label_set.names == ("gyeongsang", "jeju", "jeolla", "standard")


def test_styles_of_a_table_are_read():
    found = Translate.read(
        ROOT / "smilestyle" / "smilestyle_dataset.tsv", columns="formal,informal", limit=100
    )
    assert {one.direction for one in found} == {("formal", "informal"), ("informal", "formal")}


def test_the_recipe_tells_dialects_apart(tmp_path):
    run = gallae.train(PAIRS, "dialect", folds=5, output=tmp_path / "run")
    assert run.metrics["accuracy"] > 0.83
    predictions = run.predictions
    assert np.mean(predictions["label"] == "standard") == pytest.approx(0.702, abs=0.01)


def test_translation_beats_its_baselines():
    train, held = hold_out(Translate(), Translate.read(PAIRS), 0.25, 7)
    found = Translate().fit(train).evaluate(held)
    for name in ("baseline", "dictionary_baseline", "bold_dictionary_baseline"):
        assert found["changed_accuracy"] > found[name]["changed_accuracy"]
    assert found["chrf"] > found["baseline"]["chrf"]
