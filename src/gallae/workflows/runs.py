"""A run: the folder that training leaves, and what Python gets back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gallae.errors import ModelError
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
        return read_json(self.folder / METRICS)

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that ran, every default written out."""
        from gallae.recipes import find_recipe

        return find_recipe(self.folder / RECIPE)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The held-out rows: index, fold, text, label, predicted, and p_<label> a class."""
        import pandas as pd

        return pd.read_parquet(self.folder / PREDICTIONS)


@dataclass(frozen=True)
class LoadedModel:
    """A model together with what was kept beside it."""

    model: TextClassifier
    label_set: LabelSet
    reading: dict[str, Any]
    folder: Path


def load(name: str | Path) -> TextClassifier:
    """Load a saved model: a run folder or its `model/` folder.

    Raises:
        ModelError: if it is missing, damaged, newer than this gallae, or of an unregistered type.
    """
    return open_model(name).model


def open_model(name: str | Path) -> LoadedModel:
    """Load a model with its label set and how its data was read."""
    from gallae.data import LabelSet
    from gallae.models.persistence import find_model, load_with_facts

    folder = find_model(name)
    model, facts = load_with_facts(folder)
    try:
        saved = facts.get("label_set")
        names = tuple(str(label) for label in model.classes_)
        label_set = LabelSet.from_json(saved) if saved else LabelSet(names, {}, model.multilabel_)
    except (KeyError, TypeError) as error:
        raise ModelError(f"{folder} has a damaged label set: {error}.") from error
    return LoadedModel(model, label_set, facts.get("reading", {}), folder)


def default_folder(name: str) -> Path:
    """Return a fresh folder name for a run: runs/<time>-<name>."""
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S")
    folder = Path("runs") / f"{stamp}-{name}"
    number = 2
    while folder.exists():
        folder = Path("runs") / f"{stamp}-{name}-{number}"
        number += 1
    return folder


def fingerprint(*parts: Any) -> str:
    """Return a hash of texts, labels and options, by which a resumed run knows its own."""
    digest = sha256()
    for part in parts:
        digest.update(repr(part).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def corpus_fingerprint(corpus: Corpus) -> str:
    """Return a hash of a corpus's texts and labels."""
    return fingerprint(corpus.texts, corpus.labels)


def predictions_table(
    corpus: Corpus, folds: Sequence[int], probabilities: Any, predicted: Any, classes: Sequence[Any]
) -> pd.DataFrame:
    """Lay out held-out rows for predictions.parquet."""
    import pandas as pd

    multilabel = corpus.label_set is not None and corpus.label_set.multilabel
    table = pd.DataFrame(
        {
            "index": corpus.table["index"].to_numpy(),
            "fold": folds,
            "text": corpus.texts,
            "label": [list(label) for label in corpus.labels] if multilabel else corpus.labels,
            "predicted": [list(row) for row in predicted] if multilabel else list(predicted),
        }
    )
    columns = pd.DataFrame(probabilities, columns=[f"p_{label}" for label in classes])
    return pd.concat([table, columns], axis=1)


def peak_memory_mb() -> float:
    """Return the most memory this process has used, in MB (0 where the system does not tell)."""
    try:
        import resource
        import sys
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
