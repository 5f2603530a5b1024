"""What `gallae tasks TASK train|evaluate|predict` does, the same for every task."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from gallae import __version__
from gallae.data.piping import on_disk
from gallae.errors import RecipeError, require
from gallae.files import read_json, refuse_existing, write_json
from gallae.progress import status
from gallae.tasks.base import Task
from gallae.tasks.recipe import SCRATCH, TaskRecipe, task_recipe
from gallae.tasks.registry import TASKS, find_task, load_task
from gallae.workflows import runs
from gallae.workflows.measuring import folder_size
from gallae.workflows.partial import PartialRun
from gallae.workflows.predicting import check_suffix, file_writer
from gallae.workflows.training import choose_folder

PREDICTIONS = "predictions.jsonl"


@dataclass(frozen=True)
class TaskRun:
    """A finished run of a task.

    Attributes:
        folder: Where it lies: recipe.toml, metrics.json, predictions.jsonl (of held-out examples), model/.
    """

    folder: Path

    @cached_property
    def task(self) -> Task:
        """The saved task."""
        return load_task(self.folder)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What metrics.json says."""
        found: dict[str, Any] = read_json(self.folder / runs.METRICS)
        return found


def train_task(
    name: str,
    data: str | Path,
    recipe: str | Path | Mapping[str, Any] | TaskRecipe | None = None,
    *,
    checkpoint: str | None = None,
    valid: str | Path | None = None,
    holdout: float | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    overrides: Sequence[str] = (),
    force: bool = False,
    resume: str | Path | None = None,
    **reading: Any,
) -> TaskRun:
    """Fine-tune a checkpoint for a task, measure it on held-out examples, and save both as a run folder.

    Args:
        name: A name in `gallae.tasks.registry.TASKS`.
        data: The labelled file.
        recipe: A TOML file, fields as nested tables, or a recipe; the task's defaults without.
        checkpoint: Replaces the recipe's: a hub id, a folder, or "scratch".
        valid: A labelled file to measure on.
        holdout: Share of the examples to measure on instead; with neither the run is not measured.
        seed: Replaces the recipe's.
        output: The run folder; by default a fresh one under `runs/`.
        overrides: Recipe fields, such as "training.epochs=3".
        force: Replace an existing output.
        resume: A run that was interrupted.
        reading: The task's own options of kind "read", and encoding.

    Raises:
        DataError, RecipeError, ModelError, OutputError: for what the user can mend; nothing is half-written.
    """
    if valid is not None and holdout is not None:
        raise RecipeError("--valid and --holdout contradict each other. Give one of them.")
    kind = find_task(name)
    values = recipe.model_dump(mode="json") if isinstance(recipe, TaskRecipe) else recipe
    chosen = task_recipe(name, values, overrides, checkpoint=checkpoint, seed=seed)
    folder = choose_folder(output, resume, name, force)
    if resume is None:
        refuse_existing(folder, force)
    _fetch(chosen)
    examples = kind.read(data, **reading)
    held: list[Any] = []
    split = "none"
    if valid is not None:
        held, split = kind.read(valid, **reading), f"file {Path(valid).name}"
    elif holdout is not None:
        from gallae.tasks.holding_out import hold_out

        rows = len(examples)
        examples, held = hold_out(kind(chosen), examples, holdout, chosen.seed)
        split = f"hold-out of {holdout:g} ({len(held):,} of {rows:,})"
    facts = {"data": str(data), "split": split, "kept": _kept(name, reading)}
    key = runs.fingerprint(__version__, chosen.model_dump_json(), repr(examples), repr(held))
    with PartialRun(folder, key, force=force, resume=resume is not None) as partial:
        return _run(kind(chosen), examples, held, facts, partial)


def _fetch(recipe: TaskRecipe) -> None:
    """Make sure that the checkpoint is there before any data is read."""
    if not recipe.neural:
        return
    require("transformers", "neural")
    if recipe.checkpoint != SCRATCH:
        from gallae.pretrained.finding import resolve

        resolve(recipe.checkpoint, recipe.revision)


def _kept(name: str, reading: Mapping[str, Any]) -> dict[str, Any]:
    kept = {option.name for option in TASKS[name].options if option.kept}
    return {key: value for key, value in reading.items() if key in kept}


def _run(
    task: Task, examples: Sequence[Any], held: Sequence[Any], facts: dict[str, Any], partial: PartialRun
) -> TaskRun:
    started = time.perf_counter()
    with partial.training("task"), status(f"{task.name}: training on {len(examples):,} examples"):
        task.fit(examples, held=held)
    task.facts["reading"] = facts.pop("kept")
    metrics: dict[str, Any] = {
        "task": task.name,
        "checkpoint": task.recipe.begins_as,
        **facts,
        "trained_on": len(examples),
        "seed": task.recipe.seed,
        "gallae": __version__,
        "fit_seconds": round(time.perf_counter() - started, 3),
        "parameters": int(task.model.num_parameters()),
    }
    predictions: list[Any] = []
    if held:
        started = time.perf_counter()
        predictions = task.predict(held)
        seconds = time.perf_counter() - started
        metrics |= task.measure(held, predictions)
        metrics["examples_per_second"] = round(len(held) / max(seconds, 1e-9), 1)
    with partial.finish() as target:
        _write(task, target, metrics, task.rows(held, predictions) if held else None)
    return TaskRun(partial.folder)


