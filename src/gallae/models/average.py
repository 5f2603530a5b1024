"""The mean of several classifiers' probabilities, such as the models of K folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold, StratifiedKFold

from gallae.errors import DataError
from gallae.models.contract import Labels, State, TextClassifier, check_fit_input, encode_labels


class AverageClassifier(TextClassifier):
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
        model._take(list(members))
        return model

    def _take(self, members: list[TextClassifier]) -> None:
        classes = members[0].classes_
        for member in members:
            if not np.array_equal(member.classes_, classes):
                odd = sorted(set(map(str, classes)) ^ set(map(str, member.classes_)))
                raise DataError(
                    f"some folds have no training row of the labels {', '.join(odd)}; their models cannot be "
                    "averaged. Use fewer folds, add rows, or leave these labels out."
                )
        self.members_, self.classes_, self.multilabel_ = members, classes, members[0].multilabel_

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
        self._take([clone(self.estimator).fit([texts[i] for i in rows], array[rows]) for rows, _ in splits])
        return self

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return the mean probabilities, (n_texts, n_classes)."""
        texts = self._ready_for(texts)
        return np.mean([member.predict_proba(texts) for member in self.members_], axis=0)

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Return log-probabilities (their difference for two classes), (n_texts, n_scores)."""
        logs = np.log(np.clip(self.predict_proba(texts), 1e-9, 1 - 1e-9))
        if self.multilabel_:
            return logs - np.log1p(-np.exp(logs))
        return logs if len(self.classes_) > 2 else logs[:, 1:] - logs[:, :1]

    @property
    def thresholds(self) -> np.ndarray:
        """(n_classes,) the members' mean thresholds."""
        return np.mean([member.thresholds for member in self.members_], axis=0)

    def state(self) -> State:
        """Return the members' states."""
        from gallae.models.registry import kind_of

        kinds = [kind_of(member) for member in self.members_]
        state = State({"kinds": kinds, "seed": self.seed, "multilabel": self.multilabel_})
        for number, member in enumerate(self.members_):
            state.include(f"member{number}", member.state())
        return state

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted average again; the caller sets `classes_`."""
        from gallae.models.registry import class_of

        members = [
            class_of(kind).restore(state.part(f"member{number}"))
            for number, kind in enumerate(state.values["kinds"])
        ]
        model = cls(members[0], len(members), state.values["seed"])
        model.members_, model.multilabel_ = members, state.values["multilabel"]
        return model

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "classes_":
            for member in self.__dict__.get("members_", ()):
                member.classes_ = value
