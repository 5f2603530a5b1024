"""A model for the label balance of the texts at hand."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TypeGuard

import numpy as np

from gallae.errors import DataError, ModelError
from gallae.models.calibration import CalibratedClassifier
from gallae.models.contract import TextClassifier
from gallae.models.label_shift import estimated_balance, rebalanced
from gallae.progress import track

log = logging.getLogger(__name__)
LEAST = 100


def adaptable(model: TextClassifier) -> TypeGuard[CalibratedClassifier]:
    """Return whether the model knows which label balance its probabilities are meant for."""
    return isinstance(model, CalibratedClassifier) and hasattr(model, "balance_")


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
    checked = _checked(model)
    found = [checked.predict_proba(part) for part in track(texts, "estimating the label balance")]
    found = found or [np.zeros((0, len(model.classes_)))]
    return checked.for_balance(
        _balance(checked, np.concatenate([np.zeros((0, len(model.classes_))), *found]))
    )


def adapted(model: TextClassifier, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what a model says of texts once it is adapted to them, and their label balance (see `adapt`).

    Args:
        model: As for `adapt`.
        probabilities: (n_texts, n_classes), its own of all these texts.

    Returns:
        (n_texts, n_classes) probabilities, and (n_classes,) shares.
    """
    checked = _checked(model)
    found = _balance(checked, probabilities)
    return rebalanced(probabilities, checked.balance_, found), found


def _checked(model: TextClassifier) -> CalibratedClassifier:
    if not isinstance(model, CalibratedClassifier):
        raise ModelError(
            "the label balance can be adapted where the model is calibrated as a whole. Train it with "
            "--set calibration.method=multinomial (or flat), and without --folds or with --refit."
        )
    model.check_balance()
    return model


def _balance(model: CalibratedClassifier, probabilities: np.ndarray) -> np.ndarray:
    if len(probabilities) < LEAST:
        raise DataError(
            f"{len(probabilities)} texts say too little of the label balance; {LEAST} are the least."
        )
    found = estimated_balance(probabilities, model.balance_)
    shares = zip(model.classes_, found, strict=True)
    told = ", ".join(f"{label} {100 * share:.1f} %" for label, share in shares)
    log.info("estimated label balance: %s", told)
    return found