def _write(
    task: Task, target: Path, metrics: dict[str, Any], rows: Sequence[Mapping[str, Any]] | None
) -> None:
    (target / runs.RECIPE).write_text(task.recipe.to_toml(), encoding="utf-8")
    model = target / runs.MODEL
    model.mkdir()
    task.write(model)
    metrics |= {
        "model_mb": round(folder_size(model) / 1e6, 2),
        "peak_memory_mb": runs.peak_memory_mb(),
        "history": task.history,
    }
    write_json(target / runs.METRICS, metrics)
    (model / "README.md").write_text(_card(task, metrics), encoding="utf-8")
    if rows is not None:
        with (target / PREDICTIONS).open("w", encoding="utf-8") as file:
            write_lines(rows, file)


def write_lines(rows: Sequence[Mapping[str, Any]], file: IO[str]) -> None:
    """Write rows as JSON, one a line."""
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def evaluate_task(
    name: str, run: str | Path, data: str | Path, deciding: Mapping[str, Any] | None = None, **reading: Any
) -> dict[str, Any]:
    """Measure a saved task on labelled examples.

    Args:
        name: The task.
        run: A run folder, or its `model/`.
        data: The labelled file.
        deciding: The task's own options of kind "decide".
        reading: Those of kind "read", and encoding.

    Raises:
        ModelError: if the model is missing, damaged, or of another task.
        DataError: if the file cannot be read, or has labels that the model does not know.
    """
    task = find_task(name).load(run)
    examples = task.read(data, **{**task.facts.get("reading", {}), **reading})
    with status(f"{name}: predicting {len(examples):,} examples"):
        return task.evaluate(examples, **(deciding or {}))


def predict_task(
    name: str,
    run: str | Path,
    data: str | Path,
    output: str | Path | None = None,
    *,
    target: IO[str] | None = None,
    force: bool = False,
    deciding: Mapping[str, Any] | None = None,
    writing: Mapping[str, Any] | None = None,
    **reading: Any,
) -> int:
    """Predict a file and write a row an example.

    Args:
        name: The task.
        run: A run folder, or its `model/`.
        data: The file, or "-" for standard input; it needs no labels.
        output: A .jsonl, .csv or .parquet file; lists in it are JSON, except in .jsonl.
        target: Where JSON lines go without `output`; standard output by default.
        force: Replace an existing output.
        deciding: The task's own options of kind "decide".
        writing: Those of kind "write".
        reading: Those of kind "read", and encoding.

    Returns:
        How many examples were predicted.

    Raises:
        ModelError, DataError, OutputError: for what the user can mend.
    """
    if output is not None:
        check_suffix(output)
        refuse_existing(output, force)
    task = find_task(name).load(run)
    kept = {key: value for key, value in task.facts.get("reading", {}).items() if key != "label_column"}
    with on_disk(data, reading.pop("encoding", None)) as (file, encoding):
        given = {**kept, **reading, **({"encoding": encoding} if encoding else {})}
        examples = task.read(file, labelled=False, **given)
    with status(f"{name}: predicting {len(examples):,} examples"):
        rows = task.rows(examples, task.predict(examples, **(deciding or {})), **(writing or {}))
    if output is None:
        write_lines(rows, target or sys.stdout)
        return len(examples)
    with file_writer(Path(output), force) as writer:
        as_is = Path(output).suffix.lower() == ".jsonl"
        writer.write(
            {k: [row[k] if as_is else _flat(row[k]) for row in rows] for k in rows[0]} if rows else {}
        )
    return len(examples)


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def figure_lines(task: type[Task], metrics: Mapping[str, Any]) -> list[str]:
    """Return the figures with their intervals as lines, and behind each what the trivial baselines get."""
    baselines = [value for key, value in metrics.items() if key == "baseline" or key.endswith("_baseline")]
    lines = []
    for key, words in task.figures.items():
        if key not in metrics:
            continue
        beside = [f"{one['name']} {one[key]:.4f}" for one in baselines if key in one]
        lines.append(
            f"{words}: {_with_interval(metrics, key)}" + (f"; {', '.join(beside)}" if beside else "")
        )
    return lines


def _with_interval(metrics: Mapping[str, Any], key: str) -> str:
    if f"{key}_interval" not in metrics:
        return f"{metrics[key]:.4f}"
    low, high = metrics[f"{key}_interval"]
    return f"{metrics[key]:.4f} ({low:.4f} to {high:.4f})"


def _card(task: Task, metrics: Mapping[str, Any]) -> str:
    """Return the model card as Markdown."""
    measured = [f"- {line}" for line in figure_lines(type(task), metrics)]
    if measured:
        measured = [f"Held out: {metrics['n']:,} ({metrics['split']}); 95 % intervals.", "", *measured]
    lines = [
        f"# {task.name}",
        "",
        f"{TASKS[task.name].summary} Trained with gallae {metrics['gallae']}.",
        "",
        f"- checkpoint: {metrics['checkpoint']}, {metrics['parameters']:,} parameters",
        f"- data: {metrics['data']}, {metrics['trained_on']:,} examples",
        f"- seed: {metrics['seed']} (recipe.toml beside this folder)",
        "",
        "## How good it is",
        "",
        *(measured or ["Not measured: it was trained on every example."]),
        "",
        "## How to use it",
        "",
        "```python",
        f"from gallae.tasks import {type(task).__name__}",
        "",
        f'task = {type(task).__name__}.load("path/to/this/folder")',
        "```",
        "",
        "The licences of the checkpoint and of the data may bind the use of the model.",
        "",
    ]
    return "\n".join(lines)
