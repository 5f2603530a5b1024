"""The trials of a search: Optuna proposes, a journal in the folder keeps them whatever happens.

One process writes the journal, so that a kill can at most tear its last line.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from gallae.errors import OutputError
from gallae.files import lock
from gallae.recipes import Recipe
from gallae.recipes.space import Parameter, Space
from gallae.workflows.searching_records import FAILED, FINISHED, PRUNED, Answer, Record

STARTUP = 10  # trials at random before the sampler learns
LEAST = 5  # finished trials that a median needs
_STATES = {FINISHED: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}


@dataclass(frozen=True)
class Asked:
    """A trial to be run.

    Attributes:
        number: From 0.
        values: What to try, by dotted key.
        handle: Optuna's own.
    """

    number: int
    values: dict[str, Any]
    handle: optuna.Trial


class Trials:
    """The trials of one search.

    A trial's values depend on the seed, its number and the trials that have ended before it was asked for;
    so a search that was interrupted goes on as it would have.

    Args:
        journal: The file that keeps them; made if it is not there.
        space: What varies.
        seed: Of the sampler.
        maximize: Whether a greater figure is better.

    Raises:
        OutputError: if the journal is damaged, or another process is at work on it.
    """

    def __init__(self, journal: Path, space: Space, seed: int, maximize: bool) -> None:
        self.space, self.seed, self.maximize = space, seed, maximize
        self._distributions = {p.key: _distribution(p) for p in space.parameters}
        self._known: dict[str, tuple[int, Answer]] = {}
        self._file = journal.open("ab")  # stays open: it holds the lock
        try:
            _lock(self._file, journal)
            _mend(journal)
            self._open(journal)
        except (ValueError, KeyError, AssertionError) as error:
            self.close()
            if isinstance(error, OutputError):
                raise
            raise OutputError(
                f"{journal} is damaged ({error}). Begin the search anew with --force."
            ) from error

    def _open(self, journal: Path) -> None:
        lock = _OneWriter(str(journal))
        with _hushed():
            self.study = optuna.create_study(
                storage=JournalStorage(JournalFileBackend(str(journal), lock_obj=lock)),
                study_name="search",
                load_if_exists=True,
                direction="maximize" if self.maximize else "minimize",
                pruner=PairedMedian(self.maximize),
            )
            for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                self._end_killed(trial)
        for record in self.records():
            self._remember(record)

    def _end_killed(self, trial: FrozenTrial) -> None:
        """End a trial that was at work when its process was killed; if nothing is known, it is repeated."""
        if "answer" in trial.user_attrs:
            answer = Answer.from_json(trial.user_attrs["answer"])
            self.study.tell(trial.number, answer.value, _STATES[answer.state])
        else:
            self.study.tell(trial.number, state=TrialState.FAIL)

    def close(self) -> None:
        """Let another process have the journal."""
        self._file.close()

    def records(self) -> list[Record]:
        """Return the trials that have ended, by number."""
        found = []
        for trial in self.study.get_trials(deepcopy=False, states=tuple(_STATES.values())):
            if "answer" in trial.user_attrs:
                answer = Answer.from_json(trial.user_attrs["answer"])
                found.append(Record(trial.user_attrs["number"], self._values(trial.params), answer))
        return sorted(found, key=lambda record: record.number)

    def missing(self, count: int) -> list[int]:
        """Return the numbers below `count` of trials that have not ended."""
        ended = {record.number for record in self.records()}
        return [number for number in range(count) if number not in ended]

    def ask(self, number: int) -> Asked:
        """Return what trial `number` is to try."""
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        before = self.space.before()
        with _hushed():
            self.study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
            if number == 0 and all(p.holds(before[p.key]) for p in self.space.parameters):
                self.study.sampler = _Given({p.key: _name(p, before[p.key]) for p in self.space.parameters})
            handle = self.study.ask(self._distributions)
            handle.set_user_attr("number", number)
        return Asked(number, self._values(handle.params), handle)

    def recipe(self, asked: Asked) -> Recipe:
        """Return the recipe to run.

        Raises:
            RecipeError: if these values do not go together.
        """
        return self.space.apply(asked.values)

    def known(self, asked: Asked) -> Answer | None:
        """Return the answer of an earlier trial of the same values, if there is one."""
        found = self._known.get(_key(asked.values))
        if found is None:
            return None
        number, answer = found
        return replace(answer, seconds=0.0, same_as=number)

    def report(self, asked: Asked, step: int, value: float) -> bool:
        """Keep a figure on the way, greater is better; return whether to give the trial up."""
        with _hushed():
            asked.handle.report(value if self.maximize else -value, step)
            return bool(asked.handle.should_prune())

    def settle(self, asked: Asked, answer: Answer) -> Record:
        """Keep how a trial ended."""
        with _hushed():
            asked.handle.set_user_attr("answer", answer.to_json())
            self.study.tell(asked.handle, answer.value, _STATES[answer.state])
        record = Record(asked.number, asked.values, answer)
        self._remember(record)
        return record

    def importances(self) -> dict[str, float]:
        """Return how much of the figure's variance each field explains, summing to 1, the most first.

        fANOVA, Hutter, Hoos and Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter
        Importance" (2014). Empty when too few trials have finished, or they do not differ.
        """
        finished = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(finished) < 4 or len({trial.value for trial in finished}) < 2:
            return {}
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = optuna.importance.get_param_importances(self.study, evaluator=evaluator)
        return {key: float(share) for key, share in found.items()}

    def _values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {p.key: p.value(params[p.key]) for p in self.space.parameters if p.key in params}

    def _remember(self, record: Record) -> None:
        self._known.setdefault(_key(record.values), (record.number, record.answer))


class _Given(optuna.samplers.BaseSampler):
    """Proposes given values."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self.values[param_name]


