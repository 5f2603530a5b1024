"""Several recipes on the same rows: one table, tests between every two, a page."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae.data import Corpus, read
from gallae.errors import RecipeError
from gallae.evaluation.compare import compare_models
from gallae.evaluation.wording import words
from gallae.files import write_json
from gallae.models.registry import build
from gallae.recipes import Recipe, find_recipe
from gallae.workflows.job import Job
from gallae.workflows.partial import PartialRun
from gallae.workflows.runs import REPORT, Run, fingerprint
from gallae.workflows.splits import SplitOptions, make_splits
from gallae.workflows.training import choose_folder

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
TABLE = "comparison.csv"
TESTS = "tests.json"
COLUMNS = (
    "recipe",
    "macro_f1",
    "macro_f1_low",
    "macro_f1_high",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "log_loss",
    "ece",
    "fit_seconds",
    "texts_per_second",
    "model_mb",
)


@dataclass(frozen=True)
class Comparison:
    """A finished comparison.

    Attributes:
        folder: Where it lies: comparison.csv, tests.json, report.html, and a run a recipe.
        table: A row a recipe, the best macro-F1 first.
        pairs: McNemar's test and the differences between every two recipes.
        runs: The runs by recipe name.
    """

    folder: Path
    table: pd.DataFrame
    pairs: list[dict[str, Any]]
    runs: dict[str, Run]

    @property
    def best(self) -> Run:
        """The run with the best macro-F1."""
        return self.runs[self.table["recipe"].iloc[0]]


def compare(
    data: str | Path | Corpus,
    recipes: Sequence[str | Path | Recipe] = ("default", "fast", "tfidf-word"),
    *,
    valid: str | Path | None = None,
    holdout: float | None = None,
    folds: int | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    overrides: Sequence[str] = (),
    force: bool = False,
    resume: str | Path | None = None,
    language: str = "en",
    **reading: Any,
) -> Comparison:
    """Train several recipes on the same rows and compare them on the same held-out rows.

    Args:
        data: As for `train`.
        recipes: At least two.
        valid: A labelled file to validate on.
        holdout: Share to hold out; 0.2 if no split is given.
        folds: Number of folds.
        seed: One seed for all, which also makes the split; 42 by default.
        output: A folder; by default a fresh one under `runs/`.
        overrides: Recipe fields for all of them.
        force: Replace an existing output.
        resume: A comparison that was interrupted; its finished recipes are taken over.
        language: Of the pages, "en" or "ko".
        reading: Keywords of `gallae.read`.

    Returns:
        The finished comparison.

    Raises:
        DataError, RecipeError, OutputError: for what the user can mend.
    """
    words(language)
    chosen = [find_recipe(recipe, overrides, 42 if seed is None else seed, reading) for recipe in recipes]
    _check_recipes(chosen)
    if valid is None and folds is None and holdout is None:
        holdout = 0.2
    options = SplitOptions(valid, holdout, folds)
    for recipe in chosen:
        build(recipe)
    folder = choose_folder(output, resume, "comparison", force)
    corpus = data if isinstance(data, Corpus) else read(data, **chosen[0].data.reading())
    splits, warnings = make_splits(corpus, options, chosen[0])
    jobs = [Job(recipe, corpus, splits, options.describe(), warnings, language=language) for recipe in chosen]
    key = fingerprint(*[job.key for job in jobs])
    with PartialRun(folder, key, force=force, resume=resume is not None) as partial:
        finished = [run_part(job, partial.part(job.recipe.name)) for job in jobs]
        with partial.finish() as target:
            table, pairs = _write(target, jobs, finished)
            for run in finished:  # last, so that nothing finished is lost if something fails before
                run.folder.rename(target / run.folder.name)
    return Comparison(folder, table, pairs, {r.name: Run(folder / r.name) for r in chosen})


def _check_recipes(recipes: Sequence[Recipe]) -> None:
    names = [recipe.name for recipe in recipes]
    if len(names) < 2:
        raise RecipeError("a comparison needs at least two recipes: -r default -r fast")
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise RecipeError(f"the recipe {double[0]!r} is given twice; give each recipe its own name.")
    other = next((recipe for recipe in recipes if recipe.data != recipes[0].data), None)
    if other is not None:
        raise RecipeError(
            f"the recipes {names[0]!r} and {other.name!r} differ in their [data], so they would not learn "
            "from the same rows. Give the same for all, such as --set data.text_column=title."
        )


def run_part(job: Job, folder: Path) -> Run:
    """Run one job inside a comparison, or take it over from an interrupted one."""
    if folder.exists():
        log.info("%s is taken over from the interrupted comparison", folder.name)
        return Run(folder)
    log.info("running %s", folder.name)
    begun = folder.with_name(folder.name + ".partial").exists()
    with PartialRun(folder, job.key, resume=begun, inner=True) as partial:
        return job.run(partial)


def _write(
    target: Path, jobs: Sequence[Job], finished: Sequence[Run]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Write table, tests and page into the folder that will be the comparison."""
    import pandas as pd

    rows = sorted((_row(run.folder.name, run.metrics) for run in finished), key=lambda r: -r["macro_f1"])
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.to_csv(target / TABLE, index=False)
    pairs = _tests(finished, jobs[0].corpus)
    write_json(target / TESTS, pairs)
    page = _page(jobs[0], {run.folder.name: run.metrics for run in finished}, table, pairs)
    (target / REPORT).write_text(page, encoding="utf-8")
    return table, pairs


