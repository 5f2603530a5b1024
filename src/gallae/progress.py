"""Progress on standard error: silent when quiet or when nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
_quiet = False


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
    from rich.progress import track as rich_track

    yield from rich_track(iterable, description, total=total, console=Console(stderr=True), transient=True)


@contextmanager
def status(description: str) -> Iterator[None]:
    """Show a spinner with `description` while the block runs."""
    if not watched():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(description):
        yield
