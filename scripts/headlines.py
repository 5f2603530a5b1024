"""Makes the bundled classifier src/gallae/bundled/headlines again: teachers, students, their mean in 8 bits.

The mean is calibrated on rows that nothing has learned from, so run it with `--held-out` first; and it
decides for a balance of topics half-way between one where all are alike and that of the unlabelled headlines.

    GALLAE_DATA=FOLDER python scripts/headlines.py [--work FOLDER] [--held-out]

About two hours on two cores; what is finished stays in the work folder, and what was interrupted goes on.
With `--held-out` a fifth of YNAT (the rows of `gallae train --holdout 0.2 --seed 42`) is kept from teachers
and students alike, nothing goes into the package, and a table says what each makes of these rows.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

import gallae
from gallae.data import Corpus, holdout
from gallae.evaluation.metrics import evaluate
from gallae.models.calibration import CalibratedClassifier
from gallae.models.ensemble import EnsembleClassifier
from gallae.models.persistence import load_with_facts, write_model

DATA = Path(os.environ.get("GALLAE_DATA", "../shared/data"))
YNAT, UNLABELLED = DATA / "ynat" / "train_data.csv", DATA / "pretrain" / "headlines.txt.xz"
TEACHERS = ("gallae-small", "textcnn-piece", "prepro-dnn")
STUDENTS = ("transformer-piece", "textcnn-piece")
FOLDS, SEED = 3, 1
BUNDLED = Path(__file__).parents[1] / "src" / "gallae" / "bundled" / "headlines"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=Path("runs/headlines"))
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    work = options.work / ("held-out" if options.held_out else "all")
    work.mkdir(parents=True, exist_ok=True)
    data, valid = split(work) if options.held_out else (YNAT, None)
    teachers = [teacher(work, recipe, data) for recipe in TEACHERS]
    students = [student(work, recipe, teachers, data, valid) for recipe in STUDENTS]
    joined, decided, exported = work / "joined", work / "decided", work / "int8"
    join(students, joined)
    decide(joined, students[0], valid, options.work / "held-out" / "decided", decided)
    if not exported.exists():
        gallae.export(decided, exported, int8=True, sample=valid)
    if valid is not None:
        cross_fitted(joined, decided, valid)
        measure([*teachers, *students, joined, decided, exported], valid)
        return
    BUNDLED.mkdir(parents=True, exist_ok=True)
    for path in exported.iterdir():
        if path.name not in ("README.md", "export.json"):  # the card is written by hand
            shutil.copy2(path, BUNDLED)
    print(f"written: {BUNDLED}. Bring the figures of its README.md up to date.")


def split(work: Path) -> tuple[Path, Path]:
    """Write the rows to learn from and the held-out ones, and return the two files."""
    corpus = gallae.read(YNAT)
    files = (work / "learn.csv", work / "held-out.csv")
    for path, rows in zip(files, holdout(corpus, 0.2, 42), strict=True):
        write(corpus.take(rows), path)
    return files


def write(corpus: Corpus, path: Path) -> None:
    """Write texts and labels as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("title", "topic"), *zip(corpus.texts, corpus.labels, strict=True)])


def resumed(folder: Path, make: Callable[..., Any]) -> Path:
    """Make a run, go on with it, or leave it as it is."""
    if not folder.exists():
        started = folder.with_name(f"{folder.name}.partial").exists()
        make(**({"resume": folder} if started else {"output": folder}))
    return folder


def teacher(work: Path, recipe: str, data: Path) -> Path:
    """Train a teacher in folds, so that of every labelled row one fold's model says something unlearned."""
    make = partial(gallae.train, data, recipe, seed=SEED, folds=FOLDS, report=False)
    return resumed(work / f"teacher-{recipe}", make)


def student(work: Path, recipe: str, teachers: list[Path], data: Path, valid: Path | None) -> Path:
    """Teach a student; the second one reads what the teachers have told the first."""
    told = next(iter(sorted(work.glob("student-*/teacher.parquet"))), None)
    make = partial(
        gallae.distill,
        teachers if told is None else told,
        data,
        recipe,
        unlabelled=UNLABELLED,
        valid=valid,
        weight=0.7,
        report=False,
    )
    return resumed(work / f"student-{recipe}", make)


