"""The benchmark's data: which files of a folder belong to which task, read and cut."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gallae.data.opening import existing
from gallae.errors import DataError
from gallae.workflows.task_benchmark_cells import ALL_TASKS, task_class

log = logging.getLogger(__name__)
HELD_OUT = 0.2
_HELD = ("dev", "valid", "validation", "test")  # the first that is there is measured on


@dataclass(frozen=True)
class TaskData:
    """One task's examples.

    Attributes:
        task: The task's name.
        train: Examples to train on.
        held: Examples to measure on.
        split: The split in words.
    """

    task: str
    train: Sequence[Any]
    held: Sequence[Any]
    split: str


def find_files(folder: Path, tasks: Sequence[str] = ()) -> dict[str, tuple[Path, Path | None]]:
    """Return for each task the file to train on and the one to measure on (None: a part is held out).

    A task's data is the sub-folder of its name, with a file that is called train and one that is called dev,
    valid, validation or test (in any spelling: ner.train, ratings_test.txt); or one file, FOLDER/TASK.csv.

    Args:
        folder: The folder.
        tasks: The tasks that are wanted; () for all whose data is there.

    Raises:
        DataError: if the folder is missing, holds no task or lacks one that is wanted, or its files cannot be
            told apart.
    """
    folder = existing(folder)
    unknown = [name for name in tasks if name not in ALL_TASKS]
    if unknown:
        raise DataError(f"--tasks: there is no task {unknown[0]!r}. Tasks: {', '.join(ALL_TASKS)}.")
    if not folder.is_dir():
        raise DataError(
            f"{folder} is a file. --data is a folder with a sub-folder a task, such as nli/train.tsv."
        )
    found = {name: files for name in ALL_TASKS if (files := _files_of(folder, name)) is not None}
    if not found:
        raise DataError(
            f"{folder} holds data of no task. Put it into sub-folders called {', '.join(ALL_TASKS)}, each "
            "with a train file and a dev file."
        )
    missing = [name for name in tasks if name not in found]
    if missing:
        raise DataError(f"{folder} has no data of {missing[0]}. It has: {', '.join(found)}.")
    return {name: files for name, files in found.items() if not tasks or name in tasks}


def _files_of(folder: Path, task: str) -> tuple[Path, Path | None] | None:
    place = folder / task
    if not place.is_dir():
        single = sorted(path for path in folder.glob(f"{task}.*") if path.is_file())
        return (_only(single, folder, task), None) if single else None
    files = sorted(path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))
    if not files:
        return None
    train = [path for path in files if "train" in _parts(path)]
    if not train:
        return _only(files, place, task), None
    held = next((chosen for word in _HELD if (chosen := [p for p in files if word in _parts(p)])), [])
    return _only(train, place, task), _only(held, place, task) if held else None


def _parts(path: Path) -> list[str]:
    return re.split(r"[^a-z]+", path.name.casefold())


def _only(files: Sequence[Path], folder: Path, task: str) -> Path:
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise DataError(
            f"{folder}: which file is {task} to be trained or measured on? There are {names}. Name one train "
            "and one dev, and put the others elsewhere."
        )
    return files[0]


def read_task(
    task: str, train: Path, held: Path | None, limit: int, seed: int, holdout: float = HELD_OUT
) -> TaskData:
    """Read a task's files.

    Args:
        task: A name in `ALL_TASKS`.
        train: The file to train on.
        held: The file to measure on; None holds out a share of the other.
        limit: Most examples of each, drawn by chance; 0 for all.
        seed: Of the hold-out and the draw.
        holdout: The share.

    Raises:
        DataError: for a file that cannot be used.
    """
    kind = task_class(task)
    examples = kind.read(train)
    if held is not None:
        measured, split = kind.read(held), f"{train.name}, measured on {held.name}"
    else:
        from gallae.tasks.holding_out import hold_out

        examples, measured = hold_out(kind, examples, holdout, seed)
        split = f"{train.name}, {holdout:g} of it held out"
    return TaskData(task, _drawn(examples, limit, seed), _drawn(measured, limit, seed), split)


def _drawn(examples: Sequence[Any], limit: int, seed: int) -> Sequence[Any]:
    if not limit or len(examples) <= limit:
        return examples
    rows = np.sort(np.random.default_rng(seed).choice(len(examples), limit, replace=False))
    return [examples[row] for row in rows]
