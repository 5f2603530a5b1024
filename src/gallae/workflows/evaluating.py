"""How good a saved model is on labelled rows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from gallae.data import Corpus, read
from gallae.evaluation.metrics import evaluate as measure
from gallae.files import refuse_existing, write_beside
from gallae.progress import status
from gallae.workflows.runs import open_model


def evaluate(
    model: str | Path,
    data: str | Path | Corpus,
    *,
    output: str | Path | None = None,
    force: bool = False,
    language: str = "en",
    **reading: Any,
) -> dict[str, Any]:
    """Measure a saved model on a labelled file.

    Args:
        model: A run folder or its `model/`.
        data: A labelled file (label names, or the ids of the model's dictionary), or a corpus.
        output: Where to write report.html; None writes none.
        force: Replace an existing report.
        language: Of the report, "en" or "ko".
        reading: Keywords of `gallae.read`; the model's own columns are taken where they exist.

    Returns:
        The figures under metrics.json's keys; `seconds` is prediction only.

    Raises:
        ModelError, DataError, OutputError: also for a label that the model does not know.
    """
    if output is not None:
        refuse_existing(output, force)
    loaded = open_model(model)
    corpus = data if isinstance(data, Corpus) else _read(data, loaded, reading)
    classifier = loaded.model
    texts, gold = corpus.texts, corpus.labels
    with status(f"predicting {len(texts):,} rows"):
        started = time.perf_counter()
        probabilities = classifier.predict_proba(texts)
        seconds = time.perf_counter() - started
    predicted = list(classifier.decide(probabilities))
    classes = [str(label) for label in classifier.classes_]
    metrics = measure(
        gold,
        probabilities,
        classes,
        multilabel=classifier.multilabel_,
        predicted=predicted,
        seconds=seconds,
    )
    if output is not None:
        from gallae.evaluation.report import evaluation_page

        page = evaluation_page(
            metrics,
            gold,
            probabilities,
            classes,
            texts=texts,
            predicted=predicted,
            multilabel=classifier.multilabel_,
            title=f"{loaded.folder}: {corpus.source}",
            facts={"model": str(loaded.folder), "data": corpus.source, "rows": len(corpus)},
            language=language,
        )
        with write_beside(output, force) as path:
            path.write_text(page, encoding="utf-8")
    return metrics


def _read(data: str | Path, loaded: Any, reading: dict[str, Any]) -> Corpus:
    """Read with the columns asked for; failing that, those of training if the file has them."""
    from gallae.errors import DataError

    asked = {key: value for key, value in reading.items() if value}
    with_own = {**loaded.reading, **asked}
    try:
        return read(data, label_set=loaded.label_set, **with_own)
    except DataError:
        if with_own == asked:
            raise
        return read(data, label_set=loaded.label_set, **asked)
