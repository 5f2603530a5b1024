"""Which ways of explaining a model allows, and the one function that explains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from gallae.errors import GallaeError
from gallae.explaining.exact import exact_shares, is_exact
from gallae.explaining.explanation import Explanation
from gallae.explaining.perturbing import bounded, lime, occlusion
from gallae.explaining.scoring import find_label, inside, is_multilabel, log_odds, target_of
from gallae.explaining.units import check_unit, cut, parts_of, weighed
from gallae.models.contract import TextClassifier, as_texts
from gallae.progress import track
from gallae.text import TextPipeline
from gallae.text.alignment import Alignment, aligned, identity

METHODS = ("auto", "exact", "gradients", "occlusion", "lime")
_PERTURBING = ("occlusion", "lime")


def explain(
    model: str | Path | TextClassifier | Any,
    texts: Iterable[str],
    *,
    label: Any = None,
    method: str = "auto",
    unit: str = "word",
    seed: int = 0,
) -> list[Explanation]:
    """Say what each word or morpheme of texts speaks for a label or against it.

    Methods: "exact" takes the score of a linear model over n-grams and Kiwi vectors apart; "gradients"
    (integrated gradients) is for networks that torch computes; "occlusion" and "lime" ask any model again
    about the text without some of its parts. "auto" is the first of exact, gradients and occlusion that the
    model allows. Calibrated models are seen through; ensembles are asked as a whole.

    Args:
        model: A run folder, its `model/`, the name of a bundled classifier, or any fitted estimator over
            texts with `classes_` and `predict_proba`.
        texts: The texts.
        label: The label to explain; by default the one that the model gives. Where a text may have several,
            each one given (the most probable one if there is none).
        method: One of `METHODS`.
        unit: "word" or "morpheme".
        seed: Of LIME's samples.

    Returns:
        An explanation a text, in their order; for several labels a text one for each.

    Raises:
        GallaeError: for a label, method or unit that is not known, or that the model does not allow.
        ModelError: if the model cannot be loaded.
        DataError: for what is not a list of strings.
    """
    if isinstance(model, str | Path):
        from gallae.models.persistence import load

        model = load(model)
    column, chosen = check_wish(model, label, method, unit)
    rows = as_texts(texts)
    if not rows:
        return []
    probabilities = np.asarray(model.predict_proba(rows), dtype=np.float64)
    wanted = [(row, at) for row in range(len(rows)) for at in _columns(model, probabilities, row, column)]
    explainer = _Explainer(model, chosen, unit, seed)
    return [
        explainer(row, rows[row], at, probabilities[row])
        for row, at in track(wanted, "explaining", len(wanted))
    ]


def check_wish(model: Any, label: Any, method: str, unit: str) -> tuple[int | None, str]:
    """Return the column of the label, None for the one that the model gives, and the method to use.

    Raises:
        GallaeError: as `explain` says.
    """
    check_unit(unit)
    _check_model(model)
    return None if label is None else find_label(model, label), choose_method(model, method)


def allowed_methods(model: Any) -> tuple[str, ...]:
    """Return the methods that a fitted model allows, the best first."""
    found = ["exact"] if is_exact(model) else []
    if _has_gradients(model):
        found.append("gradients")
    return (*found, *_PERTURBING)


def choose_method(model: Any, method: str) -> str:
    """Return the method to use.

    Raises:
        GallaeError: for one that is not known, or that the model does not allow.
    """
    if method not in METHODS:
        raise GallaeError(f"method is {method!r}; allowed: {', '.join(METHODS)}.")
    allowed = allowed_methods(model)
    if method == "auto":
        usable = [name for name in allowed if name != "gradients" or find_spec("captum")]
        return usable[0]
    if method not in allowed:
        raise GallaeError(
            f"method {method!r} is not for this model ({type(inside(model)).__name__}): {_WHY[method]} "
            f"Allowed for it: auto, {', '.join(allowed)}."
        )
    return method


_WHY = {
    "exact": "it needs linear weights over n-grams or Kiwi vectors.",
    "gradients": "it needs one network that torch computes, reading a text at once.",
}


def _has_gradients(model: Any) -> bool:
    if type(inside(model)).__name__ not in ("NeuralClassifier", "EncoderClassifier"):
        return False
    from gallae.explaining.gradients import has_gradients

    return has_gradients(inside(model))


def _check_model(model: Any) -> None:
    if not hasattr(model, "predict_proba") or not hasattr(model, "classes_"):
        raise GallaeError(
            f"a model to explain is fitted and has predict_proba and classes_; {type(model).__name__} has "
            "not. Give a run folder, the name of a bundled classifier, or a fitted estimator over texts."
        )


def _columns(model: Any, probabilities: np.ndarray, row: int, column: int | None) -> Iterator[int]:
    """Yield the columns of the labels to explain for a text."""
    if column is not None:
        yield column
        return
    if is_multilabel(model):
        given = np.flatnonzero(probabilities[row] >= model.thresholds)
        if len(given):
            yield from given.tolist()
            return
    yield int(probabilities[row].argmax())


class _Explainer:
    """Explains one text after the other.

    Args:
        model: The whole model.
        method: One that it allows.
        unit: "word" or "morpheme".
        seed: Of LIME's samples.
    """

    def __init__(self, model: Any, method: str, unit: str, seed: int) -> None:
        self.model, self.method, self.unit, self.seed = model, method, unit, seed
        pipeline = getattr(inside(model), "pipeline_", None)
        self._pipeline = pipeline if isinstance(pipeline, TextPipeline) else None
        self._analyzer = getattr(inside(model), "analyzer", "kiwi") if self._pipeline else "kiwi"
        self._last: tuple[str, Alignment] = ("", identity(""))

    def __call__(self, row: int, text: str, column: int, probabilities: np.ndarray) -> Explanation:
        """Return the explanation of a label's column for a text."""
        score, base = float(log_odds(probabilities[None], column, is_multilabel(self.model))[0]), None
        alignment = self._aligned(text)
        places = cut(text, self.unit, alignment, self._analyzer)
        if self.method in _PERTURBING:
            places = bounded(text, places)
            parts = parts_of(text, places, self._tried(text, places, column))
        else:
            shares, score, base = self._shares(text, alignment, column)
            parts = weighed(text, places, alignment.to_raw(shares))
        return Explanation(
            text,
            str(self.model.classes_[column]),
            float(probabilities[column]),
            self.method,
            parts,
            self.unit,
            score,
            base,
            row,
        )

    def _aligned(self, text: str) -> Alignment:
        if self._last[0] != text:
            self._last = text, identity(text) if self._pipeline is None else aligned(self._pipeline, text)
        return self._last[1]

    def _tried(self, text: str, places: list[tuple[int, int]], column: int) -> np.ndarray:
        if self.method == "lime":
            return lime(self.model, text, places, column, self.seed)
        return occlusion(self.model, text, places, column)

    def _shares(self, text: str, alignment: Alignment, column: int) -> tuple[np.ndarray, float, float]:
        """Return what each character of the clean text adds, the score, and the score without any."""
        target = target_of(self.model, column)
        score = float(target.model.scores([text])[0].astype(np.float64) @ target.slopes) + target.bias
        if self.method == "exact":
            shares, base = exact_shares(target, alignment)
            return shares, score, base
        from gallae.explaining.gradients import gradient_shares

        shares, base = gradient_shares(target, alignment, score)
        return shares, score, base
