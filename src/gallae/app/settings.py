"""What the workbench was started with; the pages, which run in the same process, ask here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What `gallae app` was given.

    Attributes:
        workspace: The folder that runs and uploads are written into.
        data: Data files to begin with.
        runs: Run folders to begin with.
    """

    workspace: Path = Path("runs")
    data: tuple[Path, ...] = ()
    runs: tuple[Path, ...] = ()


_settings = Settings()


def use(settings: Settings) -> None:
    """Set what `current` returns."""
    global _settings
    _settings = settings


def current() -> Settings:
    """Return what the workbench was started with."""
    return _settings
