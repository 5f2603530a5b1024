"""One recipe on one corpus: fit every split, measure, fit the model to keep, and write the run folder."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gallae import __version__
from gallae.data import Corpus
from gallae.files import write_json
from gallae.models.average import AverageClassifier
from gallae.models.contract import TextClassifier
from gallae.models.persistence import write_model
from gallae.models.registry import build
from gallae.progress import status
from gallae.recipes import Recipe
from gallae.workflows import runs
from gallae.workflows.card import model_card
from gallae.workflows.measuring import (
    Outcome,
    folder_size,
    histories,
    joined,
    outcome,
    predictions_table,
    timed_probabilities,
)
from gallae.workflows.partial import Part, PartialRun
from gallae.workflows.splits import Split

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What is to be run, read and checked.

    Attributes:
        recipe: The recipe.
        corpus: All rows to learn from.
        splits: Pairs of training and held-out rows; none measures nothing.
        split: The splits in words.
        warnings: For the report.
        refit: Whether the saved model is fitted on every row after measuring.
        report: Whether to write report.html.
        language: Of the report.
    """

    recipe: Recipe
    corpus: Corpus
    splits: list[Split]
    split: str
    warnings: list[str] = field(default_factory=list)
    refit: bool = False
    report: bool = True
    language: str = "en"

    @property
    def key(self) -> str:
        """Hash of all that decides the figures, by which an interrupted run is known again."""
        held = [runs.corpus_fingerprint(split.valid) for split in self.splits]
        corpus = runs.corpus_fingerprint(self.corpus)
        return runs.fingerprint(__version__, self.recipe.to_toml(), self.refit, corpus, *held)

    @property
    def fitted_on(self) -> str:
        """What the saved model has learned from, in words."""
        if not self.splits or self.refit:
            return "all rows"
        return "the training rows" if len(self.splits) == 1 else f"{len(self.splits)} folds, averaged"

    def run(self, partial: PartialRun) -> runs.Run:
        """Fit, measure, and write the run folder; it takes its name when it is whole."""
        classifier = build(self.recipe)
        parts = [self._part(classifier, split, partial) for split in self.splits]
        started = time.perf_counter()
        with partial.training("all-rows"):
            model = self._model(classifier, parts)
        seconds = time.perf_counter() - started + sum(part.fit_seconds for part in parts)
        with partial.finish() as target:
            self._write(target, model, parts, seconds)
        return runs.Run(partial.folder)

    def learn(self, classifier: TextClassifier, texts: list[str], labels: list[Any]) -> TextClassifier:
        """Fit a classifier to rows that it may learn from, and return it."""
        return classifier.fit(texts, labels)

    def beside(self, whole: Outcome) -> dict[str, Any]:
        """Return what else is said of the held-out rows in metrics.json."""
        return {}

    def _part(self, classifier: TextClassifier, split: Split, partial: PartialRun) -> Part:
        """Fit one split, or take it over from an interrupted run."""
        part = partial.load_part(split.number)
        if part is None:
            with partial.training(f"fold-{split.number}"):
                part = fit_split(classifier, split, len(self.splits), self.learn)
            if len(self.splits) > 1:
                partial.save_part(split.number, part)
        return part

    def _model(self, classifier: TextClassifier, parts: list[Part]) -> TextClassifier:
        if parts and not self.refit:
            return parts[0].model if len(parts) == 1 else AverageClassifier.of([part.model for part in parts])
        texts, labels = self.corpus.texts, self.corpus.labels
        if self.splits and self.splits[0].train is self.corpus:  # the held-out rows are another file's
            valid = self.splits[0].valid
            texts, labels = texts + valid.texts, labels + valid.labels
        with status(f"training on all {len(texts):,} rows"):
            return self.learn(classifier, texts, labels)

    def _write(self, target: Path, model: TextClassifier, parts: list[Part], seconds: float) -> None:
        (target / runs.RECIPE).write_text(self.recipe.to_toml(), encoding="utf-8")
        (target / runs.MODEL).mkdir()
        facts = {
            "label_set": self.corpus.label_set.to_json() if self.corpus.label_set else None,
            "reading": self.recipe.data.kept(),
            "recipe": self.recipe.name,
            "gallae": __version__,
        }
        with status("saving the model"):
            write_model(model, target / runs.MODEL, **facts)
        metrics = self._facts() | (self._measured(target, parts) if parts else {})
        metrics |= {
            "fit_seconds": round(seconds, 3),
            "model_mb": round(folder_size(target / runs.MODEL) / 1e6, 2),
            "peak_memory_mb": runs.peak_memory_mb(),
            "warnings": self.warnings,
        }
        write_json(target / runs.METRICS, metrics)
        card = model_card(metrics, self.recipe, model)
        (target / runs.MODEL / "README.md").write_text(card, encoding="utf-8")

    def _facts(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.name,
            "data": self.corpus.source,
            "rows": len(self.corpus),
            "split": self.split,
            "seed": self.recipe.seed,
            "fitted_on": self.fitted_on,
            "gallae": __version__,
        }

    def _measured(self, target: Path, parts: list[Part]) -> dict[str, Any]:
        """Write predictions.parquet and report.html; return the figures."""
        import pandas as pd

        valid = [split.valid for split in self.splits]
        outcomes = [
            outcome(part.model, corpus, part.probabilities, part.seconds)
            for part, corpus in zip(parts, valid, strict=True)
        ]
        tables = [predictions_table(*rows) for rows in zip(valid, range(len(valid)), outcomes, strict=True)]
        pd.concat(tables).to_parquet(target / runs.PREDICTIONS, index=False)
        whole = joined(outcomes)
        metrics = whole.metrics() | self.beside(whole)
        if self.report:
            self._write_page(target, whole, metrics, histories([part.model for part in parts]))
        return metrics | {
            "texts_per_second": round(len(whole.gold) / max(whole.seconds, 1e-9), 1),
            "n_train": len(self.splits[0].train),
        }

    def _write_page(
        self, target: Path, whole: Outcome, metrics: dict[str, Any], learned: list[list[dict[str, Any]]]
    ) -> None:
        page = whole.page(
            metrics,
            title=f"{self.recipe.name}: {Path(self.corpus.source).name}",
            facts={key: value for key, value in self._facts().items() if key != "gallae"},
            notes=self.warnings,
            histories=learned,
            language=self.language,
        )
        (target / runs.REPORT).write_text(page, encoding="utf-8")


def fit_split(
    classifier: TextClassifier,
    split: Split,
    count: int,
    learn: Callable[[TextClassifier, list[str], list[Any]], TextClassifier] | None = None,
) -> Part:
    """Fit a copy of `classifier` on the training rows of one of `count` splits, and predict the others.

    `learn` fits it to texts and labels, where its own `fit` is not to.
    """
    from sklearn.base import clone

    title = f"fold {split.number + 1} of {count}: " if count > 1 else ""
    with status(f"{title}training on {len(split.train):,} rows"):
        started = time.perf_counter()
        copy, texts, labels = clone(classifier), split.train.texts, split.train.labels
        model = learn(copy, texts, labels) if learn else copy.fit(texts, labels)
        fit_seconds = time.perf_counter() - started
    probabilities, seconds = timed_probabilities(model, split.valid, title)
    log.info("%strained in %.1f s, predicted in %.1f s", title, fit_seconds, seconds)
    return Part(model, probabilities, fit_seconds, seconds)
