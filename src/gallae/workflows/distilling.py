"""A student that learns what teachers say of labelled and unlabelled texts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gallae.data import Corpus, read
from gallae.errors import DataError, RecipeError
from gallae.evaluation.wording import words
from gallae.models.calibration import CalibratedClassifier
from gallae.models.contract import TextClassifier
from gallae.models.linear import LinearClassifier
from gallae.models.registry import build
from gallae.models.soft_heads import check_classifier
from gallae.recipes import Recipe, find_recipe
from gallae.training.soft_targets import SoftOptions
from gallae.workflows import runs
from gallae.workflows.distilling_job import DistillJob
from gallae.workflows.partial import PartialRun
from gallae.workflows.splits import SplitOptions, make_splits
from gallae.workflows.teachers import Teacher, open_teachers
from gallae.workflows.training import choose_folder
from gallae.workflows.transfer import AugmentOptions, read_unlabelled

log = logging.getLogger(__name__)
Source = str | Path | runs.Run | TextClassifier


def distill(
    teacher: Source | Sequence[Source],
    data: str | Path | Corpus,
    recipe: str | Path | Recipe = "default",
    *,
    unlabelled: str | Path | Sequence[str | Path] = (),
    augment: int = 0,
    augment_model: str | Path = "",
    temperature: float = 2.0,
    weight: float = 0.5,
    loss: str = "kl",
    layers: float = 0,
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
    """Train a student on what teachers say, measure it on held-out rows, and save both as a run folder.

    Rows that a teacher's run held out (see its predictions.parquet; all of them with `folds`) get what its
    model said of them then: of rows that it has learned from, a teacher is too sure. Of the other texts the
    model is asked once. Several teachers' probabilities are averaged.

    Args:
        teacher: A run folder, a saved or exported model, a model in memory, or a file of probabilities (see
            `gallae.workflows.teachers.open_teachers`); or several of them.
        data: The labelled texts: a file, folder or `hf:` id (see `gallae.read`), or a corpus.
        recipe: The student's: a shipped recipe's name, a TOML file, or a `Recipe`, of the family linear or
            of any network.
        unlabelled: Files of texts without labels, which only the teachers know about.
        augment: How many altered copies of each labelled text are learned from too.
        augment_model: A masked language model that alters them; without one it is done by rules.
        temperature: Of the loss "kl"; linear students need none.
        weight: The teachers' share of a labelled row's loss, from 0 to 1.
        loss: What networks learn by: "kl" (Hinton et al. 2015), or "mse" of the logits (Tang et al. 2019).
        layers: Epochs of learning the teacher's layers first (TinyBERT; Jiao et al. 2020), for an encoder
            that is taught by one encoder with the same tokenizer and as many heads.
        valid, holdout, folds, seed, output, overrides, refit, force, resume, report, language, reading: See
            `gallae.train`.

    Returns:
        The finished run. Its metrics have the teachers' figures on the same rows under "teacher", the share
        of rows where both say the same under "agreement"; teacher.parquet has the teachers' probabilities
        of all texts, and may itself be a teacher.

    Raises:
        DataError, RecipeError, ModelError, OutputError: for what the user can mend; nothing is left
            half-written.
    """
    words(language)
    soft = SoftOptions(temperature, weight, loss)
    chosen = find_recipe(recipe, overrides, seed, reading)
    augmenting = AugmentOptions(augment, str(augment_model), chosen.seed)
    options = SplitOptions(valid, holdout, folds)
    if refit and not options.measures:
        raise RecipeError("--refit fits on all rows after measuring: give --holdout, --valid or --folds too.")
    student = build(chosen)
    check_student(student)
    several = isinstance(teacher, Sequence) and not isinstance(teacher, str)
    teachers = open_teachers(list(teacher) if several else [teacher])  # type: ignore[arg-type, list-item]
    check_layers(layers, student, teachers)
    folder = choose_folder(output, resume, chosen.name, force)
    corpus = data if isinstance(data, Corpus) else read(data, **chosen.data.reading())
    check_labels(teachers, corpus)
    splits, warnings = make_splits(corpus, options, chosen)
    labelled = dict.fromkeys([*corpus.texts, *(text for split in splits for text in split.valid.texts)])
    files = [unlabelled] if isinstance(unlabelled, str | Path) else list(unlabelled)
    job = DistillJob(
        chosen,
        corpus,
        splits,
        options.describe(),
        [*warnings, *warn_of_learned(teachers, corpus)],
        refit,
        report,
        language,
        teachers=teachers,
        soft=soft,
        augmenting=augmenting,
        layers=layers,
        labelled=list(labelled),
        unlabelled=read_unlabelled(files, chosen.data.kept(), labelled),
    )
    with PartialRun(folder, job.key, force=force, resume=resume is not None) as partial:
        return replace(job, transfer=job.ask(partial), place=partial.part).run(partial)


def check_student(classifier: TextClassifier) -> None:
    """Make sure that a classifier can learn from a teacher.

    Raises:
        RecipeError: if it learns from labels alone.
    """
    if isinstance(classifier, CalibratedClassifier):
        return check_student(classifier.estimator)
    if isinstance(classifier, LinearClassifier):
        return check_classifier(classifier.classifier)
    if type(classifier).fit_soft is TextClassifier.fit_soft:
        classifier.fit_soft([], None)  # type: ignore[arg-type]  # which says so
    return None


def check_layers(layers: float, student: TextClassifier, teachers: Sequence[Teacher]) -> None:
    """Make sure that a student can learn its teacher's layers, if it is to.

    Raises:
        RecipeError: if it cannot.
    """
    if not 0 <= layers < np.inf:
        raise RecipeError(f"--layers {layers}: epochs of learning the teacher's layers, 0 for none.")
    if layers and not (_is_encoder(student) and len(teachers) == 1 and isinstance(teachers[0].source, Path)):
        raise RecipeError(
            "--layers is for a student of the family encoder with one teacher, a saved model of the family "
            "encoder too. Leave it away, or choose such a student and teacher."
        )


def _is_encoder(student: TextClassifier) -> bool:
    inner = student.estimator if isinstance(student, CalibratedClassifier) else student
    return isinstance(getattr(inner, "network", None), dict) and inner.network.get("family") == "encoder"


def check_labels(teachers: Sequence[Teacher], corpus: Corpus) -> None:
    """Make sure that teachers know the labels of a corpus.

    Raises:
        DataError: if they know others, or give a text one label where the corpus has several, or the reverse.
    """
    several = corpus.label_set is not None and corpus.label_set.multilabel
    given = {name for names in corpus.labels for name in (names if several else [names])}
    for teacher in teachers:
        if teacher.multilabel is not None and teacher.multilabel != several:
            theirs, ours = ("several labels", "one") if teacher.multilabel else ("one label", "several")
            raise DataError(
                f"the teacher {teacher.name} gives a text {theirs}, and {corpus.source} {ours}. Choose a "
                "teacher that was trained on such data."
            )
        odd = sorted(given - set(teacher.classes))
        if odd:
            raise DataError(
                f"the teacher {teacher.name} does not know the labels {', '.join(map(repr, odd[:10]))} of "
                f"{corpus.source}; it knows {', '.join(map(repr, teacher.classes[:10]))}. Choose a teacher "
                "that was trained on the same labels, or name the label's column with --label-column."
            )
    more = sorted(set(teachers[0].classes) - given)
    if more:
        log.warning("the teacher knows labels that no row has: %s; so will the student", ", ".join(more[:10]))


def warn_of_learned(teachers: Sequence[Teacher], corpus: Corpus) -> list[str]:
    """Return a warning, which is logged too, if the teachers may have learned from rows of a corpus."""
    held = [all(text in teacher.said for teacher in teachers) for text in corpus.texts]
    if all(held):
        return []
    text = (
        f"{len(held) - sum(held):,} of {len(held):,} labelled rows were not held out by every teacher. If "
        "one has learned from them, it is too sure of them: train it with --folds."
    )
    log.warning(text)
    return [text]
