"""What turns feature rows into scores: linear weights, or a user's own scikit-learn estimator."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from gallae.errors import ModelError, RecipeError
from gallae.models.contract import State

log = logging.getLogger(__name__)
Rows: TypeAlias = sp.csr_matrix
_NEVER = -14.0  # the score of a class that was not met: about the log of one in a million


class Head(Protocol):
    """A fitted scorer of feature rows."""

    def scores(self, blocks: Sequence[Any]) -> np.ndarray:
        """Return (n_rows, n_classes) scores of rows given as blocks of columns; one column for two."""
        ...

    def state(self) -> State:
        """Return what `restore_head` needs."""
        ...


@dataclass
class LinearHead:
    """Weights (n_features, n_scores) float32 and intercepts (n_scores,) float32."""

    weights: np.ndarray
    intercepts: np.ndarray

    def scores(self, blocks: Sequence[Any]) -> np.ndarray:
        """Return (n_rows, n_scores) float32."""
        total = np.tile(self.intercepts, (blocks[0].shape[0], 1))
        start = 0
        for block in blocks:
            stop = start + block.shape[1]
            total += _product(block, self.weights[start:stop])
            start = stop
        return total

    def state(self) -> State:
        """Return the weights."""
        return State({"kind": "linear"}, {"weights": self.weights, "intercepts": self.intercepts})


@dataclass
class EstimatorHead:
    """A user's own estimator, fitted on feature rows and class numbers."""

    estimator: Any
    n_classes: int

    def scores(self, blocks: Sequence[Any]) -> np.ndarray:
        """Return log-probabilities or decision values, (n_rows, n_classes); (n_rows, 1) for two classes."""
        n_rows = blocks[0].shape[0]
        total = np.full((n_rows, self.n_classes), _NEVER, dtype=np.float32)
        if n_rows:  # scikit-learn's own estimators refuse zero rows
            total[:, self.estimator.classes_] = self._values(stack(blocks))
        return total if self.n_classes > 2 else total[:, 1:] - total[:, :1]

    def _values(self, rows: Rows) -> np.ndarray:
        if hasattr(self.estimator, "predict_proba"):
            return np.log(np.clip(self.estimator.predict_proba(rows), np.exp(_NEVER), 1.0))
        values = np.asarray(self.estimator.decision_function(rows))
        return np.stack([-values / 2, values / 2], axis=1) if values.ndim == 1 else values

    def state(self) -> State:
        """Return the estimator as a skops file.

        Raises:
            ModelError: if it holds types that loading would refuse.
        """
        import skops.io

        data = skops.io.dumps(self.estimator)
        _trusted_types(data)
        return State({"kind": "estimator", "n_classes": self.n_classes}, files={"estimator.skops": data})


def _product(block: Any, weights: np.ndarray) -> np.ndarray:
    """Multiply so that a row's result does not depend on the rows beside it, as BLAS's would."""
    return block @ weights if sp.issparse(block) else np.einsum("ij,jk->ik", block, weights)


def stack(blocks: Sequence[Any]) -> Rows:
    """Put blocks of columns side by side, (n_rows, n_features) float32 CSR."""
    sparse = [sp.csr_matrix(block) for block in blocks]
    return sparse[0] if len(sparse) == 1 else sp.hstack(sparse, format="csr")


@dataclass(frozen=True)
class HeadOptions:
    """Options shared by the classifiers; each uses what it knows.

    Attributes:
        C: Inverse strength of regularisation, for svm, logistic and nbsvm.
        alpha: Smoothing of complement_nb and nbsvm.
        class_weight: None, or "balanced" for weights inverse to the classes' frequencies.
        seed: Seed of the solvers.

    Raises:
        RecipeError: for a value that is not allowed.
    """

    C: float = 0.15
    alpha: float = 1.0
    class_weight: str | None = None
    seed: int = 42

    def __post_init__(self) -> None:
        if not (self.C > 0 and self.alpha > 0):
            raise RecipeError(f"C and alpha must be greater than 0; they are {self.C} and {self.alpha}.")
        if self.class_weight not in (None, "balanced"):
            raise RecipeError(f"class_weight is {self.class_weight!r}; allowed: None, 'balanced'.")


def _svm(options: HeadOptions) -> Any:
    return LinearSVC(C=options.C, class_weight=options.class_weight, random_state=options.seed)


