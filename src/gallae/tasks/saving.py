"""The folder of a saved task: the hub's layout, with task.json beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gallae.errors import ModelError
from gallae.files import read_json

TASK_FILE = "task.json"


def model_folder(folder: str | Path) -> Path:
    """Return the folder with the weights: the given one, or its `model/`.

    Raises:
        ModelError: if neither has a task.json.
    """
    for place in (Path(folder), Path(folder) / "model"):
        if (place / TASK_FILE).is_file():
            return place
    raise ModelError(
        f"{folder} holds no model of a task ({TASK_FILE} is missing). Give a run of `gallae tasks TASK "
        "train`, or its model/ folder."
    )


def saved_facts(place: Path) -> Mapping[str, Any]:
    """Return what task.json says.

    Raises:
        ModelError: if it is damaged.
    """
    try:
        saved = read_json(place / TASK_FILE)
        if isinstance(saved["task"], str) and isinstance(saved["recipe"], dict):
            return saved
        error: Exception | None = None
    except (OSError, ValueError, KeyError, TypeError) as caught:
        error = caught
    raise ModelError(f"{place / TASK_FILE} is damaged. Train the model again.") from error
