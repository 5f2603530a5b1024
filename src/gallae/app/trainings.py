"""The trainings that were begun in the workbench, shared by all views, so that none is lost from sight."""

from __future__ import annotations

from pathlib import Path

from gallae.workflows.background import PATIENCE, Background, unfinished

TRAININGS: list[Background] = []  # the newest first


def take_up(workspace: Path) -> None:
    """Begin with what an earlier server left unfinished."""
    TRAININGS[:] = unfinished(workspace)


def running() -> bool:
    """Whether one is going on."""
    return any(training.state == "running" for training in TRAININGS)


def throw_away(training: Background) -> None:
    """Remove what a training that has stopped left.

    Raises:
        OutputError: if another process goes on with it.
    """
    training.discard()
    if training in TRAININGS:  # another view may have been faster
        TRAININGS.remove(training)


def end_all() -> None:
    """Cancel what is going on, and wait until it has ended."""
    for training in TRAININGS:
        training.cancel()
    for training in TRAININGS:
        training.wait(PATIENCE + 2)
