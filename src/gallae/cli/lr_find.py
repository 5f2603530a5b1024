"""lr-find."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command("lr-find")
def lr_find(
    data: o.Data,
    recipe: o.Recipe = "textcnn",
    low: Annotated[float, typer.Option("--low", metavar="RATE", help="The first rate.")] = 1e-6,
    high: Annotated[float, typer.Option("--high", metavar="RATE", help="The last rate.")] = 1.0,
    steps: Annotated[int, typer.Option("--steps", metavar="N", help="Training steps.")] = 100,
    seed: o.Seed = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder.")] = None,
    set_: o.Set = None,
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
    """Find the learning rate for a network's recipe.

    The rate rises step by step; the one at which the loss falls most steeply is suggested. No model is kept.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.lr_finding import lr_find, lr_lines

    found = lr_find(
        data,
        recipe,
        low=low,
        high=high,
        steps=steps,
        seed=seed,
        output=output,
        overrides=set_ or (),
        force=force,
        language=language,
        **o.reading(text_column, label_column, format, encoding, label_separator),
    )
    for line in lr_lines(found):
        typer.echo(line)
