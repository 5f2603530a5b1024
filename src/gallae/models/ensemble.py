"""Several classifiers, each of its own kind, as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from sklearn.base import clone

from gallae.errors import RecipeError
from gallae.models.combining import METHODS, Combination, find_combination, mean_of
from gallae.models.contract import Labels, State, TextClassifier, check_fit_input, encode_labels
from gallae.models.folding import held_out_folds, out_of_fold
from gallae.models.joined import JoinedClassifier

_UNEQUAL = "members of an ensemble must know the same labels; not all know {}. Train them on the same labels."


class EnsembleClassifier(JoinedClassifier):
    """Classifiers whose probabilities are joined: by their mean, a weighted mean, or stacking.

    Weights and stacking are learned from out-of-fold probabilities (see
    `gallae.models.combining.find_combination`), never from rows that a member has learned from.

    Args:
        members: Two classifiers or more, not fitted; the same one may stand there with several seeds.
        method: "mean", "weighted" or "stacking".
        folds: Number of stratified folds for the out-of-fold probabilities; each member is fitted as often,
            and once on all rows. "mean" needs none.
        seed: Seed of the folds.

    Attributes:
        members_: The classifiers fitted on all rows.
        combination_: What was found: weights, or the coefficients of stacking.
    """

    def __init__(
        self, members: Sequence[TextClassifier] = (), method: str = "mean", folds: int = 5, seed: int = 42
    ) -> None:
        self.members = members
        self.method = method
        self.folds = folds
        self.seed = seed

    @classmethod
    def of(
        cls,
        members: Sequence[TextClassifier],
        combination: Combination | None = None,
        folds: int = 5,
        seed: int = 42,
    ) -> Self:
        """Join classifiers that are fitted already.

        Args:
            members: Fitted on the same labels.
            combination: How; by default their mean. Its columns are in the order of the sorted labels.
            folds: By which the combination was found; kept for another `fit`.
            seed: Of these folds.

        Raises:
            DataError: if the members know different labels.
            RecipeError: for fewer than two members.
        """
        model = cls(list(members), combination.method if combination else "mean", folds, seed)
        model._check()
        model._take(members, _UNEQUAL)
        model.combination_ = combination or mean_of(model._members_thresholds())
        return model

    def fit(self, texts: Sequence[str], labels: Labels) -> Self:
        """Learn from texts and labels (see `TextClassifier.fit`).

        Raises:
            RecipeError: for fewer than two members, or a method that is not known.
        """
        texts, array = check_fit_input(texts, labels)
        _, target, _ = encode_labels(array)
        self._check()
        self._take([clone(member).fit(texts, array) for member in self.members], _UNEQUAL)
        tables: list[np.ndarray] = []
        if self.method != "mean":
            splits = held_out_folds(target, self.folds, self.seed)
            tables = [out_of_fold(member, texts, array, self.classes_, splits) for member in self.members]
        self.combination_ = find_combination(self.method, tables, target, self._members_thresholds())
        return self

    def _check(self) -> None:
        if self.method not in METHODS:
            raise RecipeError(f"an ensemble's method is one of {', '.join(METHODS)}, not {self.method!r}.")
        if len(self.members) < 2:
            raise RecipeError(f"an ensemble needs at least two members, not {len(self.members)}.")
        odd = next((member for member in self.members if not isinstance(member, TextClassifier)), None)
        if odd is not None:
            raise RecipeError(
                f"members are classifiers over texts, such as gallae.build('fast'), not {odd!r:.80}."
            )
        if self.folds < 2:
            raise RecipeError(f"an ensemble needs 2 folds or more, not {self.folds}.")

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return the joint probabilities, (n_texts, n_classes)."""
        texts = self._ready_for(texts)
        return self.combination_(self._tables(texts, self.combination_.used), self.multilabel_)

    @property
    def thresholds(self) -> np.ndarray:
        """(n_classes,) the members' mean thresholds, weighted alike; tuned again by stacking."""
        return self.combination_.thresholds

    def state(self) -> State:
        """Return the members' states and how they are joined."""
        state = self._members_state()
        state.values |= {"folds": self.folds, "seed": self.seed}
        state.include("combination", self.combination_.state())
        return state

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted ensemble again; the caller sets `classes_`."""
        combination = Combination.restore(state.part("combination"))
        model = cls((), combination.method, state.values["folds"], state.values["seed"])
        model._take_state(state)
        model.members, model.combination_ = model.members_, combination
        return model