def _logistic(options: HeadOptions) -> Any:
    return LogisticRegression(
        C=options.C,
        solver="liblinear",
        dual=True,
        class_weight=options.class_weight,
        random_state=options.seed,
    )


def _nbsvm(options: HeadOptions) -> Any:
    return NBSVM(options.C, options.alpha, options.class_weight, options.seed)


class NBSVM(BaseEstimator):
    """A linear SVM over features scaled by naive Bayes log-count ratios, for two classes.

    Wang & Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification" (2012), with
    their interpolation of 1/4.
    """

    def __init__(self, C: float, alpha: float, class_weight: str | None, seed: int) -> None:
        self.C, self.alpha, self.class_weight, self.seed = C, alpha, class_weight, seed

    def fit(self, rows: Rows, positive: np.ndarray, sample_weight: np.ndarray | None = None) -> NBSVM:
        """Learn from feature rows, a bool a row, and how much each row counts."""
        positive = positive.astype(bool)
        counts = np.ones(len(positive)) if sample_weight is None else sample_weight
        inside = (counts * positive) @ rows + self.alpha
        outside = (counts * ~positive) @ rows + self.alpha
        ratio = np.log((inside / inside.sum()) / (outside / outside.sum())).astype(np.float32)
        svm = LinearSVC(C=self.C, class_weight=self.class_weight, random_state=self.seed)
        svm.fit(rows.multiply(ratio).tocsr(), positive, sample_weight)
        mean = np.abs(svm.coef_).mean()
        self.coef_ = 0.75 * mean * ratio[None] + 0.25 * svm.coef_ * ratio[None]
        self.intercept_ = svm.intercept_
        return self


BINARY: dict[str, Callable[[HeadOptions], Any]] = {"svm": _svm, "logistic": _logistic, "nbsvm": _nbsvm}
_OWN: dict[str, Any] = {}
_TRUSTED: set[str] = set()
_LIBLINEAR = threading.Lock()  # its random numbers have one state a process, so fits must not overlap
BUILT_IN = (*BINARY, "complement_nb", "sgd")


def register_classifier(name: str, estimator: Any, trusted: Sequence[str] = ()) -> None:
    """Make a scikit-learn estimator usable as `model.classifier` of a recipe.

    Its class, and those of the estimators in it, become loadable from saved models.

    Args:
        name: The name that recipes will use.
        estimator: An unfitted estimator over sparse rows, with `predict_proba` or `decision_function`.
        trusted: Further types that it holds once fitted, as "module.name"; saving names them if needed.

    Raises:
        RecipeError: if the name is a built-in classifier's.
    """
    if name in BUILT_IN:
        raise RecipeError(f"the classifier {name!r} is built in; choose another name.")
    _OWN[name] = estimator
    _TRUSTED.update(_types_of(estimator), trusted)


