"""From labelled text to a run folder: read, check, split, fit, measure, save."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gallae.data import Corpus, read
from gallae.errors import OutputError, RecipeError
from gallae.evaluation.wording import words
from gallae.files import refuse_existing
from gallae.models.registry import build
from gallae.recipes import Recipe, find_recipe
from gallae.workflows import runs
from gallae.workflows.job import Job
from gallae.workflows.partial import PartialRun
from gallae.workflows.splits import SplitOptions, make_splits


def train(
    data: str | Path | Corpus,
    recipe: str | Path | Recipe = "default",
    *,
    valid: str | Path | None = None,
    holdout: float | None = None,
    folds: int | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    overrides: Sequence[str] = (),
    refit: bool = False,
    force: bool = False,
    resume: str | Path | None = None,
    report: bool = True,
    language: str = "en",
    **reading: Any,
) -> runs.Run:
    """Train a classifier, measure it on held-out rows, and save both as a run folder.

    Without `valid`, `holdout` or `folds` the model is fitted on every row and not measured.

    Args:
        data: A file, folder or `hf:` id (see `gallae.read`), or a corpus.
        recipe: A shipped recipe's name, a TOML file, or a `Recipe`.
        valid: A labelled file to validate on.
        holdout: Share of the rows to hold out, stratified.
        folds: Number of stratified folds; the folds' models are averaged for prediction.
        seed: Replaces the recipe's seed.
        output: The run folder; by default a fresh one under `runs/`.
        overrides: Recipe fields, such as "model.C=0.3".
        refit: After measuring, fit the saved model on all rows.
        force: Replace an existing output.
        resume: A run that was interrupted; its finished folds are taken over.
        report: Whether to write report.html.
        language: Of the report, "en" or "ko".
        reading: Keywords of `gallae.read`, such as `text_column`; they replace the recipe's.

    Returns:
        The finished run.

    Raises:
        DataError, RecipeError, OutputError: for what the user can mend; nothing is left half-written.
    """
    words(language)
    chosen = find_recipe(recipe, overrides, seed, reading)
    options = SplitOptions(valid, holdout, folds)
    if refit and not options.measures:
        raise RecipeError(
            "--refit fits on all rows after measuring: give --holdout, --valid or --folds too. "
            "Without them the model is fitted on all rows anyway."
        )
    build(chosen)
    folder = choose_folder(output, resume, chosen.name, force)
    corpus = data if isinstance(data, Corpus) else read(data, **chosen.data.reading())
    splits, warnings = make_splits(corpus, options, chosen)
    job = Job(chosen, corpus, splits, options.describe(), warnings, refit, report, language)
    with PartialRun(folder, job.key, force=force, resume=resume is not None) as partial:
        return job.run(partial)


def choose_folder(output: str | Path | None, resume: str | Path | None, name: str, force: bool) -> Path:
    """Return where a run goes: the resumed one's place, the given one, or a fresh one."""
    if resume is not None:
        resumed = Path(str(Path(resume)).removesuffix(".partial"))
        if output is not None and Path(output) != resumed:
            raise OutputError(f"--resume {resume} and -o {output} contradict each other. Give one of them.")
        if force:
            raise OutputError(
                "--resume and --force contradict each other: one goes on, the other begins anew."
            )
        return resumed
    if output is None:
        return runs.default_folder(name)
    runs.refuse_foreign(refuse_existing(output, force))
    return Path(output)
