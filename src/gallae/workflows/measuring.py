"""Figures, table and page of held-out rows."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.data import Corpus
from gallae.evaluation.metrics import evaluate
from gallae.models.contract import TextClassifier
from gallae.progress import status

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Outcome:
    """What a model says of labelled rows that it has not seen.

    Attributes:
        texts: (n,) texts.
        gold: (n,) right labels.
        predicted: (n,) labels given.
        probabilities: (n, n_classes).
        classes: The model's labels.
        multilabel: Whether labels are tuples of names.
        seconds: Time of prediction.
    """

    texts: list[str]
    gold: list[Any]
    predicted: list[Any]
    probabilities: np.ndarray
    classes: list[str]
    multilabel: bool
    seconds: float

    def metrics(self) -> dict[str, Any]:
        """Return the figures, under the keys of metrics.json."""
        return evaluate(
            self.gold,
            self.probabilities,
            self.classes,
            multilabel=self.multilabel,
            predicted=self.predicted,
            seconds=self.seconds,
        )

    def page(self, metrics: dict[str, Any], **words: Any) -> str:
        """Return report.html; `words` are title, facts, notes and language of `evaluation_page`."""
        from gallae.evaluation.report import evaluation_page

        return evaluation_page(
            metrics,
            self.gold,
            self.probabilities,
            self.classes,
            texts=self.texts,
            predicted=self.predicted,
            multilabel=self.multilabel,
            **words,
        )


def outcome(model: TextClassifier, corpus: Corpus, probabilities: np.ndarray, seconds: float) -> Outcome:
    """Put together what a model says of a corpus."""
    return Outcome(
        texts=corpus.texts,
        gold=corpus.labels,
        predicted=list(model.decide(probabilities)),
        probabilities=probabilities,
        classes=[str(label) for label in model.classes_],
        multilabel=model.multilabel_,
        seconds=seconds,
    )


def joined(outcomes: list[Outcome]) -> Outcome:
    """Return one outcome of all rows, such as those of all folds."""
    first = outcomes[0]
    return Outcome(
        texts=[text for part in outcomes for text in part.texts],
        gold=[label for part in outcomes for label in part.gold],
        predicted=[label for part in outcomes for label in part.predicted],
        probabilities=np.vstack([part.probabilities for part in outcomes]),
        classes=first.classes,
        multilabel=first.multilabel,
        seconds=sum(part.seconds for part in outcomes),
    )


def timed_probabilities(model: TextClassifier, corpus: Corpus, title: str = "") -> tuple[np.ndarray, float]:
    """Return a corpus's probabilities, (n, n_classes), and the seconds they took."""
    texts = corpus.texts
    with status(f"{title}predicting {len(texts):,} rows"):
        started = time.perf_counter()
        probabilities = model.predict_proba(texts)
        return probabilities, time.perf_counter() - started


def predictions_table(corpus: Corpus, fold: int, result: Outcome) -> pd.DataFrame:
    """Return held-out rows as predictions.parquet has them: index, fold, text, label, predicted, p_..."""
    import pandas as pd

    several = result.multilabel
    table = pd.DataFrame(
        {
            "index": corpus.table["index"].to_numpy(),
            "fold": fold,
            "text": result.texts,
            "label": [list(labels) for labels in result.gold] if several else result.gold,
            "predicted": [list(labels) for labels in result.predicted] if several else result.predicted,
        }
    )
    columns = pd.DataFrame(result.probabilities, columns=[f"p_{label}" for label in result.classes])
    return pd.concat([table, columns], axis=1)


def folder_size(folder: Path) -> int:
    """Return the bytes of a folder's files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def histories(models: Iterable[Any]) -> list[list[dict[str, Any]]]:
    """Return how the networks among models learned, a row an epoch; those of wrapped models too."""
    found = []
    for model in models:
        if getattr(model, "history_", None):
            found.append(model.history_)
        found += histories(
            [*getattr(model, "members_", ()), *filter(None, [getattr(model, "estimator_", None)])]
        )
    return found
