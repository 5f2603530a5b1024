"""One cell of the benchmark's table: a checkpoint fine-tuned for a task and measured."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from gallae.data import read
from gallae.evaluation.metrics import evaluate
from gallae.pretrained.scratch import scratch_checkpoint
from gallae.recipes.loading import apply_override, find_recipe, validated
from gallae.tasks.recipe import FROM_SCRATCH, RECIPES, SCRATCH, TaskRecipe, merged, task_recipe
from gallae.tasks.registry import TASKS, find_task

CLASSIFICATION = "classification"
ALL_TASKS = (*TASKS, CLASSIFICATION)


@dataclass(frozen=True)
class Labelled:
    """A labelled text."""

    text: str
    label: str


class Classification:
    """Text classification by the recipe `encoder`, called as a task is.

    Args:
        recipe: The recipe; see `cell_recipe`.
    """

    name: ClassVar[str] = CLASSIFICATION
    figures: ClassVar[dict[str, str]] = {"macro_f1": "macro-F1", "accuracy": "accuracy"}

    def __init__(self, recipe: TaskRecipe) -> None:
        self.recipe = recipe
        self.classifier: Any = None

    @staticmethod
    def read(path: str | Path) -> list[Labelled]:
        """Read what `gallae.data.read` takes.

        Raises:
            DataError: for a file that cannot be used, or with several labels a text.
        """
        from gallae.data.checks import check_trainable
        from gallae.errors import DataError

        corpus = read(path)
        if corpus.label_set is not None and corpus.label_set.multilabel:
            raise DataError(f"{path} has several labels a text; the benchmark's classification has one.")
        check_trainable(corpus)
        return [Labelled(text, label) for text, label in zip(corpus.texts, corpus.labels, strict=True)]

    @staticmethod
    def stratum(example: Labelled) -> str:
        """Return the label."""
        return example.label

    @staticmethod
    def group(example: Labelled) -> None:
        """Texts stand alone."""

    def fit(self, examples: Sequence[Labelled]) -> Classification:
        """Fine-tune the checkpoint."""
        from gallae.models.registry import build

        texts, recipe = [example.text for example in examples], self.recipe
        with TemporaryDirectory(prefix="gallae-") as temporary:
            checkpoint = recipe.checkpoint
            if checkpoint == SCRATCH:
                folder = Path(temporary) / SCRATCH
                checkpoint = str(scratch_checkpoint(texts, recipe.scratch, folder, recipe.seed))
            model = {"checkpoint": checkpoint, "revision": recipe.revision, "max_length": recipe.max_length}
            tables = {"model": model, "training": recipe.training.model_dump()}
            chosen = find_recipe("encoder", _as_overrides(tables), recipe.seed)
            self.classifier = build(chosen).fit(texts, [example.label for example in examples])
        return self

    @property
    def model(self) -> Any:
        """The network."""
        return self.classifier.network_

    def evaluate(self, examples: Sequence[Labelled]) -> dict[str, Any]:
        """Measure on labelled texts; the baseline names the most frequent label."""
        from collections import Counter

        from gallae.tasks.figures import classification

        texts, gold = [example.text for example in examples], [example.label for example in examples]
        classes = [str(name) for name in self.classifier.classes_]
        found = evaluate(gold, self.classifier.predict_proba(texts), classes)
        common = Counter(gold).most_common(1)[0][0]
        majority = classification(gold, [common] * len(gold), classes)
        return found | {"baseline": {"name": f"majority class ({common})", **majority}}


def _as_overrides(tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    import json

    return [
        f"{table}.{key}={json.dumps(value, ensure_ascii=False)}"
        for table, values in tables.items()
        for key, value in values.items()
    ]


def task_class(name: str) -> Any:
    """Return a task's class, or `Classification`."""
    return Classification if name == CLASSIFICATION else find_task(name)


def cell_recipe(task: str, checkpoint: str, overrides: Sequence[str], seed: int) -> TaskRecipe:
    """Return the recipe of a checkpoint and a task.

    Args:
        task: A name in `ALL_TASKS`.
        checkpoint: A folder, an id of the hub, or "scratch".
        overrides: Texts such as "training.epochs=3" for every task, or "ner.stride=32" for one, which goes
            before.
        seed: Of the training.

    Raises:
        RecipeError: if a field or value is not allowed.
    """
    common = [override for override in overrides if _named(override) is None]
    own = [override.partition(".")[2] for override in overrides if _named(override) == task]
    mine = [*common, *own]
    if task in RECIPES:
        return task_recipe(task, None, mine, checkpoint=checkpoint, seed=seed)
    given: dict[str, Any] = {}
    for override in mine:
        apply_override(given, override)
    given |= {"task": task, "checkpoint": checkpoint, "seed": seed}
    below = FROM_SCRATCH if checkpoint == SCRATCH else {}
    return validated(TaskRecipe, merged(below, given), f"of {task}")


def _named(override: str) -> str | None:
    """Return the task that an override names; None if it is for all."""
    first = override.partition(".")[0].strip()
    return first if first in ALL_TASKS else None


def run_cell(recipe: TaskRecipe, train: Sequence[Any], held: Sequence[Any]) -> dict[str, Any]:
    """Fine-tune, measure, and return the cell.

    Args:
        recipe: Of `cell_recipe`.
        train: Examples to train on.
        held: Examples to measure on.

    Returns:
        "task", "figure" (the main one's name), "value", "interval", "baseline" (the best simple guess:
        "name", "value"), "figures" (all), "trained_on", "n", "parameters", "fit_seconds", "seconds" (of
        measuring).
    """
    task = task_class(recipe.task)(recipe)
    started = time.perf_counter()
    task.fit(train)
    fitted = time.perf_counter()
    figures = task.evaluate(held)
    main = next(iter(task.figures))
    simple = [one for key, one in figures.items() if key.endswith("baseline") and main in one]
    baseline: dict[str, Any] = max(simple, key=lambda one: one[main], default={})
    return {
        "task": recipe.task,
        "figure": task.figures[main],
        "value": figures[main],
        "interval": figures[f"{main}_interval"],
        "baseline": {"name": baseline.get("name", ""), "value": baseline.get(main)},
        "figures": {key: figures[key] for key in task.figures if key in figures},
        "trained_on": len(train),
        "n": len(held),
        "parameters": int(task.model.num_parameters()),
        "fit_seconds": round(fitted - started, 2),
        "seconds": round(time.perf_counter() - fitted, 2),
    }
