"""Training in a process of its own: watched by the files it leaves, cancelled by a signal, taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gallae.errors import RecipeError
from gallae.recipes import find_recipe
from gallae.workflows.runs import METRICS

PATIENCE = 8.0  # seconds between asking a training to stop and ending it
_STOP = signal.SIGINT if os.name == "posix" else signal.SIGTERM
_OPTIONS = {
    "text_column": "--text-column",
    "label_column": "--label-column",
    "label_separator": "--label-separator",
}


@dataclass(frozen=True)
class Request:
    """What is to be trained.

    Attributes:
        data: The labelled file.
        recipes: One trains it, several are compared on the same rows.
        folder: The run's or comparison's folder; it must not exist.
        holdout: Share of the rows to hold out, where there are no folds.
        folds: Number of folds; 0 holds a share out.
        seed: Of the split and the recipes.
        language: Of the reports.
        reading: Keywords of `gallae.read`: text_column, label_column, label_separator.
    """

    data: Path
    recipes: tuple[str, ...]
    folder: Path
    holdout: float = 0.2
    folds: int = 0
    seed: int = 42
    language: str = "en"
    reading: Mapping[str, str] = field(default_factory=dict)

    def command(self, resume: bool = False) -> list[str]:
        """Return the arguments of the command line that does it."""
        verb = "train" if len(self.recipes) == 1 else "compare"
        split = ["--folds", str(self.folds)] if self.folds else ["--holdout", str(self.holdout)]
        recipes = [part for recipe in self.recipes for part in ("-r", recipe)]
        reading = [part for key, value in self.reading.items() if value for part in (_OPTIONS[key], value)]
        place = ["--resume" if resume else "-o", str(self.folder)]
        more = ["--seed", str(self.seed), "--language", self.language]
        return [verb, str(self.data), *recipes, *split, *reading, *place, *more]


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        done: The recipes that are finished.
        now: The recipe that is being trained, "" where none is.
        folds: How many of its folds are finished.
        curves: Recipe to its networks' histories, a row an epoch (see `training.engine`).
    """

    done: list[str]
    now: str
    folds: int
    curves: dict[str, list[list[dict[str, Any]]]]


class Background:
    """A training in a process of its own.

    Args:
        request: What to train.

    Raises:
        RecipeError: for no recipe, or one that is not known.
    """

    def __init__(self, request: Request) -> None:
        if not request.recipes:
            raise RecipeError("choose at least one recipe.")
        self.request = request
        self.names = tuple(find_recipe(recipe).name for recipe in request.recipes)
        self.cancelled = False
        self.started = time.time()
        self.seconds = 0.0
        self._resumed = False
        self._log: Any = None
        self._start()

    def _start(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the training
        command = [sys.executable, "-m", "gallae", *self.request.command(self._resumed)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=os.name == "posix",
        )

    @property
    def state(self) -> str:
        """Return "running", "finished", "cancelled" or "failed"."""
        code = self._process.poll()
        if code is None:
            self.seconds = time.time() - self.started
            return "running"
        return "finished" if code == 0 else "cancelled" if self.cancelled else "failed"

    @property
    def message(self) -> str:
        """What the training says on standard error, without the program's name."""
        self._log.seek(0)
        text = self._log.read().decode("utf-8", "replace").strip()
        return "\n".join(line.removeprefix("gallae: ") for line in text.splitlines()[-20:])

    @property
    def resumable(self) -> bool:
        """Whether it stopped and left parts to go on with."""
        return self.state in ("cancelled", "failed") and _partial(self.request.folder).exists()

    def cancel(self) -> None:
        """Ask the training to stop, and end it if it does not within some seconds."""
        if self._process.poll() is None:
            self.cancelled = True
            self._process.send_signal(_STOP)
            killer = threading.Timer(PATIENCE, self._process.kill)
            killer.daemon = True
            killer.start()

    def wait(self, seconds: float | None = None) -> str:
        """Wait until it ends, `seconds` at most, and return its state."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.state

    def resume(self) -> None:
        """Go on where it stopped."""
        self._resumed, self.cancelled, self.started = True, False, time.time()
        self._start()

    def progress(self) -> Progress:
        """Look how far it is, by the files that it has left so far."""
        folder, names = self.request.folder, self.names
        if folder.exists():
            return Progress(list(names), "", 0, {})
        work = _partial(folder)
        if len(names) == 1:
            return Progress([], names[0], _folds(work), _curves_of({names[0]: work}))
        done = [name for name in names if (work / name / METRICS).is_file()]
        places = {name: _partial(work / name) for name in names if name not in done}
        now = next(iter(places), "")
        return Progress(done, now, _folds(places[now]) if now else 0, _curves_of(places))


def _partial(folder: Path) -> Path:
    return folder.with_name(folder.name + ".partial")


def _folds(work: Path) -> int:
    return sum(1 for _ in work.glob("fold-*"))


def _curves_of(places: Mapping[str, Path]) -> dict[str, list[list[dict[str, Any]]]]:
    curves = {name: _histories(place) for name, place in places.items()}
    return {name: found for name, found in curves.items() if found}


def _histories(work: Path) -> list[list[dict[str, Any]]]:
    """Return what the networks of a training have learned so far, from their checkpoints."""
    found = []
    for fit in sorted(work.glob("training-*/fit-*")):
        files: Sequence[Path] = [fit / "history.json", *sorted(fit.glob("checkpoint-*/whole.json"))]
        for file in files:
            with suppress(OSError, ValueError, KeyError):  # it may just be moved away
                content = json.loads(file.read_text(encoding="utf-8"))
                found.append(content if isinstance(content, list) else content["history"])
                break
    return found
