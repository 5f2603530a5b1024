"""All commands, in the order of the help."""

from gallae.cli import (
    data,
    distill,
    embed,
    ensemble,
    export,
    languages,
    lr_find,
    pretrain,
    search,
    sentences,
    task_benchmark,
    tasks,
    tokenizer,
    training,
    using,
    vectors,
)

__all__ = [
    "data",
    "distill",
    "embed",
    "ensemble",
    "export",
    "languages",
    "lr_find",
    "pretrain",
    "search",
    "sentences",
    "task_benchmark",
    "tasks",
    "tokenizer",
    "training",
    "using",
    "vectors",
]
