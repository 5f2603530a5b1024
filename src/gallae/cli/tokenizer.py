"""tokenizer train, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.main import app

tokenizer = typer.Typer(name="tokenizer", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(tokenizer, help="Train a tokenizer, or compare some on the same texts.")


@tokenizer.command()
def train(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE[@WEIGHT]...", help="Text, a line each (.txt, .xz, .gz), .jsonl or .parquet."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Folder to write.")],
    kind: Annotated[
        str, typer.Option("--kind", help="wordpiece, bpe, byte_bpe, unigram, or morpheme.")
    ] = "wordpiece",
    size: Annotated[int, typer.Option("--size", help="Most tokens of the vocabulary.")] = 16_000,
    min_count: Annotated[float, typer.Option("--min-count", help="Leave out what is rarer.")] = 2,
    most: Annotated[
        int, typer.Option("--most", metavar="LINES", help="So many of each file, at random; 0: all.")
    ] = 0,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Train a tokenizer on files of text.

    FOLDER holds tokenizer.json and tokenizer_config.json: AutoTokenizer loads it, and gallae pretrain takes
    it. The weight says how often each line of a file counts: news.txt.xz@3. The kind morpheme cuts words
    nearly as Kiwi does, and needs no Kiwi to be used.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.tokenizers import tokenizer_lines, train_tokenizer

    result = train_tokenizer(files, output, kind=kind, size=size, min_count=min_count, most=most, force=force)
    for line in tokenizer_lines(result):
        typer.echo(line)


@tokenizer.command()
def compare(
    tokenizers: Annotated[
        list[str], typer.Argument(metavar="TOKENIZER...", help="Folders, checkpoints, or hub ids.")
    ],
    texts: Annotated[Path, typer.Option("--texts", metavar="FILE", help="Text, a line each.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="page.html", help="Page to write.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    language: o.Language = "en",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Compare tokenizers on the same texts: how many tokens, what is unknown, how texts are cut."""
    o.set_up(quiet, verbose)
    from gallae.workflows.tokenizer_comparing import compare_tokenizers, comparison_lines

    result = compare_tokenizers(tokenizers, texts, output=output, language=language, force=force)
    if json:
        o.print_json(result)
        return
    for line in comparison_lines(result):
        typer.echo(line)
    if output is not None:
        typer.echo(f"page: {output}")
