"""What is it worth to choose which headlines to label next, instead of taking any?

A hundred YNAT headlines are labelled at random; then, round by round, a hundred more: at random, those that
the model is least sure of, or those that `gallae review --unlabelled` would propose. After each round the
recipe learns from all that is labelled, and is measured on a held-out fifth. The same is done for several
seeds; the difference comes with the 95 % interval of a paired t over the seeds. Then: wrong labels are
planted, and looked for by `gallae review`.

    python benchmarks/active_learning.py [--recipe fast] [--seeds 5] [--rounds 9] [--batch 100] [--noise 0.05]
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from common import YNAT, figures, most_likely, note, random_fifth, read, start, table
from scipy import stats

import gallae
from gallae.data import Corpus
from gallae.reviewing.selecting import select, uncertainty

Choice = Callable[[list[str], np.ndarray, int, int], np.ndarray]


def at_random(texts: list[str], probabilities: np.ndarray, count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(len(texts))[:count]


def unsure(texts: list[str], probabilities: np.ndarray, count: int, seed: int) -> np.ndarray:
    return np.argsort(-uncertainty(probabilities, False), kind="stable")[:count]


def proposed(texts: list[str], probabilities: np.ndarray, count: int, seed: int) -> np.ndarray:
    return select(texts, uncertainty(probabilities, False), count, seed)


WAYS: dict[str, Choice] = {"random": at_random, "uncertain": unsure, "gallae review": proposed}


def curve(
    way: Choice, train: Corpus, valid: Corpus, recipe: str, rounds: int, batch: int, seed: int
) -> list[float]:
    """Return macro-F1 after each round."""
    texts, labels = train.texts, np.array(train.labels)
    labelled = np.random.default_rng(seed).permutation(len(texts))[:batch]
    found = []
    for number in range(rounds + 1):
        model = gallae.build(recipe).fit([texts[row] for row in labelled], labels[labelled])
        predicted = most_likely(model.classes_, model.predict_proba(valid.texts))
        found.append(figures(valid.labels, predicted)[1])
        if number < rounds:
            rest = np.setdiff1d(np.arange(len(texts)), labelled)
            others = [texts[row] for row in rest]
            chosen = way(others, model.predict_proba(others), batch, seed * 1000 + number)
            labelled = np.concatenate([labelled, rest[chosen]])
    return found


def interval(values: Sequence[float]) -> str:
    """Return the mean with its 95 % interval by Student's t."""
    mean, half = float(np.mean(values)), 0.0
    if len(values) > 1:
        half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return f"{mean:+.4f} ({mean - half:+.4f} to {mean + half:+.4f})"


def learning(options: argparse.Namespace) -> None:
    corpus = read(YNAT)
    train, valid = random_fifth(corpus)
    start(
        "Active learning: what to label next",
        f"{len(train):,} headlines to choose from, {len(valid):,} held out, recipe {options.recipe}, "
        f"{options.seeds} seeds",
    )
    curves: dict[str, list[list[float]]] = {name: [] for name in WAYS}
    for seed in range(options.seeds):
        for name, way in WAYS.items():
            shape = (options.recipe, options.rounds, options.batch, seed)
            curves[name].append(curve(way, train, valid, *shape))
            note(f"seed {seed}, {name}: {curves[name][-1][-1]:.4f}")
    rows = []
    for number in range(options.rounds + 1):
        own = {name: [values[number] for values in found] for name, found in curves.items()}
        gains = np.subtract(own["gallae review"], own["random"]).tolist()
        rows.append(
            [(number + 1) * options.batch, *(f"{np.mean(v):.4f}" for v in own.values()), interval(gains)]
        )
    table(rows, ["labelled", *WAYS, "gallae review minus random, 95 %"])


def planting(options: argparse.Namespace) -> None:
    corpus = read(YNAT)
    chosen = random.Random(0).sample(range(len(corpus)), min(options.rows, len(corpus)))
    part = corpus.take(chosen)
    texts, labels = part.texts, part.labels
    names = sorted(set(labels))
    wrong = set(random.Random(1).sample(range(len(texts)), int(options.noise * len(texts))))
    for row in wrong:
        labels[row] = random.Random(row).choice([name for name in names if name != labels[row]])
    start(
        "Planted wrong labels", f"{len(texts):,} YNAT headlines, {len(wrong):,} labels made wrong at random"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noisy.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *zip(texts, labels, strict=True)])
        found = gallae.review(path, options.recipe, budget=2 * len(wrong))
    rows = []
    for share in (0.25, 0.5, 1.0, 2.0):
        budget = int(share * len(wrong))
        hits = len(wrong & set(found.table["row"][:budget]))
        rows.append(
            [
                budget,
                hits,
                f"{hits / budget:.3f}",
                f"{hits / len(wrong):.3f}",
                f"{len(wrong) / len(texts):.3f}",
            ]
        )
    table(rows, ["rows checked", "planted ones", "precision", "recall", "precision at random"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--rows", type=int, default=36_547, help="with planted errors")
    parser.add_argument("--noise", type=float, default=0.05)
    options = parser.parse_args()
    if options.seeds:
        learning(options)
    if options.noise:
        planting(options)


if __name__ == "__main__":
    main()
