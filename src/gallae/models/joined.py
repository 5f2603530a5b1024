"""Several fitted classifiers that answer as one: what averages and ensembles share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gallae.errors import DataError
from gallae.models.contract import State, TextClassifier

SMALLEST = 1e-9  # a probability below it counts as this, where logarithms are taken


class JoinedClassifier(TextClassifier):
    """Base of classifiers that join the probabilities of others; `predict_proba` is left to them.

    Attributes:
        members_: The fitted classifiers.
        orders_: For each member (n_classes,) its columns in the order of `classes_`.
    """

    members_: list[TextClassifier]
    orders_: list[np.ndarray]

    def _take(self, members: Sequence[TextClassifier], unequal: str) -> None:
        """Take over fitted members; `unequal` is the message, with "{}" for the labels that not all know."""
        classes = np.sort(members[0].classes_)
        for member in members:
            odd = set(classes.tolist()) ^ set(member.classes_.tolist())
            if odd:
                raise DataError(unequal.format(", ".join(sorted(map(str, odd)))))
            if member.multilabel_ != members[0].multilabel_:
                raise DataError(
                    "some of the members give a text one label, others several; give those alike."
                )
        self.orders_ = [np.argsort(member.classes_) for member in members]
        self.members_, self.multilabel_ = list(members), members[0].multilabel_
        self.classes_ = classes

    def _tables(self, texts: Sequence[str], used: Sequence[bool] | None = None) -> list[np.ndarray]:
        """Return each member's probabilities, (n_texts, n_classes), in the order of `classes_`.

        Members that are not `used` are not asked; they give zeros.
        """
        asked = [True] * len(self.members_) if used is None else used
        return [
            member.predict_proba(texts)[:, order].astype(np.float64)
            if ask
            else np.zeros((len(texts), len(order)))
            for member, order, ask in zip(self.members_, self.orders_, asked, strict=True)
        ]

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Return log-probabilities (their difference for two classes), (n_texts, n_scores)."""
        logs = np.log(np.clip(self.predict_proba(texts), SMALLEST, 1 - SMALLEST))
        if self.multilabel_:
            return logs - np.log1p(-np.exp(logs))
        return logs if len(self.classes_) > 2 else logs[:, 1:] - logs[:, :1]

    def _members_thresholds(self) -> np.ndarray:
        """Return (n_members, n_classes) thresholds."""
        return np.array(
            [member.thresholds[order] for member, order in zip(self.members_, self.orders_, strict=True)]
        )

    def _members_state(self) -> State:
        from gallae.models.registry import kind_of

        values = {
            "kinds": [kind_of(member) for member in self.members_],
            "orders": [order.tolist() for order in self.orders_],
            "multilabel": self.multilabel_,
        }
        state = State(values)
        for number, member in enumerate(self.members_):
            state.include(f"member{number}", member.state())
        return state

    def _take_state(self, state: State) -> None:
        """Take over the members of `_members_state`; the caller sets `classes_`, theirs too."""
        from gallae.models.registry import class_of

        kinds = state.values["kinds"]
        self.members_ = [
            class_of(kind).restore(state.part(f"member{number}")) for number, kind in enumerate(kinds)
        ]
        orders = state.values.get("orders")  # models of before had them all alike
        self.orders_ = [np.array(order) for order in orders] if orders else []
        self.multilabel_ = state.values["multilabel"]

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name != "classes_" or not isinstance(value, np.ndarray):
            return
        members = self.__dict__.get("members_", [])
        if len(self.__dict__.get("orders_", [])) != len(members):
            self.orders_ = [np.arange(len(value)) for _ in members]
        for member, order in zip(members, self.__dict__.get("orders_", []), strict=True):
            names = np.empty_like(value)
            names[order] = value
            member.classes_ = names
