"""A search at work: what is searched, on which rows, and the folder that is kept up with every trial."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae import __version__
from gallae.data import Corpus
from gallae.data import holdout as hold_out
from gallae.errors import GallaeError, OutputError, RecipeError
from gallae.files import folder_beside, read_json, write_beside, write_json
from gallae.recipes import Recipe
from gallae.recipes.space import Space
from gallae.workflows import runs
from gallae.workflows.job import Job
from gallae.workflows.partial import PartialRun
from gallae.workflows.searching_records import (
    BEST,
    FACTS,
    FAILED,
    JOURNAL,
    OF_SEVERAL_LABELS,
    SMALLER_IS_BETTER,
    TABLE,
    TESTED,
    Answer,
    Record,
    best_of,
    counts,
    recipe_itself,
    shown,
    trial_line,
    trials_table,
)
from gallae.workflows.splits import Split, SplitOptions, make_splits

if TYPE_CHECKING:
    from gallae.workflows.searching_trials import Asked, Trials

log = logging.getLogger(__name__)
_HOPELESS = 3  # failed trials, and none that ended otherwise


@dataclass(frozen=True)
class Plan:
    """What is to be searched, read and checked.

    Attributes:
        space: The recipe, and what varies.
        corpus: The rows to learn from, those of the test not among them.
        splits: Pairs of training and held-out rows, the same for all trials.
        split: The splits in words.
        metric: What is to be good.
        test: Rows that no trial sees, and their share.
        warnings: For the report.
        report: Whether to write report.html.
        language: Of the report.
    """

    space: Space
    corpus: Corpus
    splits: list[Split]
    split: str
    metric: str
    test: tuple[Corpus, float] | None = None
    warnings: list[str] = field(default_factory=list)
    report: bool = True
    language: str = "en"

    @classmethod
    def of(
        cls,
        space: Space,
        corpus: Corpus,
        options: SplitOptions,
        metric: str,
        test: float | None,
        report: bool,
        language: str,
    ) -> Plan:
        """Split the corpus: first the rows of the test, then those that the trials are measured on."""
        several = corpus.label_set is not None and corpus.label_set.multilabel
        if metric in OF_SEVERAL_LABELS and not several:
            raise RecipeError(f"--metric {metric} is for several labels a text; use accuracy or macro_f1.")
        held = None
        if test is not None:
            data = space.recipe.data
            rows, out = hold_out(
                corpus,
                test,
                space.recipe.seed,
                group_column=data.group_column or corpus.group_column or None,
                keep_duplicates_together=data.keep_duplicates_together,
            )
            corpus, held = corpus.take(rows), (corpus.take(out), test)
        splits, warnings = make_splits(corpus, options, space.recipe)
        warnings = [*warnings, *_outside(space)]
        return cls(space, corpus, splits, options.describe(), metric, held, warnings, report, language)

    @cached_property
    def key(self) -> str:
        """Hash of all that decides the trials, by which a search is known again."""
        held = [split.valid for split in self.splits] + ([self.test[0]] if self.test else [])
        varied = json.dumps(self.space.to_json(), ensure_ascii=False, default=str)
        prints = map(runs.corpus_fingerprint, [self.corpus, *held])
        return runs.fingerprint(__version__, self.space.recipe.to_toml(), varied, self.metric, *prints)

    def facts(self) -> dict[str, Any]:
        """Return what search.json says from the beginning."""
        return {
            "key": self.key,
            "gallae": __version__,
            "recipe": self.space.recipe.name,
            "data": self.corpus.source,
            "rows": len(self.corpus),
            "held_out": sum(len(split.valid) for split in self.splits),
            "split": self.split,
            "test_rows": len(self.test[0]) if self.test else 0,
            "seed": self.space.recipe.seed,
            "metric": self.metric,
            "space": {p.key: p.describe() for p in self.space.parameters},
            "warnings": self.warnings,
        }

    def opened(self, folder: Path, force: bool, resume: bool) -> Work:
        """Make the folder of a new search, or open that of one to go on with."""
        if not resume:
            with folder_beside(folder, force) as target:
                write_json(target / FACTS, self.facts())
            return Work(self, folder, True)
        try:
            key = read_json(folder / FACTS)["key"]
        except (OSError, ValueError, KeyError) as error:
            raise OutputError(
                f"there is nothing to resume: {folder / FACTS} is missing or damaged. Leave --resume away."
            ) from error
        if key != self.key:
            raise OutputError(
                f"{folder} was begun with another recipe, space, metric, split or gallae, or other data. "
                "Give the same as then, or begin anew with another -o."
            )
        return Work(self, folder, False)


def _outside(space: Space) -> list[str]:
    """Say, and log, which values of the recipe itself the space does not hold."""
    before = space.before()
    out = [f"{p.key} = {shown(before[p.key])}" for p in space.parameters if not p.holds(before[p.key])]
    if not out:
        return []
    warning = (
        f"the recipe as it is will not be among the trials: the space does not hold its {', '.join(out)}. "
        "Widen the space to see what the search gains."
    )
    log.warning(warning)
    return [warning]


class Work:
    """A search at work in its folder.

    Args:
        plan: What is searched.
        folder: Where.
        new: Whether the folder was made for it, and goes again if no trial finishes.
    """

    def __init__(self, plan: Plan, folder: Path, new: bool) -> None:
        from gallae.workflows.searching_trials import Trials

        self.plan, self.folder, self._new = plan, folder, new
        seed, maximize = plan.space.recipe.seed, plan.metric not in SMALLER_IS_BETTER
        self.trials: Trials = Trials(folder / JOURNAL, plan.space, seed, maximize)
        self._records = self.trials.records()
        self._say: Callable[[str], object] = lambda line: None

    def __enter__(self) -> Work:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.trials.close()
        if kind is None:
            return
        if best_of(self._records, self.plan.metric) is not None:
            log.warning(
                "%d trials are kept in %s: go on with --resume %s",
                len(self._records), self.folder, self.folder,
            )  # fmt: skip
        elif self._new:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, count: int, timeout: float | None, jobs: int, say: Callable[[str], object]) -> None:
        """Run what is missing of `count` trials, and write the page."""
        from gallae.workflows.searching_work import Measuring, run_here, run_in_processes

        self._say = say
        measuring = Measuring(self.plan.splits, self.plan.metric)
        todo = self.trials.missing(count)
        if self._records:
            say(f"{len(self._records)} trials are taken over")
        started = time.monotonic()

        def late() -> bool:
            return timeout is not None and time.monotonic() - started > timeout * 60

        if jobs > 1 and len(todo) > 1:
            run_in_processes(self.trials, todo, measuring, late, self._ended, jobs)
        else:
            run_here(self.trials, todo, measuring, late, self._ended)
        if left := len(self.trials.missing(count)):
            say(f"the time is up; {left} of {count} trials were not begun")
        self._finish()

    def _ended(self, asked: Asked, answer: Answer) -> None:
        """Keep a trial that has ended, and say so."""
        record = self.trials.settle(asked, answer)
        self._records = sorted([*self._records, record], key=lambda r: r.number)
        self._keep()
        self._say(trial_line(record, best_of(self._records, self.plan.metric), self.plan.metric))
        self._refuse_hopeless(_HOPELESS)

    def _refuse_hopeless(self, least: int) -> None:
        found = counts(self._records)
        if found[FAILED] >= least and found[FAILED] == len(self._records):
            raise GallaeError(
                f"all {found[FAILED]} trials failed, the last one because: "
                f"{self._records[-1].answer.reason} Try the recipe by itself with gallae train, and look at "
                "the space."
            )

    def _keep(self) -> None:
        """Write what is known by now: trials.csv, best.toml, search.json."""
        plan = self.plan
        best = best_of(self._records, plan.metric)
        keys = [parameter.key for parameter in plan.space.parameters]
        with write_beside(self.folder / TABLE, force=True) as path:
            trials_table(self._records, keys, plan.metric).to_csv(path, index=False)
        if best is not None:
            with write_beside(self.folder / BEST, force=True) as path:
                path.write_text(self._recipe(best).to_toml(), encoding="utf-8")
        with write_beside(self.folder / FACTS, force=True) as path:
            write_json(path, plan.facts() | self._found(best))

    def _found(self, best: Record | None) -> dict[str, Any]:
        itself = recipe_itself(self._records, self.plan.space.before())
        return {
            "trials": counts(self._records),
            "best": best and {"trial": best.number, **best.answer.to_json(), "values": best.values},
            "recipe_itself": itself and itself.answer.value,
        }

    def _recipe(self, best: Record) -> Recipe:
        recipe = self.plan.space.apply(best.values)
        return recipe.model_copy(update={"name": f"{recipe.name.removesuffix('-best')}-best"})

    def _finish(self) -> None:
        """Measure the best recipe on the rows of the test, and write the page."""
        best = best_of(self._records, self.plan.metric)
        if best is None:
            self._refuse_hopeless(1)
            raise GallaeError("no trial was finished. Give --timeout more minutes.")
        self._keep()
        tested = self._test(self._recipe(best)) if self.plan.test else None
        if not self.plan.report:
            return
        from gallae.workflows.searching_page import searching_page

        page = searching_page(
            self.plan.facts() | {"folder": str(self.folder)},
            self._records,
            self.plan.space,
            importances=self.trials.importances(),
            tested=tested.metrics if tested else None,
            language=self.plan.language,
        )
        with write_beside(self.folder / runs.REPORT, force=True) as path:
            path.write_text(page, encoding="utf-8")

    def _test(self, best: Recipe) -> runs.Run:
        assert self.plan.test is not None
        held, share = self.plan.test
        folder = self.folder / TESTED
        if folder.exists() and runs.Run(folder).recipe == best:  # of the same rows: the key says so
            return runs.Run(folder)
        self._say(f"measuring the best recipe on {len(held):,} rows that no trial has seen")
        words_of_split = f"stratified hold-out of {share:g}, before the search"
        job = Job(best, self.plan.corpus, [Split(0, self.plan.corpus, held)], words_of_split,
                  report=self.plan.report, language=self.plan.language)  # fmt: skip
        with PartialRun(folder, job.key, force=True, inner=True) as partial:
            return job.run(partial)
