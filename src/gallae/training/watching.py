"""Telling whoever watches how a training goes, so that it can be stopped early. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Callback = Callable[[int, float], None]
_callback: ContextVar[Callback | None] = ContextVar("gallae-watching", default=None)


class Pruned(Exception):
    """The one who watches has seen enough: stop training. It is no failure; let it pass."""


@contextmanager
def watching(callback: Callback) -> Iterator[None]:
    """Have `callback` told of every `report` made within the block, by this thread.

    Args:
        callback: Takes step and value, as `report` does. It may raise `Pruned`, which ends the training.
    """
    token = _callback.set(callback)
    try:
        yield
    finally:
        _callback.reset(token)


def report(step: int, value: float) -> None:
    """Tell whoever watches, if anybody does, how good the model is by now.

    A training calls it after each evaluation on rows it does not learn from. A step that is not above the
    one before begins another training, such as that of another fold of a calibration.

    Args:
        step: The epoch, or any number that grows within a training and means the same in every training.
        value: The greater the better: a loss is given with its sign turned.

    Raises:
        Pruned: if the training is not worth going on with.
    """
    callback = _callback.get()
    if callback is not None:
        callback(step, value)
