"""A run: the folder that training leaves, and what Python gets back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae.errors import ModelError, OutputError
from gallae.files import read_json

if TYPE_CHECKING:
    import pandas as pd

    from gallae.data import Corpus, LabelSet
    from gallae.models.contract import TextClassifier
    from gallae.recipes import Recipe

MODEL, METRICS, PREDICTIONS, REPORT, RECIPE = (
    "model",
    "metrics.json",
    "predictions.parquet",
    "report.html",
    "recipe.toml",
)
_MARKS = (
    *(METRICS, "comparison.csv", "audit.html", "search.json"),
    *("lr_find.json", "languages.json", "benchmark.json"),
)


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        folder: Where it lies.
    """

    folder: Path

    @cached_property
    def model(self) -> TextClassifier:
        """The saved model."""
        return load(self.folder)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What metrics.json says."""
        return read_json(self._file(METRICS))

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that ran, every default written out."""
        from gallae.recipes import find_recipe

        return find_recipe(self._file(RECIPE))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The held-out rows: index, fold, text, label, predicted, and p_<label> a class."""
        import pandas as pd

        return pd.read_parquet(self._file(PREDICTIONS))

    def _file(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise OutputError(
                f"{path} is missing: {self.folder} is no run, or it was trained without held-out rows."
            )
        return path


@dataclass(frozen=True)
class LoadedModel:
    """A model together with what was kept beside it.

    Attributes:
        model: The model.
        label_set: Its labels, with their ids in competition files.
        reading: Keywords of `gallae.read` by which its data was read.
        folder: Where it lies.
    """

    model: TextClassifier
    label_set: LabelSet
    reading: dict[str, Any]
    folder: Path

    @property
    def name(self) -> str:
        """What a person calls it: the run's name, if it lies in one."""
        whole = self.folder.resolve()
        return whole.parent.name if whole.name == MODEL else whole.name


def load(name: str | Path, threads: int | None = None) -> TextClassifier:
    """Load a saved model: a run folder, its `model/` folder, or what `gallae export` wrote.

    Args:
        name: The folder.
        threads: Threads that the model's networks compute with; None leaves it to torch and ONNX Runtime.

    Raises:
        ModelError: if it is missing, damaged, newer than this gallae, or of an unregistered type.
    """
    return open_model(name, threads).model


def open_model(name: str | Path | TextClassifier, threads: int | None = None) -> LoadedModel:
    """Load a model with its label set and how its data was read; one in memory is taken as it is.

    Args:
        name: A folder, or a model.
        threads: As of `load`; of a model in memory they are changed only where they are given.
    """
    from gallae.data import LabelSet
    from gallae.models.parts import set_threads
    from gallae.models.persistence import find_model, load_with_facts

    if threads is not None and not isinstance(name, str | Path):
        set_threads(name, threads)
    if not isinstance(name, str | Path):
        names = tuple(str(label) for label in name.classes_)
        return LoadedModel(name, LabelSet(names, {}, name.multilabel_), {}, Path("model in memory"))
    folder = find_model(name)
    model, facts = load_with_facts(folder)
    set_threads(model, threads)
    try:
        saved, reading = facts.get("label_set"), dict(facts.get("reading", {}))
        names = tuple(str(label) for label in model.classes_)
        label_set = LabelSet.from_json(saved) if saved else LabelSet(names, {}, model.multilabel_)
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the label set in {folder} is damaged: {error}. Train it again.") from error
    return LoadedModel(model, label_set, reading, folder)


def default_folder(name: str) -> Path:
    """Return a fresh folder name for a run: runs/<time>-<name>."""
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S")
    folder = Path("runs") / f"{stamp}-{name}"
    number = 2
    while folder.exists() or folder.with_name(folder.name + ".partial").exists():
        folder = Path("runs") / f"{stamp}-{name}-{number}"
        number += 1
    return folder


def refuse_foreign(folder: Path) -> None:
    """Make sure that --force replaces nothing but what gallae wrote.

    Raises:
        OutputError: if `folder` is a file, or holds other things.
    """
    if folder.is_file():
        raise OutputError(f"{folder} is a file; a folder is to be written there. Choose another output.")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not any((folder / name).exists() for name in _MARKS):
        raise OutputError(
            f"{folder} holds something else than a run, and --force replaces runs only. Choose another."
        )


def fingerprint(*parts: str | bool) -> str:
    """Return a hash of texts."""
    digest = sha256()
    for part in parts:
        digest.update(f"{part}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def corpus_fingerprint(corpus: Corpus) -> str:
    """Return a hash of a corpus's texts and labels."""
    return fingerprint(*corpus.texts, *map(repr, corpus.labels))


def peak_memory_mb() -> float:
    """Return the most memory this process has used, in MB (0 where the system does not tell)."""
    try:
        import resource
        import sys
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
