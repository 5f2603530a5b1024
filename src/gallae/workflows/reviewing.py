"""Which labels to check first, and which texts to label next."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.data import Corpus, read
from gallae.errors import DataError, RecipeError
from gallae.evaluation.wording import words as report_words
from gallae.models.contract import TextClassifier, check_fit_input, encode_labels
from gallae.models.folding import held_out_folds, out_of_fold
from gallae.models.registry import build
from gallae.progress import status
from gallae.recipes import Recipe, find_recipe
from gallae.reviewing.label_errors import label_quality
from gallae.reviewing.regions import Regions, find_regions
from gallae.reviewing.selecting import select, uncertainty
from gallae.workflows.reviewing_output import check_outputs, reason, write_outputs

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
_CLOSE = 0.1  # margin of the two most probable labels below which a row lies between them


@dataclass(frozen=True)
class Review:
    """What is proposed.

    Attributes:
        kind: "labels": rows whose label to check; "unlabelled": rows to label.
        table: The rows, the most urgent first: "row" (number in the file, from 0, the header apart), "text",
            "given" (label; "" if there is none), "suggested" (what the model says), "probability" (of it),
            "given_probability" (None without a label), "cause" ("wrong", "close", "doubtful" or "uncertain")
            and "reason" (the same in words). Several labels are joined by "|".
        looked_at: Number of rows among which the proposals were chosen.
        wrong: Number of rows whose label is probably wrong; 0 for rows without a label.
        skipped: Rows that were not judged, as no other row has their label, or the run did not hold them out.
        regions: Where the mistakes are; None for rows without a label.
        source: The file.
        model: What judged: a recipe or a run.
    """

    kind: str
    table: pd.DataFrame
    looked_at: int
    wrong: int
    skipped: int
    regions: Regions | None
    source: str
    model: str


def review(
    data: str | Path | Corpus,
    recipe: str | Path | Recipe = "fast",
    *,
    budget: int = 100,
    unlabelled: str | Path | None = None,
    run: str | Path | None = None,
    folds: int = 5,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    output: str | Path | Sequence[str | Path] = (),
    force: bool = False,
    language: str = "en",
    **reading: Any,
) -> Review:
    """Propose which labels to check first, or which texts to label next.

    Without unlabelled rows the labels are judged by confident learning on out-of-fold probabilities. Rows of
    `data` with an empty label, or the rows of `unlabelled`, are proposed by uncertainty and diversity
    instead. The same data, recipe and seed give the same proposals.

    Args:
        data: A labelled file, folder or `hf:` id (see `gallae.read`), or a corpus.
        recipe: What judges; ignored with `run`.
        budget: How many rows to propose.
        unlabelled: A file of texts without labels.
        run: A run whose held-out rows (`--folds`) are used instead of training again; for unlabelled rows,
            its model.
        folds: Number of stratified folds.
        seed: Replaces the recipe's seed.
        overrides: Recipe fields, such as "model.C=0.3".
        output: .csv, .jsonl or .html files to write.
        force: Replace existing outputs.
        language: Of reasons and page, "en" or "ko".
        reading: Keywords of `gallae.read`, such as `text_column`.

    Raises:
        DataError, RecipeError, ModelError, OutputError: for what the user can mend.
        MissingExtra: if cleanlab is not installed, and labels are to be judged.
    """
    report_words(language)
    if budget < 1:
        raise RecipeError(f"budget is {budget}: propose 1 row or more.")
    if folds < 2:
        raise RecipeError(f"folds is {folds}: 2 or more are needed.")
    outputs = [Path(output)] if isinstance(output, str | Path) else [Path(path) for path in output]
    check_outputs(outputs, force)
    chosen = find_recipe(recipe, overrides, seed, reading)
    judge = _Judge(chosen, None if run is None else Path(run), folds)
    corpus, rows = _corpus(data, chosen)
    others = _others(corpus, rows, unlabelled, chosen)
    labelled = corpus.take(rows)
    if others is None:
        found = _check_labels(labelled, rows, judge, budget, language)
    else:
        found = _label_next(labelled, *others, judge, budget, language)
    if len(found.table) < budget:
        log.warning("the budget is %d rows, and there are %d to propose", budget, len(found.table))
    write_outputs(found, outputs, force, language)
    return found


@dataclass(frozen=True)
class _Judge:
    """What gives probabilities: a recipe, or a run."""

    recipe: Recipe
    run: Path | None
    folds: int

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.recipe.name if self.run is None else self.run.name

    def held_out(self, corpus: Corpus) -> tuple[np.ndarray, list[str], TextClassifier | None]:
        """Return out-of-fold probabilities (NaN: none), the labels, and a model that decides, or None."""
        if self.run is not None:
            return _of_run(self.run, corpus)
        model = build(self.recipe)
        texts, array = check_fit_input(corpus.texts, corpus.labels)
        classes, target, multilabel = encode_labels(array)
        splits = held_out_folds(target, self.folds, self.recipe.seed)
        table = out_of_fold(model, texts, array, classes, splits)
        if multilabel:
            table = np.nan_to_num(table)
        return table, [str(name) for name in classes], None

    def fitted(self, corpus: Corpus) -> TextClassifier:
        """Return a model for rows without a label."""
        if self.run is not None:
            from gallae.workflows.runs import load

            return load(self.run)
        with status(f"fitting {len(corpus):,} rows"):
            return build(self.recipe).fit(corpus.texts, corpus.labels)


def _corpus(data: str | Path | Corpus, recipe: Recipe) -> tuple[Corpus, np.ndarray]:
    """Return the corpus as it stands in the file, and the numbers of the rows that have a label."""
    given = {**recipe.data.reading(), "labels": "partial"}
    if given.get("label_map"):
        raise DataError(
            "review counts the rows as they stand in the file, and data.label_map drops some of them. "
            "Write a file with the labels first (gallae clean), and review that."
        )
    corpus = data if isinstance(data, Corpus) else read(data, **given)
    if corpus.label_set is None:
        raise DataError(
            f"{corpus.source} has no labels, and without any there is nothing to review. Name the column "
            "with --label-column."
        )
    several = corpus.label_set.multilabel
    rows = [at for at, label in enumerate(corpus.labels) if several or label]
    return corpus, np.array(rows, dtype=np.int64)


def _others(
    corpus: Corpus, rows: np.ndarray, unlabelled: str | Path | None, recipe: Recipe
) -> tuple[list[str], np.ndarray, str] | None:
    """Return texts without a label, their numbers, and where they stand; None if there are none."""
    if unlabelled is not None:
        given = {key: value for key, value in recipe.data.reading().items() if not key.startswith("label")}
        texts = read(unlabelled, **given, labels="none").texts
        return texts, np.arange(len(texts)), str(unlabelled)
    rest = np.setdiff1d(np.arange(len(corpus)), rows)
    if not len(rest):
        return None
    return corpus.take(rest).texts, rest, corpus.source


def _check_labels(corpus: Corpus, numbers: np.ndarray, judge: _Judge, budget: int, language: str) -> Review:
    """Propose labels to check."""
    assert corpus.label_set is not None
    several = corpus.label_set.multilabel
    table, classes, model = judge.held_out(corpus)
    known = np.flatnonzero(~np.isnan(table).any(axis=1))
    if not len(known):
        raise DataError(f"{corpus.source}: no row could be judged, as no label stands in two rows or more.")
    probabilities = table[known]
    judged = corpus.take(known)
    labels, texts = judged.labels, judged.texts
    predicted = _decided(probabilities, classes, several, model)
    quality = label_quality(labels, probabilities, classes, several)
    regions = find_regions(texts, labels, predicted, probabilities, several)
    order = quality.ranked()[:budget]
    proposed = [
        _proposal(
            int(numbers[known[at]]), texts[at], labels[at], predicted[at], probabilities[at], classes,
            "wrong" if quality.wrong[at] else _cause(probabilities[at], several), language,
        )
        for at in order.tolist()
    ]  # fmt: skip
    return Review(
        "labels",
        _frame(proposed),
        len(known),
        int(quality.wrong.sum()),
        len(corpus) - len(known),
        regions,
        corpus.source,
        judge.name,
    )


def _label_next(
    corpus: Corpus,
    texts: list[str],
    numbers: np.ndarray,
    source: str,
    judge: _Judge,
    budget: int,
    language: str,
) -> Review:
    """Propose texts to label."""
    model = judge.fitted(corpus)
    with status(f"predicting {len(texts):,} rows"):
        probabilities = np.asarray(model.predict_proba(texts))
    classes = [str(name) for name in model.classes_]
    doubts = uncertainty(probabilities, model.multilabel_)
    with status("choosing texts that differ"):
        order = select(texts, doubts, budget, judge.recipe.seed)
    predicted = _decided(probabilities, classes, model.multilabel_, model)
    proposed = [
        _proposal(
            int(numbers[at]),
            texts[at],
            None,
            predicted[at],
            probabilities[at],
            classes,
            "uncertain",
            language,
        )
        for at in order.tolist()
    ]
    return Review("unlabelled", _frame(proposed), len(texts), 0, 0, None, source, judge.name)


def _decided(
    probabilities: np.ndarray, classes: list[str], several: bool, model: TextClassifier | None
) -> list[Any]:
    if not several:
        return [classes[at] for at in probabilities.argmax(axis=1).tolist()]
    limits = model.thresholds if model is not None else np.full(len(classes), 0.5)
    return [tuple(classes[at] for at in np.flatnonzero(row >= limits)) for row in probabilities]


def _cause(probabilities: np.ndarray, several: bool) -> str:
    if several:
        return "close" if float(np.abs(probabilities - 0.5).min()) < _CLOSE / 2 else "doubtful"
    ranked = np.sort(probabilities)
    return "close" if ranked[-1] - ranked[-2] < _CLOSE else "doubtful"


def _proposal(
    row: int,
    text: str,
    given: Any,
    suggested: Any,
    probabilities: np.ndarray,
    classes: list[str],
    cause: str,
    language: str,
) -> dict[str, Any]:
    def least(labels: Any) -> float:
        """The probability of a label; of several, of the least probable one."""
        names = [labels] if isinstance(labels, str) else list(labels)
        if not names:
            return float(1 - probabilities.max())
        return float(min(probabilities[classes.index(str(name))] for name in names))

    return {
        "row": row,
        "text": text,
        "given": "" if given is None else _joined(given),
        "suggested": _joined(suggested),
        "probability": least(suggested),
        "given_probability": None if given is None else least(given),
        "cause": cause,
        "reason": reason(cause, probabilities, classes, given, language),
    }


def _joined(labels: Any) -> str:
    return labels if isinstance(labels, str) else "|".join(map(str, labels))


_COLUMNS = ("row", "text", "given", "suggested", "probability", "given_probability", "cause", "reason")


def _frame(proposed: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(proposed, columns=list(_COLUMNS))


def _of_run(folder: Path, corpus: Corpus) -> tuple[np.ndarray, list[str], TextClassifier | None]:
    """Return what a run says of the corpus's rows that it held out, by their index and text."""
    from gallae.workflows.runs import Run

    kept = Run(folder).predictions
    classes = [str(name)[2:] for name in kept.columns if str(name).startswith("p_")]
    assert corpus.label_set is not None
    unknown = sorted(set(corpus.label_set.names) - set(classes))
    if unknown:
        raise DataError(
            f"{folder} does not know the labels {', '.join(map(repr, unknown[:10]))} of {corpus.source}. "
            "Review with the run of this data, or without --run."
        )
    values = kept[[f"p_{name}" for name in classes]].to_numpy()
    place = {key: at for at, key in enumerate(_keys(kept["index"], kept["text"]))}
    at = [place.get(key, -1) for key in _keys(corpus.table["index"], corpus.texts)]
    table = np.where(np.array(at)[:, None] >= 0, values[at], np.nan)
    if np.isnan(table).all():
        raise DataError(f"{folder} held out none of the rows of {corpus.source}: it is of other data.")
    model = Run(folder).model if corpus.label_set.multilabel else None
    return table, classes, model


def _keys(index: Any, texts: Any) -> Iterator[tuple[str, str]]:
    return zip(map(str, index), texts, strict=True)
