"""Named entities of the KMOU corpus: read without loss, and learnt from random weights."""

import os
from pathlib import Path

import pytest

from gallae.tasks import Ner
from gallae.tasks.ner_reading import parse_marked, write_marked

ROOT = Path(os.environ.get("GALLAE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "ner_kmou_2016klp"
pytestmark = pytest.mark.skipif(
    not ROOT.is_dir(), reason=f"no data sets in {ROOT.parent} (set GALLAE_DATA to their folder)"
)


@pytest.mark.parametrize(
    ("part", "sentences", "entities"), [("train", 2928, 6275), ("dev", 366, 750), ("test", 366, 754)]
)
def test_every_sentence_and_entity_is_read(part, sentences, entities):
    read = Ner.read(ROOT / f"ner.{part}")
    assert len(read) == sentences and sum(len(one.spans) for one in read) == entities
    assert {span.type for one in read for span in one.spans} == {"DT", "LC", "OG", "PS", "TI"}
    assert all(parse_marked(write_marked(one.text, one.spans)) == (one.text, one.spans) for one in read)


def test_a_small_network_learns_the_most_frequent_names(tmp_path):
    train, dev = Ner.read(ROOT / "ner.train")[:600], Ner.read(ROOT / "ner.dev")[:150]
    task = Ner(
        checkpoint="scratch",
        scratch={"layers": 2, "hidden": 128},
        training={"epochs": 4, "batch_size": 16, "learning_rate": 2e-3},
    )
    figures = task.fit(train).evaluate(dev)
    assert figures["reachable_f1"] == 1 and figures["split_entities"] == 0
    assert figures["f1_interval"][0] > 0.1
