"""The trainings that were begun in the workbench, shared by all views, so that none is lost from sight."""

from __future__ import annotations

from gallae.workflows.background import PATIENCE, Background

TRAININGS: list[Background] = []  # the newest first


def running() -> bool:
    """Whether one is going on."""
    return any(training.state == "running" for training in TRAININGS)


def end_all() -> None:
    """Cancel what is going on, and wait until it has ended."""
    for training in TRAININGS:
        training.cancel()
    for training in TRAININGS:
        training.wait(PATIENCE + 2)
