"""A model for the label balance of the texts at hand."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeGuard

import numpy as np

from gallae.errors import DataError, ModelError
from gallae.models.calibration import CalibratedClassifier
from gallae.models.contract import TextClassifier
from gallae.progress import track
from gallae.workflows.runs import LoadedModel

log = logging.getLogger(__name__)
LEAST = 100


def adaptable(model: TextClassifier) -> TypeGuard[CalibratedClassifier]:
    """Return whether `adapt` takes the model."""
    return isinstance(model, CalibratedClassifier) and hasattr(model, "balance_") and not model.multilabel_


def adapt(model: TextClassifier, texts: Iterable[list[str]]) -> TextClassifier:
    """Return a model for texts whose labels are balanced in another way than its training rows were.

    What the texts of each label look like must be as it was in training; how many there are is estimated
    from all of them (label shift; Saerens et al. 2002). So a text's answer depends on those beside it.

    Args:
        model: A classifier calibrated by "multinomial" or "flat".
        texts: Lists of texts; they are read once, and not kept.

    Raises:
        DataError: for fewer than 100 texts, which say too little of a balance.
        ModelError, RecipeError: for a model that does not know what balance its probabilities are meant for.
    """
    if not isinstance(model, CalibratedClassifier):
        raise ModelError(
            "the label balance can be adapted where the model is calibrated as a whole. Train it with "
            "--set calibration.method=multinomial (or flat), and without --folds or with --refit."
        )
    found = [model.predict_proba(part) for part in track(texts, "estimating the label balance")]
    count = sum(map(len, found))
    if count < LEAST:
        raise DataError(f"{count} texts say too little of the label balance; {LEAST} are the least.")
    adapted = model.adapted(np.concatenate(found))
    shares = ", ".join(
        f"{label} {100 * share:.1f} %" for label, share in zip(model.classes_, adapted.balance_, strict=True)
    )
    log.info("estimated label balance: %s", shares)
    return adapted


def adapt_loaded(loaded: LoadedModel, texts: Iterable[list[str]]) -> LoadedModel:
    """Do as `adapt`, with what was kept beside the model."""
    return replace(loaded, model=adapt(loaded.model, texts))
