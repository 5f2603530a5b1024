"""`gallae tasks benchmark`: every checkpoint fine-tuned on every task, one table."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae import __version__
from gallae.errors import GallaeError, ModelError, RecipeError, require
from gallae.evaluation.wording import words
from gallae.files import read_json, refuse_existing, write_beside, write_json
from gallae.progress import status
from gallae.tasks.recipe import SCRATCH, TaskRecipe
from gallae.workflows.partial import PartialRun
from gallae.workflows.runs import REPORT, fingerprint
from gallae.workflows.task_benchmark_cells import cell_recipe, run_cell
from gallae.workflows.task_benchmark_data import TaskData, find_files, read_task
from gallae.workflows.training import choose_folder

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
TABLE, CELLS = "benchmark.csv", "benchmark.json"
Cell = dict[str, Any]


@dataclass(frozen=True)
class TaskBenchmark:
    """A finished benchmark.

    Attributes:
        folder: Where it lies: benchmark.csv, benchmark.json, report.html.
        table: A row a checkpoint: checkpoint, parameters, and for each task its main figure, the figure's low
            and high bound, and the seconds of fine-tuning.
        cells: A dict a cell: "checkpoint", and what `run_cell` returns, or "task" and "error".
    """

    folder: Path
    table: pd.DataFrame
    cells: list[Cell]


def benchmark_tasks(
    checkpoints: Sequence[str],
    data: str | Path,
    *,
    tasks: Sequence[str] = (),
    limit: int = 0,
    seed: int = 42,
    overrides: Sequence[str] = (),
    output: str | Path | None = None,
    force: bool = False,
    resume: str | Path | None = None,
    language: str = "en",
) -> TaskBenchmark:
    """Fine-tune each checkpoint on every task whose data is there, and put the figures into one table.

    A cell that fails is noted with its reason, and the rest goes on.

    Args:
        checkpoints: Folders, ids of the hub, or "scratch".
        data: A folder with a sub-folder a task; see `gallae.workflows.task_benchmark_data.find_files`.
        tasks: Names of tasks; () for all whose data is there.
        limit: Most examples a task to train on, and to measure on; 0 for all.
        seed: Of the trainings, the hold-outs, and the draw of `limit`.
        overrides: Recipe fields for all tasks ("training.epochs=3") or for one ("ner.stride=32").
        output: A folder; by default a fresh one under `runs/`.
        force: Replace an existing output.
        resume: A benchmark that was interrupted; its finished cells are taken over.
        language: Of the page, "en" or "ko".

    Raises:
        DataError, RecipeError, ModelError, OutputError: for what the user can mend.
    """
    words(language)
    _check(checkpoints, limit)
    folder = choose_folder(output, resume, "benchmark", force)
    if resume is None:
        refuse_existing(folder, force)
    files = find_files(Path(data), tasks)
    recipes = [cell_recipe(task, name, overrides, seed) for name in checkpoints for task in files]
    _find_checkpoints(checkpoints)
    parts = {task: read_task(task, *pair, limit, seed) for task, pair in files.items()}
    job = _Job(recipes, parts, language)
    with PartialRun(folder, job.key, force=force, resume=resume is not None) as partial:
        cells = list(job.cells(partial))
        if all("error" in cell for cell in cells):
            raise ModelError(f"every cell of the benchmark failed; the first: {cells[0]['error']}")
        with partial.finish() as target:
            table = job.write(target, cells)
    return TaskBenchmark(folder, table, cells)


def _check(checkpoints: Sequence[str], limit: int) -> None:
    if not checkpoints:
        raise RecipeError("give one checkpoint or more to compare: a folder, an id of the hub, or scratch.")
    double = sorted({name for name in checkpoints if list(checkpoints).count(name) > 1})
    if double:
        raise RecipeError(f"the checkpoint {double[0]} is given twice. Give each once.")
    if limit < 0:
        raise RecipeError(f"--limit {limit}: it is how many examples a task at most, or 0 for all.")


def _find_checkpoints(checkpoints: Sequence[str]) -> None:
    """Say before any data is read that a checkpoint, its configuration or its tokenizer is missing."""
    require("transformers", "neural")
    from gallae.pretrained.finding import resolve
    from gallae.pretrained.loading import load_config
    from gallae.pretrained.tokenizing import load_tokenizer

    for folder in [resolve(name) for name in checkpoints if name != SCRATCH]:
        load_config(folder)
        load_tokenizer(folder)


@dataclass(frozen=True)
class _Job:
    recipes: Sequence[TaskRecipe]
    parts: dict[str, TaskData]
    language: str

    @property
    def key(self) -> str:
        """Hash of all that decides the figures, by which an interrupted benchmark is known again."""
        examples = [repr((part.train, part.held)) for part in self.parts.values()]
        return fingerprint(__version__, *(recipe.model_dump_json() for recipe in self.recipes), *examples)

    def cells(self, partial: PartialRun) -> Iterator[Cell]:
        """Run every cell, or take it over from an interrupted benchmark."""
        for number, recipe in enumerate(self.recipes):
            kept = partial.part(f"cell-{number}.json")
            if kept.exists():
                log.info("%s on %s is taken over", recipe.checkpoint, recipe.task)
                yield read_json(kept)
                continue
            title = f"{recipe.checkpoint} on {recipe.task} ({number + 1} of {len(self.recipes)})"
            with partial.training(f"cell-{number}"), status(title):
                cell = {"checkpoint": recipe.checkpoint, **self._run(recipe)}
            if "error" not in cell:  # what failed is tried again
                with write_beside(kept) as temporary:
                    write_json(temporary, cell)
            partial.drop_training(f"cell-{number}")
            yield cell

    def _run(self, recipe: TaskRecipe) -> Cell:
        part = self.parts[recipe.task]
        try:
            return run_cell(recipe, part.train, part.held)
        except (GallaeError, RuntimeError, ValueError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            log.warning("%s on %s failed: %s", recipe.checkpoint, recipe.task, reason)
            log.debug("traceback", exc_info=True)
            return {"task": recipe.task, "error": reason}

    def write(self, target: Path, cells: Sequence[Cell]) -> pd.DataFrame:
        """Write table, cells and page."""
        from gallae.workflows.task_benchmark_page import benchmark_page, benchmark_table

        table = benchmark_table(cells)
        table.to_csv(target / TABLE, index=False)
        splits = {
            name: {"split": part.split, "trained_on": len(part.train), "n": len(part.held)}
            for name, part in self.parts.items()
        }
        seed = self.recipes[0].seed
        recipes = [recipe.model_dump(mode="json") for recipe in self.recipes]
        facts = {"gallae": __version__, "seed": seed, "tasks": splits, "recipes": recipes}
        write_json(target / CELLS, {**facts, "cells": list(cells)})
        page = benchmark_page(cells, splits, seed, self.language)
        (target / REPORT).write_text(page, encoding="utf-8")
        return table
