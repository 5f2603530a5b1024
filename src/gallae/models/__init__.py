"""Classifiers: the contract, the registry, a file a family, saving and loading."""
