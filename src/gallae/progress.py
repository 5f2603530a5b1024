"""Progress on standard error: silent when quiet or when nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
_quiet = False
_shown: list[Any] = []


def set_quiet(quiet: bool) -> None:
    """Switch progress off (or on again) for this process."""
    global _quiet
    _quiet = quiet


def is_quiet() -> bool:
    """Whether progress is switched off."""
    return _quiet


def watched() -> bool:
    """Whether progress should be drawn."""
    return not _quiet and sys.stderr.isatty()


def track(iterable: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Iterate with a progress bar.

    Args:
        iterable: What to go through.
        description: What is being done, as the bar's title.
        total: Number of items, where `len` does not tell.
    """
    if not watched():
        yield from iterable
        return
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(*Progress.get_default_columns(), console=Console(stderr=True), transient=True)
    with show(bar):
        yield from bar.track(iterable, total=total, description=description)


@contextmanager
def status(description: str) -> Iterator[None]:
    """Show a spinner with `description` while the block runs."""
    if not watched():
        yield
        return
    from rich.console import Console

    with show(Console(stderr=True).status(description)):
        yield


@contextmanager
def show(display: Any) -> Iterator[None]:
    """Show a display of rich while the block runs, in place of the one around it: two would share a line."""
    if _shown:
        _shown[-1].stop()
    _shown.append(display)
    display.start()
    try:
        yield
    finally:
        display.stop()
        _shown.remove(display)
        if _shown:
            _shown[-1].start()