def _types_of(estimator: Any) -> set[str]:
    """Return the types in an estimator that skops alone would refuse, also those it has once fitted."""
    import skops.io

    found = set(skops.io.get_untrusted_types(data=skops.io.dumps(estimator)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = clone(estimator).fit(sp.csr_matrix(np.eye(20, dtype=np.float32)), np.arange(20) % 2)
            found |= set(skops.io.get_untrusted_types(data=skops.io.dumps(fitted)))
        except Exception as error:  # the user's may ask for more than a toy; `trusted` is left
            log.debug("%r cannot be tried on a toy: %s", estimator, error)
    return found


def classifiers() -> tuple[str, ...]:
    """Return the names that `model.classifier` may have now."""
    return (*BUILT_IN, *_OWN)


def fit_head(name: str, rows: Rows, target: np.ndarray, n_classes: int, options: HeadOptions) -> Head:
    """Fit the classifier `name`.

    Args:
        name: One of `classifiers()`.
        rows: (n_rows, n_features) float32.
        target: (n_rows,) class numbers, or (n_rows, n_classes) bool for multi-label.
        n_classes: Number of classes; some may be absent from `target`.
        options: Regularisation and the like.

    Raises:
        RecipeError: for an unknown classifier.
    """
    if name in _OWN:
        return _fit_own(name, rows, target, n_classes)
    if name == "complement_nb":
        return _fit_complement(rows, target, n_classes, options)
    if name not in BUILT_IN:
        raise RecipeError(f"there is no classifier {name!r}. Allowed: {', '.join(classifiers())}.")
    if name == "sgd":
        from gallae.models.sgd import fit_sgd

        return fit_sgd(rows, target, n_classes, options)
    if name == "nbsvm":
        refuse_negative(name, rows)
    return one_against_rest(BINARY[name], rows, target, n_classes, options)


def refuse_negative(name: str, rows: Rows) -> None:
    """Make sure that features are counts; raises RecipeError."""
    if rows.nnz and rows.data.min() < 0:
        raise RecipeError(
            f"the classifier {name!r} counts features, and a block has negative values (Kiwi vectors have). "
            "Leave that block out, or use 'svm' or 'logistic'."
        )


def one_against_rest(
    make: Callable[[HeadOptions], Any], rows: Rows, target: np.ndarray, n_classes: int, options: HeadOptions
) -> LinearHead:
    """Fit one binary classifier a class, or a single one for two classes."""
    wanted = [1] if target.ndim == 1 and n_classes == 2 else range(n_classes)
    rows = rows.astype(np.float64)

    def fit(number: int) -> tuple[np.ndarray, float]:
        positive = target[:, number] if target.ndim == 2 else target == number
        return fit_binary(make(options), rows, positive)

    parts = [fit(number) for number in wanted]
    weights = np.stack([weight for weight, _ in parts], axis=1).astype(np.float32)
    return LinearHead(weights, np.array([bias for _, bias in parts], dtype=np.float32))


def fit_binary(
    classifier: Any, rows: Rows, positive: np.ndarray, counts: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Return weights (n_features,) and intercept of a classifier, once fitted; `counts` weigh the rows."""
    if positive.all() or not positive.any():
        return np.zeros(rows.shape[1]), 1.0 if positive.all() else -1.0
    with _LIBLINEAR, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = classifier.fit(rows, positive, sample_weight=counts)
    return fitted.coef_[0], float(fitted.intercept_[0])


def _fit_complement(rows: Rows, target: np.ndarray, n_classes: int, options: HeadOptions) -> LinearHead:
    """Complement naive Bayes (Rennie et al. 2003), one against the rest for multi-label."""
    refuse_negative("complement_nb", rows)

    def fit(labels: np.ndarray, width: int) -> np.ndarray:
        present = np.unique(labels)
        weights = np.zeros((width, rows.shape[1]))
        weights[present] = ComplementNB(alpha=options.alpha, norm=True).fit(rows, labels).feature_log_prob_
        return weights

    if target.ndim == 2:
        pairs = [fit(target[:, number].astype(int), 2) for number in range(n_classes)]
        weights = np.stack([pair[1] - pair[0] for pair in pairs])
    else:
        weights = fit(target, n_classes)
        weights = weights[1:] - weights[:1] if n_classes == 2 else weights
    scale = 1.0 / max(float(np.abs(weights).mean()), 1e-12)
    return LinearHead(
        np.ascontiguousarray(weights.T * scale, dtype=np.float32), np.zeros(len(weights), np.float32)
    )


def _fit_own(name: str, rows: Rows, target: np.ndarray, n_classes: int) -> EstimatorHead:
    if target.ndim == 2:
        raise RecipeError(f"the classifier {name!r} takes one label a text; for several, use 'svm'.")
    return EstimatorHead(clone(_OWN[name]).fit(rows, target), n_classes)


def restore_head(state: State) -> Head:
    """Make a head again from its state.

    Raises:
        ModelError: if a skops file holds types that are neither built in nor registered.
    """
    if state.values["kind"] == "linear":
        return LinearHead(state.tensors["weights"], state.tensors["intercepts"])
    import skops.io

    data = state.files["estimator.skops"]
    return EstimatorHead(skops.io.loads(data, trusted=_trusted_types(data)), state.values["n_classes"])


def _trusted_types(data: bytes) -> list[str]:
    """Return the types in a skops file that skops alone would refuse, all of them registered.

    Raises:
        ModelError: if one is not.
    """
    import skops.io

    found = set(skops.io.get_untrusted_types(data=data))
    unknown = found - _TRUSTED
    if unknown:
        raise ModelError(
            f"the model holds types that are neither built in nor registered: {', '.join(sorted(unknown))}. "
            "If you trust its source, register its classifier first: gallae.register_classifier(name, "
            f"estimator, trusted={sorted(unknown)})."
        )
    return sorted(found)
