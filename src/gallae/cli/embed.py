"""embed, tokens, fill-mask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gallae.cli import options as o
from gallae.cli.main import app

Encoder = Annotated[
    str, typer.Argument(metavar="MODEL", help="Checkpoint (hub id or folder), encoder run, or kiwi.")
]
Network = Annotated[
    str, typer.Argument(metavar="MODEL", help="Checkpoint (hub id or folder), or a network's run.")
]
Checkpoint = Annotated[str, typer.Argument(metavar="CHECKPOINT", help="Hub id or folder.")]
File = Annotated[str | None, typer.Argument(metavar="FILE|-", help="- is standard input.")]
Texts = Annotated[list[str] | None, typer.Option("--text", help="A text; repeatable.")]
Revision = Annotated[str, typer.Option("--revision", help="Branch, tag or commit of a hub id.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def embed(
    model: Encoder,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help=".npy or .parquet file.")],
    file: File = None,
    text: Texts = None,
    layer: Annotated[str, typer.Option("--layer", help="Such as -2, 0, -4: or -4,-1.")] = "-2",
    combine: Annotated[
        str, typer.Option("--combine", help="Several layers: mean, sum, concat or weighted.")
    ] = "mean",
    weights: Annotated[str, typer.Option("--weights", help="One a layer, with commas.")] = "",
    pool: Annotated[str, typer.Option("--pool", help="A text's tokens: cls, mean or max.")] = "mean",
    max_length: Annotated[int, typer.Option("--max-length", help="Most tokens of a text.")] = 128,
    revision: Revision = "",
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Write vectors of texts from an encoder's layers.

    Layer 0 is the embedding layer, -1 the last. A .parquet file has the texts beside the vectors.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.embedding import embed, embedding_lines

    found: Any = embed(
        model,
        file,
        texts=text or (),
        output=output,
        layer=layer,
        combine=combine,
        weights=_numbers(weights),
        pool=pool,
        max_length=max_length,
        revision=revision,
        force=force,
        **o.reading(text_column, label_column, format, encoding),
    )
    for line in embedding_lines(found):
        o.note(line)


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise typer.BadParameter(
            f"--weights {text!r}: numbers with commas, such as 0.1,0.2,0.3,0.4."
        ) from error


@app.command()
def tokens(
    model: Network,
    file: File = None,
    text: Texts = None,
    max_length: Annotated[
        int, typer.Option("--max-length", help="Most tokens of a text; the model's limit without.")
    ] = 0,
    revision: Revision = "",
    json: Json = False,
    text_column: o.TextColumn = None,
    label_column: o.LabelColumn = None,
    format: o.Format = None,
    encoding: o.Encoding = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Show what a network reads: tokens, ids and mask.

    Of a file: how long its texts are in tokens, how many are cut off, and how many tokens are unknown.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.tokens import measure_tokens, measured_lines, show_tokens, token_lines

    if (file is None) == (not text):
        raise typer.BadParameter("give either a file (or - for standard input) or --text, and not both.")
    options: dict[str, Any] = {"max_length": max_length, "revision": revision}
    if file is not None:
        given = o.reading(text_column, label_column, format, encoding)
        measured = measure_tokens(model, file, **options, **given)
        _print(measured, measured_lines(measured), json)
        return
    shown = show_tokens(model, text or (), **options)
    _print(shown, [line for one in shown for line in token_lines(one)], json)


@app.command("fill-mask")
def fill_mask(
    checkpoint: Checkpoint,
    text: Annotated[
        list[str], typer.Option("--text", help="With [MASK] where a word is wanted; repeatable.")
    ],
    top_k: Annotated[int, typer.Option("--top-k", metavar="K", help="Words a gap.")] = 5,
    revision: Revision = "",
    json: Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Fill the gaps of a text by a masked language model."""
    o.set_up(quiet, verbose)
    from gallae.tasks.fill_mask import fill_lines, fill_mask

    found = fill_mask(checkpoint, text, top_k, revision)
    _print(found, list(fill_lines(found)), json)


def _print(value: Any, lines: list[str], json: bool) -> None:
    if json:
        o.print_json(value)
        return
    for line in lines:
        typer.echo(line)
