"""tasks benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.tasks import Set, tasks


@tasks.command()
def benchmark(
    checkpoint: Annotated[
        list[str], typer.Argument(metavar="CHECKPOINT...", help="Hub ids, folders, or scratch.")
    ],
    data: Annotated[
        Path, typer.Option("--data", metavar="FOLDER", help="A sub-folder a task, such as nli/train.tsv.")
    ],
    only: Annotated[
        str | None, typer.Option("--tasks", metavar="A,B", help="These only, instead of all that are there.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="At most so many examples a task; 0 for all.")
    ] = 0,
    set_: Set = None,
    seed: Annotated[int, typer.Option("--seed", help="Of everything.")] = 42,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder.")] = None,
    resume: o.Resume = None,
    language: o.Language = "en",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Fine-tune checkpoints on every task whose data is there: one table.

    Tasks: nli, similarity, ner, qa, choice, classification. --set training.epochs=1 counts for all, --set
    ner.stride=32 for one. What fails is noted, and the rest goes on.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.task_benchmark import benchmark_tasks
    from gallae.workflows.task_benchmark_page import benchmark_lines

    names = [name.strip() for name in (only or "").split(",") if name.strip()]
    found = benchmark_tasks(
        checkpoint,
        data,
        tasks=names,
        limit=limit,
        seed=seed,
        overrides=set_ or (),
        output=output,
        force=force,
        resume=resume,
        language=language,
    )
    if json:
        o.print_json(found.cells)
        return
    for line in benchmark_lines(found.cells):
        typer.echo(line)
    typer.echo(f"benchmark: {found.folder}")
