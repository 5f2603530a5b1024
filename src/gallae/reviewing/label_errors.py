"""Rows whose label is probably wrong, by confident learning.

Northcutt, Jiang & Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021), by cleanlab.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gallae.errors import require


@dataclass(frozen=True)
class LabelQuality:
    """What held-out probabilities say of given labels.

    Attributes:
        quality: (n,) from 0 (surely wrong) to 1: the probability of the given label, or for several labels a
            text cleanlab's average over them.
        wrong: (n,) bool, which labels are probably errors.
    """

    quality: np.ndarray
    wrong: np.ndarray

    def ranked(self) -> np.ndarray:
        """Return the rows, (n,): those that are probably wrong first, then by rising quality."""
        return np.lexsort((np.arange(len(self.quality)), self.quality, ~self.wrong))


def label_quality(
    labels: Sequence[Any], probabilities: np.ndarray, classes: Sequence[str], multilabel: bool
) -> LabelQuality:
    """Judge labels by probabilities of models that have not seen them.

    Args:
        labels: (n,) names, or tuples of names for multi-label.
        probabilities: (n, n_classes), out of fold.
        classes: (n_classes,) names of the columns.
        multilabel: Whether a text may have several labels.

    Raises:
        MissingExtra: if cleanlab is not installed.
    """
    place = {name: column for column, name in enumerate(classes)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that no row has, which is nobody's mistake here
        if multilabel:
            given = [[place[name] for name in names] for names in labels]
            part = require("cleanlab.multilabel_classification", "review")
            issues = require("cleanlab.multilabel_classification.filter", "review").find_label_issues
            wrong = issues(labels=given, pred_probs=probabilities, n_jobs=1)
            return LabelQuality(part.get_label_quality_scores(given, probabilities), np.asarray(wrong))
        numbers = np.array([place[name] for name in labels], dtype=np.int64)
        find = require("cleanlab.filter", "review").find_label_issues
        wrong = find(numbers, probabilities, n_jobs=1)
        quality = require("cleanlab.rank", "review").get_label_quality_scores(numbers, probabilities)
    return LabelQuality(np.asarray(quality), np.asarray(wrong))
