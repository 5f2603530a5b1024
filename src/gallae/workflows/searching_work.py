"""Running trials: here, or in processes of their own that only compute and tell."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from gallae.evaluation.metrics import evaluate
from gallae.models.registry import build
from gallae.progress import set_quiet, status
from gallae.recipes import Recipe
from gallae.training.watching import Pruned, watching
from gallae.workflows.job import fit_split
from gallae.workflows.measuring import Outcome, joined, outcome
from gallae.workflows.searching_records import (
    FAILED,
    FINISHED,
    METRICS,
    PRUNED,
    SMALLER_IS_BETTER,
    Answer,
)
from gallae.workflows.splits import Split

if TYPE_CHECKING:
    from gallae.workflows.searching_trials import Asked, Trials

Tell = Callable[[int, float], None]
_FOLD, _FIT = 10**12, 10**9  # steps of a fold, and of one training inside it
_FAILURES = (ValueError, ArithmeticError, RuntimeError, MemoryError)  # of these values; others are mistakes
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass(frozen=True)
class Measuring:
    """What every trial is measured on.

    Attributes:
        splits: Pairs of training and held-out rows, the same for all.
        metric: A key of `METRICS`.
    """

    splits: list[Split]
    metric: str

    def attempt(self, recipe: Recipe, tell: Tell) -> Answer:
        """Train and measure a recipe; failures that come of its values are an answer too.

        Args:
            recipe: The recipe.
            tell: Takes step and figure (greater is better) on the way; raises `Pruned` to end the trial.
        """
        started = time.perf_counter()
        try:
            value, interval = self._measure(recipe, tell)
        except Pruned:
            return Answer(PRUNED, seconds=time.perf_counter() - started)
        except _FAILURES as error:
            return Answer(FAILED, seconds=time.perf_counter() - started, reason=_line(error))
        return Answer(FINISHED, value, interval, time.perf_counter() - started)

    def _measure(self, recipe: Recipe, tell: Tell) -> tuple[float, tuple[float, float]]:
        classifier = build(recipe)
        outcomes: list[Outcome] = []
        for split in self.splits:
            with watching(_Epochs(split.number, tell)):
                part = fit_split(classifier, split, len(self.splits))
            outcomes.append(outcome(part.model, split.valid, part.probabilities, part.seconds))
            if len(outcomes) < len(self.splits):
                value = self._figure(joined(outcomes), bootstrap=0)[self.metric]
                sign = -1 if self.metric in SMALLER_IS_BETTER else 1
                tell(split.number * _FOLD + _FOLD - 1, sign * value)
        figures = self._figure(joined(outcomes))
        low, high = figures[f"{self.metric}_interval"]
        if not math.isfinite(figures[self.metric]):
            raise ValueError(f"{METRICS[self.metric]} is no number")
        return figures[self.metric], (low, high)

    def _figure(self, whole: Outcome, **options: Any) -> dict[str, Any]:
        return evaluate(
            whole.gold,
            whole.probabilities,
            whole.classes,
            multilabel=whole.multilabel,
            predicted=whole.predicted,
            **options,
        )


class _Epochs:
    """What a training reports to: passes on the best figure so far, from the second report on.

    Training is begun several times in a fold, to calibrate; a step that does not grow tells.
    """

    def __init__(self, fold: int, tell: Tell) -> None:
        self._start, self._tell = fold * _FOLD, tell
        self._last, self._best = -1, -math.inf

    def __call__(self, step: int, value: float) -> None:
        if step <= self._last:
            self._start, self._last, self._best = self._start + _FIT, -1, -math.inf
        first = self._last < 0
        self._last, self._best = step, max(self._best, value)
        if not first and math.isfinite(self._best):
            self._tell(self._start + step, self._best)


def _line(error: BaseException) -> str:
    return " ".join(f"{error or type(error).__name__}".split())[:500]


# ---- one after the other ----------------------------------------------------------------------------


def run_here(
    trials: Trials,
    todo: list[int],
    measuring: Measuring,
    late: Callable[[], bool],
    ended: Callable[[Asked, Answer], object],
) -> None:
    """Run trials in this process.

    Args:
        trials: Where they are kept.
        todo: Their numbers.
        measuring: What they are measured on.
        late: Whether no further trial may begin.
        ended: Called with each trial that has ended.
    """
    for number in todo:
        if late():
            return
        asked = trials.ask(number)

        def tell(step: int, value: float, asked: Asked = asked) -> None:
            if trials.report(asked, step, value):
                raise Pruned

        recipe, answer = prepared(trials, asked)
        if recipe is not None:
            answer = measuring.attempt(recipe, tell)
        ended(asked, answer)


def prepared(trials: Trials, asked: Asked) -> tuple[Recipe | None, Answer]:
    """Return the recipe to run, or none and the answer that is known without running."""
    known = trials.known(asked)
    if known is not None:
        return None, known
    try:
        return trials.recipe(asked), Answer(FAILED)
    except ValueError as error:  # values that do not go together
        return None, Answer(FAILED, reason=_line(error))


# ---- in processes -----------------------------------------------------------------------------------


def run_in_processes(
    trials: Trials,
    todo: list[int],
    measuring: Measuring,
    late: Callable[[], bool],
    ended: Callable[[Asked, Answer], object],
    jobs: int,
) -> None:
    """Run trials side by side; the arguments are those of `run_here`, and the number of processes."""
    left = list(todo)
    idle = [_Worker(measuring, jobs) for _ in range(min(jobs, len(left)))]
    busy: dict[Connection, tuple[_Worker, Asked]] = {}
    try:
        with status(f"{len(idle)} trials side by side"):
            while busy or (left and not late()):
                while idle and left and not late():
                    asked = trials.ask(left.pop(0))
                    recipe, answer = prepared(trials, asked)
                    if recipe is None:
                        ended(asked, answer)
                        continue
                    worker = idle.pop()
                    worker.begin(recipe)
                    busy[worker.pipe] = worker, asked
                for pipe in wait(list(busy)) if busy else ():
                    worker, asked = busy[pipe]  # type: ignore[index]
                    found = worker.hear(trials, asked)
                    if found is not None:
                        del busy[worker.pipe]
                        idle.append(worker.or_another())
                        ended(asked, found)
    finally:
        for worker in [*idle, *(pair[0] for pair in busy.values())]:
            worker.stop()


class _Worker:
    """A process that runs one trial after the other."""

    def __init__(self, measuring: Measuring, jobs: int) -> None:
        self._measuring, self._jobs = measuring, jobs
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, measuring))
        with _few_threads(jobs), _deaf_to_interrupts():
            self._process.start()
        other.close()

    def begin(self, recipe: Recipe) -> None:
        """Have a recipe tried."""
        with suppress(OSError):  # a process that is gone is noticed when it is to be heard
            self.pipe.send(recipe)

    def hear(self, trials: Trials, asked: Asked) -> Answer | None:
        """Take one message: answer a report, or return how the trial ended."""
        try:
            message = self.pipe.recv()
            if isinstance(message, tuple):
                self.pipe.send(trials.report(asked, *message))
                return None
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            return Answer(
                FAILED,
                reason=f"its process ended by itself (exit code {code}): killed, or out of memory. A script "
                'that calls gallae.search with jobs > 1 does so under if __name__ == "__main__".',
            )
        if isinstance(message, str):
            raise RuntimeError(f"a trial ended in a mistake of the program:\n{message}")
        assert isinstance(message, Answer)
        return message

    def or_another(self) -> _Worker:
        """Return this process, or one in its place if it has ended."""
        return self if self._process.is_alive() else _Worker(self._measuring, self._jobs)

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.pipe.close()
        self._process.terminate()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(pipe: Connection, measuring: Measuring) -> None:
    """What a process does: try recipes until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    set_quiet(True)

    def tell(step: int, value: float) -> None:
        pipe.send((step, value))
        if pipe.recv():
            raise Pruned

    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent has gone
        while True:
            recipe = pipe.recv()
            try:
                found: Answer | str = measuring.attempt(recipe, tell)
            except (EOFError, BrokenPipeError, ConnectionResetError):
                raise
            except Exception:
                found = traceback.format_exc()
            pipe.send(found)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Have a process begun here ignore Ctrl-C from its first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _few_threads(jobs: int) -> Iterator[None]:
    """Have the processes begun here share the cores, unless the user has said how many threads to take."""
    from gallae.text.morphemes import available_cores

    given = {name: os.environ.get(name) for name in _THREADS}
    for name in _THREADS:
        os.environ.setdefault(name, str(max(1, available_cores() // jobs)))
    try:
        yield
    finally:
        for name, value in given.items():
            if value is None:
                del os.environ[name]
