"""search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command()
def search(
    data: o.Data,
    recipe: o.Recipe = "default",
    space: Annotated[
        Path | None, typer.Option("--space", metavar="FILE", help="What to vary, by dotted key (TOML).")
    ] = None,
    trials: Annotated[int, typer.Option("--trials", metavar="N", help="How many.")] = 20,
    metric: Annotated[str, typer.Option("--metric", help="macro_f1, accuracy, log_loss.")] = "macro_f1",
    valid: o.Valid = None,
    holdout: o.Holdout = None,
    folds: o.Folds = None,
    test: Annotated[
        float | None,
        typer.Option("--test", metavar="SHARE", help="Keep a share from all trials, to measure the best on."),
    ] = None,
    seed: o.Seed = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="MINUTES", help="Begin no trial after that.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", help="Trials side by side.")] = 1,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder.")] = None,
    set_: o.Set = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="DIR", help="Go on with a search; --trials may grow.")
    ] = None,
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    label_separator: o.Separator = None,
    group_column: o.Group = None,
    language: o.Language = "en",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Look for a recipe's best values (hyper-parameters).

    Without --space the family's default ranges are searched; without a split a fifth of the rows is held out.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.searching import search, search_lines

    done = search(
        data,
        recipe,
        space=space,
        trials=trials,
        metric=metric,
        valid=valid,
        holdout=holdout,
        folds=folds,
        test=test,
        seed=seed,
        timeout=timeout,
        jobs=jobs,
        output=output,
        overrides=set_ or (),
        resume=resume,
        force=force,
        language=language,
        say=o.note,
        **o.reading(text_column, label_column, format, encoding, label_separator, group_column),
    )
    for line in search_lines(done):
        typer.echo(line)
