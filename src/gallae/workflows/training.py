"""From labelled text to a run folder: read, check, split, fit, measure, save."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gallae import __version__
from gallae.data import Corpus, read
from gallae.errors import DataError, OutputError, RecipeError
from gallae.evaluation.metrics import evaluate
from gallae.files import refuse_existing, write_json
from gallae.models.average import AverageClassifier
from gallae.models.contract import TextClassifier
from gallae.models.persistence import write_model
from gallae.models.registry import build
from gallae.progress import status
from gallae.recipes import Recipe, find_recipe
from gallae.workflows import runs
from gallae.workflows.card import model_card
from gallae.workflows.partial import PartialRun
from gallae.workflows.splits import Split, SplitOptions, make_splits

log = logging.getLogger(__name__)


@dataclass
class Held:
    """Held-out rows with their probabilities, one entry a split; seconds of fitting and predicting."""

    models: list[TextClassifier] = field(default_factory=list)
    probabilities: list[np.ndarray] = field(default_factory=list)
    fit_seconds: float = 0.0
    seconds: float = 0.0


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
    quiet: bool = False,
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
        refit: With a hold-out, fit the saved model on all rows afterwards.
        force: Replace an existing output.
        resume: A run that was interrupted; its finished folds are taken over.
        report: Whether to write report.html.
        language: Of the report, "en" or "ko".
        quiet: Do not log the warnings; they stand in metrics.json all the same.
        reading: Keywords of `gallae.read`, such as `text_column`; they replace the recipe's.

    Returns:
        The finished run.

    Raises:
        DataError, RecipeError, OutputError: for what the user can mend; nothing is left half-written.
    """
    chosen = find_recipe(recipe, [*overrides, *as_overrides(reading)], seed)
    split_options = SplitOptions(valid, holdout, folds)
    _check_refit(refit, split_options)
    folder = choose_folder(output, resume, chosen.name, force)
    corpus = data if isinstance(data, Corpus) else read(data, **chosen.data.reading())
    classifier = build(chosen)
    splits, warnings = make_splits(corpus, split_options, chosen, quiet)
    key = runs.fingerprint(chosen.to_toml(), split_options, refit, runs.corpus_fingerprint(corpus))
    with PartialRun(folder, key, force=force, resume=resume is not None) as partial:
        held = _fit_splits(classifier, splits, partial)
        model = _final_model(classifier, corpus, splits, held, refit)
        metrics = {
            "recipe": chosen.name,
            "data": corpus.source,
            "rows": len(corpus),
            "split": split_options.describe(),
            "seed": chosen.seed,
            "fitted_on": _fitted_on(splits, refit),
            "gallae": __version__,
        }
        facts = {
            "label_set": corpus.label_set.to_json() if corpus.label_set else None,
            "reading": {k: v for k, v in chosen.data.reading().items() if k.endswith("_column") and v},
            "recipe": chosen.name,
            "gallae": __version__,
        }
        with partial.finish() as target:
            (target / runs.RECIPE).write_text(chosen.to_toml(), encoding="utf-8")
            (target / runs.MODEL).mkdir()
            with status("saving the model"):
                write_model(model, target / runs.MODEL, **facts)
            metrics["model_mb"] = round(_size(target / runs.MODEL) / 1e6, 2)
            if splits:
                metrics |= _measure(target, splits, held, chosen, warnings, report, language, metrics)
            metrics |= {"fit_seconds": round(held.fit_seconds, 3), "peak_memory_mb": runs.peak_memory_mb()}
            metrics["warnings"] = warnings
            write_json(target / runs.METRICS, metrics)
            card = model_card(metrics, chosen, model, corpus)
            (target / runs.MODEL / "README.md").write_text(card, encoding="utf-8")
    return runs.Run(folder)


def as_overrides(reading: dict[str, Any]) -> list[str]:
    """Turn keywords of `gallae.read` into recipe overrides."""
    import json

    overrides = []
    for key, value in reading.items():
        if isinstance(value, list | tuple):
            value = ",".join(value)
        if value not in (None, ""):
            overrides.append(f"data.{key}={json.dumps(value, ensure_ascii=False)}")
    return overrides


def _check_refit(refit: bool, options: SplitOptions) -> None:
    if refit and not (options.holdout or options.valid):
        raise RecipeError("--refit goes with --holdout or --valid: it fits on all rows after measuring.")


def choose_folder(output: Any, resume: Any, name: str, force: bool) -> Path:
    """Return where a run goes: the resumed one's place, the given one, or a fresh one."""
    if resume is not None:
        resumed = Path(str(resume).removesuffix(".partial").rstrip("/"))
        if output is not None and Path(output) != resumed:
            raise OutputError(f"--resume {resume} and -o {output} contradict each other. Give one of them.")
        return resumed
    return refuse_existing(output, force) if output is not None else runs.default_folder(name)


