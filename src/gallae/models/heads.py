"""What turns feature rows into scores: linear weights, or a user's own scikit-learn estimator."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from gallae.errors import ModelError, RecipeError
from gallae.models.contract import State
from gallae.text.morphemes import available_cores

Rows = sp.csr_matrix


class Head(Protocol):
    """A fitted scorer of feature rows."""

    def scores(self, blocks: Sequence[Any]) -> np.ndarray:
        """Return (n_rows, n_classes) scores of rows given as blocks of columns; (n_rows, 1) for two classes."""
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
    """A user's own estimator, fitted on feature rows."""

    estimator: Any
    n_scores: int

    def scores(self, blocks: Sequence[Any]) -> np.ndarray:
        """Return log-probabilities or decision values, (n_rows, n_scores)."""
        rows = stack(blocks)
        if hasattr(self.estimator, "predict_proba"):
            probabilities = np.log(np.clip(self.estimator.predict_proba(rows), 1e-6, 1.0))
            return probabilities if self.n_scores > 1 else probabilities[:, 1:] - probabilities[:, :1]
        values = np.asarray(self.estimator.decision_function(rows))
        return values[:, None] if values.ndim == 1 else values

    def state(self) -> State:
        """Return the estimator as a skops file."""
        import skops.io

        values = {"kind": "estimator", "n_scores": self.n_scores}
        return State(values, files={"estimator.skops": skops.io.dumps(self.estimator)})


def _product(block: Any, weights: np.ndarray) -> np.ndarray:
    """Multiply so that a row's result does not depend on the rows beside it, as BLAS's would."""
    return block @ weights if sp.issparse(block) else np.einsum("ij,jk->ik", block, weights)


def stack(blocks: Sequence[Any]) -> Rows:
    """Put blocks of columns side by side, (n_rows, n_features) float32 CSR."""
    return blocks[0] if len(blocks) == 1 and sp.issparse(blocks[0]) else sp.hstack(blocks, format="csr")


@dataclass(frozen=True)
class HeadOptions:
    """Options shared by the classifiers; each uses what it knows.

    Attributes:
        C: Inverse strength of regularisation, for svm, logistic and nbsvm.
        alpha: Smoothing of complement_nb and nbsvm.
        class_weight: None, or "balanced" for weights inverse to the classes' frequencies.
        seed: Seed of the solvers.
    """

    C: float = 0.15
    alpha: float = 1.0
    class_weight: str | None = None
    seed: int = 42


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

    def fit(self, rows: Rows, positive: np.ndarray) -> NBSVM:
        """Learn from feature rows and a bool a row."""
        positive = positive.astype(bool)
        inside = np.asarray(rows[positive].sum(axis=0)).ravel() + self.alpha
        outside = np.asarray(rows[~positive].sum(axis=0)).ravel() + self.alpha
        ratio = np.log((inside / inside.sum()) / (outside / outside.sum())).astype(np.float32)
        svm = LinearSVC(C=self.C, class_weight=self.class_weight, random_state=self.seed)
        svm.fit(rows.multiply(ratio).tocsr(), positive)
        mean = np.abs(svm.coef_).mean()
        self.coef_ = 0.75 * mean * ratio[None] + 0.25 * svm.coef_ * ratio[None]
        self.intercept_ = svm.intercept_
        return self


_BINARY: dict[str, Callable[[HeadOptions], Any]] = {"svm": _svm, "logistic": _logistic, "nbsvm": _nbsvm}
_OWN: dict[str, Any] = {}
BUILT_IN = (*_BINARY, "complement_nb", "sgd")


def register_classifier(name: str, estimator: Any) -> None:
    """Make a scikit-learn estimator usable as `model.classifier` of a recipe.

    Args:
        name: The name that recipes will use.
        estimator: An unfitted estimator over sparse rows, with `predict_proba` or `decision_function`.

    Raises:
        RecipeError: if the name is a built-in classifier's.
    """
    if name in BUILT_IN:
        raise RecipeError(f"the classifier {name!r} is built in; choose another name.")
    _OWN[name] = estimator


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
    return _one_against_rest(_BINARY[name], rows, target, n_classes, options)


def _one_against_rest(
    make: Callable[[HeadOptions], Any], rows: Rows, target: np.ndarray, n_classes: int, options: HeadOptions
) -> LinearHead:
    """Fit one binary classifier a class, side by side (liblinear frees the interpreter's lock)."""
    wanted = [1] if target.ndim == 1 and n_classes == 2 else range(n_classes)
    rows = rows.astype(np.float64)

    def fit(number: int) -> tuple[np.ndarray, float]:
        positive = target[:, number] if target.ndim == 2 else target == number
        if positive.all() or not positive.any():
            return np.zeros(rows.shape[1]), 1.0 if positive.all() else -1.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = make(options).fit(rows, positive)
        return fitted.coef_[0], float(fitted.intercept_[0])

    with ThreadPoolExecutor(available_cores()) as pool:
        parts = list(pool.map(fit, wanted))
    weights = np.stack([weight for weight, _ in parts], axis=1).astype(np.float32)
    return LinearHead(weights, np.array([bias for _, bias in parts], dtype=np.float32))


def _fit_complement(rows: Rows, target: np.ndarray, n_classes: int, options: HeadOptions) -> LinearHead:
    """Complement naive Bayes (Rennie et al. 2003), one against the rest for multi-label."""

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
    return EstimatorHead(clone(_OWN[name]).fit(rows, target), 1 if n_classes == 2 else n_classes)


def restore_head(state: State) -> Head:
    """Make a head again from its state.

    Raises:
        ModelError: if a skops file holds types that are neither built in nor registered.
    """
    if state.values["kind"] == "linear":
        return LinearHead(state.tensors["weights"], state.tensors["intercepts"])
    import skops.io

    data = state.files["estimator.skops"]
    allowed = {f"{type(own).__module__}.{type(own).__qualname__}" for own in _OWN.values()}
    unknown = set(skops.io.get_untrusted_types(data=data)) - allowed
    if unknown:
        raise ModelError(
            f"the model holds types that are neither built in nor registered: {', '.join(sorted(unknown))}. "
            "If you trust its source, register its classifier first with gallae.register_classifier(...)."
        )
    return EstimatorHead(skops.io.loads(data, trusted=sorted(allowed)), state.values["n_scores"])
