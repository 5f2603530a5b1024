"""Hyper-parameter search: many trials of one recipe on the same rows, kept as they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae.data import Corpus, read
from gallae.errors import DataError, OutputError, RecipeError, require
from gallae.files import read_json
from gallae.models.registry import build
from gallae.recipes import Recipe, find_recipe
from gallae.recipes.space import read_space
from gallae.workflows import runs
from gallae.workflows.searching_plan import Plan
from gallae.workflows.searching_records import BEST, FACTS, METRICS, TABLE, TESTED, shown
from gallae.workflows.searching_wording import words
from gallae.workflows.splits import SplitOptions
from gallae.workflows.training import choose_folder

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Search:
    """A search, finished or still to be gone on with.

    Attributes:
        folder: Where it lies: best.toml, trials.csv, report.html, search.json, trials.log (Optuna's journal),
            and best/, a run, if a share was held out to measure the best recipe at the end.
    """

    folder: Path

    @cached_property
    def best(self) -> Recipe:
        """The best trial's recipe, whole."""
        return find_recipe(self.folder / BEST)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a trial that has ended, in their order (see `trials_table`)."""
        import pandas as pd

        return pd.read_csv(self.folder / TABLE, keep_default_na=False, na_values=[""]).astype(
            {"same_as": "Int64"}
        )

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What search.json says: data, split, seed, metric, space, the best trial, how many ended how."""
        facts: dict[str, Any] = read_json(self.folder / FACTS)
        return facts

    @property
    def tested(self) -> runs.Run | None:
        """The best recipe measured on rows that no trial has seen, if a share was held out for that."""
        folder = self.folder / TESTED
        return runs.Run(folder) if folder.exists() else None


def search(
    data: str | Path | Corpus,
    recipe: str | Path | Recipe = "default",
    *,
    space: str | Path | Mapping[str, Any] | None = None,
    trials: int = 20,
    metric: str = "macro_f1",
    valid: str | Path | None = None,
    holdout: float | None = None,
    folds: int | None = None,
    test: float | None = None,
    seed: int | None = None,
    timeout: float | None = None,
    jobs: int = 1,
    output: str | Path | None = None,
    overrides: Sequence[str] = (),
    force: bool = False,
    resume: str | Path | None = None,
    report: bool = True,
    language: str = "en",
    say: Callable[[str], object] | None = None,
    **reading: Any,
) -> Search:
    """Look for the recipe's best values: try some, learn where it pays to look on, try more.

    Values are proposed by Optuna's TPE sampler (Bergstra et al., "Algorithms for Hyper-Parameter
    Optimization", 2011); trial 0 is the recipe as it is, where the space holds it. All trials learn from
    and are measured on the same rows. A trial that is behind the median of the finished ones after a fold,
    or after an epoch of a network that watches rows of its own, is given up. The best figure is
    optimistic, since it was chosen on the rows that it was measured on; `test` measures it fairly.

    With one job, the same seed gives the same trials, interrupted or not.

    Args:
        data: A file, folder or `hf:` id (see `gallae.read`), or a corpus.
        recipe: Where to begin: a shipped recipe's name, a TOML file, or a `Recipe`.
        space: What to vary: a TOML file or a mapping, from dotted keys to `{low, high}` with `log` or
            `step`, or `{choices}`. By default that of the recipe's family.
        trials: How many, those of a search that is resumed among them.
        metric: "macro_f1", "accuracy" or "log_loss"; for several labels "micro_f1", "subset_accuracy" too.
        valid: A labelled file to measure on.
        holdout: Share of the rows to measure on; 0.2 if no split is given.
        folds: Number of stratified folds.
        test: Share of the rows that no trial sees; the best recipe is measured on them at the end.
        seed: Replaces the recipe's seed, which also makes the split and the proposals.
        timeout: Minutes after which no further trial begins.
        jobs: Processes that run trials side by side, each with its share of the cores.
        output: A folder; by default a fresh one under `runs/`.
        overrides: Recipe fields, such as "model.C=0.3".
        force: Replace an existing output.
        resume: A search to go on with, interrupted or finished; the rest is given as then, but `trials`,
            `timeout`, `jobs` and `language` may differ.
        report: Whether to write report.html.
        language: Of the report, "en" or "ko".
        say: Called with a line for each trial that has ended.
        reading: Keywords of `gallae.read`, such as `text_column`; they replace the recipe's.

    Returns:
        The search.

    Raises:
        DataError, RecipeError, OutputError, MissingExtra: for what the user can mend.
        GallaeError: if no trial could be finished.
    """
    words(language)
    _check(trials, metric, timeout, jobs, test)
    require("optuna", "search")
    chosen = find_recipe(recipe, overrides, seed, reading)
    if valid is None and folds is None and holdout is None:
        holdout = 0.2
    options = SplitOptions(valid, holdout, folds)
    wanted = read_space(space, chosen)
    for end in (chosen, *wanted.ends()):
        build(end)
    _refuse_search(output, force, resume)
    folder = choose_folder(output, resume, f"search-{chosen.name}", force)
    corpus = data if isinstance(data, Corpus) else read(data, **chosen.data.reading())
    plan = Plan.of(wanted, corpus, options, metric, test, report, language)
    with plan.opened(folder, force, resume is not None) as work:
        work.run(trials, timeout, jobs, say or (lambda line: None))
    return Search(folder)


def _check(trials: int, metric: str, timeout: float | None, jobs: int, test: float | None) -> None:
    if trials < 1 or jobs < 1:
        raise RecipeError(f"--trials {trials}, --jobs {jobs}: 1 or more are needed of both.")
    if timeout is not None and not timeout > 0:
        raise RecipeError(f"--timeout {timeout:g}: minutes above 0.")
    if metric not in METRICS:
        raise RecipeError(f"--metric {metric!r} is not known. Allowed: {', '.join(METRICS)}.")
    if test is not None and not 0 < test < 1:
        raise DataError(f"--test {test:g}: a share between 0 and 1, such as 0.1.")


def _refuse_search(output: str | Path | None, force: bool, resume: str | Path | None) -> None:
    """Say how to go on with a search that is there already."""
    if output is not None and resume is None and not force and (Path(output) / FACTS).exists():
        raise OutputError(
            f"{output} holds a search already. Go on with it by --resume {output}, or begin anew with "
            "--force."
        )


def search_lines(done: Search) -> list[str]:
    """Return a search's result as lines for a terminal."""
    facts, best = done.facts, done.facts["best"]
    name, (low, high) = METRICS[facts["metric"]], best["interval"]
    ways = ", ".join(f"{count} {state}" for state, count in facts["trials"].items() if count)
    lines = [
        f"trials: {ways}; {facts['held_out']:,} rows held out ({facts['split']})",
        f"best: trial {best['trial']}, {name} {best['value']:.4f} ({low:.4f} to {high:.4f}; optimistic, as "
        "it was chosen on these rows)",
    ]
    if facts["recipe_itself"] is not None:
        more = "" if best["trial"] else "; no trial was better"
        lines.append(f"trial 0, the recipe as it is: {name} {facts['recipe_itself']:.4f}{more}")
    lines += [f"  {key} = {shown(value)}" for key, value in best["values"].items()]
    if done.tested is not None:
        metrics = done.tested.metrics
        low, high = metrics[f"{facts['metric']}_interval"]
        lines.append(
            f"measured on {metrics['n']:,} rows that no trial has seen: {name} "
            f"{metrics[facts['metric']]:.4f} ({low:.4f} to {high:.4f})"
        )
    return [*lines, f"recipe: {done.folder / BEST}", f"search: {done.folder}"]
