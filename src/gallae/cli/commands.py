"""All commands, in the order of the help."""

from gallae.cli import data, embed, ensemble, lr_find, search, sentences, training, using, vectors

__all__ = ["data", "embed", "ensemble", "lr_find", "search", "sentences", "training", "using", "vectors"]