def join(runs: list[Path], folder: Path) -> None:
    """Save the mean of several runs' models."""
    if folder.exists():
        return
    models, facts = zip(*(load_with_facts(run) for run in runs), strict=True)
    folder.mkdir()
    write_model(EnsembleClassifier.of(models), folder, **{**facts[0], "recipe": "headlines"})


def decide(joined: Path, student: Path, valid: Path | None, held_out: Path, folder: Path) -> None:
    """Save `joined`, calibrated on held-out rows, or without them as the model of the held-out run is."""
    if folder.exists():
        return
    model, facts = load_with_facts(joined)
    if valid is None:
        calibrated = load_with_facts(held_out)[0]
        calibrated.estimator = calibrated.estimator_ = model
    else:
        corpus = gallae.read(valid)
        gold = np.searchsorted(model.classes_, corpus.labels)
        calibrated = CalibratedClassifier.of(model, "multinomial", model.scores(corpus.texts), gold)
    folder.mkdir()
    write_model(calibrated.for_balance(balance_of(student, model.classes_)), folder, **facts)


def balance_of(student: Path, classes: np.ndarray) -> np.ndarray:
    """Return the topics' shares to decide for: half of them alike, half as teachers find them."""
    told = pd.read_parquet(student / "teacher.parquet")
    unlabelled = told.loc[told["kind"] == "unlabelled", [f"p_{label}" for label in classes]]
    answers = np.bincount(unlabelled.to_numpy().argmax(axis=1), minlength=len(classes)) / len(unlabelled)
    return (answers + 1 / len(classes)) / 2


def cross_fitted(joined: Path, decided: Path, valid: Path) -> None:
    """Print what `decided` is worth on rows that its calibration has not seen: five parts in turn."""
    corpus, model = gallae.read(valid), gallae.load(joined)
    balance = gallae.load(decided).balance_
    scores, gold = model.scores(corpus.texts), np.searchsorted(model.classes_, corpus.labels)
    table = np.zeros((len(gold), len(model.classes_)))
    for learn, held in StratifiedKFold(5, shuffle=True, random_state=SEED).split(scores, gold):
        fitted = CalibratedClassifier.of(model, "multinomial", scores[learn], gold[learn])
        table[held] = fitted.for_balance(balance).probabilities(scores[held])
    found = evaluate(corpus.labels, table, model.classes_.tolist())
    elsewhere = over_balances(table, model.classes_, corpus.labels)
    print(f"decided, cross-fitted: macro-F1 {found['macro_f1']:.4f}, accuracy {found['accuracy']:.4f}, "
          f"log loss {found['log_loss']:.4f}, any balance {elsewhere:.4f}")  # fmt: skip


def measure(models: list[Path], valid: Path) -> None:
    """Print what each model makes of the held-out rows, and of rows balanced otherwise."""
    corpus = gallae.read(valid)
    print(
        "| model | macro-F1 | 95 % interval | accuracy | log loss | any balance |\n|---|---|---|---|---|---|"
    )
    for folder in models:
        model = gallae.load(folder)
        found = gallae.evaluate(model, corpus)
        low, high = found["macro_f1_interval"]
        figures = f"{found['macro_f1']:.4f} | {low:.4f}-{high:.4f} | {found['accuracy']:.4f}"
        elsewhere = over_balances(model.predict_proba(corpus.texts), model.classes_, corpus.labels)
        print(f"| {folder.name} | {figures} | {found['log_loss']:.4f} | {elsewhere:.4f} |")


def over_balances(probabilities: np.ndarray, classes: np.ndarray, labels: list[str]) -> float:
    """Return the macro-F1, averaged over a thousand label balances, each as likely as any other."""
    gold, count = np.searchsorted(classes, labels), len(classes)
    balances = np.random.default_rng(SEED).dirichlet(np.ones(count), 1000)
    pairs = np.bincount(gold * count + probabilities.argmax(axis=1), minlength=count * count)
    answers = pairs.reshape(count, count) / np.bincount(gold)[:, None]
    return float(np.mean(2 * balances * answers.diagonal() / (balances @ answers + balances)))


if __name__ == "__main__":
    main()
