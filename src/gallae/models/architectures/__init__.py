"""Our networks, one file an architecture, and the tables of a recipe that describe them.

Importing `gallae.models.architectures.factory` registers them with transformers' Auto classes.
"""
