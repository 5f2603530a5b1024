"""evaluate, predict, submit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.main import app

_TELLING = 0.01  # a difference in macro-F1 that is worth a line


@app.command()
def evaluate(
    model: o.Model,
    data: o.Data,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="report.html", help="Page.")
    ] = None,
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    label_separator: o.Separator = None,
    language: o.Language = "en",
    threads: o.Threads = None,
    adapt_balance: o.AdaptBalance = False,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Measure a saved model on labelled rows."""
    o.set_up(quiet, verbose)
    from gallae.cli.training import measured
    from gallae.workflows.evaluating import evaluate

    given = o.reading(text_column, label_column, format, encoding, label_separator)
    metrics = evaluate(
        model,
        data,
        output=output,
        force=force,
        language=language,
        threads=threads,
        adapt_balance=adapt_balance,
        **given,
    )
    if json:
        o.print_json(metrics)
        return
    typer.echo(f"{metrics['n']:,} rows, 95 % intervals")
    for line in measured(metrics):
        typer.echo(line)
    told = metrics.get("adapted")
    if told and abs(told["macro_f1"] - metrics["macro_f1"]) > _TELLING:
        typer.echo(
            f"adapted to the label balance of these rows (--adapt-balance): macro-F1 {told['macro_f1']:.4f}, "
            f"accuracy {told['accuracy']:.4f}"
        )
    for label, figures in metrics["per_class"].items():
        typer.echo(
            f"{label}: precision {figures['precision']:.3f}, recall {figures['recall']:.3f}, "
            f"F1 {figures['f1']:.3f}, {figures['support']} rows"
        )
    if output is not None:
        typer.echo(f"report: {output}")


@app.command()
def predict(
    model: o.Model,
    file: Annotated[str | None, typer.Argument(metavar="FILE|-", help="- is standard input.")] = None,
    text: Annotated[list[str] | None, typer.Option("--text", help="A text; repeatable.")] = None,
    top_k: Annotated[int, typer.Option("--top-k", metavar="K", help="Labels a text; 0 for all p_.")] = 1,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help=".csv, .jsonl or .parquet file.")
    ] = None,
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    threads: o.Threads = None,
    adapt_balance: o.AdaptBalance = False,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Predict a file, a pipe or a text.

    One row each, as CSV unless -o says otherwise. A pipe has one text a line.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.predicting import predict

    given = o.reading(text_column, label_column, format, encoding)
    count = predict(
        model,
        file,
        texts=text or (),
        top_k=top_k,
        output=output,
        threads=threads,
        force=force,
        adapt_balance=adapt_balance,
        **given,
    )
    if output is not None:
        o.note(f"{count:,} texts predicted: {output}")


@app.command()
def submit(
    model: o.Model,
    test: Annotated[Path, typer.Argument(metavar="TEST", help="The competition's test file.")],
    like: Annotated[Path, typer.Option("--like", metavar="SAMPLE", help="Its sample submission.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.csv", help="File to write.")],
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    encoding: o.Encoding = None,
    adapt_balance: o.AdaptBalance = False,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Write a competition's submission file.

    It has the columns, rows and order of the sample.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.submitting import submit

    given = o.reading(text_column, label_column, None, encoding)
    count = submit(model, test, like, output, force=force, adapt_balance=adapt_balance, **given)
    o.note(f"{count:,} rows written: {output}")
