"""All commands, in the order of the help."""

from gallae.cli import (
    data,
    embed,
    ensemble,
    export,
    languages,
    lr_find,
    search,
    sentences,
    task_benchmark,
    tasks,
    training,
    using,
    vectors,
)

__all__ = [
    "data",
    "embed",
    "ensemble",
    "export",
    "languages",
    "lr_find",
    "search",
    "sentences",
    "task_benchmark",
    "tasks",
    "training",
    "using",
    "vectors",
]
