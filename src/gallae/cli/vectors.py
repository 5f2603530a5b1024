"""vectors train, neighbours, analogy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gallae.cli import options as o
from gallae.cli.main import app

vectors = typer.Typer(name="vectors", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(vectors, help="Train word vectors, or ask some for neighbours and analogies.")

Vectors = Annotated[
    str, typer.Argument(metavar="FILE", help="Of word2vec, GloVe or fastText, or kiwi for Kiwi's own.")
]
Count = Annotated[int, typer.Option("-n", help="How many.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@vectors.command()
def train(
    data: o.Data,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="File to write.")],
    method: Annotated[str, typer.Option("--method", help="word2vec, fasttext or glove.")] = "word2vec",
    unit: Annotated[
        str | None, typer.Option("--unit", help="Such as word; morpheme_tag without, fasttext: morpheme.")
    ] = None,
    dim: Annotated[int | None, typer.Option("--dim", help="Dimensions; 100 without.")] = None,
    window: Annotated[int | None, typer.Option("--window", help="Tokens to each side; 5 without.")] = None,
    min_count: Annotated[
        int | None, typer.Option("--min-count", help="Leave out rarer tokens; 5 without.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Passes; by the number of tokens without.")
    ] = None,
    cbow: Annotated[bool, typer.Option("--cbow", help="Predict a token from its company.")] = False,
    min_n: Annotated[int | None, typer.Option("--min-n", help="fasttext: shortest n-gram.")] = None,
    max_n: Annotated[int | None, typer.Option("--max-n", help="fasttext: longest n-gram.")] = None,
    bucket: Annotated[int | None, typer.Option("--bucket", help="fasttext: rows of n-grams.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the training; 42 without.")] = None,
    steps: Annotated[str | None, typer.Option("--steps", help="Names with commas, in order.")] = None,
    dictionary: Annotated[Path | None, typer.Option("--dictionary", help="Your own TOML.")] = None,
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
    """Train vectors on a corpus's texts.

    word2vec and fasttext by gensim, glove by our own. The file is text in word2vec's format; a name that ends
    in .bin is binary, and with fasttext keeps the n-grams, which give unseen words a vector too.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.vectors import train_vectors, training_summary

    given = {"dim": dim, "window": window, "min_count": min_count, "epochs": epochs, "seed": seed}
    given |= {"min_n": min_n, "max_n": max_n, "bucket": bucket}
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    result = train_vectors(
        data,
        output,
        method=method,
        unit=unit,
        steps=_names(steps),
        dictionary=dictionary,
        drop_tags=_names(drop_tags) or (),
        keep_tags=_names(keep_tags) or (),
        options={**options, "skipgram": False} if cbow else options,
        force=force,
        **o.reading(text_column, label_column, format, encoding),
    )
    for line in training_summary(result):
        typer.echo(line)


@vectors.command()
def neighbours(
    file: Vectors,
    word: Annotated[list[str], typer.Argument(metavar="WORD...", help="One or more.")],
    n: Count = 10,
    json: Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Print the words nearest to each word, with their cosines.

    Where words carry tags, as in 은행/NNG, the form alone finds the first.
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.vectors import neighbours

    found = neighbours(file, word, n)
    if json:
        o.print_json(found)
        return
    for one in found:
        typer.echo(one["token"])
        _print(one["neighbours"])


@vectors.command()
def analogy(
    file: Vectors,
    expression: Annotated[str, typer.Argument(metavar="SUM", help="Such as 'king - man + 1.3*woman'.")],
    n: Count = 10,
    json: Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Print the words nearest to a sum of words, with their cosines.

    gallae vectors analogy kiwi "왕 - 남자 + 1.3*여자"
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.vectors import analogy

    found = analogy(file, expression, n)
    if json:
        o.print_json(found)
        return
    _print(found["neighbours"])


def _print(neighbours: list[tuple[str, float]]) -> None:
    for token, cosine in neighbours:
        typer.echo(f"  {cosine:.3f}  {token}")


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