def _fit_splits(classifier: TextClassifier, splits: list[Split], partial: PartialRun) -> Held:
    """Fit and predict every split, taking over what an interrupted run has finished."""
    held = Held()
    for split in splits:
        found = partial.load_part(split.number)
        if found is None:
            found = _fit_split(classifier, split, len(splits))
            if len(splits) > 1:
                partial.save_part(split.number, *found)
        model, probabilities, fit_seconds, seconds = found
        held.models.append(model)
        held.probabilities.append(probabilities)
        held.fit_seconds += fit_seconds
        held.seconds += seconds
    return held


def _fit_split(classifier: TextClassifier, split: Split, count: int) -> tuple[Any, np.ndarray, float, float]:
    from sklearn.base import clone

    title = f"fold {split.number + 1} of {count}: " if count > 1 else ""
    with status(f"{title}training on {len(split.train):,} rows"):
        started = time.perf_counter()
        model = clone(classifier).fit(split.train.texts, split.train.labels)
        fitted = time.perf_counter()
    with status(f"{title}predicting {len(split.valid):,} rows"):
        probabilities = model.predict_proba(split.valid.texts)
    done = time.perf_counter()
    log.info("%strained in %.1f s, predicted in %.1f s", title, fitted - started, done - fitted)
    return model, probabilities, fitted - started, done - fitted


def _final_model(
    classifier: TextClassifier, corpus: Corpus, splits: list[Split], held: Held, refit: bool
) -> TextClassifier:
    if splits and not refit:
        return held.models[0] if len(splits) == 1 else AverageClassifier.of(held.models)
    started = time.perf_counter()
    if splits and splits[0].train is corpus:  # a validation file: all rows are those of both files
        texts, labels = [*corpus.texts, *splits[0].valid.texts], [*corpus.labels, *splits[0].valid.labels]
    else:
        texts, labels = corpus.texts, corpus.labels
    with status(f"training on all {len(texts):,} rows"):
        model = classifier.fit(texts, labels)
    held.fit_seconds += time.perf_counter() - started
    return model


def _fitted_on(splits: list[Split], refit: bool) -> str:
    if not splits or refit:
        return "all rows"
    return "the training rows" if len(splits) == 1 else f"{len(splits)} folds, averaged"


def _measure(
    target: Path,
    splits: list[Split],
    held: Held,
    recipe: Recipe,
    warnings: list[str],
    report: bool,
    language: str,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Write predictions and report; return the figures."""
    import pandas as pd

    model = held.models[0]
    gold = [label for split in splits for label in split.valid.labels]
    if unknown := _unknown(gold, model.classes_, model.multilabel_):
        raise DataError(
            f"the held-out rows have labels that the training rows lack: {', '.join(map(repr, unknown))}. "
            "Use other folds or group column, or drop these labels with data.label_map."
        )
    probabilities = np.vstack(held.probabilities)
    predicted = [
        label
        for member, part in zip(held.models, held.probabilities, strict=True)
        for label in member.decide(part)
    ]
    classes = [str(label) for label in model.classes_]
    metrics = evaluate(
        gold, probabilities, classes, multilabel=model.multilabel_, predicted=predicted, seconds=held.seconds
    )
    tables = []
    start = 0
    for split in splits:
        stop = start + len(split.valid)
        fold = [split.number] * len(split.valid)
        tables.append(
            runs.predictions_table(
                split.valid, fold, probabilities[start:stop], predicted[start:stop], classes
            )
        )
        start = stop
    pd.concat(tables).to_parquet(target / runs.PREDICTIONS, index=False)
    if report:
        from gallae.evaluation.report import evaluation_page

        page = evaluation_page(
            metrics,
            gold,
            probabilities,
            classes,
            texts=[text for split in splits for text in split.valid.texts],
            predicted=predicted,
            multilabel=model.multilabel_,
            title=f"{recipe.name}: {facts['data']}",
            facts={key: facts[key] for key in ("recipe", "data", "rows", "split", "seed", "fitted_on")},
            notes=warnings,
            language=language,
        )
        (target / runs.REPORT).write_text(page, encoding="utf-8")
    metrics["texts_per_second"] = round(len(gold) / max(held.seconds, 1e-9), 1)
    metrics["n_train"] = len(splits[0].train)
    return metrics


def _unknown(gold: list[Any], classes: np.ndarray, multilabel: bool) -> list[str]:
    known = set(classes.tolist())
    labels = {name for row in gold for name in row} if multilabel else set(gold)
    return sorted(labels - known)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
