"""The one contract: every classifier is a scikit-learn estimator over raw strings.

A family implements `fit`, `scores` (or `predict_proba`), `state` and `restore`; the rest is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from gallae.errors import DataError, RecipeError

if TYPE_CHECKING:
    from gallae.training.soft_targets import SoftTargets

Labels = Sequence[Any]
_SEVERAL = (list, tuple, set, frozenset)  # types of the labels of one text, where it may have several


@dataclass
class State:
    """What a fitted model is made of, ready for JSON, safetensors and whole files.

    Attributes:
        values: JSON values.
        tensors: Arrays.
        files: Whole files by name, for formats that are a library's own (skops, fastText).
    """

    values: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def include(self, name: str, part: State) -> None:
        """Put the state of a part under `name`."""
        self.values[name] = part.values
        self.tensors |= {f"{name}.{key}": value for key, value in part.tensors.items()}
        self.files |= {f"{name}.{key}": value for key, value in part.files.items()}

    def part(self, name: str) -> State:
        """Return what `include` put under `name`."""
        start = len(name) + 1
        return State(
            self.values[name],
            {key[start:]: value for key, value in self.tensors.items() if key.startswith(name + ".")},
            {key[start:]: value for key, value in self.files.items() if key.startswith(name + ".")},
        )


class TextClassifier(ClassifierMixin, BaseEstimator):
    """Base of every classifier over raw strings.

    Attributes:
        classes_: (n_classes,) the labels, sorted.
        multilabel_: Whether a text may have several labels (or none); labels are then tuples of names.
    """

    classes_: np.ndarray
    multilabel_: bool

    def fit(self, texts: Sequence[str], labels: Labels) -> Self:
        """Learn from texts and their labels.

        Args:
            texts: (n_texts,) strings.
            labels: (n_texts,) one label a text; or for multi-label a list, tuple or set of labels a text.

        Raises:
            DataError: if the two differ in length, hold no text, or fewer than two classes.
        """
        raise NotImplementedError  # pragma: no cover - every family has its own

    def fit_soft(self, texts: Sequence[str], targets: SoftTargets) -> Self:
        """Learn from a teacher's probabilities, and from labels where they are known.

        Args:
            texts: (n_texts,) strings.
            targets: A target a text.

        Raises:
            RecipeError: if this kind of classifier learns from labels alone.
        """
        raise RecipeError(
            f"{type(self).__name__} learns from labels alone. Students of a teacher are linear models and "
            "networks: recipes of the family linear, mlp, bag, recurrent, convolutional, branched, "
            "transformer, from_config or encoder."
        )

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Return uncalibrated scores, (n_texts, n_classes); (n_texts, 1) for two classes, as margins.

        Raises:
            NotFittedError: before `fit`.
            DataError: for what is not a list of strings.
        """
        raise NotImplementedError  # pragma: no cover - every family has its own

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n_texts, n_classes) float64 probabilities; rows sum to 1 unless multi-label."""
        scores = self.scores(texts).astype(np.float64)
        if self.multilabel_:
            return expit(scores)
        return softmax(two_columns(scores), axis=1)

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n_texts,) labels; for multi-label an object array of tuples."""
        return self.decide(self.predict_proba(texts))

    def score(self, texts: Sequence[str], labels: Labels, sample_weight: np.ndarray | None = None) -> float:
        """Return the accuracy; for multi-label the share of texts with exactly the right labels."""
        texts, gold = check_fit_input(texts, labels)
        predicted = self.predict(texts)
        if self.multilabel_:
            right = [set(a) == set(b) for a, b in zip(gold, predicted, strict=True)]
            return float(np.average(right, weights=sample_weight))
        return float(accuracy_score(gold, predicted, sample_weight=sample_weight))

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Turn (n_texts, n_classes) probabilities into (n_texts,) labels, the way `predict` does."""
        if not self.multilabel_:
            return self.classes_[probabilities.argmax(axis=1)]
        chosen = probabilities >= self.thresholds
        return _object_array([tuple(self.classes_[row]) for row in chosen])

    @property
    def thresholds(self) -> np.ndarray:
        """(n_classes,) probability from which a label is given, for multi-label."""
        return np.full(len(self.classes_), 0.5)

    def state(self) -> State:
        """Return what `restore` needs to make this fitted model again."""
        raise NotImplementedError  # pragma: no cover - every family has its own

    @classmethod
    def restore(cls, state: State) -> Self:
        """Make the fitted model again from `state`."""
        raise NotImplementedError  # pragma: no cover - every family has its own

    def save(self, folder: str | Path, force: bool = False) -> None:
        """Write the fitted model to a new folder, as JSON, safetensors and, for some, skops.

        Raises:
            OutputError: if the folder exists and `force` is false.
        """
        from gallae.models.persistence import save

        check_is_fitted(self, "classes_")
        save(self, folder, force=force)

    def _ready_for(self, texts: Iterable[Any]) -> list[str]:
        """Return `texts` as a list, once it is sure that the model is fitted and they are strings."""
        check_is_fitted(self, "classes_")
        return as_texts(texts)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.target_tags.multi_output = False
        return tags


def as_texts(texts: Iterable[Any]) -> list[str]:
    """Return `texts` as a list of strings.

    Raises:
        DataError: if it is a single string or a table, or holds something else than strings.
    """
    if isinstance(texts, str):
        raise DataError("texts must be a list of strings, not one string. Put it in a list: [text].")
    if getattr(texts, "ndim", 1) != 1:
        raise DataError("texts must be one column of strings, not a table: give df['title'], say.")
    result = list(texts)
    for number, text in enumerate(result):
        if not isinstance(text, str):
            raise DataError(
                f"item {number} of the texts is {text!r} ({type(text).__name__}), not a string. "
                "Convert the items to str, and missing values to ''."
            )
    return result


def check_fit_input(texts: Iterable[Any], labels: Iterable[Any] | None) -> tuple[list[str], np.ndarray]:
    """Return texts as a list and labels as an array, (n_texts,); tuples for multi-label.

    If any text has a list, tuple or set of labels, a bare label stands for a list of one.

    Raises:
        DataError: as `TextClassifier.fit` says.
    """
    if labels is None:
        raise DataError("this classifier requires y to be passed, but the target y is None: give the labels.")
    texts, labels = as_texts(texts), list(labels)
    if len(texts) != len(labels):
        raise DataError(f"there are {len(texts)} texts but {len(labels)} labels; there must be one a text.")
    if not texts:
        raise DataError("there are no texts to learn from.")
    if any(isinstance(label, _SEVERAL) for label in labels):
        rows = [tuple(label) if isinstance(label, _SEVERAL) else (label,) for label in labels]
        _check_labels(rows)
        return texts, _object_array(rows)
    _check_labels([(label,) for label in labels])
    return texts, np.asarray(labels)


def check_soft_input(texts: Iterable[Any], targets: SoftTargets) -> list[str]:
    """Return texts as a list, of which each has a target.

    Raises:
        DataError: if the two differ in length, or there is no text.
    """
    texts = as_texts(texts)
    if len(texts) != len(targets):
        raise DataError(f"there are {len(texts)} texts but {len(targets)} targets; there must be one a text.")
    if not texts:
        raise DataError("there are no texts to learn from.")
    return texts


def _check_labels(rows: list[tuple[Any, ...]]) -> None:
    for number, row in enumerate(rows):
        for label in row:
            if not isinstance(label, str | int | np.integer | np.bool_):
                raise DataError(
                    f"label {number} is {label!r} ({type(label).__name__}); it must be a string or an "
                    "integer. This is classification: continuous or missing labels cannot be learned "
                    "(Unknown label type)."
                )
    if len({isinstance(label, str) for row in rows for label in row}) > 1:
        raise DataError("labels are strings and numbers mixed; convert them all to strings.")


def _object_array(rows: list[tuple[Any, ...]]) -> np.ndarray:
    array = np.empty(len(rows), dtype=object)
    for number, row in enumerate(rows):
        array[number] = row
    return array


def encode_labels(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Find the classes and number the labels.

    Returns:
        The classes sorted; numbers (n,) int64, or a (n, n_classes) bool table for multi-label; which one.

    Raises:
        DataError: for fewer than two classes.
    """
    multilabel = labels.dtype == object and isinstance(labels[0], tuple)
    if multilabel:
        classes = np.unique([label for row in labels for label in row])
        position = {label: number for number, label in enumerate(classes)}
        table = np.zeros((len(labels), len(classes)), dtype=bool)
        for row, names in enumerate(labels):
            table[row, [position[name] for name in names]] = True
        encoded: np.ndarray = table
    else:
        classes, encoded = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        found = f"only {classes.tolist()[0]!r}" if len(classes) else "none"
        raise DataError(f"a classifier needs at least two classes, found {found}: one class is not enough.")
    return classes, encoded, multilabel


def two_columns(scores: np.ndarray) -> np.ndarray:
    """Spread the margin of a two-class model over two columns, so that softmax gives its logistic."""
    return np.hstack([np.zeros_like(scores), scores]) if scores.shape[1] == 1 else scores
