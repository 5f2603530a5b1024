"""Several saved runs as one model, weighed and measured on rows that none of them has learned from."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gallae import __version__
from gallae.data import Corpus, LabelSet
from gallae.errors import DataError, ModelError, OutputError, RecipeError
from gallae.evaluation.compare import compare_models
from gallae.evaluation.metrics import encode
from gallae.evaluation.wording import words
from gallae.files import folder_beside, write_json
from gallae.models.combining import METHODS, cross_combined, find_combination
from gallae.models.ensemble import EnsembleClassifier
from gallae.models.persistence import write_model
from gallae.progress import status
from gallae.recipes import Recipe
from gallae.workflows.card import model_card
from gallae.workflows.held_out import Member, common_rows, open_members
from gallae.workflows.measuring import Outcome, folder_size, predictions_table
from gallae.workflows.runs import (
    METRICS,
    MODEL,
    PREDICTIONS,
    RECIPE,
    REPORT,
    LoadedModel,
    Run,
    open_model,
    peak_memory_mb,
)
from gallae.workflows.training import choose_folder

log = logging.getLogger(__name__)
NAME = "ensemble"
FOLDS = 5
_TIMED_ROWS = 500
_FIGURES = ("macro_f1", "accuracy", "subset_accuracy", "micro_f1", "log_loss", "ece")


def ensemble(
    runs: Sequence[str | Path | Run],
    *,
    method: str = "weighted",
    output: str | Path | None = None,
    force: bool = False,
    language: str = "en",
) -> Run:
    """Join saved runs into one model and measure it.

    Only rows that every run held out are looked at (the same index, text and label in the runs'
    predictions), since a run's probabilities of what it has learned from are no measure of it. Weights and
    stacking are found in five folds of these rows, and each row is measured by what was found on the other
    four fifths, so the figures are honest; the saved model has what is found on all of them. The runs'
    probabilities are taken as they are.

    Args:
        runs: At least two, trained on the same labels with the same split.
        method: "mean"; "weighted": a mean with the weights of the least log loss; "stacking": multinomial
            logistic regression on the log-probabilities.
        output: The run folder; by default a fresh one under `runs/`.
        force: Replace an existing output.
        language: Of the report, "en" or "ko".

    Returns:
        The finished run; its metrics have the members' figures on the same rows beside its own.

    Raises:
        DataError, RecipeError, ModelError, OutputError: for what the user can mend.
    """
    words(language)
    if method not in METHODS:
        raise RecipeError(f"--method {method}: one of {', '.join(METHODS)}.")
    opened = open_members(runs, NAME)
    folder = choose_folder(output, None, NAME, force)
    _refuse_members(folder, opened)
    job = _Joining(opened, common_rows(opened), method, language)
    with folder_beside(folder, force) as target:
        job.write(target)
    return Run(folder)


def _refuse_members(folder: Path, members: Sequence[Member]) -> None:
    """Make sure that --force replaces no member."""
    for member in members:
        place = member.run.folder.resolve()
        if folder.resolve() in (place, *place.parents):
            raise OutputError(f"{folder} is or holds the member {member.name}. Choose another output.")


@dataclass(frozen=True)
class _Joining:
    """What is to be joined: the members, the common rows of each, the method; and the report's language."""

    members: list[Member]
    rows: list[np.ndarray]
    method: str
    language: str
    warnings: list[str] = field(default_factory=list)

    @cached_property
    def classes(self) -> list[str]:
        return sorted(self.members[0].classes)

    @property
    def multilabel(self) -> bool:
        return self.members[0].multilabel

    @cached_property
    def tables(self) -> list[np.ndarray]:
        pairs = zip(self.members, self.rows, strict=True)
        return [member.probabilities(rows, self.classes) for member, rows in pairs]

    @cached_property
    def corpus(self) -> Corpus:
        """The common rows."""
        table = self.members[0].table[["index", "text", "label"]].iloc[self.rows[0]].reset_index(drop=True)
        if self.multilabel:
            table["label"] = table["label"].map(tuple)
        return Corpus(table, self.label_set, self._said("data"))

    @cached_property
    def label_set(self) -> LabelSet:
        """The labels in the first member's order, with the ids of the competition's files."""
        sets = [loaded.label_set for loaded in self.loaded]
        for label in self.classes:
            ids = sorted({one.ids[label] for one in sets if label in one.ids})
            if len(ids) > 1:
                raise DataError(
                    f"the label {label!r} has the id {' in one run, '.join(ids)} in another. Train them with "
                    "the same dictionary of labels."
                )
        return next((one for one in sets if one.ids), sets[0])

    @cached_property
    def loaded(self) -> list[LoadedModel]:
        """The members' models."""
        result = []
        for member in self.members:
            with status(f"loading {member.name}"):
                loaded = open_model(member.run.folder)
            if {str(label) for label in loaded.model.classes_} != set(member.classes):
                raise ModelError(
                    f"{member.run.folder}: its model and its {PREDICTIONS} differ in labels. Train it again."
                )
            result.append(loaded)
        return result

    def _said(self, key: str) -> str:
        """Return what the members' metrics say, once if all say the same."""
        said = {member.name: str(member.run.metrics[key]) for member in self.members}
        if len(set(said.values())) == 1:
            return said[self.members[0].name]
        return "; ".join(f"{name}: {value}" for name, value in said.items())

    @cached_property
    def seed(self) -> int:
        return self.members[0].run.recipe.seed

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe by which the same could be trained at once."""
        first = self.members[0].run.recipe
        tables = [member.run.recipe.model_dump(mode="json", exclude={"data"}) for member in self.members]
        return Recipe.model_validate(
            {
                "name": NAME,
                "summary": f"{self.method} of {', '.join(member.name for member in self.members)}",
                "seed": self.seed,
                "data": first.data.model_dump(mode="json"),
                "model": {"family": "ensemble", "members": tables, "method": self.method, "folds": FOLDS},
            }
        )

    def write(self, target: Path) -> None:
        """Weigh, measure, and write the run folder."""
        self._warn()
        models = [loaded.model for loaded in self.loaded]
        thresholds = np.array([m.thresholds[np.argsort(m.classes_)] for m in models])
        gold = encode(self.corpus.labels, self.classes, self.multilabel)
        started = time.perf_counter()
        with status(f"weighing on {len(gold):,} rows"):
            found = find_combination(self.method, self.tables, gold, thresholds)
            crossed = cross_combined(self.method, self.tables, gold, thresholds, FOLDS, self.seed)
        seconds = time.perf_counter() - started
        model = EnsembleClassifier.of(models, found, FOLDS, self.seed)
        metrics = self._measure(target, *crossed, found.weights)
        (target / RECIPE).write_text(self.recipe.to_toml(), encoding="utf-8")
        (target / MODEL).mkdir()
        facts = {
            "label_set": self.label_set.to_json(),
            "reading": self.recipe.data.kept(),
            "recipe": NAME,
            "gallae": __version__,
        }
        with status("saving the model"):
            write_model(model, target / MODEL, **facts)
        metrics |= {
            "texts_per_second": self._speed(model),
            "fit_seconds": round(seconds + sum(m.run.metrics["fit_seconds"] for m in self.members), 3),
            "model_mb": round(folder_size(target / MODEL) / 1e6, 2),
            "peak_memory_mb": peak_memory_mb(),
            "warnings": self.warnings,
        }
        write_json(target / METRICS, metrics)
        card = model_card(metrics, self.recipe, model)
        (target / MODEL / "README.md").write_text(card, encoding="utf-8")

    def _measure(
        self,
        target: Path,
        joint: np.ndarray,
        limits: np.ndarray,
        parts: np.ndarray,
        weights: np.ndarray | None,
    ) -> dict[str, Any]:
        """Write predictions.parquet and report.html; return the figures, the members' too."""
        whole = self._outcome(joint, self._decided(joint, limits))
        table = predictions_table(self.corpus, 0, whole)
        table["fold"] = parts
        table.to_parquet(target / PREDICTIONS, index=False)
        facts = self._facts()
        metrics = facts | whole.metrics() | {"seconds": None, "method": self.method}
        metrics["members"] = self._members(whole, weights)
        shown = {key: value for key, value in facts.items() if key != "gallae"}
        page = whole.page(
            metrics,
            title=f"{NAME}: {Path(self.corpus.source).name}",
            facts=shown | {f"member {one['name']}": _in_words(one) for one in metrics["members"]},
            notes=self.warnings,
            language=self.language,
        )
        (target / REPORT).write_text(page, encoding="utf-8")
        return metrics

    def _facts(self) -> dict[str, Any]:
        what = {"mean": "", "weighted": "; weights", "stacking": "; stacking"}[self.method]
        crossed = f"{what} cross-fitted in {FOLDS} folds" if what else ""
        return {
            "recipe": NAME,
            "data": self.corpus.source,
            "rows": max(member.run.metrics["rows"] for member in self.members),
            "split": self._said("split") + crossed,
            "seed": self.seed,
            "fitted_on": self._said("fitted_on"),
            "gallae": __version__,
        }

    def _outcome(self, probabilities: np.ndarray, predicted: list[Any]) -> Outcome:
        corpus = self.corpus
        return Outcome(
            corpus.texts, corpus.labels, predicted, probabilities, self.classes, self.multilabel, 0.0
        )

    def _decided(self, joint: np.ndarray, limits: np.ndarray) -> list[Any]:
        """Return the labels of the common rows, each by the thresholds that were found on others."""
        names = np.array(self.classes, dtype=object)
        if not self.multilabel:
            return names[joint.argmax(axis=1)].tolist()
        return [tuple(names[row]) for row in joint >= limits]

    def _members(self, whole: Outcome, weights: np.ndarray | None) -> list[dict[str, Any]]:
        """Return each member's figures on the common rows, and how much better than it the ensemble is."""
        predicted = {NAME: whole.predicted}
        entries = []
        for number, (member, rows, table) in enumerate(
            zip(self.members, self.rows, self.tables, strict=True)
        ):
            said = member.table["predicted"].iloc[rows].tolist()
            predicted[member.name] = [tuple(names) for names in said] if self.multilabel else said
            figures = self._outcome(table, predicted[member.name]).metrics()
            entries.append(
                {
                    "name": member.name,
                    "run": str(member.run.folder),
                    "recipe": member.run.recipe.name,
                    "fitted_on": member.run.metrics["fitted_on"],
                    "weight": None if weights is None else float(weights[number]),
                    **{key: figures[key] for key in figures if key.removesuffix("_interval") in _FIGURES},
                }
            )
        pairs = compare_models(whole.gold, predicted, self.classes, multilabel=self.multilabel)
        leads = {pair["b"]: pair for pair in pairs if pair["a"] == NAME}
        return [entry | {"lead": _lead(leads[entry["name"]])} for entry in entries]

    def _warn(self) -> None:
        for member in self.members:
            self.warnings.extend(f"{member.name}: {text}" for text in member.run.metrics["warnings"])
        count, most = len(self.rows[0]), max(self.members, key=lambda member: len(member.table))
        if count < len(most.table):
            text = (
                f"{count:,} of the {len(most.table):,} rows that {most.name} held out were held out by all; "
                "weights and figures come from these alone."
            )
            log.warning(text)
            self.warnings.append(text)

    def _speed(self, model: EnsembleClassifier) -> float:
        texts = self.corpus.texts[:_TIMED_ROWS]
        model.predict_proba(texts[:1])  # what is loaded at first use is not counted
        started = time.perf_counter()
        model.predict_proba(texts)
        return round(len(texts) / max(time.perf_counter() - started, 1e-9), 1)


def _lead(pair: dict[str, Any]) -> dict[str, Any]:
    """Return by how much the ensemble is better than a member, less what is said elsewhere."""
    return {key: value for key, value in pair.items() if key not in ("a", "b", "n")}


def _in_words(member: dict[str, Any]) -> str:
    weight = "" if member["weight"] is None else f", weight {member['weight']:.3f}"
    return f"macro-F1 {member['macro_f1']:.4f}, log loss {member['log_loss']:.4f}{weight}"