def _tests(finished: Sequence[Run], corpus: Corpus) -> list[dict[str, Any]]:
    """Test every two recipes on the held-out rows that they share."""
    multilabel = corpus.label_set is not None and corpus.label_set.multilabel
    first = finished[0].predictions
    classes = [column.removeprefix("p_") for column in first.columns if column.startswith("p_")]
    predicted = {run.folder.name: labels_of(run.predictions["predicted"], multilabel) for run in finished}
    return compare_models(labels_of(first["label"], multilabel), predicted, classes, multilabel=multilabel)


def _page(
    job: Job, metrics: dict[str, dict[str, Any]], table: pd.DataFrame, pairs: list[dict[str, Any]]
) -> str:
    from gallae.evaluation.report import comparison_page

    return comparison_page(
        [{"name": n, "size_mb": metrics[n]["model_mb"], **metrics[n]} for n in table["recipe"]],
        pairs,
        title=f"{Path(job.corpus.source).name}: {len(table)} recipes",
        facts={
            "data": job.corpus.source,
            "rows": len(job.corpus),
            "split": job.split,
            "seed": job.recipe.seed,
        },
        notes=[
            *job.warnings,
            "Morphemes are analysed once and shared: the first recipe that needs them pays for it in its "
            "fit seconds, unless the cache holds them. Texts per second count everything, from raw text.",
        ],
        language=job.language,
    )


def labels_of(column: Any, multilabel: bool) -> list[Any]:
    """Return a column of predictions.parquet as labels: strings, or tuples of strings."""
    return [tuple(row) for row in column] if multilabel else column.tolist()


def _row(name: str, metrics: dict[str, Any]) -> dict[str, Any]:
    row = {"recipe": name}
    for key in COLUMNS[1:]:
        base, _, end = key.rpartition("_")
        if end in ("low", "high"):
            row[key] = metrics[f"{base}_interval"][end == "high"]
        else:
            row[key] = metrics[key]
    return row


def comparison_lines(table: pd.DataFrame) -> list[str]:
    """Return the table as lines for a terminal, the best first."""
    head = (
        f"{'recipe':<16}{'macro-F1':>9}  {'95 % interval':<16}{'accuracy':>9}{'log loss':>10}"
        f"{'fit s':>8}{'texts/s':>10}{'MB':>7}"
    )
    lines = [head]
    for row in table.to_dict("records"):
        interval = f"{row['macro_f1_low']:.4f}-{row['macro_f1_high']:.4f}"
        lines.append(
            f"{row['recipe']:<16}{row['macro_f1']:>9.4f}  {interval:<16}{row['accuracy']:>9.4f}"
            f"{row['log_loss']:>10.4f}{row['fit_seconds']:>8.1f}{row['texts_per_second']:>10,.0f}"
            f"{row['model_mb']:>7.1f}"
        )
    return lines


def pair_lines(pairs: Sequence[dict[str, Any]], best: str) -> list[str]:
    """Return a line for each other recipe: the best one's lead, its interval, McNemar's p."""
    lines = []
    for pair in pairs:
        if best not in (pair["a"], pair["b"]):
            continue
        sign = 1 if pair["a"] == best else -1
        low, high = sorted(sign * bound for bound in pair["macro_f1_difference_interval"])
        lines.append(
            f"{best} - {pair['b'] if sign > 0 else pair['a']}: "
            f"macro-F1 {sign * pair['macro_f1_difference']:+.4f} "
            f"(95 % {low:+.4f} to {high:+.4f}), McNemar p = {pair['p_value']:.2g}"
        )
    return lines
