"""Asking teachers, teaching a student, and writing its run folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gallae.models.calibration import CalibratedClassifier
from gallae.models.contract import TextClassifier
from gallae.text import TextPipeline
from gallae.training.soft_targets import SoftOptions
from gallae.workflows import runs
from gallae.workflows.job import Job
from gallae.workflows.measuring import Outcome
from gallae.workflows.partial import Part, PartialRun
from gallae.workflows.teachers import Teacher, mean_of
from gallae.workflows.transfer import AugmentOptions, Transfer

TEACHER, COPIES = "teacher.parquet", "altered.json"
_FIGURES = ("macro_f1", "accuracy", "subset_accuracy", "micro_f1", "log_loss", "ece")


@dataclass(frozen=True)
class DistillJob(Job):
    """A student on one corpus.

    Attributes:
        teachers: Who are asked.
        soft: How they and the labels are weighed.
        augmenting: How copies of the corpus's texts are altered.
        layers: Epochs of learning the teacher's layers first.
        labelled: The texts of the corpus and of held-out rows, each once.
        unlabelled: Further texts, each once.
        transfer: All of them with the teachers' answers, once `ask` has made it.
        place: Returns where a part of that name is kept until the run is finished.
    """

    teachers: list[Teacher] = field(default_factory=list)
    soft: SoftOptions = field(default_factory=SoftOptions)
    augmenting: AugmentOptions = field(default_factory=AugmentOptions)
    layers: float = 0
    labelled: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    transfer: Transfer | None = None
    place: Callable[[str], Path] = Path

    @property
    def key(self) -> str:
        """Hash of all that decides the figures."""
        keys = [teacher.key for teacher in self.teachers]
        options = map(repr, (self.soft, self.augmenting, self.layers))
        return runs.fingerprint(super().key, *keys, *options, *self.unlabelled)

    def ask(self, partial: PartialRun) -> Transfer:
        """Alter copies, ask the teachers, and return all texts; what is done already is not repeated."""
        sources = list(dict.fromkeys(self.corpus.texts))
        copies = self.augmenting.altered(sources, lambda: partial.part(COPIES))
        taken = {*self.labelled, *self.unlabelled}
        origin: dict[str, str] = {}
        for source, altered in zip(sources, copies, strict=True):
            origin |= {text: source for text in altered if text not in taken and text not in origin}
        texts = [*self.labelled, *self.unlabelled, *origin]
        place = np.arange(len(texts)) - len(self.labelled)
        return Transfer(
            texts=texts,
            origin=[origin.get(text) for text in texts],
            unlabelled=(place >= 0) & (place < len(self.unlabelled)),
            probabilities=mean_of(self.teachers, texts, partial.part),
            classes=self.teachers[0].classes,
            options=self.soft,
        )

    def learn(self, classifier: TextClassifier, texts: list[str], labels: list[Any]) -> TextClassifier:
        """Fit a student to rows that it may learn from, and to all other texts."""
        assert self.transfer is not None
        lesson = self.transfer.lesson(texts, labels)
        if not self.layers:
            return classifier.fit_soft(*lesson)
        student: Any = classifier.estimator if isinstance(classifier, CalibratedClassifier) else classifier
        given = student.network
        student.network = {**given, "checkpoint": str(self._learn_layers(student, lesson[0]))}
        fitted: Any = classifier.fit_soft(*lesson)
        for model in (student, getattr(fitted, "estimator_", fitted)):
            model.network = given  # its own folder is gone once the run is finished
        return fitted

    def _learn_layers(self, student: Any, texts: list[str]) -> Path:
        """Return a checkpoint that has learned the teacher's layers on texts."""
        from gallae.distillation.tinybert import LayerOptions, learn_layers

        source, network = self.teachers[0].source, student.network
        assert isinstance(source, Path)
        clean = TextPipeline(student.steps, student.dictionary).apply(texts)
        name = f"layers-{runs.fingerprint(*clean)[:12]}"
        options = LayerOptions(epochs=self.layers, max_length=max(8, network["max_length"]))
        output, work = self.place(name), self.place(f"{name}-work")
        return learn_layers(
            clean, source, network["checkpoint"], output, options, seed=student.seed, work=work
        )

    def beside(self, whole: Outcome) -> dict[str, Any]:
        """Return the teachers' figures on the held-out rows, and how often the student agrees with them."""
        assert self.transfer is not None
        chances = self.transfer.of(whole.texts).astype(np.float64)
        names = np.array(self.transfer.classes, dtype=object)
        predicted: list[Any] = names[chances.argmax(axis=1)].tolist()
        if whole.multilabel:
            predicted = [tuple(names[row]) for row in chances >= 0.5]
        figures = replace(whole, predicted=predicted, probabilities=chances).metrics()
        kept = {key: figures[key] for key in figures if key.removesuffix("_interval") in _FIGURES}
        same = [a == b for a, b in zip(whole.predicted, predicted, strict=True)]
        return {"teacher": kept, "agreement": float(np.mean(same))}

    def _facts(self) -> dict[str, Any]:
        assert self.transfer is not None
        altered = sum(origin is not None for origin in self.transfer.origin)
        soft = self.soft
        return super()._facts() | {
            "teachers": ", ".join(teacher.name for teacher in self.teachers),
            "transfer_set": f"{len(self.corpus):,} labelled rows, {len(self.unlabelled):,} unlabelled texts, "
            f"{altered:,} altered copies",
            "soft_targets": f"loss {soft.loss}, temperature {soft.temperature:g}, weight {soft.weight:g}"
            + (f", {self.layers:g} epochs of its layers first" if self.layers else ""),
        }

    def _write(self, target: Path, model: TextClassifier, parts: list[Part], seconds: float) -> None:
        super()._write(target, model, parts, seconds)
        assert self.transfer is not None
        self.transfer.table().to_parquet(target / TEACHER, index=False)
