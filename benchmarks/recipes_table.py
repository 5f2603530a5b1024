"""How good, how fast and how large is every shipped recipe, on headlines, reviews and English news?

YNAT and AG_NEWS: a random stratified fifth is held out (seed 42). NSMC: its own test file. Morphemes are
analysed before the clock of fitting starts, the same for all; texts/s are from raw text, Kiwi included.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import AG_NEWS, NSMC, NSMC_TEST, YNAT, most_likely, note, random_fifth, read, start, table, timed

from gallae import build
from gallae.data import Corpus
from gallae.errors import MissingExtra
from gallae.evaluation.metrics import evaluate
from gallae.recipes import Recipe
from gallae.recipes.loading import shipped_recipes
from gallae.text import TextPipeline, analyses

SETS = ("YNAT", "NSMC", "AG_NEWS")
HEADER = ["recipe", "macro-F1", "95 %", "accuracy", "95 %", "fit s", "texts/s", "MB"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--recipes", nargs="+", help="only these")
    options = parser.parse_args()
    single = {n: r for n, r in shipped_recipes().items() if r.calibration.method != "thresholds"}
    recipes = {n: r for n, r in single.items() if not options.recipes or n in options.recipes}
    for name in options.sets:
        train, valid = load(name)
        start(f"Every recipe on {name}", f"{len(train):,} texts to train on, {len(valid):,} held out")
        rows = sorted(measured(recipes, train, valid), key=lambda row: row[1], reverse=True)
        table(rows, HEADER)


def load(name: str) -> tuple[Corpus, Corpus]:
    if name == "NSMC":
        return read(NSMC), read(NSMC_TEST)
    return random_fifth(read(YNAT if name == "YNAT" else AG_NEWS))


def measured(recipes: dict[str, Recipe], train: Corpus, valid: Corpus) -> Iterator[list[Any]]:
    for name, recipe in recipes.items():
        try:
            yield row(name, recipe, train, valid)
        except MissingExtra as missing:
            print(f"{name} is left out: {missing}\n")


def row(name: str, recipe: Recipe, train: Corpus, valid: Corpus) -> list[Any]:
    model = build(recipe)
    if needs_morphemes(recipe):
        analyses(TextPipeline(recipe.text.steps).apply(train.texts), recipe.text.analyzer)
    fit_seconds, _ = timed(lambda: model.fit(train.texts, train.labels))
    seconds, probabilities = timed(lambda: model.predict_proba(valid.texts))
    classes = [str(label) for label in model.classes_]
    predicted = most_likely(model.classes_, probabilities)
    found = evaluate(valid.labels, probabilities, classes, predicted=predicted, seconds=seconds)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, "model"))
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    note(f"{name}: macro-F1 {found['macro_f1']:.4f}, accuracy {found['accuracy']:.4f}, {fit_seconds:.0f} s")
    return [
        name,
        *(cell for key in ("macro_f1", "accuracy") for cell in (f"{found[key]:.4f}", interval(found, key))),
        f"{fit_seconds:.1f}",
        f"{len(valid) / seconds:,.0f}",
        f"{size / 1e6:.1f}",
    ]


def needs_morphemes(recipe: Recipe) -> bool:
    if recipe.model.family != "linear":
        return recipe.model.unit.startswith("morpheme")
    return any(b["kind"] == "kiwi" or b["unit"].startswith("morpheme") for b in recipe.feature_blocks())


def interval(found: dict[str, Any], key: str) -> str:
    low, high = found[f"{key}_interval"]
    return f"{low:.4f}-{high:.4f}"


if __name__ == "__main__":
    main()
