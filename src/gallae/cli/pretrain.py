"""pretrain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command()
def pretrain(
    corpus: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE[@WEIGHT]...", help="Sentences, a line each: .txt .gz .xz .jsonl .parquet."
        ),
    ],
    recipe: Annotated[
        str,
        typer.Option("-r", "--recipe", help="Pretraining recipe's name (gallae recipes), or a TOML file."),
    ] = "mlm",
    tokenizer: Annotated[
        str | None, typer.Option("--tokenizer", metavar="FOLDER", help="In the hub's layout.")
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", metavar="C", help="Hub id or folder: its weights learn on.")
    ] = None,
    seed: o.Seed = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="RUN", help="Run folder.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Recipe field, such as training.epochs=3; repeatable."
        ),
    ] = None,
    resume: o.Resume = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Pretrain an encoder on plain text.

    The run's model/ is a checkpoint. A blank line ends a document. WEIGHT says how often an epoch has each
    sentence of the file. An interrupted run goes on by --resume RUN with the same files and options. On
    several devices: torchrun --nproc-per-node N -m gallae pretrain ... -o RUN
    """
    o.set_up(quiet, verbose)
    from gallae.workflows.pretraining import pretrain as work

    run = work(
        corpus,
        recipe,
        tokenizer=tokenizer,
        checkpoint=checkpoint,
        seed=seed,
        output=output,
        overrides=set_ or (),
        force=force,
        resume=resume,
    )
    if not run.written:
        return
    found = run.metrics
    typer.echo(f"{found['objective']}: {found['tokens']:,} tokens in {found['steps']:,} steps")
    typer.echo(f"loss: {found['loss']:.4f}")
    if "token_loss" in found:
        typer.echo(
            f"held out, a token: {found['token_loss']:.4f} "
            f"(of one who knows no more than frequencies: {found['unigram_entropy']:.4f})"
        )
    typer.echo(f"fit: {found['fit_seconds']:.1f} s, {found['tokens_per_second']:,} tokens/s")
    typer.echo(f"model: {found['parameters']:,} parameters, {found['model_mb']:.1f} MB")
    typer.echo(f"run: {run.folder}")
