"""The mean of several classifiers' probabilities, such as the models of K folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold, StratifiedKFold

from gallae.errors import DataError
from gallae.models.contract import Labels, State, TextClassifier, check_fit_input, encode_labels
from gallae.models.joined import JoinedClassifier

_UNEQUAL = (
    "some folds have no training row of the labels {}; their models cannot be averaged. Use fewer folds, "
    "add rows, or leave these labels out."
)


class AverageClassifier(JoinedClassifier):
    """K copies of a classifier, each fitted without one fold; their probabilities are averaged.

    Args:
        estimator: The classifier to copy.
        folds: Number of stratified folds.
        seed: Seed of the folds.

    Attributes:
        members_: The fitted copies.
    """

    def __init__(self, estimator: TextClassifier, folds: int = 5, seed: int = 42) -> None:
        self.estimator = estimator
        self.folds = folds
        self.seed = seed

    @classmethod
    def of(cls, members: Sequence[TextClassifier]) -> Self:
        """Average classifiers that are fitted already, on the same classes."""
        model = cls(members[0], folds=len(members))
        model._take(members, _UNEQUAL)
        return model

    def fit(self, texts: Sequence[str], labels: Labels) -> Self:
        """Learn from texts and labels (see `TextClassifier.fit`)."""
        texts, array = check_fit_input(texts, labels)
        _, target, multilabel = encode_labels(array)
        least = len(texts) if multilabel else int(np.bincount(target).min())
        if not 2 <= self.folds <= least:
            raise DataError(
                f"folds is {self.folds}: 2 or more, and at most the {least} rows of the rarest class."
            )
        kind = KFold if multilabel else StratifiedKFold
        splits = kind(self.folds, shuffle=True, random_state=self.seed).split(target, target)
        fitted = [clone(self.estimator).fit([texts[i] for i in rows], array[rows]) for rows, _ in splits]
        self._take(fitted, _UNEQUAL)
        return self

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return the mean probabilities, (n_texts, n_classes)."""
        return np.mean(self._tables(self._ready_for(texts)), axis=0)

    @property
    def thresholds(self) -> np.ndarray:
        """(n_classes,) the members' mean thresholds."""
        return np.mean(self._members_thresholds(), axis=0)

    def state(self) -> State:
        """Return the members' states."""
        state = self._members_state()
        state.values["seed"] = self.seed
        return state

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted average again; the caller sets `classes_`."""
        model = cls.__new__(cls)
        model._take_state(state)
        model.estimator, model.folds = model.members_[0], len(model.members_)
        model.seed = state.values["seed"]
        return model
