"""`gallae sentences train`, `distil` and `evaluate`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gallae import __version__
from gallae.errors import DataError, RecipeError
from gallae.files import read_json, refuse_existing, write_json
from gallae.progress import status
from gallae.tasks.recipe import SCRATCH
from gallae.tasks.sentence_folders import find_folder, fingerprint
from gallae.tasks.sentence_measures import FIGURES
from gallae.tasks.sentence_recipe import OBJECTIVES, SentenceRecipe, sentence_recipe
from gallae.tasks.sentence_rows import SentenceRow, read_rows
from gallae.tasks.sentences import SentenceEncoder
from gallae.workflows import runs
from gallae.workflows.measuring import folder_size
from gallae.workflows.partial import PartialRun
from gallae.workflows.sentence_card import sentence_card
from gallae.workflows.training import choose_folder

PREDICTIONS = "predictions.jsonl"
_MOST_MISSING = 0.9


@dataclass(frozen=True)
class SentenceRun:
    """A finished run.

    Attributes:
        folder: Where it lies.
    """

    folder: Path

    @cached_property
    def encoder(self) -> SentenceEncoder:
        """The trained encoder."""
        return SentenceEncoder.load(self.folder)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What metrics.json says."""
        return read_json(self.folder / runs.METRICS)


def train_sentences(
    data: str | Path,
    *,
    objective: str | None = None,
    checkpoint: str | None = None,
    pooling: str | None = None,
    valid: str | Path | None = None,
    holdout: float | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    overrides: Sequence[str] = (),
    force: bool = False,
    resume: str | Path | None = None,
    **reading: Any,
) -> SentenceRun:
    """Train a sentence encoder, and write a run folder with the model.

    Args:
        data: Rows of the objective's layout, see `gallae.tasks.sentence_rows.read_rows`.
        objective: "classification", "regression", "triplet" or "ranking"; None for the recipe's.
        checkpoint: A folder, an id of the hub, or "scratch".
        pooling: "mean", "cls", "max" or "auto".
        valid: A file of the same layout to measure on.
        holdout: Share of the rows to hold out and measure on.
        seed: Replaces the recipe's seed.
        output: The run folder; by default a fresh one under `runs/`.
        overrides: Recipe fields, such as "training.epochs=3".
        force: Replace an existing output.
        resume: A run that was interrupted.
        reading: `columns`, `label_column` and `encoding` of `read_rows`.

    Raises:
        DataError, RecipeError, ModelError, OutputError: for what the user can mend.
    """
    fields = {"objective": objective, "checkpoint": checkpoint, "pooling": pooling, "seed": seed}
    recipe = sentence_recipe(None, overrides, **fields)
    if recipe.objective == "distillation":
        raise RecipeError("a distillation needs a teacher: gallae sentences distil TEACHER PARALLEL.")
    return _Job(data, recipe, valid, holdout, reading).run(output, resume, force)


def distil_sentences(
    teacher: str | Path,
    data: str | Path,
    *,
    checkpoint: str | None = None,
    pooling: str | None = None,
    valid: str | Path | None = None,
    holdout: float | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    overrides: Sequence[str] = (),
    force: bool = False,
    resume: str | Path | None = None,
    **reading: Any,
) -> SentenceRun:
    """Train a student whose vectors of a text and its translation are the teacher's of the text.

    Args:
        teacher: A run, a sentence-transformers folder, or an id of the hub.
        data: Two columns: texts in the teacher's language, and their translations.
        checkpoint: The student's; see `train_sentences` for it and the others.
        pooling: The student's.
        valid: Parallel text to measure on.
        holdout: Share of the rows to hold out and measure on.
        seed: Replaces the recipe's seed.
        output: The run folder.
        overrides: Recipe fields.
        force: Replace an existing output.
        resume: A run that was interrupted.
        reading: `columns`, `label_column` and `encoding` of `read_rows`.

    Raises:
        DataError, RecipeError, ModelError, OutputError: for what the user can mend.
    """
    fields = {"checkpoint": checkpoint, "pooling": pooling, "seed": seed, "objective": "distillation"}
    recipe = sentence_recipe(None, overrides, **fields)
    return _Job(data, recipe, valid, holdout, reading, SentenceEncoder.load(teacher), str(teacher)).run(
        output, resume, force
    )


