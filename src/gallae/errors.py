"""Errors written for the person who made the mistake."""

from __future__ import annotations

import importlib
from types import ModuleType


class GallaeError(ValueError):
    """A message for the user: what was wrong, where, what is allowed, what to do next.

    The command line prints it and exits with code 2. It is a `ValueError` so that code written
    against scikit-learn's conventions can catch it.
    """


class DataError(GallaeError):
    """A data file or its content cannot be used."""


class TextError(GallaeError):
    """A text step, unit, tag or dictionary is not known or not usable."""


class RecipeError(GallaeError):
    """A recipe is not known, has a misspelt field, or a value that is not allowed."""


class ModelError(GallaeError):
    """A saved model is missing, damaged, too new, or refused."""


class OutputError(GallaeError):
    """An output exists already or cannot be written."""


class ServingError(GallaeError):
    """The server cannot be started as asked."""


class MissingExtra(GallaeError, ImportError):
    """A package of an optional extra is not installed."""


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, or say which extra brings it.

    Raises:
        MissingExtra: with the exact install line.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"this needs the package {module.split('.')[0]!r}, which is not installed. "
            f'Install it with: pip install "gallae[{extra}]"'
        ) from error
