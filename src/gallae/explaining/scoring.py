"""The score that is explained: a label's log-odds, from probabilities or straight from a model's scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gallae.errors import GallaeError
from gallae.models.calibration import CalibratedClassifier

_LEAST = 1e-9  # of a probability, so that its logarithm is a number


@dataclass(frozen=True)
class Target:
    """A label's score as a linear function of the scores of a model that is not calibrated.

    Attributes:
        model: The classifier itself, within the one that calibrates it.
        slopes: (n_scores,) what the model's scores are multiplied by.
        bias: What is added.
    """

    model: Any
    slopes: np.ndarray
    bias: float


def is_multilabel(model: Any) -> bool:
    """Whether a text may have several labels; of estimators that are not gallae's, no."""
    return bool(getattr(model, "multilabel_", False))


def find_label(model: Any, label: Any) -> int:
    """Return a label's column.

    Raises:
        GallaeError: for a label that the model does not know, naming those that it does.
    """
    names = [str(name) for name in model.classes_]
    if str(label) not in names:
        known = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
        raise GallaeError(f"the model does not know the label {label!r}. It knows: {known}.")
    return names.index(str(label))


def log_odds(probabilities: np.ndarray, columns: Any, multilabel: bool) -> np.ndarray:
    """Return the scores of labels (see `Explanation`), (n,) float64.

    Args:
        probabilities: (n, n_classes).
        columns: A label's column, or (n,) one a row.
        multilabel: Whether a text may have several labels.
    """
    p = np.clip(np.asarray(probabilities, dtype=np.float64), _LEAST, 1.0)
    rows = np.arange(len(p))
    if multilabel:
        chosen = np.minimum(p[rows, columns], 1 - _LEAST)
        return np.asarray(np.log(chosen) - np.log1p(-chosen))
    logs = np.log(p)
    own = logs[rows, columns]
    return np.asarray(own - (logs.sum(axis=1) - own) / (p.shape[1] - 1))


def target_of(model: Any, column: int) -> Target:
    """Return a label's score as a linear function of the scores of the classifier inside."""
    multilabel, count = is_multilabel(model), len(model.classes_)
    if multilabel:
        contrast = np.eye(count)[column]
    elif count == 2:
        contrast = np.array([1.0 if column == 1 else -1.0])
    else:
        contrast = np.where(np.arange(count) == column, 1.0, -1.0 / (count - 1))
    if not isinstance(model, CalibratedClassifier):
        return Target(model, contrast, 0.0)
    slopes, biases = model.logits_from_scores()
    return Target(model.estimator_, slopes @ contrast, float(biases @ contrast))


def inside(model: Any) -> Any:
    """Return the classifier within a calibrated one, or the model itself."""
    return model.estimator_ if isinstance(model, CalibratedClassifier) else model
