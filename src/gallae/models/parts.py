"""The classifiers that a classifier is made of: calibrated ones, folds, members of ensembles."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from gallae.errors import ModelError
from gallae.models.contract import TextClassifier


def parts(model: TextClassifier) -> Iterator[TextClassifier]:
    """Yield the fitted classifiers inside, down to those that are made of no others; or the model itself."""
    wrapped: Any = model
    inner = [wrapped.estimator_] if "estimator_" in vars(model) else vars(model).get("members_", [])
    if not inner:
        yield model
    for part in inner:
        yield from parts(part)


def with_parts(model: TextClassifier, change: Callable[[TextClassifier], TextClassifier]) -> TextClassifier:
    """Return a copy of a fitted classifier in which `change` has replaced what `parts` yields."""
    if "estimator_" in vars(model):
        wrapper: Any = copy.copy(model)
        wrapper.estimator = wrapper.estimator_ = with_parts(wrapper.estimator_, change)
        return wrapper
    if "members_" in vars(model):
        joined: Any = copy.copy(model)
        joined.members_ = [with_parts(member, change) for member in joined.members_]
        if hasattr(joined, "members"):
            joined.members = joined.members_
        else:
            joined.estimator = joined.members_[0]
        return joined
    return change(model)


def set_threads(model: TextClassifier, threads: int | None) -> None:
    """Let the networks inside compute with so many threads; None leaves it to torch and ONNX Runtime.

    Raises:
        ModelError: for less than one.
    """
    if threads is not None and threads < 1:
        raise ModelError(f"threads is {threads}: give 1 or more.")
    for part in parts(model):
        if hasattr(part, "threads_"):
            part.threads_ = threads
