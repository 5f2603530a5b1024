"""Training in a process of its own: watched by the files it leaves, cancelled by a signal, taken up again.

What was asked for stands in a hidden file beside the run's folder until nothing is left to go on with, so
that another process can take a training up, too. Whoever trains has that file locked.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from gallae.errors import GallaeError, OutputError, RecipeError
from gallae.files import lock, read_json, write_beside, write_json
from gallae.recipes import find_recipe
from gallae.workflows.runs import METRICS

log = logging.getLogger(__name__)
PATIENCE = 8.0  # seconds between asking a training to stop and ending it
_REQUEST = ".request.json"
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

    @property
    def file(self) -> Path:
        """Where it is written down, beside the folder."""
        return self.folder.with_name(f".{self.folder.name}{_REQUEST}")

    def write(self) -> None:
        """Write it down.

        Raises:
            OutputError: if there may not be written.
        """
        facts = asdict(self) | {"data": str(self.data.absolute()), "reading": dict(self.reading)}
        del facts["folder"]  # it may be moved with its request
        with write_beside(self.file, force=True) as temporary:
            write_json(temporary, facts)

    @classmethod
    def read(cls, file: Path) -> Request:
        """Read what `write` wrote.

        Raises:
            OSError, ValueError, TypeError, KeyError: if it is missing or damaged.
        """
        facts = read_json(file)
        facts |= {"data": Path(facts["data"]), "recipes": tuple(facts["recipes"])}
        return cls(folder=file.with_name(file.name.removeprefix(".").removesuffix(_REQUEST)), **facts)


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
        begun: Whether it was begun by another process, which is gone; `resume` goes on with it.

    Raises:
        RecipeError: for no recipe, or one that is not known.
        OutputError: if there may not be written, or another process trains into the same folder.
    """

    def __init__(self, request: Request, begun: bool = False) -> None:
        if not request.recipes:
            raise RecipeError("choose at least one recipe.")
        self.request = request
        self.names = tuple(find_recipe(recipe).name for recipe in request.recipes)
        self.cancelled = False
        self.seconds = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Any = None
        if not begun:
            request.write()
            self._start(resume=False)

    def _start(self, resume: bool) -> None:
        command = [sys.executable, "-m", "gallae", *self.request.command(resume)]
        posix = os.name == "posix"
        with self._locked() as mine:
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the training
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=posix,
                pass_fds=(mine.fileno(),) if posix else (),  # the lock is the training's own
            )
        self.cancelled, self.started = False, time.time()

    @contextmanager
    def _locked(self) -> Iterator[IO[Any]]:
        """Keep others from training into the folder."""
        folder = self.request.folder
        if not self.request.file.exists():
            raise OutputError(f"{folder} was finished or removed by another process.")
        with self.request.file.open("rb") as mine:
            if not lock(mine):
                raise OutputError(f"{folder} is being trained by another process. Wait for it.")
            yield mine

    @property
    def state(self) -> str:
        """Return "running", "finished", "cancelled", "failed", or "interrupted", not being this one's."""
        if self._process is None:
            return "interrupted"
        code = self._process.poll()
        if code is None:
            self.seconds = time.time() - self.started
            return "running"
        if not _partial(self.request.folder).exists():
            self.request.file.unlink(missing_ok=True)
        return "finished" if code == 0 else "cancelled" if self.cancelled else "failed"

    @property
    def message(self) -> str:
        """What the training says on standard error, without the program's name."""
        if self._log is None:
            return ""
        self._log.seek(0)
        text = self._log.read().decode("utf-8", "replace").strip()
        return "\n".join(line.removeprefix("gallae: ") for line in text.splitlines()[-20:])

    @property
    def resumable(self) -> bool:
        """Whether it stopped and left parts to go on with."""
        return self.state not in ("running", "finished") and _partial(self.request.folder).exists()

    def cancel(self) -> None:
        """Ask the training to stop, and end it if it does not within some seconds."""
        if self._process is not None and self._process.poll() is None:
            self.cancelled = True
            self._process.send_signal(_STOP)
            killer = threading.Timer(PATIENCE, self._process.kill)
            killer.daemon = True
            killer.start()

    def wait(self, seconds: float | None = None) -> str:
        """Wait until it ends, `seconds` at most, and return its state."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        return self.state

    def resume(self) -> None:
        """Go on where it stopped.

        Raises:
            OutputError: if another process does already.
        """
        self._start(resume=True)

    def discard(self) -> None:
        """Remove the parts of a training that has stopped.

        Raises:
            OutputError: if another process goes on with it.
        """
        with self._locked():
            shutil.rmtree(_partial(self.request.folder), ignore_errors=True)
            self.request.file.unlink(missing_ok=True)

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


def unfinished(folder: Path) -> list[Background]:
    """Return the trainings into a folder that stopped and left parts to go on with, the newest first."""
    files = sorted(folder.glob(f".*{_REQUEST}"), key=lambda file: -file.stat().st_mtime)
    return [training for file in files if _is_idle(file) and (training := _stopped(file)) is not None]


def _is_idle(file: Path) -> bool:
    with file.open("rb") as mine:
        return lock(mine)


def _stopped(file: Path) -> Background | None:
    try:
        training = Background(Request.read(file), begun=True)
    except (OSError, ValueError, TypeError, KeyError, GallaeError) as error:
        log.warning("%s is left out: %s", file, error)
        return None
    if training.resumable:
        return training
    file.unlink(missing_ok=True)  # it ended while nobody looked
    return None


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