class PairedMedian(optuna.pruners.BasePruner):
    """Gives a trial up whose figure is below the median of the finished trials at the same step.

    Optuna's own median pruner takes a trial's best figure so far, which one easy fold would settle.

    Args:
        maximize: Whether a greater figure is better.
    """

    def __init__(self, maximize: bool) -> None:
        self.maximize = maximize

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Return whether to give the trial up."""
        step = trial.last_step
        if step is None:
            return False
        ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        others = [other.intermediate_values[step] for other in ended if step in other.intermediate_values]
        if len(others) < LEAST:
            return False
        lead = trial.intermediate_values[step] - statistics.median(others)
        return bool(lead < 0 if self.maximize else lead > 0)


class _OneWriter(JournalFileOpenLock):
    """No lock around each line: one process writes, and a kill would leave a lock behind."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def _lock(file: Any, journal: Path) -> None:
    """Refuse a second search in the same folder; the system takes the lock back when a process ends."""
    if not lock(file):
        file.close()
        raise OutputError(
            f"another search is at work in {journal.parent}. Wait for it, or choose another -o."
        )


def _mend(journal: Path) -> None:
    """Drop a last line that a kill has torn."""
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with journal.open("r+b") as file:
            file.truncate(whole)


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep Optuna from logging each trial in its own way."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)


def _distribution(parameter: Parameter) -> BaseDistribution:
    if parameter.choices:
        return CategoricalDistribution(parameter.names)
    assert parameter.low is not None and parameter.high is not None
    if parameter.whole:
        return IntDistribution(
            int(parameter.low), int(parameter.high), log=parameter.log, step=int(parameter.step or 1)
        )
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log, step=parameter.step)


def _name(parameter: Parameter, value: Any) -> Any:
    """Return how Optuna calls a value: a choice by its name."""
    if not parameter.choices:
        return value
    return parameter.names[[_key(choice) for choice in parameter.choices].index(_key(value))]


def _key(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
