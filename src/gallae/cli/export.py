"""export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command()
def export(
    model: o.Model,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Folder to write.")],
    int8: Annotated[bool, typer.Option("--int8", help="Weights of 8 bits: smaller and faster.")] = False,
    sample: Annotated[
        Path | None, typer.Option("--sample", metavar="FILE", help="Texts to compare on, labelled or not.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    label_separator: o.Separator = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Write a model's networks as ONNX.

    What comes out predicts without torch.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.exporting import export, summary

    given = o.reading(text_column, label_column, format, encoding, label_separator)
    report = export(model, output, int8=int8, sample=sample, force=force, **given)
    if json:
        o.print_json(report)
        return
    for line in summary(report):
        typer.echo(line)
    if int8 and sample is None:
        o.note("what 8 bits cost was not measured: give --sample FILE")
    typer.echo(f"exported: {output}")
