"""All commands, in the order of the help."""

from gallae.cli import data, ensemble, search, training, using, vectors

__all__ = ["data", "ensemble", "search", "training", "using", "vectors"]
