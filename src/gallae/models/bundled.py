"""Classifiers that come with the package: found by name, with no training and no network."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "bundled"


def bundled_models() -> dict[str, Path]:
    """Return the folder of each bundled classifier, by its name."""
    return {path.parent.name: path.parent for path in sorted(FOLDER.glob("*/model.json"))}