@dataclass
class _Job:
    """A training, with or without a teacher."""

    data: str | Path
    recipe: SentenceRecipe
    valid: str | Path | None
    holdout: float | None
    reading: dict[str, Any]
    teacher: SentenceEncoder | None = None
    teacher_name: str = ""
    split: str = field(default="none", init=False)

    def run(self, output: str | Path | None, resume: str | Path | None, force: bool) -> SentenceRun:
        """Read, split, train, measure, and write the run folder."""
        folder = choose_folder(output, resume, f"sentences-{self.recipe.objective}", force)
        if resume is None:
            refuse_existing(folder, force)
        self._find_checkpoint()
        train, valid = self._rows()
        teacher = fingerprint(find_folder(self.teacher_name)) if self.teacher else ""
        key = runs.fingerprint(__version__, self.recipe.to_toml(), repr(train), repr(valid), teacher)
        with PartialRun(folder, key, force=force, resume=resume is not None) as partial:
            started = time.perf_counter()
            encoder = SentenceEncoder(self.recipe)
            with partial.training("sentences"), status(f"training on {len(train):,} rows"):
                encoder = encoder.distil(self.teacher, train) if self.teacher else encoder.fit(train)
            seconds = time.perf_counter() - started
            with partial.finish() as target:
                self._write(target, encoder, train, valid, seconds)
        return SentenceRun(folder)

    def _find_checkpoint(self) -> None:
        """Say before any data is read that a checkpoint is missing."""
        if self.recipe.checkpoint != SCRATCH:
            find_folder(self.recipe.checkpoint, self.recipe.revision)

    def _rows(self) -> tuple[list[SentenceRow], list[SentenceRow]]:
        if self.valid is not None and self.holdout is not None:
            raise RecipeError("--valid and --holdout contradict each other. Give one of them.")
        rows = read_rows(self.data, self.recipe.objective, **self.reading)
        if self.valid is not None:
            self.split = f"file {Path(self.valid).name}"
            return rows, read_rows(self.valid, self.recipe.objective, **self.reading)
        if self.holdout is None:
            return rows, []
        count = _held_out(len(rows), self.holdout)
        self.split = f"hold-out of {self.holdout:g} ({count:,} of {len(rows):,})"
        order = np.random.default_rng(self.recipe.seed).permutation(len(rows))
        kept = sorted(order[count:].tolist())
        return [rows[at] for at in kept], [rows[at] for at in sorted(order[:count].tolist())]

    def _write(
        self,
        target: Path,
        encoder: SentenceEncoder,
        train: list[SentenceRow],
        valid: list[SentenceRow],
        seconds: float,
    ) -> None:
        (target / runs.RECIPE).write_text(self.recipe.to_toml(), encoding="utf-8")
        (target / runs.MODEL).mkdir()
        with status("saving the model"):
            encoder.write(target / runs.MODEL)
        metrics: dict[str, Any] = {
            "task": "sentences",
            "objective": self.recipe.objective,
            "checkpoint": self.recipe.checkpoint,
            "data": str(self.data),
            "rows": len(train),
            "split": self.split,
            "seed": self.recipe.seed,
            "gallae": __version__,
        }
        if self.teacher is not None:
            metrics["teacher"] = self.teacher_name
        if valid:
            metrics |= self._measured(target, encoder, valid)
        metrics |= {
            "dimensions": encoder.dimensions,
            "parameters": encoder.parameters,
            "history": encoder.history,
            "fit_seconds": round(seconds, 3),
            "model_mb": round(folder_size(target / runs.MODEL) / 1e6, 2),
            "peak_memory_mb": runs.peak_memory_mb(),
        }
        write_json(target / runs.METRICS, metrics)
        (target / runs.MODEL / "README.md").write_text(sentence_card(metrics, self.recipe), encoding="utf-8")

    def _measured(self, target: Path, encoder: SentenceEncoder, rows: list[SentenceRow]) -> dict[str, Any]:
        figures = encoder.evaluate(rows)
        cosines = encoder.cosines(rows)
        if self.teacher is not None:
            figures |= encoder.likeness(self.teacher, rows)
        names = ("sentence1", "sentence2", "sentence3")
        with (target / PREDICTIONS).open("w", encoding="utf-8") as file:
            for row, found in zip(rows, cosines.tolist(), strict=True):
                line = dict(zip(names, row.texts, strict=False)) | {"target": row.target, "cosines": found}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return figures


def _held_out(n: int, share: float) -> int:
    if not 0 < share < 1:
        raise RecipeError(f"--holdout {share:g}: it is a share of the rows, such as 0.1.")
    count = max(2, round(n * share))
    if count > n * _MOST_MISSING:
        raise DataError(f"--holdout {share:g} leaves too few of {n} rows to train on.")
    return count


def evaluate_sentences(
    model: str | Path, data: str | Path, *, objective: str | None = None, **reading: Any
) -> dict[str, Any]:
    """Measure an encoder; see `gallae.tasks.sentence_measures.measure`.

    Args:
        model: A run, a sentence-transformers folder, an id of the hub, or a plain checkpoint.
        data: Scored pairs; with another `objective` rows of its layout.
        objective: "regression", "classification", "triplet" or "ranking".
        reading: `columns`, `label_column` and `encoding` of `read_rows`.
    """
    layout = objective or "regression"
    if layout not in OBJECTIVES:
        raise RecipeError(f"there is no objective {layout!r}. Objectives: {', '.join(OBJECTIVES)}.")
    encoder = SentenceEncoder.load(model)
    rows = read_rows(data, layout, **reading)
    return {"model": str(model), "data": str(data)} | encoder.evaluate(rows)


def figure_lines(metrics: dict[str, Any]) -> list[str]:
    """Return the figures for a person, the baselines' behind them."""
    simple = [value for key, value in metrics.items() if key.endswith("baseline")]
    lines = []
    for key, words in FIGURES.items():
        if key not in metrics:
            continue
        low, high = metrics[f"{key}_interval"]
        beside = ", ".join(f"{one['name']} {one[key]:.4f}" for one in simple if key in one)
        lines.append(f"{words}: {metrics[key]:.4f} ({low:.4f} to {high:.4f}){'; ' if beside else ''}{beside}")
    for label, cosine in metrics.get("cosine_by_label", {}).items():
        lines.append(f"mean cosine of {label}: {cosine:.4f}")
    for key, words in {"source_to_teacher": "text", "translation_to_teacher": "translation"}.items():
        if key in metrics:
            lines.append(f"mean cosine of {words} to teacher: {metrics[key]:.4f}")
    return lines
