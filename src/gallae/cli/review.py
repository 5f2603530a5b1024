"""review."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.main import app

_SHOWN = 20


@app.command()
def review(
    data: o.Data,
    budget: Annotated[int, typer.Option("--budget", metavar="N", help="How many rows to propose.")] = 100,
    unlabelled: Annotated[
        Path | None, typer.Option("--unlabelled", metavar="FILE", help="Texts without labels.")
    ] = None,
    recipe: Annotated[str, typer.Option("-r", "--recipe", help="What judges; a name or a file.")] = "fast",
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="RUN", help="Use a run's held-out rows instead of training."),
    ] = None,
    folds: Annotated[int, typer.Option("--folds", metavar="K", help="Stratified folds.")] = 5,
    seed: o.Seed = None,
    set: o.Set = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("-o", "--output", metavar="OUT", help=".csv, .jsonl or .html file; repeatable."),
    ] = None,
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    label_separator: o.Separator = None,
    language: o.Language = "en",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Find wrong labels, or what to label next.

    With rows that have no label yet (an empty cell, or --unlabelled), those to label next are proposed;
    otherwise the labels to check first.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.reviewing import review
    from gallae.workflows.showing import one_line

    found = review(
        data,
        recipe,
        budget=budget,
        unlabelled=unlabelled,
        run=run,
        folds=folds,
        seed=seed,
        overrides=set or (),
        output=output or (),
        force=force,
        language=language,
        **o.reading(text_column, label_column, format, encoding, label_separator),
    )
    if found.kind == "labels":
        typer.echo(f"{found.looked_at:,} labels judged by {found.model}, {found.wrong:,} probably wrong")
    else:
        typer.echo(f"{found.looked_at:,} texts without a label, judged by {found.model}")
    if found.skipped:
        typer.echo(
            f"{found.skipped:,} rows were not judged: no other row has their label, or the run did not "
            "hold them out"
        )
    for entry in found.table.head(_SHOWN).to_dict("records"):
        given = f"{entry['given']} -> " if entry["given"] else ""
        typer.echo(
            f"row {entry['row']}: {given}{entry['suggested']} | {entry['reason']} | {one_line(entry['text'])}"
        )
    if len(found.table) > _SHOWN:
        typer.echo(f"... {len(found.table) - _SHOWN:,} more: write them with -o review.csv")
    for path in output or ():
        typer.echo(f"review: {path}")
