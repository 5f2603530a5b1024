"""distill."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gallae.cli import options as o
from gallae.cli.main import app


@app.command()
def distill(
    teachers: Annotated[
        list[Path], typer.Argument(metavar="TEACHER...", help="Runs, models, or files of probabilities.")
    ],
    data: o.Data,
    recipe: Annotated[str, typer.Option("-r", "--recipe", help="The student's; as of train.")] = "default",
    unlabelled: Annotated[
        list[Path] | None, typer.Option("--unlabelled", metavar="FILE", help="More texts; repeatable.")
    ] = None,
    augment: Annotated[
        int, typer.Option("--augment", metavar="N", help="Altered copies of a labelled text.")
    ] = 0,
    augment_model: Annotated[
        str, typer.Option("--augment-model", metavar="CHECKPOINT", help="A masked model that alters them.")
    ] = "",
    temperature: Annotated[float, typer.Option("--temperature", metavar="T", help="Of the loss kl.")] = 2.0,
    weight: Annotated[
        float, typer.Option("--weight", metavar="A", help="The teacher's share of a labelled row's loss.")
    ] = 0.5,
    loss: Annotated[Literal["kl", "mse"], typer.Option("--loss", help="mse: of the logits.")] = "kl",
    layers: Annotated[
        float, typer.Option("--layers", metavar="EPOCHS", help="Learn an encoder's layers first (TinyBERT).")
    ] = 0,
    valid: o.Valid = None,
    holdout: o.Holdout = None,
    folds: o.Folds = None,
    seed: o.Seed = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="RUN", help="Run folder.")] = None,
    set_: o.Set = None,
    refit: Annotated[bool, typer.Option("--refit", help="After measuring, fit on all rows.")] = False,
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
    """Train a student on what its teachers say.

    Several teachers are averaged. Of rows that a teacher's run held out (--folds) its predictions count.
    """
    o.set_up(quiet, verbose)
    from gallae.cli.training import figures
    from gallae.workflows.distilling import distill

    run = distill(
        teachers,
        data,
        recipe,
        unlabelled=unlabelled or (),
        augment=augment,
        augment_model=augment_model,
        temperature=temperature,
        weight=weight,
        loss=loss,
        layers=layers,
        valid=valid,
        holdout=holdout,
        folds=folds,
        seed=seed,
        output=output,
        overrides=set_ or (),
        refit=refit,
        resume=resume,
        force=force,
        language=language,
        **o.reading(text_column, label_column, format, encoding, label_separator, group_column),
    )
    for line in [*figures(run.metrics), *taught(run.metrics)]:
        typer.echo(line)
    typer.echo(f"run: {run.folder}")


def taught(metrics: dict[str, Any]) -> list[str]:
    """Return what a student learned from, and its teachers' figures, as lines."""
    lines = [f"taught by: {metrics['teachers']}", f"on: {metrics['transfer_set']}; {metrics['soft_targets']}"]
    if "teacher" in metrics:
        teacher = metrics["teacher"]
        low, high = teacher["macro_f1_interval"]
        lines.append(
            f"teacher: macro-F1 {teacher['macro_f1']:.4f} ({low:.4f} to {high:.4f}), "
            f"log loss {teacher['log_loss']:.4f}; the student agrees on {metrics['agreement']:.1%}"
        )
    return lines
