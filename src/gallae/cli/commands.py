"""All commands, in the order of the help."""

from gallae.cli import data, training, using

__all__ = ["data", "training", "using"]
