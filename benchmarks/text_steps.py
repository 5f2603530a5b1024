"""What does each text step cost, and does it help?

Each variant is one recipe with one step more (or less, for the steps that are on by default), trained and
measured on the same folds as the recipe itself. A difference is variant minus recipe, in points of macro-F1
and accuracy, over the held-out rows of all the folds, with a paired 95 % bootstrap interval. A dash stands
for a step that changes fewer than one text in 500.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from common import NSMC, YNAT, most_likely, note, read, start, table, timed

from gallae import build
from gallae.data import Corpus, folds
from gallae.evaluation.compare import compare_pair
from gallae.recipes import find_recipe
from gallae.text import DEFAULT_STEPS, NOUNS_AND_VERBS, STEPS, STUDY_DROP_TAGS, TextPipeline

BEFORE_NFC = ("hanja", "fullwidth")  # their own documentation puts them first
FEW = 0.002  # a step that changes fewer texts cannot move the figures; it is not trained
TAGS = {
    "tags: none dropped": {"drop_tags": [], "keep_tags": []},
    "tags: the study's drop list": {"drop_tags": list(STUDY_DROP_TAGS), "keep_tags": []},
    "tags: nouns and verbs only": {"drop_tags": [], "keep_tags": list(NOUNS_AND_VERBS)},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=["YNAT", "NSMC"], default=["YNAT", "NSMC"])
    parser.add_argument("--recipes", nargs="+", default=["fast", "default"])
    parser.add_argument("--folds", type=int, default=3, help="how many of the 5 folds to measure")
    parser.add_argument("--reviews", type=int, default=30_000, help="NSMC rows to take")
    parser.add_argument("--steps", nargs="+", help="only these variants")
    options = parser.parse_args()
    for name in options.sets:
        corpus = load(name, options.reviews)
        costs(name, corpus)
        for recipe in options.recipes:
            help_of(name, corpus, recipe, options.folds, options.steps)


def load(name: str, reviews: int) -> Corpus:
    if name == "YNAT":
        return read(YNAT)
    corpus = read(NSMC)
    return corpus.take(np.sort(np.random.default_rng(42).permutation(len(corpus))[:reviews]))


def costs(name: str, corpus: Corpus) -> None:
    texts = corpus.texts
    start(f"What each step costs on {name}", f"{len(texts):,} texts, one core; median of 5 rounds")
    rows = []
    for step, function in STEPS.items():
        function(texts[0])
        spent = [timed(lambda f=function: [f(text) for text in texts]) for _ in range(5)]
        changed = sum(a != b for a, b in zip(texts, spent[0][1], strict=True))
        rate = len(texts) / statistics.median(seconds for seconds, _ in spent)
        rows.append([step, f"{rate:,.0f}", f"{changed / len(texts):.2%}"])
    table(rows, ["step", "texts/s", "texts changed"])


def help_of(name: str, corpus: Corpus, recipe: str, count: int, only: Sequence[str] | None) -> None:
    splits = folds(corpus, 5, 42)[:count]
    rows = sum(len(valid) for _, valid in splits)
    start(
        f"Whether each step helps `{recipe}` on {name}",
        f"{len(corpus):,} texts, {count} of 5 folds, {rows:,} rows measured",
    )
    gold = [label for _, valid in splits for label in corpus.take(valid).labels]
    base = predictions(corpus, splits, recipe, {})
    lines = []
    for variant, text in variants(recipe).items():
        if only and variant not in only:
            continue
        share = changed(corpus.texts, text.get("steps", DEFAULT_STEPS))
        if "steps" in text and share < FEW:
            lines.append([variant, f"{share:.2%}", *["–"] * 4])
            continue
        found = compare_pair(gold, predictions(corpus, splits, recipe, text), base, corpus.label_set.names)
        share_cell = f"{share:.2%}" if "steps" in text else ""
        lines.append([variant, share_cell, *difference(found, "macro_f1"), *difference(found, "accuracy")])
        note(" ".join(lines[-1]))
    print(f"`{recipe}` itself: {summary(gold, base)}\n")
    table(lines, ["variant", "texts changed", "macro-F1, points", "95 %", "accuracy, points", "95 %"])


def changed(texts: Sequence[str], steps: Sequence[str]) -> float:
    """The share of texts that come out of `steps` otherwise than out of the default ones."""
    pairs = zip(TextPipeline(steps).apply(texts), TextPipeline().apply(texts), strict=True)
    return sum(a != b for a, b in pairs) / len(texts)


def variants(recipe: str) -> dict[str, dict[str, Any]]:
    """The `[text]` table of each variant."""
    found: dict[str, dict[str, Any]] = {}
    for step in STEPS:
        if step in DEFAULT_STEPS:
            found[f"without {step}"] = {"steps": [s for s in DEFAULT_STEPS if s != step]}
        elif step in BEFORE_NFC:
            found[step] = {"steps": [step, *DEFAULT_STEPS]}
        else:
            found[step] = {"steps": [*DEFAULT_STEPS[:-1], step, DEFAULT_STEPS[-1]]}
    if recipe != "fast":
        found |= TAGS
    return found


def predictions(corpus: Corpus, splits: Sequence[Any], recipe: str, text: dict[str, Any]) -> list[str]:
    values = find_recipe(recipe).model_dump(mode="json")
    values["text"] |= text
    chosen = type(find_recipe(recipe)).model_validate(values)
    out: list[str] = []
    for train, valid in splits:
        part = corpus.take(train)
        model = build(chosen).fit(part.texts, part.labels)
        out += most_likely(model.classes_, model.predict_proba(corpus.take(valid).texts))
    return out


def difference(found: dict[str, Any], key: str) -> tuple[str, str]:
    low, high = found[f"{key}_difference_interval"]
    return f"{found[f'{key}_difference'] * 100:+.2f}", f"{low * 100:+.2f} to {high * 100:+.2f}"


def summary(gold: Sequence[str], predicted: Sequence[str]) -> str:
    from common import figures

    accuracy, macro_f1 = figures(gold, predicted)
    return f"macro-F1 {macro_f1:.4f}, accuracy {accuracy:.4f}"


if __name__ == "__main__":
    main()
