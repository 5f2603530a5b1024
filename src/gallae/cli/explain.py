"""explain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command()
def explain(
    model: o.Model,
    file: Annotated[str | None, typer.Argument(metavar="FILE|-", help="- is standard input.")] = None,
    text: Annotated[list[str] | None, typer.Option("--text", help="A text; repeatable.")] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="L", help="Label to explain; the one given if left away.")
    ] = None,
    method: Annotated[
        Literal["auto", "exact", "gradients", "occlusion", "lime"],
        typer.Option("--method", help="How; auto takes the first that the model allows."),
    ] = "auto",
    unit: Annotated[
        Literal["word", "morpheme"], typer.Option("--unit", help="What the reasons are told of.")
    ] = "word",
    top: Annotated[int, typer.Option("--top", metavar="K", min=1, help="Words shown a text.")] = 8,
    attention: Annotated[bool, typer.Option("--attention", help="Attention of a network too.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help=".html page or .jsonl file.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of LIME's samples.")] = 0,
    text_column: o.TextColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    language: o.Language = "en",
    threads: o.Threads = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Say which words decided.

    A line or two each, or a page with the words coloured.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.explaining import Wish, explain_texts

    wish = Wish(label, method, unit, seed, attention)
    lines = explain_texts(
        model,
        file,
        texts=text or (),
        wish=wish,
        top=top,
        output=output,
        language=language,
        threads=threads,
        force=force,
        **o.reading(text_column, None, format, encoding),
    )
    count = 0
    for line in lines:
        count += 1
        if output is None:
            typer.echo(line)
    if output is not None:
        o.note(f"{count:,} explanations: {output}")
