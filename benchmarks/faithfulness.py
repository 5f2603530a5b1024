"""Do the reasons hold? The words said to decide are deleted, and other words of the text in their place.

For each held-out YNAT headline the words with the largest weights for its label are deleted, or as many at
random, or those with the smallest weights; what counts is how far the label's probability falls. A faithful
reason lies far above chance. 95 % intervals are bootstraps over the texts.

    python benchmarks/faithfulness.py [--recipe fast] [--rows 0] [--texts 400] [--set training.epochs=3]
    python benchmarks/faithfulness.py --model headlines
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from common import YNAT, random_fifth, read, start, table, timed

import gallae
from gallae.explaining import Explanation, allowed_methods
from gallae.recipes import find_recipe


def without(explanation: Explanation, chosen: Sequence[int]) -> str:
    """Return the text without some of its parts."""
    text = explanation.text
    for number in sorted(chosen, reverse=True):
        part = explanation.parts[number]
        text = text[: part.start] + text[part.end :]
    return text


def falls(model: Any, found: Sequence[Explanation], texts: Sequence[str]) -> np.ndarray:
    """Return how far each label's probability falls, (n,)."""
    columns = {str(name): column for column, name in enumerate(model.classes_)}
    after = model.predict_proba(list(texts))
    return np.array([e.probability - after[row, columns[e.label]] for row, e in enumerate(found)])


def interval(values: np.ndarray) -> str:
    draws = np.random.default_rng(0).integers(0, len(values), (2000, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return f"{values.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def measured(model: Any, texts: list[str], method: str, count: int) -> list[Any]:
    """Return a row of the table."""
    seconds, found = timed(lambda: gallae.explain(model, texts, method=method))
    found = [explanation for explanation in found if len(explanation.parts) > count]
    ranks = [np.argsort([-part.weight for part in e.parts], kind="stable") for e in found]
    random = np.random.default_rng(1)
    chosen = {
        "top": [rank[:count] for rank in ranks],
        "random": [random.permutation(len(rank))[:count] for rank in ranks],
        "last": [rank[-count:] for rank in ranks],
    }
    found_falls = {
        name: falls(model, found, [without(e, rows.tolist()) for e, rows in zip(found, ways, strict=True)])
        for name, ways in chosen.items()
    }
    cells = [interval(values) for values in found_falls.values()]
    return [
        f"{method}, {count}",
        *cells,
        f"{1000 * seconds / len(texts):,.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--model", default="")
    parser.add_argument("--rows", type=int, default=0, help="to learn from; 0 for all")
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    train, valid = random_fifth(read(YNAT))
    rows = options.rows or len(train)
    name = options.model or options.recipe
    learnt = "" if options.model else f", learnt from {rows:,}"
    start("Faithfulness of explanations", f"{options.texts} held-out headlines of YNAT, {name}{learnt}")
    if options.model:
        model: Any = gallae.load(options.model)
    else:
        model = gallae.build(find_recipe(options.recipe, options.set))
        model = model.fit(train.texts[:rows], train.labels[:rows])
    texts = valid.texts[: options.texts]
    table(
        [measured(model, texts, method, count) for method in allowed_methods(model) for count in (1, 2)],
        ["method, words deleted", "top words", "random words", "least words", "ms a text"],
    )


if __name__ == "__main__":
    main()
