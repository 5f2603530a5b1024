"""Tasks too large for a small encoder from random weights: it learns 64 examples by heart, and nothing more.

Trains on the first 64 examples, and measures on these and on the next ones, beside the trivial baseline.

    python benchmarks/overfit.py [choice] [qa] [nli] [--held 500]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from common import data, note, start, table

from gallae.tasks.registry import find_task

FILES = {
    "choice": "click/choice.jsonl",
    "qa": "korquad/KorQuAD_v1.0_dev.json",
    "nli": "kornlu/xnli.dev.ko.tsv",
}
EXAMPLES = 64
RECIPES: dict[str, dict[str, Any]] = {
    "choice": {"max_length": 192, "training": {"epochs": 20}},
    "qa": {"stride": 96, "training": {"epochs": 30}},
    "nli": {"training": {"epochs": 30}},
}


def measure(name: str, held: int) -> list[list[str]]:
    """Return the table's rows of a task."""
    kind, recipe = find_task(name), RECIPES[name]
    examples = kind.read(data(FILES[name]))[: EXAMPLES + held]
    started = time.perf_counter()
    task = kind(checkpoint="scratch", **recipe | {"training": {**recipe["training"], "precision": "bf16"}})
    task.fit(examples[:EXAMPLES])
    seconds = time.perf_counter() - started
    note(f"{name}: loss {task.history[0]['loss']:.3f} to {task.history[-1]['loss']:.3f} in {seconds:.0f} s")
    seen, unseen = task.evaluate(examples[:EXAMPLES]), task.evaluate(examples[EXAMPLES:])
    return [
        [
            f"{name}: {words}",
            shown(seen, key),
            shown(unseen, key),
            f"{unseen['baseline'][key]:.3f} ({unseen['baseline']['name']})",
        ]
        for key, words in kind.figures.items()
    ]


def shown(figures: dict[str, Any], key: str) -> str:
    """Return a figure with its interval."""
    low, high = figures[f"{key}_interval"]
    return f"{figures[key]:.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tasks", nargs="*", default=list(FILES), choices=list(FILES))
    parser.add_argument("--held", type=int, default=500)
    given = parser.parse_args()
    start("Do small encoders from random weights learn 64 examples by heart?", ", ".join(FILES.values()))
    rows = [row for name in given.tasks for row in measure(name, given.held)]
    table(rows, ["figure", f"the {EXAMPLES} seen", f"the next {given.held}", "baseline there"])


if __name__ == "__main__":
    main()
