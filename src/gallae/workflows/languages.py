"""A recipe trained on some languages and measured on every one: zero-shot, on translations, and on all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.data import Corpus, read
from gallae.errors import DataError
from gallae.evaluation.metrics import evaluate
from gallae.evaluation.wording import words
from gallae.files import write_json
from gallae.models.registry import build
from gallae.recipes import Recipe, find_recipe
from gallae.workflows.comparing import labels_of, run_part
from gallae.workflows.job import Job
from gallae.workflows.languages_page import languages_page, written_cell
from gallae.workflows.languages_plan import Rows, Training, measured_parts, plan
from gallae.workflows.partial import PartialRun
from gallae.workflows.runs import RECIPE, REPORT, Run, fingerprint
from gallae.workflows.splits import Split, SplitOptions, make_splits
from gallae.workflows.training import choose_folder

if TYPE_CHECKING:
    import pandas as pd

TABLE = "languages.csv"
FACTS = "languages.json"


@dataclass(frozen=True)
class Languages:
    """A finished comparison of languages.

    Attributes:
        folder: Where it lies: languages.csv, languages.json, report.html, and a run a training set.
        table: A row a training set and test part: "trained_on", "tested_on", "zero_shot" (whether the
            language tested is in none of the training rows), "n", and macro_f1 and accuracy with _low and
            _high.
        runs: The runs by what they were trained on.
    """

    folder: Path
    table: pd.DataFrame
    runs: dict[str, Run]

    @property
    def wide(self) -> pd.DataFrame:
        """Macro-F1: a row a training set, a column a test part."""
        order = list(dict.fromkeys(self.table["tested_on"]))
        wide = self.table.pivot(index="trained_on", columns="tested_on", values="macro_f1")
        return wide.loc[list(dict.fromkeys(self.table["trained_on"])), order]


def languages(
    data: str | Path | Corpus,
    recipe: str | Path | Recipe = "default",
    *,
    language_column: str,
    train: str | Sequence[str] = (),
    translated_column: str | None = None,
    holdout: float | None = None,
    folds: int | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    overrides: Sequence[str] = (),
    force: bool = False,
    resume: str | Path | None = None,
    language: str = "en",
    **reading: Any,
) -> Languages:
    """Train a recipe on the rows of some languages, and measure it on the held-out rows of every one.

    All training sets have the same held-out rows.

    Args:
        data: As for `train`.
        recipe: A shipped recipe's name, a TOML file, or a `Recipe`.
        language_column: Column of the text's language.
        train: Training sets, as a list or with commas: languages, "ko+en" for several together, "all" for
            all. Without it each language alone, and all.
        translated_column: Column that names the language a row was translated from; empty for originals.
            Each training set is then trained a second time with the rows translated from its languages,
            and each language's translated rows are measured apart. Needs a `group_column`, so that a text
            and its translations stay on one side.
        holdout: Share to hold out; 0.2 if no split is given.
        folds: Number of folds.
        seed: Makes the split, and replaces the recipe's; 42 by default.
        output: A folder; by default a fresh one under `runs/`.
        overrides: Recipe fields, such as "model.C=0.3".
        force: Replace an existing output.
        resume: An interrupted run; its finished training sets are taken over.
        language: Of the page, "en" or "ko".
        reading: Keywords of `gallae.read`.

    Returns:
        The finished comparison.

    Raises:
        DataError, RecipeError, OutputError: for what the user can mend.
    """
    words(language)
    chosen = find_recipe(recipe, overrides, 42 if seed is None else seed, reading)
    if translated_column and not chosen.data.group_column:
        raise DataError(
            "--translated-column needs --group-column: a column with the same value for a text and its "
            "translations, so that none is trained on while another is measured."
        )
    options = SplitOptions(None, 0.2 if holdout is None and folds is None else holdout, folds)
    build(chosen)
    folder = choose_folder(output, resume, f"languages-{chosen.name}", force)
    corpus = data if isinstance(data, Corpus) else read(data, **chosen.data.reading())
    rows = Rows.of(corpus, language_column, translated_column)
    wanted = [name.strip() for name in train.split(",") if name.strip()] if isinstance(train, str) else train
    trainings = plan(rows, wanted, corpus.source)
    splits, warnings = make_splits(corpus, options, chosen)
    asked = _Asked(chosen, corpus, splits, rows, (language_column, translated_column), warnings)
    parts = asked.parts()
    jobs = [asked.job(one, options.describe(), language) for one in trainings]
    key = fingerprint(*[job.key for job in jobs], *rows.language, *rows.origin)
    with PartialRun(folder, key, force=force, resume=resume is not None) as partial:
        finished = [run_part(job, partial.part(one.folder)) for one, job in zip(trainings, jobs, strict=True)]
        results = [
            result
            for one, run in zip(trainings, finished, strict=True)
            for result in asked.measured(one, run, parts)
        ]
        with partial.finish() as target:
            table = _write(target, asked, results, options.describe(), language)
            for run in finished:  # last, so that nothing finished is lost if something fails before
                run.folder.rename(target / run.folder.name)
    return Languages(folder, table, {one.name: Run(folder / one.folder) for one in trainings})


@dataclass(frozen=True)
class _Asked:
    """What is to be done: recipe, rows, splits, and the columns of language and origin."""

    recipe: Recipe
    corpus: Corpus
    splits: list[Split]
    rows: Rows
    columns: tuple[str, str | None]
    warnings: list[str]

    def parts(self) -> list[tuple[str, str, np.ndarray]]:
        """Return the parts of the held-out rows that are measured (see `measured_parts`).

        Raises:
            DataError: if one has no row.
        """
        held = [Rows.of(split.valid, *self.columns) for split in self.splits]
        rows = Rows(np.concatenate([h.language for h in held]), np.concatenate([h.origin for h in held]))
        names = [(name, language) for name, language, _ in measured_parts(self.rows)]
        found = {name: chosen for name, _, chosen in measured_parts(rows)}
        for name, _ in names:
            if name not in found:
                raise DataError(
                    f"{self.corpus.source}: no row of {name!r} was held out, so it cannot be measured. Hold "
                    "out more, use --folds, or another --seed."
                )
        return [(name, language, found[name]) for name, language in names]

    def job(self, training: Training, split: str, language: str) -> Job:
        """Return the training on some of the rows of each split, measured on all its held-out ones."""
        parts = []
        for one in self.splits:
            chosen = training.chosen(Rows.of(one.train, *self.columns))
            train = one.train.take(np.flatnonzero(chosen))
            self._check_labels(training, train)
            parts.append(Split(one.number, train, one.valid))
        corpus = self.corpus.take(np.flatnonzero(training.chosen(self.rows)))
        return Job(self.recipe, corpus, parts, split, self.warnings, language=language)

    def _check_labels(self, training: Training, train: Corpus) -> None:
        lacking = sorted(_known(self.corpus) - _known(train))
        if lacking:
            raise DataError(
                f"training rows of {training.name!r} lack the labels {', '.join(map(repr, lacking[:10]))}, "
                "which other languages have, so it could not be measured on those. Add rows, or leave the "
                "set out with --train."
            )

    def measured(
        self, training: Training, run: Run, parts: list[tuple[str, str, np.ndarray]]
    ) -> Iterator[dict[str, Any]]:
        """Yield the figures of a run on each part of the held-out rows."""
        table = run.predictions
        names = [column for column in table.columns if column.startswith("p_")]
        several = self.corpus.label_set is not None and self.corpus.label_set.multilabel
        seen = set(self.rows.language[training.chosen(self.rows)].tolist())
        for name, language, chosen in parts:
            part = table[chosen]
            figures = evaluate(
                labels_of(part["label"], several),
                part[names].to_numpy(),
                [column.removeprefix("p_") for column in names],
                multilabel=several,
                predicted=labels_of(part["predicted"], several),
            )
            found = {
                "trained_on": training.name,
                "tested_on": name,
                "zero_shot": bool(language) and language not in seen,
                "n": figures["n"],
            }
            for key in ("macro_f1", "accuracy"):
                low, high = figures[f"{key}_interval"]
                found |= {key: figures[key], f"{key}_low": low, f"{key}_high": high}
            yield found


def _known(corpus: Corpus) -> set[str]:
    """Return the labels that a corpus's rows have."""
    several = corpus.label_set is not None and corpus.label_set.multilabel
    return {name for row in corpus.labels for name in row} if several else set(corpus.labels)


