"""Real pairs of sentences: every layout is read whole, and a small encoder learns similarity from scratch."""

import os
from collections import Counter
from pathlib import Path

import pytest

from gallae.tasks import Nli, Similarity
from gallae.tasks.holding_out import hold_out

ROOT = Path(os.environ.get("GALLAE_DATA", Path(__file__).parents[3] / "shared" / "data"))
pytestmark = pytest.mark.skipif(
    not (ROOT / "kornlu").is_dir(), reason=f"no data sets in {ROOT} (set GALLAE_DATA to their folder)"
)


def test_every_pair_is_read():
    inference = Nli.read(ROOT / "kornlu" / "xnli.dev.ko.tsv")
    assert Counter(pair.target for pair in inference) == dict.fromkeys(
        ("entailment", "neutral", "contradiction"), 830
    )
    assert len(Nli.read(ROOT / "paws_ko" / "dev_2k.tsv")) == 2000
    questions = Nli.read(ROOT / "question_pair" / "train.tsv")
    assert {pair.target for pair in questions} == {"0", "1"}
    assert len(questions) > 6000
    for name, count in (("train", 5749), ("dev", 1500), ("test", 1379)):
        scored = Similarity.read(ROOT / "kornlu" / f"sts-{name}.tsv")
        assert len(scored) == count
        assert all(pair.first and pair.second and 0 <= pair.target <= 5 for pair in scored)


def test_a_premise_stays_on_one_side():
    inference = Nli.read(ROOT / "kornlu" / "xnli.dev.ko.tsv")
    train, held = hold_out(Nli(), inference, 0.2, 42)
    assert not {pair.first for pair in train} & {pair.first for pair in held}
    counts = Counter(pair.target for pair in held)
    assert max(counts.values()) - min(counts.values()) <= 3
    assert len(held) == pytest.approx(498, abs=9)


def test_a_small_encoder_from_scratch_learns_similarity():
    train = Similarity.read(ROOT / "kornlu" / "sts-train.tsv")
    valid = Similarity.read(ROOT / "kornlu" / "sts-dev.tsv")
    task = Similarity(
        checkpoint="scratch",
        scratch={"layers": 1, "hidden": 64, "heads": 2},
        training={"epochs": 2, "learning_rate": 1e-3, "device": "cpu"},
    ).fit(train)
    found = task.evaluate(valid)
    assert found["pearson_interval"][0] > found["word_baseline"]["pearson_interval"][1]
    assert found["baseline"]["pearson"] == 0
