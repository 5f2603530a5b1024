"""The bundled classifier on headlines that nothing was trained on: newer ones, by a portal's sections."""

import os
from pathlib import Path

import pytest

import gallae

ROOT = Path(os.environ.get("GALLAE_DATA", Path(__file__).parents[3] / "shared" / "data"))
SECTIONS = ROOT / "section_headlines" / "train.csv"
pytestmark = pytest.mark.skipif(not SECTIONS.is_file(), reason=f"no {SECTIONS} (set GALLAE_DATA)")
LINEAR = 0.565  # what the recipe `fast` agrees with, trained on YNAT


def test_the_bundled_classifier_agrees_with_sections_more_than_a_linear_model():
    corpus = gallae.read(SECTIONS)
    some = corpus.take(range(0, len(corpus), 38))
    found = gallae.evaluate("headlines", some)
    assert found["n"] == 2006 and found["accuracy"] > LINEAR + 0.03
