"""Options that several commands share."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

TextColumn = Annotated[str | None, typer.Option("--text-column", metavar="C", help="Column of the text.")]
LabelColumn = Annotated[
    str | None,
    typer.Option("--label-column", metavar="C", help="Column of the label; a,b,c for 0/1 columns."),
]
Format = Annotated[str | None, typer.Option("--format", help="File format, if it is not detected.")]
Encoding = Annotated[str | None, typer.Option("--encoding", help="Encoding, if it is not detected.")]
Separator = Annotated[
    str | None, typer.Option("--label-separator", metavar="S", help="Between several labels of a cell.")
]
Group = Annotated[
    str | None, typer.Option("--group-column", metavar="C", help="Rows of a group stay on one side.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print results and errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Say more about what is done.")]
Language = Annotated[Literal["en", "ko"], typer.Option("--language", help="Of the pages.")]
Data = Annotated[Path, typer.Argument(metavar="DATA", help="File, folder, or hf:owner/name.")]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="Run folder, its model/, or headlines.")]
Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", min=1, help="Threads of networks; all cores if not given."),
]
AdaptBalance = Annotated[
    bool, typer.Option("--adapt-balance", help="Adapt to the label balance of the texts, as estimated.")
]
Recipe = Annotated[str, typer.Option("-r", "--recipe", help="Shipped recipe's name, or a TOML file.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Recipe field, such as model.C=0.3; repeatable."),
]
Valid = Annotated[Path | None, typer.Option("--valid", metavar="FILE", help="Validate on this file.")]
Holdout = Annotated[float | None, typer.Option("--holdout", metavar="SHARE", help="Hold out a share.")]
Folds = Annotated[int | None, typer.Option("--folds", metavar="K", help="Stratified folds.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Replaces the recipe's seed.")]
Resume = Annotated[
    Path | None, typer.Option("--resume", metavar="RUN", help="Go on with an interrupted run.")
]


def set_up(quiet: bool, verbose: bool) -> None:
    """Set up messages and progress: results go to standard output, everything else to standard error.

    Raises:
        typer.BadParameter: for --quiet and --verbose together.
    """
    from gallae.progress import set_quiet

    if quiet and verbose:
        raise typer.BadParameter("--quiet and --verbose contradict each other. Give one of them.")
    set_quiet(quiet)
    log = logging.getLogger("gallae")
    log.setLevel(logging.ERROR if quiet else logging.DEBUG if verbose else logging.WARNING)
    log.handlers.clear()
    log.propagate = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("gallae: %(message)s"))
    log.addHandler(handler)


def reading(
    text_column: str | None = None,
    label_column: str | None = None,
    format: str | None = None,
    encoding: str | None = None,
    label_separator: str | None = None,
    group_column: str | None = None,
) -> dict[str, Any]:
    """Return the keywords of `gallae.read` that were given."""
    given = {
        "text_column": text_column,
        "label_column": label_column,
        "format": format,
        "encoding": encoding,
        "label_separator": label_separator,
        "group_column": group_column,
    }
    return {key: value for key, value in given.items() if value}


def print_json(value: Any) -> None:
    """Print one JSON object on standard output."""
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def note(message: str) -> None:
    """Print a line on standard error, unless quiet."""
    from gallae import progress

    if not progress.is_quiet():
        typer.echo(message, err=True)
