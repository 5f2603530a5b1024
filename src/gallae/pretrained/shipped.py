"""Checkpoints of our own: kept in the repository beside the package, not in the wheel."""

from __future__ import annotations

import os
from pathlib import Path

from gallae.errors import ModelError

SHIPPED = ("gallae-small",)
VARIABLE = "GALLAE_CHECKPOINTS"
_REPOSITORY = Path(__file__).parents[3] / "checkpoints"


def shipped(name: str) -> Path:
    """Return the folder of one of our own checkpoints: in `$GALLAE_CHECKPOINTS`, or in the clone.

    Args:
        name: One of `SHIPPED`.

    Raises:
        ModelError: if it is in neither.
    """
    chosen = os.environ.get(VARIABLE, "").strip()
    places = [*([Path(chosen).expanduser()] if chosen else []), _REPOSITORY]
    for place in places:
        if (place / name / "config.json").is_file():
            return place / name
    searched = " and ".join(str(place / name) for place in places)
    raise ModelError(
        f"the checkpoint {name} is not here (searched: {searched}). It is kept in gallae's repository under "
        f"checkpoints/, outside of the installed package: copy that folder, and set {VARIABLE} to where "
        f"checkpoints/ lies, or give the folder itself, such as --set model.checkpoint=./{name}."
    )
