"""Where a training keeps its checkpoints and logs, so that a killed one goes on where it was.

A workflow opens a workspace around everything that it fits. The fits inside happen in the same order each
time, so the n-th one finds what the n-th one left. Outside a workspace nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path


class Workspace:
    """A folder of numbered fits.

    Args:
        make: Makes the folder, when the first fit begins, and returns it.
    """

    def __init__(self, make: Callable[[], Path]) -> None:
        self._make = make
        self._fits = 0

    def next_fit(self) -> Path:
        """Return the folder of the next fit."""
        folder = self._make() / f"fit-{self._fits}"
        self._fits += 1
        folder.mkdir(parents=True, exist_ok=True)
        return folder


_current: ContextVar[Workspace | None] = ContextVar("gallae_workspace", default=None)


@contextmanager
def workspace(make: Callable[[], Path]) -> Iterator[Workspace]:
    """Keep checkpoints and logs of all fits within the block under the folder that `make` makes."""
    made = Workspace(make)
    token = _current.set(made)
    try:
        yield made
    finally:
        _current.reset(token)


def next_fit() -> Path | None:
    """Return the folder of the fit that now begins; None outside a workspace."""
    current = _current.get()
    return current.next_fit() if current else None
