"""Telling dialects apart and translating them: by runs, or by what is learned from the embedded pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae.data.corpus import SAMPLES
from gallae.data.dialects import STANDARD
from gallae.errors import GallaeError
from gallae.files import read_json
from gallae.workflows.runs import METRICS, Run
from gallae.workflows.tasks import TaskRun, train_task
from gallae.workflows.training import train

if TYPE_CHECKING:
    from gallae.tasks.translate import Translate

RECOGNIZER = "recognizer"
FAMILIES = ("edits", "lstm")


@dataclass(frozen=True)
class Translation:
    """A translated text.

    Attributes:
        source: The text.
        text: Its translation.
        via: The styles that it went through.
        changes: Where the two differ (see `translate_alignment.Change`), as dicts.
        picture: The attention as a drawing, where the model is a network and went one step; else "".
    """

    source: str
    text: str
    via: Sequence[str]
    changes: Sequence[dict[str, Any]]
    picture: str = ""


def recognizer(folder: Path) -> Run:
    """Return the run that tells dialects apart, trained on the embedded pairs if `folder` has none."""
    place = folder / RECOGNIZER
    if not (place / METRICS).is_file():
        train(_pairs(), "dialect", holdout=0.2, output=place, force=True, report=False)
    return Run(place)


def translator(folder: Path, family: str = "edits") -> Translate:
    """Return a translator, trained into `folder` on the embedded pairs if it is not there.

    Args:
        folder: Where what was learned is kept.
        family: One of FAMILIES; "lstm" needs torch, and has an attention to look at.
    """
    place = folder / family
    if not (place / METRICS).is_file():
        train_task("translate", _pairs(), {"family": family}, output=place, force=True)
    return open_translator(place)


def open_translator(folder: Path) -> Translate:
    """Return the translator of a run.

    Raises:
        GallaeError: if the run is of another task.
    """
    from gallae.tasks.translate import Translate

    task = TaskRun(folder).task
    if not isinstance(task, Translate):
        raise GallaeError(f"{folder} is a run of the task {task.name!r}, not of translate.")
    return task


def find_translators(places: Iterable[Path]) -> list[Path]:
    """Return the runs of the task translate in some folders, the newest first."""
    found = {file.parent.resolve(): file for place in places for file in _metrics(place) if _translates(file)}
    return [file.parent for file in sorted(found.values(), key=lambda file: -file.stat().st_mtime)]


def _metrics(place: Path) -> list[Path]:
    return [*place.glob(METRICS), *place.glob(f"*/{METRICS}")]


def _translates(file: Path) -> bool:
    try:
        facts = read_json(file)
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and facts.get("task") == "translate" and ".partial" not in str(file.parent)


def translate(
    task: Translate,
    text: str,
    source: str,
    target: str,
    language: str = "en",
    names: Mapping[str, str] | None = None,
) -> Translation:
    """Translate a text, and draw where the network looked, if it is one.

    Args:
        task: The translator.
        text: The text.
        source: Its style, such as "jeju".
        target: The style that is wanted.
        language: Of the drawing, "en" or "ko".
        names: What to call styles in the drawing.

    Raises:
        DataError: for a direction that was not learned.
    """
    said = task.translate([text], source, target)[0]
    picture = ""
    if hasattr(task.engine, "attention") and len(said["via"]) == 2 and said["translation"]:
        from gallae.evaluation.attention import attention_plot
        from gallae.tasks.translate_reading import Passage

        looked = task.engine.attention(Passage(text, None, source, target), said["translation"])
        columns = [_called(token, names or {}) for token in looked.columns]
        picture = attention_plot(looked.weights, looked.rows, columns, language=language)
    return Translation(text, said["translation"], said["via"], said["changes"], picture)


def _called(token: str, names: Mapping[str, str]) -> str:
    """Return a token, a style's mark (<from:jeju>) with the style's name in it."""
    for style, name in names.items():
        token = token.replace(f":{style}>", f":{name}>")
    return token


def targets(task: Translate, source: str) -> list[str]:
    """Return the styles that a style can be translated to, the standard first."""
    known = set(task.directions)
    pivot = task.facts.get("pivot", "")
    found = [
        style
        for style in task.styles
        if style != source
        and ((source, style) in known or ((source, pivot) in known and (pivot, style) in known))
    ]
    return sorted(found, key=lambda style: (style != STANDARD, style))


def _pairs() -> Path:
    return Path(str(resources.files("gallae.data") / "samples" / SAMPLES["dialect"]))
