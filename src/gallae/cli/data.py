"""audit, clean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command()
def audit(
    data: o.Data,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="report.html", help="Page.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="OTHER", help="Look for common texts in it.")
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
    """Look at a corpus before training.

    Duplicates, one text under several labels, label balance, lengths, scripts, damaged encoding, vocabulary.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.audit import audit, audit_summary

    given = o.reading(text_column, label_column, format, encoding, label_separator)
    found = audit(data, against=against, output=output, force=force, language=language, **given)
    if json:
        o.print_json(found)
        return
    for line in audit_summary(found):
        typer.echo(line)
    if output is not None:
        typer.echo(f"report: {output}")


@app.command()
def clean(
    data: o.Data,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="File to write.")],
    steps: Annotated[str | None, typer.Option("--steps", help="Names with commas, in order.")] = None,
    dictionary: Annotated[Path | None, typer.Option("--dictionary", help="Your own TOML.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Split too, such as morpheme.")] = None,
    drop_tags: Annotated[str | None, typer.Option("--drop-tags", help="Such as J*,E*,SF.")] = None,
    keep_tags: Annotated[str | None, typer.Option("--keep-tags", help="Such as NNG,NNP,VV.")] = None,
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Write what preprocessing makes of each text.

    The original stands beside it.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.clean import clean, clean_summary

    result = clean(
        data,
        output,
        steps=_names(steps),
        dictionary=dictionary,
        unit=unit,
        drop_tags=_names(drop_tags) or (),
        keep_tags=_names(keep_tags) or (),
        force=force,
        **o.reading(text_column, label_column, format, encoding),
    )
    for line in clean_summary(result):
        typer.echo(line)


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
