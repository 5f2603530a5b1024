"""Which words of a dialect sentence are turned right, and what does it cost the others? Folds over pairs.

Both directions of a pair are held out together. Baselines: copying; a dictionary of the training pairs, where
a word becomes what it mostly became or, always replacing, what it became whenever it changed; a dialect
dictionary.

    python benchmarks/translation.py [--families edits lstm transformer] [--folds 5]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from common import data, note, start, table

from gallae.tasks import Translate
from gallae.tasks.translate_baselines import translations_of
from gallae.tasks.translate_metrics import score_texts
from gallae.tasks.translate_reading import Passage

DICTIONARY = "dialect_dict/dialect_dictionary.csv"
RECIPES: dict[str, dict[str, Any]] = {
    "edits": {},
    "lstm": {"family": "lstm"},
    "transformer": {"family": "transformer", "network": {"layers": 2}},
}
SHOWN = ("changed_accuracy", "kept_accuracy", "chrf", "bleu", "exact_match")


def translated(passages: list[Passage], family: str, folds: int) -> dict[str, list[tuple[Passage, str]]]:
    """Return what each system says of every passage when it is held out."""
    pairs = np.array(sorted({one.pair for one in passages}))
    parts = np.array_split(np.random.default_rng(0).permutation(pairs), folds)
    found: dict[str, list[tuple[Passage, str]]] = {}
    for number, part in enumerate(parts, 1):
        held = set(part.tolist())
        valid = [one for one in passages if one.pair in held]
        started = time.process_time()
        task = Translate(dictionary=str(data(DICTIONARY)), **RECIPES[family])
        task.fit([one for one in passages if one.pair not in held])
        note(f"{family}, fold {number}: fitted in {time.process_time() - started:.0f} s of one core")
        said = {family: [one["translation"] for one in task.predict(valid)]}
        said |= {
            key.partition("\t")[2]: texts for key, texts in translations_of(task.baselines, valid).items()
        }
        for name, texts in said.items():
            found.setdefault(name, []).extend(zip(valid, texts, strict=True))
    return found


def rows_of(name: str, said: list[tuple[Passage, str]]) -> list[list[str]]:
    """Return the table's rows of a system: to the standard language, and from it."""
    rows = []
    for words, chosen in (
        ("to standard", [one for one in said if one[0].target_style == "standard"]),
        ("from standard", [one for one in said if one[0].source_style == "standard"]),
    ):
        texts = [(one.source, one.target or "", text) for one, text in chosen]
        found = score_texts(*zip(*texts, strict=True))
        rows.append([f"{name}, {words}", *(shown(found, key) for key in SHOWN)])
    return rows


def shown(found: dict[str, Any], key: str) -> str:
    """Return a figure with its interval."""
    low, high = found[f"{key}_interval"]
    digits = 1 if key in ("chrf", "bleu") else 3
    return f"{found[key]:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--families", nargs="+", default=["edits"], choices=list(RECIPES))
    parser.add_argument("--folds", type=int, default=5)
    given = parser.parse_args()
    passages = Translate.read(data("dialect/pairs.tsv"))
    start(__doc__.splitlines()[0], f"dialect/pairs.tsv, {len(passages) // 2:,} pairs, {given.folds} folds")
    systems: dict[str, list[tuple[Passage, str]]] = {}
    for family in given.families:
        systems |= translated(passages, family, given.folds)
    table([row for name, said in systems.items() for row in rows_of(name, said)], ["system", *SHOWN])


if __name__ == "__main__":
    main()
