"""What a student gains from a teacher: alone, taught, and taught on unlabelled texts; one table.

A part of YNAT's headlines is labelled, another stands for unlabelled text, and a third, which nobody has
seen, measures all of them. The teacher is trained with folds, the student on the same labelled rows.

    python benchmarks/distillation.py [--teacher default] [--student textcnn] [--rows 3000]
        [--unlabelled 9000] [--augment 5] [--set KEY=VALUE ...]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import YNAT, figures, note, read, start, table

HELD = 4000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--teacher", default="default")
    parser.add_argument("--student", default="textcnn")
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--unlabelled", type=int, default=9000)
    parser.add_argument("--augment", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[], dest="overrides")
    given = parser.parse_args()
    start(
        f"What does the student {given.student} gain from the teacher {given.teacher}?",
        f"{YNAT}: {given.rows:,} labelled, {given.unlabelled:,} unlabelled, {HELD:,} held out",
    )
    with tempfile.TemporaryDirectory() as folder:
        table(
            measure(Path(folder), given),
            ["model", "accuracy", "macro-F1", "log loss", "says the same", "seconds"],
        )


def measure(folder: Path, given: argparse.Namespace) -> list[list[str]]:
    """Return the table's rows."""
    import numpy as np

    import gallae
    from gallae.data import holdout
    from gallae.recipes import find_recipe

    whole = read(YNAT)
    rest, held = holdout(whole, HELD / len(whole), 42)
    order = np.random.default_rng(0).permutation(rest)
    train, valid = whole.take(order[: given.rows]), whole.take(held)
    more = whole.take(order[given.rows : given.rows + given.unlabelled]).texts
    (folder / "more.txt").write_text("\n".join(more), encoding="utf-8")
    teacher = gallae.train(train, given.teacher, folds=3, report=False, output=folder / "teacher")
    told = teacher.model.predict_proba(valid.texts)
    chosen = teacher.model.decide(told)
    rows = [_row("teacher", valid.labels, chosen, told, teacher.model.classes_, 1.0, 0.0)]
    common: dict[str, Any] = {"overrides": given.overrides, "report": False}
    unlabelled = {"unlabelled": folder / "more.txt"}
    ways: dict[str, Callable[[Path], Any]] = {
        "student alone": lambda out: gallae.train(train, given.student, output=out, **common),
        "taught": lambda out: gallae.distill(teacher, train, given.student, output=out, **common),
        "taught, unlabelled texts": lambda out: gallae.distill(
            teacher, train, given.student, output=out, **unlabelled, **common
        ),
    }
    if find_recipe(given.student).model.family != "linear":  # which learns probabilities either way
        ways["the same, logits (mse)"] = lambda out: gallae.distill(
            teacher, train, given.student, output=out, loss="mse", **unlabelled, **common
        )
    if given.augment:
        ways[f"taught, {given.augment} altered copies"] = lambda out: gallae.distill(
            teacher, train, given.student, output=out, augment=given.augment, **common
        )
    for number, (name, way) in enumerate(ways.items()):
        note(name)
        started = time.perf_counter()
        model = way(folder / str(number)).model
        seconds = time.perf_counter() - started
        chances = model.predict_proba(valid.texts)
        predicted = model.decide(chances)
        agreed = float((predicted == chosen).mean())
        rows.append(_row(name, valid.labels, predicted, chances, model.classes_, agreed, seconds))
    return rows


def _row(
    name: str, gold: list[str], predicted: Any, chances: Any, classes: Any, agreed: float, seconds: float
) -> list[str]:
    from sklearn.metrics import log_loss

    accuracy, macro = figures(gold, predicted.tolist())
    loss = log_loss(gold, chances, labels=classes.tolist())
    return [name, f"{accuracy:.4f}", f"{macro:.4f}", f"{loss:.4f}", f"{agreed:.1%}", f"{seconds:.0f}"]


if __name__ == "__main__":
    main()
