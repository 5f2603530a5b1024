"""All commands, in the order of the help."""

from gallae.cli import data, ensemble, lr_find, search, training, using, vectors

__all__ = ["data", "ensemble", "lr_find", "search", "training", "using", "vectors"]
