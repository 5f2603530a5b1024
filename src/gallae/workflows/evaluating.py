"""How good a saved model is on labelled rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gallae.data import Corpus, read
from gallae.evaluation.metrics import evaluate as figures
from gallae.evaluation.wording import words
from gallae.files import refuse_existing, write_beside
from gallae.models.contract import TextClassifier
from gallae.workflows.adapting import LEAST, adaptable, adapted
from gallae.workflows.columns import reading_for
from gallae.workflows.measuring import Outcome, outcome, timed_probabilities
from gallae.workflows.runs import LoadedModel, open_model


def evaluate(
    model: str | Path | TextClassifier,
    data: str | Path | Corpus,
    *,
    output: str | Path | None = None,
    force: bool = False,
    language: str = "en",
    threads: int | None = None,
    adapt_balance: bool = False,
    **reading: Any,
) -> dict[str, Any]:
    """Measure a saved model on a labelled file.

    Args:
        model: A run folder, its `model/`, or a model in memory.
        data: A labelled file (label names, or the ids of the model's dictionary), or a corpus.
        output: Where to write report.html; None writes none.
        force: Replace an existing report.
        language: Of the report, "en" or "ko".
        threads: Threads of the model's networks; None leaves it to torch and ONNX Runtime.
        adapt_balance: Adapt the model to the label balance of the texts, which is estimated without their
            labels (see `gallae.workflows.adapting.adapt`).
        reading: Keywords of `gallae.read`; the model's own columns are taken where they exist.

    Returns:
        The figures under metrics.json's keys; `seconds` is prediction only. Where the model could be adapted
        and is not, "adapted" has what that would give: macro_f1, accuracy, and the estimated balance.

    Raises:
        ModelError, DataError, OutputError: also for a label that the model does not know.
    """
    words(language)
    if output is not None:
        refuse_existing(output, force)
    loaded = open_model(model, threads)
    corpus = data if isinstance(data, Corpus) else _read(data, loaded, reading)
    probabilities, seconds = timed_probabilities(loaded.model, corpus)
    if adapt_balance:
        probabilities, _ = adapted(loaded.model, probabilities)
    result = outcome(loaded.model, corpus, probabilities, seconds)
    metrics = result.metrics()
    if not adapt_balance and adaptable(loaded.model) and len(corpus) >= LEAST:
        metrics["adapted"] = _if_adapted(loaded.model, result)
    if output is not None:
        page = result.page(
            metrics,
            title=f"{loaded.name}: {Path(corpus.source).name}",
            facts={"model": str(loaded.folder), "data": corpus.source, "rows": len(corpus)},
            language=language,
        )
        with write_beside(output, force) as path:
            path.write_text(page, encoding="utf-8")
    return metrics


def _if_adapted(model: TextClassifier, result: Outcome) -> dict[str, Any]:
    """Return the figures of the model adapted to these rows' label balance."""
    table, balance = adapted(model, result.probabilities)
    found = figures(result.gold, table, result.classes, bootstrap=0)
    shares = dict(zip(result.classes, balance.tolist(), strict=True))
    return {"macro_f1": found["macro_f1"], "accuracy": found["accuracy"], "balance": shares}


def _read(data: str | Path, loaded: LoadedModel, reading: dict[str, Any]) -> Corpus:
    given = reading_for(data, loaded.reading, reading, labels=True)
    return read(data, label_set=loaded.label_set, **given)
