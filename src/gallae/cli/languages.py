"""languages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command()
def languages(
    data: o.Data,
    language_column: Annotated[
        str, typer.Option("--language-column", metavar="C", help="Column of the text's language.")
    ],
    train: Annotated[
        str, typer.Option("--train", metavar="SETS", help="Such as ko,en,ko+en,all; each and all without.")
    ] = "",
    translated_column: Annotated[
        str | None,
        typer.Option(
            "--translated-column", metavar="C", help="Language a row was translated from; empty: an original."
        ),
    ] = None,
    recipe: o.Recipe = "default",
    holdout: o.Holdout = None,
    folds: o.Folds = None,
    seed: o.Seed = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder.")] = None,
    set_: o.Set = None,
    resume: o.Resume = None,
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
    """Train on some languages, measure on every one.

    One table: what was trained on, and macro-F1 on the same held-out rows, language by language: zero-shot,
    translated rows, all. Without a split a fifth of the rows is held out.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.languages import language_lines, languages

    found = languages(
        data,
        recipe,
        language_column=language_column,
        train=train,
        translated_column=translated_column,
        holdout=holdout,
        folds=folds,
        seed=seed,
        output=output,
        overrides=set_ or (),
        resume=resume,
        force=force,
        language=language,
        **o.reading(text_column, label_column, format, encoding, label_separator, group_column),
    )
    for line in language_lines(found.table.to_dict("records")):
        typer.echo(line)
    typer.echo(f"languages: {found.folder}")
