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
from gallae.files import write_json
from gallae.models.registry import build
from gallae.recipes import Recipe, find_recipe
from gallae.workflows import runs
from gallae.workflows.partial import PartialRun
from gallae.workflows.splits import SplitOptions, make_splits
from gallae.workflows.training import as_overrides, choose_folder, train

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
    runs: dict[str, runs.Run]

    @property
    def best(self) -> runs.Run:
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
    seed = 42 if seed is None else seed
    chosen = [find_recipe(recipe, [*overrides, *as_overrides(reading)], seed) for recipe in recipes]
    _check_recipes(chosen)
    if valid is None and folds is None and holdout is None:
        holdout = 0.2
    options = SplitOptions(valid, holdout, folds)
    folder = choose_folder(output, resume, "comparison", force)
    corpus = data if isinstance(data, Corpus) else read(data, **chosen[0].data.reading())
    for recipe in chosen:
        build(recipe)
    make_splits(corpus, options, chosen[0])
    key = runs.fingerprint([r.to_toml() for r in chosen], options, runs.corpus_fingerprint(corpus))
    with PartialRun(folder, key, force=force, resume=resume is not None) as partial:
        for recipe in chosen:
            _train_part(partial.part(recipe.name), recipe, corpus, options, language)
        with partial.finish() as target:
            for recipe in chosen:
                partial.part(recipe.name).rename(target / recipe.name)
            table, pairs = _write(target, chosen, corpus, options, language)
    return Comparison(folder, table, pairs, {r.name: runs.Run(folder / r.name) for r in chosen})


def _check_recipes(recipes: Sequence[Recipe]) -> None:
    names = [recipe.name for recipe in recipes]
    if len(names) < 2:
        raise RecipeError("a comparison needs at least two recipes: -r default -r fast")
    double = {name for name in names if names.count(name) > 1}
    if double:
        raise RecipeError(f"the recipe {sorted(double)[0]!r} is given twice; give each recipe its own name.")
    if any("/" in name or name.startswith(".") for name in names):
        raise RecipeError("a recipe's name becomes a folder: it may hold no '/' and not begin with '.'")


def _train_part(folder: Path, recipe: Recipe, corpus: Corpus, options: SplitOptions, language: str) -> None:
    if folder.exists():
        log.info("%s is taken over from the interrupted comparison", recipe.name)
        return
    partial = folder.with_name(folder.name + ".partial")
    target: dict[str, Any] = {"resume": folder} if partial.exists() else {"output": folder}
    log.info("recipe %s", recipe.name)
    train(
        corpus,
        recipe,
        valid=options.valid,
        holdout=options.holdout,
        folds=options.folds,
        language=language,
        quiet=True,
        **target,
    )


def _write(
    target: Path, recipes: Sequence[Recipe], corpus: Corpus, options: SplitOptions, language: str
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Write table, tests and page into the finished folder."""
    import pandas as pd

    from gallae.evaluation.report import comparison_page

    finished = {recipe.name: runs.Run(target / recipe.name) for recipe in recipes}
    tables = {name: run.predictions for name, run in finished.items()}
    first = next(iter(tables.values()))
    multilabel = corpus.label_set is not None and corpus.label_set.multilabel
    classes = [column.removeprefix("p_") for column in first.columns if column.startswith("p_")]
    gold = _labels(first["label"], multilabel)
    predicted = {name: _labels(table["predicted"], multilabel) for name, table in tables.items()}
    pairs = compare_models(gold, predicted, classes, multilabel=multilabel)
    rows = sorted((_row(name, run.metrics) for name, run in finished.items()), key=lambda r: -r["macro_f1"])
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.to_csv(target / TABLE, index=False)
    write_json(target / TESTS, pairs)
    page = comparison_page(
        [{"name": row["recipe"], **finished[row["recipe"]].metrics} for row in rows],
        pairs,
        title=f"{corpus.source}: {len(rows)} recipes",
        facts={
            "data": corpus.source,
            "rows": len(corpus),
            "split": options.describe(),
            "seed": recipes[0].seed,
        },
        notes=[
            *dict.fromkeys(note for run in finished.values() for note in run.metrics["warnings"]),
            "Morphemes are analysed once and shared: the first recipe that needs them pays for it in its "
            "fit seconds, unless the cache holds them. Texts per second count everything, from raw text.",
        ],
        language=language,
    )
    (target / runs.REPORT).write_text(page, encoding="utf-8")
    return table, pairs


def _labels(column: Any, multilabel: bool) -> list[Any]:
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


def pair_lines(pairs: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for each two recipes: difference, interval, McNemar's p."""
    lines = []
    for pair in pairs:
        low, high = pair["macro_f1_difference_interval"]
        lines.append(
            f"{pair['a']} - {pair['b']}: macro-F1 {pair['macro_f1_difference']:+.4f} "
            f"(95 % {low:+.4f} to {high:+.4f}), McNemar p = {pair['p_value']:.2g}"
        )
    return lines
