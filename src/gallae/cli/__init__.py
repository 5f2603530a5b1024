"""The command line: one file a command group, no logic of its own."""

from gallae.cli.main import main

__all__ = ["main"]
