"""Runs that can be interrupted: what is finished stands in RUN.partial until the whole is renamed."""

from __future__ import annotations

import io
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from gallae.errors import GallaeError, OutputError
from gallae.files import (
    folder_beside,
    lock,
    missing_parents,
    read_json,
    refuse_existing,
    remove_empty,
    write_json,
)
from gallae.models.contract import TextClassifier
from gallae.models.persistence import load_with_facts, write_model
from gallae.training.tracking import LOGS
from gallae.training.workspace import workspace

log = logging.getLogger(__name__)
_REQUEST = "request.json"
_PROBABILITIES = "probabilities.npy"
_TRAINING = "training-"


@dataclass(frozen=True)
class Part:
    """A finished split.

    Attributes:
        model: The model fitted on its training rows.
        probabilities: (n_held_out, n_classes), of its held-out rows.
        fit_seconds: Time of fitting.
        seconds: Time of predicting.
    """

    model: TextClassifier
    probabilities: np.ndarray
    fit_seconds: float
    seconds: float


class PartialRun:
    """The working folder of a run that is not finished.

    It is made when the first part is saved, and removed when the run is finished, or fails before any
    part was.

    Args:
        folder: The run folder that is to be.
        key: Hash of recipe, options and data; a run is resumed only with the same.
        force: Replace an existing run.
        resume: Take over the parts of an interrupted run.
        inner: Whether this is a part of another, which tells how to go on.

    Raises:
        OutputError: if the run exists, another process works on it, or there is nothing fitting to resume.
    """

    def __init__(
        self, folder: Path, key: str, force: bool = False, resume: bool = False, inner: bool = False
    ) -> None:
        self.folder = folder
        self.work = folder.with_name(folder.name + ".partial")
        self._key = key
        self._force = force
        self._inner = inner
        self._missing = missing_parents(folder)
        self._locked: IO[Any] | None = None
        if resume:
            self._check_resumable()
            self._lock()
        else:
            refuse_existing(folder, force)
            if self.work.exists() and not force:
                raise OutputError(
                    f"{self.work} holds the finished parts of an interrupted run. Go on with it by "
                    f"--resume {self.folder}, or start anew with --force."
                )
            if (self.work / _REQUEST).is_file():
                self._lock()
                self._unlock()
            shutil.rmtree(self.work, ignore_errors=True)

    def _check_resumable(self) -> None:
        if self.folder.exists():
            raise OutputError(f"{self.folder} is finished already; there is nothing to resume.")
        try:
            request = read_json(self.work / _REQUEST)
        except (OSError, ValueError) as error:
            raise OutputError(
                f"there is nothing to resume: {self.work} is missing or damaged. Leave --resume away."
            ) from error
        if request != {"key": self._key}:
            raise OutputError(
                f"{self.work} was begun with another recipe, other data, other options or another gallae. "
                "Give the same as then, or start anew with another -o."
            )

    def _lock(self) -> None:
        """Keep other processes away; the system unlocks when this one ends, however it does."""
        self._locked = (self.work / _REQUEST).open("rb")
        if not lock(self._locked):
            self._unlock()
            raise OutputError(
                f"another process is at work in {self.work}. Wait for it, stop it, or choose another -o."
            )

    def _unlock(self) -> None:
        if self._locked is not None:
            self._locked.close()
            self._locked = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unlock()
        if kind is not None and issubclass(kind, GallaeError):  # going on would only meet it again
            for folder in self.work.glob(f"{_TRAINING}*"):
                shutil.rmtree(folder, ignore_errors=True)
        if kind is None or not self._has_parts():
            shutil.rmtree(self.work, ignore_errors=True)
            remove_empty(self._missing)
        elif not self._inner:
            log.warning("finished parts are kept in %s: go on with --resume %s", self.work, self.folder)

    def _has_parts(self) -> bool:
        return self.work.exists() and any(path.name != _REQUEST for path in self.work.iterdir())

    def _make(self) -> None:
        if self._locked is not None:
            return
        if not self.work.exists():
            with folder_beside(self.work) as temporary:
                write_json(temporary / _REQUEST, {"key": self._key})
        self._lock()

    def part(self, name: str) -> Path:
        """Return the folder of a part that is a run of its own."""
        self._make()
        return self.work / name

    @contextmanager
    def training(self, name: str) -> Iterator[None]:
        """Keep the checkpoints of the networks that are fitted within the block."""
        with workspace(lambda: self.part(f"{_TRAINING}{name}")):
            yield

    def drop_training(self, name: str) -> None:
        """Remove the checkpoints of a training whose result is kept elsewhere."""
        shutil.rmtree(self.work / f"{_TRAINING}{name}", ignore_errors=True)

    def save_part(self, number: int, part: Part) -> None:
        """Keep a finished fold."""
        self._make()
        buffer = io.BytesIO()  # np.save to a file does not tell why a disk refuses
        np.save(buffer, part.probabilities, allow_pickle=False)
        with folder_beside(self.work / f"fold-{number}") as temporary:
            write_model(part.model, temporary, times=[part.fit_seconds, part.seconds])
            (temporary / _PROBABILITIES).write_bytes(buffer.getvalue())

    def load_part(self, number: int) -> Part | None:
        """Return what `save_part` kept, if it did."""
        folder = self.work / f"fold-{number}"
        if not folder.exists():
            return None
        model, facts = load_with_facts(folder)
        try:
            probabilities = np.load(folder / _PROBABILITIES, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise OutputError(
                f"{folder / _PROBABILITIES} is missing or damaged. Remove {folder}; --resume makes it again."
            ) from error
        log.info("fold %d is taken over from %s", number + 1, self.work)
        return Part(model, probabilities, *facts["times"])

    @contextmanager
    def finish(self) -> Iterator[Path]:
        """Yield a folder to write the finished run into; it takes its name when all is written."""
        with folder_beside(self.folder, self._force) as target:
            for logs in self.work.glob(f"{_TRAINING}*/fit-*/{LOGS}"):
                fit = logs.parent
                place = target / LOGS / fit.parent.name.removeprefix(_TRAINING) / fit.name
                shutil.copytree(logs, place)
            yield target