def _write(
    target: Path, asked: _Asked, results: list[dict[str, Any]], split: str, language: str
) -> pd.DataFrame:
    """Write table, facts and page into the folder that will be the comparison."""
    import pandas as pd

    table = pd.DataFrame(results)
    table.to_csv(target / TABLE, index=False)
    original = asked.rows.origin == ""
    counts = {
        name: {
            "original": int((original & (asked.rows.language == name)).sum()),
            "translated": int((~original & (asked.rows.language == name)).sum()),
        }
        for name in dict.fromkeys([*asked.rows.languages, *asked.rows.translations])
    }
    facts = {
        "data": asked.corpus.source,
        "recipe": asked.recipe.name,
        "split": split,
        "seed": asked.recipe.seed,
        "rows": counts,
        "warnings": asked.warnings,
        "results": results,
    }
    write_json(target / FACTS, facts)
    (target / RECIPE).write_text(asked.recipe.to_toml(), encoding="utf-8")
    (target / REPORT).write_text(languages_page(facts, language=language), encoding="utf-8")
    return table


def language_lines(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return the table as lines: a row a training set, a column a test part, macro-F1 and its interval."""
    tested = list(dict.fromkeys(row["tested_on"] for row in results))
    trained = list(dict.fromkeys(row["trained_on"] for row in results))
    cells = {(row["trained_on"], row["tested_on"]): written_cell(row) for row in results}
    rows = [["trained on", *tested], *([name, *(cells[name, part] for part in tested)] for name in trained)]
    widths = [max(len(row[number]) for row in rows) + 2 for number in range(len(rows[0]))]
    lines = [
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return [*lines, "macro-F1 with its 95 % interval; * the language tested was not trained on (zero-shot)"]
