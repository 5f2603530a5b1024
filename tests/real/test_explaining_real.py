"""Reasons and label errors on real headlines."""

import csv
import os
import random
from pathlib import Path

import numpy as np
import pytest

import gallae
from gallae.reviewing.selecting import select, uncertainty

ROOT = Path(os.environ.get("GALLAE_DATA", Path(__file__).parents[3] / "shared" / "data"))
pytestmark = pytest.mark.skipif(
    not (ROOT / "ynat").is_dir(), reason=f"no data sets in {ROOT} (set GALLAE_DATA to their folder)"
)


@pytest.fixture(scope="module")
def corpus():
    rows = gallae.read(ROOT / "ynat" / "train_data.csv")
    return rows.take(range(0, len(rows), 12))


@pytest.fixture(scope="module")
def model(corpus):
    return gallae.build("fast").fit(corpus.texts[300:], corpus.labels[300:])


def without(explanation, numbers):
    text = explanation.text
    for number in sorted(numbers, reverse=True):
        part = explanation.parts[number]
        text = text[: part.start] + text[part.end :]
    return text


@pytest.mark.parametrize(("name", "method"), [("fast", "exact"), ("headlines", "occlusion")])
def test_top_words_move_the_probability_more_than_any(model, corpus, name, method):
    model = model if name == "fast" else gallae.load(name)
    found = [e for e in gallae.explain(model, corpus.texts[:150], method=method) if len(e.parts) > 3]
    columns = np.array([[str(label) for label in model.classes_].index(e.label) for e in found])
    rows = np.arange(len(found))
    top = [without(e, np.argsort([-p.weight for p in e.parts])[:2]) for e in found]
    random_two = [without(e, np.random.default_rng(0).permutation(len(e.parts))[:2]) for e in found]
    gain = model.predict_proba(random_two)[rows, columns] - model.predict_proba(top)[rows, columns]
    assert gain.mean() > 0.1 and gain.mean() > 3 * gain.std() / np.sqrt(len(gain))


def test_planted_label_errors_are_found(corpus, tmp_path):
    labels, names = list(corpus.labels), sorted(set(corpus.labels))
    wrong = set(random.Random(0).sample(range(len(labels)), 150))
    for row in wrong:
        labels[row] = random.Random(row).choice([name for name in names if name != labels[row]])
    with (tmp_path / "noisy.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *zip(corpus.texts, labels, strict=True)])
    found = gallae.review(tmp_path / "noisy.csv", budget=150)
    assert len(wrong & set(found.table["row"])) > 75  # 7 or 8 at random


def test_chosen_texts_teach_more_than_any(corpus):
    """From 100 labels to 300, by the proposals or at random."""
    texts, labels = corpus.texts[300:], np.array(corpus.labels[300:])
    start = np.random.default_rng(0).permutation(len(texts))
    first, rest = start[:100], start[100:]
    model = gallae.build("fast").fit([texts[row] for row in first], labels[first])
    doubts = uncertainty(model.predict_proba([texts[row] for row in rest]), False)
    chosen = rest[select([texts[row] for row in rest], doubts, 200, seed=0)]
    scores = []
    for more in (chosen, rest[:200]):
        rows = np.concatenate([first, more])
        fitted = gallae.build("fast").fit([texts[row] for row in rows], labels[rows])
        scores.append(fitted.score(corpus.texts[:300], corpus.labels[:300]))
    assert scores[0] > scores[1]
